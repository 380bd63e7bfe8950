"""The batch on 1,000,000 posts, objects to tables and answers, beside DuckDB by hand.

`batch.py [--posts N] [--flush 10000] [--repeats SHARE] [--memory MB] [--rounds 3]`. Objects are made first, in the shape
of the source's rows (lengths, placeholders, shares), as the sink leaves them; they are read once before the clock runs.
By hand means by_hand.sql: read_json with text columns, Parquet, the nine queries; no dead letters, no repeats.
"""
import argparse
import json
import os
import pathlib
import shutil
import tempfile

import batch_objects
import measure

PROGRAM = measure.ROOT / "build/bench/bench/batch_bench"
PIPELINE = measure.ROOT / "pipelines/pinterest"


def read_once(lake):
    return sum(len(path.read_bytes()) for path in lake.glob("topics/*/*/*"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--flush", type=int, default=10_000)
    parser.add_argument("--repeats", type=float, default=0.0, help="share of posts that were sent before")
    parser.add_argument("--memory", type=int, default=1024, help="MB, of both engines")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rows, notes = [], []
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as folder:
        lake, out = pathlib.Path(folder) / "lake", pathlib.Path(folder) / "out"
        batch_objects.make(lake, args.posts, args.flush, args.repeats)
        out.mkdir()
        notes.append(f"{args.posts:,} posts, {read_once(lake) / 1e6:,.0f} MB of objects, {args.memory} MB for the engine; "
                     "the best of each by wall time")
        ways = {"pinflow batch": [PROGRAM, lake, PIPELINE, args.memory],
                "DuckDB by hand": [PROGRAM, lake, PIPELINE, args.memory, pathlib.Path(__file__).parent / "by_hand.sql", out]}
        best = {}
        for _ in range(args.rounds):  # in turns, so that a busy machine is unkind to both
            for name, command in ways.items():
                for made in ("tables", "state", "answers"):
                    shutil.rmtree(lake / made, ignore_errors=True)
                os.sync()
                done = measure.run(command)
                assert done.status == 0, f"{name} ended with {done.status}"
                if name not in best or done.wall < best[name].wall:
                    best[name] = done
    for name, done in best.items():
        rows.append({"way": name, "wall s": done.wall, "cpu s": done.cpu, "peak MiB": done.peak_mib})
        notes.append(f"{name}: " + ", ".join(f"{step} {s:.2f} s" for step, s in json.loads(done.stdout)["seconds"].items()))
    ours, theirs = best["pinflow batch"], best["DuckDB by hand"]
    notes.append(f"by hand x {ours.wall / theirs.wall:.2f} of wall time, x {ours.cpu / theirs.cpu:.2f} of CPU time")
    measure.report("batch", rows, notes)


main()
