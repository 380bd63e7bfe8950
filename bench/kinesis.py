"""The streams' service with its log, acknowledged after fsync, beside kinesalite and moto, which keep all in memory.

PutRecord of 450 bytes over 32 and 128 connections, and PutRecords of 100: records/s, CPU a record of the server's process, its
memory afterwards; and how long each takes from its start to its first answer.
  ./dev bench kinesis [--seconds 5] [--dir DIR] [--only ours]
"""
import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import measure

sys.path.append(str(measure.ROOT / "tests/strangers/kinesis"))
import servers

SCRIPT = measure.ROOT / "bench/put_records.lua"
SHARDS = 4
START_ROUNDS = 10


@contextlib.contextmanager
def ours(folder, keys=None):
    with tempfile.TemporaryDirectory(dir=folder) as data:
        more = ["--keys", keys] if keys else []
        process = subprocess.Popen([measure.PINFLOW, "streams", "--data", data, "--listen", "127.0.0.1:0", *more],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=measure.ROOT)
        try:
            yield process.stdout.readline().split()[1], process
        finally:
            process.terminate()
            process.wait(30)


def ask(url, operation, **request):
    asked = urllib.request.Request(url, json.dumps(request).encode(), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}",
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.read()


def load(url, process, connections, records, seconds):
    before = measure.cpu_seconds(process.pid)
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), url, "--",
                           "bench", str(records)], check=True, capture_output=True, text=True).stdout
    cpu = measure.cpu_seconds(process.pid) - before
    result = json.loads(next(line for line in done.splitlines() if line.startswith("RESULT"))[7:])
    count = result["requests"] * records
    return {"records/s": count / result["seconds"], "cpu us/record": cpu / max(count, 1) * 1e6, "p50 ms": result["p50_ms"],
            "p99 ms": result["p99_ms"], "errors": result["errors"]}


def rss_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def first_answer(start):
    """Seconds from a server's start to its first answer."""
    began = time.monotonic()
    with start() as (url, _):
        ask(url, "ListStreams")
        return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--dir", default=None, help="where the log is written")
    parser.add_argument("--only", default=None, help="ours, kinesalite or moto")
    options = parser.parse_args()
    if options.only != "ours":
        servers.get()
    all_servers = {"ours": lambda: ours(options.dir), "kinesalite": servers.kinesalite, "moto": servers.moto}
    rows, notes, best = [], [], {}
    for name, start in all_servers.items():
        if options.only not in (None, name):
            continue
        with start() as (url, process):
            idle = rss_mib(process.pid)
            ask(url, "CreateStream", StreamName="bench", ShardCount=SHARDS)
            time.sleep(1)  # kinesalite's and moto's become active later
            for connections, records in ((32, 1), (128, 1), (32, 100)):
                load(url, process, connections, records, 1)
                measured = load(url, process, connections, records, options.seconds)
                rows.append({"server": name, "connections": connections, "records a request": records, **measured,
                             "RSS MiB": rss_mib(process.pid)})
                best.setdefault((connections, records), {})[name] = measured["records/s"]
        starts = sorted(first_answer(start) for _ in range(START_ROUNDS if name == "ours" else 3))
        notes.append(f"{name}: {starts[len(starts) // 2] * 1e3:.0f} ms from the start to the first answer (the slowest "
                     f"{starts[-1] * 1e3:.0f}), {idle:.0f} MiB before any record")
    for (connections, records), rates in best.items():
        if "ours" in rates:
            notes += [f"{connections} connections, {records} a request: {rates['ours'] / rate:.1f} times {name}'s records/s"
                      for name, rate in rates.items() if name != "ours"]
    measure.report("kinesis", rows, notes)


main()
