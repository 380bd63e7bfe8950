"""The streaming leg: put to visible, sustained rate, CPU, commits; the worker alone beside Spark and bare DuckDB.

    ./dev bench stream [--rates 1000,10000] [--triggers 100ms,1s] [--seconds 20] [--long MINUTES] [--sustain 20000,40000,…]
                       [--log POSTS] [--no-spark] [--only latency|sustain|log] [--dir DIR]

Latency: the streams' service and `pinflow stream` are processes of their own; one more puts posts (pin, geo and user in
turns, PutRecords of up to 200) at a fixed rate. A record is put when its request is sent, and visible when the log file of
the commit that holds it exists: both by this machine's monotonic clock, the file looked for each millisecond by a process
of its own. Which commit holds a record is read from the tables afterwards. --long: the same at 10,000 records/s and 100 ms for
so many minutes, the first and the last minute beside each other. Sustained is the highest rate of those given at which
all is visible three seconds after the last put.

Log: so many posts lie in the streams (and, the same lines, in objects); `pinflow stream --until-caught-up` over them, beside
`pinflow stream --engine` on Spark local[2] (file source, the same SQL, Delta) and bare DuckDB (read_json, the same columns
by hand, Parquet).
"""
import argparse
import base64
import contextlib
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import duckdb
import measure

sys.path[:0] = [str(measure.ROOT / "tests"), str(measure.ROOT / "bench")]
import batch_objects  # noqa: E402

TYPES = ("pin", "geo", "user")
KEYS = {"pin": "index", "geo": "ind", "user": "ind"}
AT_ONCE = 200  # records of one request


@contextlib.contextmanager
def part(*command):
    process = subprocess.Popen([str(measure.PINFLOW), *map(str, command)], stdout=subprocess.PIPE, text=True, cwd=measure.ROOT)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready"):
            break
    try:
        yield process, lines
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def streams(data):
    with part("streams", "--make-streams", "--data", data, "--listen", "127.0.0.1:0") as (process, lines):
        yield process, lines[0].split()[1]


def worker(data, url, *more):
    return part("stream", "--data", data, "--kinesis-endpoint", url, *more)


def bodies():
    """Of each type a ready JSON text of one post, to be given a number: (before, after) its key's value."""
    rng, texts = random.Random(1), {}
    for name, record in zip(TYPES, batch_objects.post(rng, 424242, ["Country %03d" % n for n in range(217)])):
        before, after = json.dumps(record, ensure_ascii=False, separators=(",", ":")).split("424242", 1)
        texts[name] = before.encode(), after.encode()
    return texts


class Connection:
    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)

    def put(self, stream, data):
        """One PutRecords; (sent, answered) by the monotonic clock."""
        records = ",".join(f'{{"Data":"{base64.b64encode(each).decode()}","PartitionKey":"{i}"}}' for i, each in enumerate(data))
        body = f'{{"StreamName":"{stream}","Records":[{records}]}}'
        sent = time.monotonic()
        self.connection.request("POST", "/", body, {"Content-Type": "application/x-amz-json-1.1",
                                                    "X-Amz-Target": "Kinesis_20131202.PutRecords"})
        answer = json.loads(self.connection.getresponse().read())
        assert answer["FailedRecordCount"] == 0, answer
        return sent, time.monotonic()


def poster(url, rate, seconds, first, step, result):
    """Puts `rate` records a second. Gives [(number of the first record, how many, sent)]."""
    connection, texts, sent = Connection(url), bodies(), []
    # 50 requests a second at least, so that the putting itself is no batch.
    many = max(1, min(AT_ONCE, int(rate / 50)))
    number, begun, count = first, time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        due = begun + count / rate
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        name = TYPES[(count // many) % 3]
        before, after = texts[name]
        at, _ = connection.put(f"streaming-local-{name}", [before + b"%d" % (number + i * step) + after for i in range(many)])
        sent.append((name, number, many, at))
        number += many * step
        count += many
    result.put((sent, count / (time.monotonic() - begun)))


def watch(folder, stop, result):
    """When each commit of each table came into being."""
    seen, version = {name: [] for name in TYPES}, {name: 0 for name in TYPES}
    paths = {name: f"{folder}/{name}_stream/_delta_log/%020d.json" for name in TYPES}
    while not stop.is_set():
        for name in TYPES:
            while os.path.exists(paths[name] % version[name]):
                seen[name].append(time.monotonic())
                version[name] += 1
        time.sleep(0.001)
    result.put(seen)


def commits_of(lake, name):
    """[(version, keys)] of the commits that add a file, and the bytes of these files."""
    folder, found, size = lake / "tables" / f"{name}_stream", [], 0
    connection = duckdb.connect()
    for entry in sorted((folder / "_delta_log").glob("*.json")):
        adds = [json.loads(line)["add"] for line in entry.read_text().splitlines() if line.startswith('{"add"')]
        adds = [add for add in adds if add["dataChange"]]
        for add in adds:
            size += add["size"]
            keys = connection.execute("SELECT ind FROM read_parquet(?)", [str(folder / add["path"])]).fetchall()
            found.append((int(entry.stem), keys))
    return found, size


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def measure_latency(folder, rate, trigger, seconds, posters=1):
    """(row, [(put, latency)] in the order of putting)."""
    data = pathlib.Path(tempfile.mkdtemp(dir=folder))
    with streams(data) as (service, url), worker(data, url, "--trigger", trigger) as (working, _):
        context = multiprocessing.get_context("fork")
        stop, seen, sent = context.Event(), context.Queue(), context.Queue()
        watcher = context.Process(target=watch, args=(str(data / "lake/tables"), stop, seen))
        watcher.start()
        time.sleep(1)
        before = [measure.cpu_seconds(process.pid) for process in (service, working)]
        running = [context.Process(target=poster, args=(url, rate / posters, seconds, i, posters, sent)) for i in range(posters)]
        for each in running:
            each.start()
        put = [sent.get() for _ in running]
        for each in running:
            each.join()
        time.sleep(3)  # for what is late
        cpu = [measure.cpu_seconds(process.pid) - was for process, was in zip((service, working), before)]
        peak = measure.peak_mib(working.pid)
        stop.set()
        visible = seen.get()
        watcher.join()
    when, size, commits = {}, 0, 0
    for name in TYPES:
        found, bytes_ = commits_of(data / "lake", name)
        size += bytes_
        commits += len(found)
        for version, keys in found:
            if version < len(visible[name]):
                for key, in keys:
                    when[name, key] = visible[name][version]
    latencies, records, late = [], 0, 0
    for requests, _ in put:
        for name, first, many, at in requests:
            for i in range(many):
                records += 1
                seen_at = when.get((name, first + i * posters))
                if seen_at is None:
                    late += 1
                else:
                    latencies.append((at, seen_at - at))
    latencies.sort()
    values = sorted(latency for _, latency in latencies)
    shutil.rmtree(data)
    row = {"rate": rate, "trigger": trigger, "put/s": sum(each for _, each in put), "p50 ms": percentile(values, 0.5) * 1e3,
           "p99 ms": percentile(values, 0.99) * 1e3, "worker us/rec": cpu[1] / records * 1e6, "service us/rec": cpu[0] / records * 1e6,
           "commits": commits, "MB": size / 1e6, "worker MiB": peak, "late": late}
    return row, latencies


def long_run(folder, minutes, rate=10_000, trigger="100ms"):
    row, latencies = measure_latency(folder, rate, trigger, minutes * 60)
    begin, end = latencies[0][0], latencies[-1][0]
    ends = {"first minute": [l for at, l in latencies if at < begin + 60], "last minute": [l for at, l in latencies if at > end - 60]}
    told = "; ".join(f"{name}: p50 {percentile(sorted(values), 0.5) * 1e3:.0f} ms, p99 {percentile(sorted(values), 0.99) * 1e3:.0f} ms"
                     for name, values in ends.items())
    return {**row, "trigger": f"{trigger}, {minutes} min"}, told


def fill(lake, url):
    """The objects' lines into the streams."""
    connection, records = Connection(url), 0
    for name in TYPES:
        for path in sorted((lake / "topics" / f"local.{name}").glob("*/*.json")):
            lines = path.read_bytes().splitlines()
            records += len(lines)
            for first in range(0, len(lines), 400):
                connection.put(f"streaming-local-{name}", lines[first:first + 400])
    return records


def full_log(folder, posts, with_spark):
    rows = []
    objects = folder / "objects"
    batch_objects.make(objects, posts, 10_000, 0.0)
    data = folder / "data"
    with streams(data) as (service, url):
        records = fill(objects, url)
        for way, more in (("pinflow stream", ["--keep-repeats"]), ("… repeats dropped", [])):
            shutil.rmtree(data / "lake", ignore_errors=True)
            before = measure.cpu_seconds(service.pid)
            done = measure.run([measure.PINFLOW, "stream", "--until-caught-up", "--data", data, "--kinesis-endpoint", url, *more],
                               cwd=measure.ROOT)
            assert done.status == 0, done.stdout
            rows.append({"way": way, "records": records, "wall s": done.wall, "records/s": records / done.wall, "cpu s": done.cpu,
                         "service cpu s": measure.cpu_seconds(service.pid) - before, "peak MiB": done.peak_mib})
    script = (measure.ROOT / "bench/by_hand.sql").read_text().replace("LAKE", str(objects)).replace("OUT", str(folder))
    copies = [text for text in script.split(";\n") if "COPY" in text or "MACRO" in text]
    code = "import duckdb, sys\nc = duckdb.connect(config={'threads': 2})\nfor s in sys.argv[1:]: c.execute(s)"
    done = measure.run([sys.executable, "-c", code, *copies])
    assert done.status == 0
    rows.append({"way": "bare DuckDB", "records": records, "wall s": done.wall, "records/s": records / done.wall, "cpu s": done.cpu,
                 "service cpu s": 0.0, "peak MiB": done.peak_mib})
    if with_spark:
        import spark_server
        spark_server.get()
        server = spark_server.Server(folder / "spark", heap="3g")
        server.start(300)
        try:
            for way in ("Spark, cold", "Spark, warm"):
                for made in ("tables", "state"):
                    shutil.rmtree(objects / made, ignore_errors=True)
                before = measure.cpu_seconds(server.process.pid)
                done = measure.run([measure.PINFLOW, "stream", "--engine", server.url, "--until-caught-up", "--data", folder / "spark-data",
                                    "--lake", objects], cwd=measure.ROOT)
                assert done.status == 0, done.stdout
                rows.append({"way": way, "records": records, "wall s": done.wall, "records/s": records / done.wall,
                             "cpu s": done.cpu + measure.cpu_seconds(server.process.pid) - before, "service cpu s": 0.0,
                             "peak MiB": measure.peak_mib(server.process.pid)})
        finally:
            server.stop()
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rates", default="1000,10000")
    parser.add_argument("--triggers", default="100ms,1s")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--long", type=int, default=0, help="minutes")
    parser.add_argument("--sustain", default="20000,40000,60000,80000")
    parser.add_argument("--log", type=int, default=200_000, help="posts")
    parser.add_argument("--no-spark", action="store_true")
    parser.add_argument("--only", choices=["latency", "sustain", "log", "long"])
    parser.add_argument("--dir")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-", dir=args.dir) as folder:
        folder = pathlib.Path(folder)
        if args.only in (None, "latency", "long"):
            rows, notes = [], []
            if args.only != "long":
                rows = [measure_latency(folder, int(rate), trigger, args.seconds)[0]
                        for trigger in args.triggers.split(",") for rate in args.rates.split(",")]
            if args.long:
                row, told = long_run(folder, args.long)
                rows.append(row)
                notes.append(told)
            measure.report("stream latency", rows, notes)
        if args.only in (None, "sustain"):
            rows = []
            for rate in args.sustain.split(","):
                row, _ = measure_latency(folder, int(rate), "1s", 10, posters=2)
                rows.append({**row, "kept up": "yes" if row["late"] == 0 and row["put/s"] > 0.95 * int(rate) else "no"})
            measure.report("stream sustained", rows)
        if args.only in (None, "log"):
            rows = full_log(folder, args.log, not args.no_spark)
            ours = rows[0]["records/s"]
            measure.report("stream full log", rows, [f"{row['way']}: the worker does x {ours / row['records/s']:.2f}" for row in rows[2:]])


if __name__ == "__main__":
    main()
