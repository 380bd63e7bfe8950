"""Objects to tables and answers: DuckDB in the program beside Spark local[2], cold and with a warm Connect server.

`engines.py [--posts 200000,1000000] [--small 20000] [--rounds 3] [--heap 3g] [--embedded-only]`. The same objects each time (as
`batch.py` makes them), the same plans, cleaning, repeats and nine queries; tables, plans and answers are deleted between runs. Cold is
the start of the Connect server and its first batch; warm is the best of the batches after it. Spark's CPU and peak are the server's and
the program's together. `--small N`: also N posts as objects of one record each.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

import measure

sys.path[:0] = [str(measure.ROOT / "tests"), str(measure.ROOT / "bench")]
import batch_objects  # noqa: E402
import spark_server  # noqa: E402


def run(lake, *engine):
    for made in ("tables", "state", "answers"):
        shutil.rmtree(lake / made, ignore_errors=True)
    os.sync()
    done = measure.run([measure.PINFLOW, "batch", "--lake", lake, "--data", lake.parent / "data", "--date", "2026-01-01", "--force",
                        "--format", "json", *engine], cwd=measure.ROOT)
    assert done.status == 0, f"pinflow batch {' '.join(engine)} ended with {done.status}"
    return done


def row(way, posts, objects, wall, cpu, peak):
    return {"way": way, "posts": posts, "objects": objects, "wall s": wall, "cpu s": cpu, "peak MiB": peak}


def compare(lake, posts, rounds, folder, heap, embedded_only):
    objects = sum(1 for _ in lake.glob("topics/*/*/*"))
    best = min((run(lake) for _ in range(rounds)), key=lambda done: done.wall)
    rows = [row("embedded", posts, objects, best.wall, best.cpu, best.peak_mib)]
    if embedded_only:
        return rows, best.wall, None
    server = spark_server.Server(folder / f"spark-{posts}-{objects}", heap=heap)
    began = time.monotonic()
    server.start(300)
    try:
        pid = server.process.pid
        done = run(lake, "--engine", server.url)
        rows.append(row("Spark, cold", posts, objects, time.monotonic() - began, done.cpu + measure.cpu_seconds(pid),
                        done.peak_mib + measure.peak_mib(pid)))
        warm = None
        for _ in range(rounds):
            before = measure.cpu_seconds(pid)
            done = run(lake, "--engine", server.url)
            cpu = done.cpu + measure.cpu_seconds(pid) - before
            if warm is None or done.wall < warm[0]:
                warm = (done.wall, cpu, done.peak_mib + measure.peak_mib(pid))
        rows.append(row("Spark, warm", posts, objects, *warm))
    finally:
        server.stop()
    return rows, best.wall, warm[0]


def growth(rows, flush):
    """How each figure grows from the smallest to the largest batch of the same kind of objects."""
    notes = []
    for way in dict.fromkeys(row["way"] for row in rows):
        of_way = sorted((row for row in rows if row["way"] == way and row["posts"] > row["objects"]), key=lambda row: row["posts"])
        if len(of_way) > 1:
            small, large = of_way[0], of_way[-1]
            factors = ", ".join(f"{key} x {large[key] / small[key]:.1f}" for key in ("wall s", "cpu s", "peak MiB"))
            notes.append(f"{way}, posts x {large['posts'] / small['posts']:.0f} (objects of {flush:,}): {factors}")
    return notes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", default="200000,1000000")
    parser.add_argument("--small", type=int, default=20_000, help="posts as objects of one record each; 0: none")
    parser.add_argument("--flush", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--heap", default="3g", help="of Spark's server")
    parser.add_argument("--embedded-only", action="store_true")
    args = parser.parse_args()
    if not args.embedded_only:
        spark_server.get()
    rows, notes = [], []
    sizes = [(int(posts), args.flush) for posts in args.posts.split(",") if posts] + ([(args.small, 1)] if args.small else [])
    for posts, flush in sizes:
        with tempfile.TemporaryDirectory(prefix="pinflow-bench-", dir=os.environ.get("TMPDIR")) as folder:
            folder = pathlib.Path(folder)
            batch_objects.make(folder / "lake", posts, flush, 0.0)
            found, embedded, warm = compare(folder / "lake", posts, args.rounds, folder, args.heap, args.embedded_only)
            rows += found
            if warm:
                notes.append(f"{posts:,} posts in {found[0]['objects']:,} objects: warm Spark takes x {warm / embedded:.1f} of the embedded time")
    measure.report("engines", rows, notes + growth(rows, args.flush))


main()
