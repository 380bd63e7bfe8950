"""The streams' service with its log, acknowledged after fsync, beside kinesalite and moto, which keep all in memory.

PutRecord of 450 bytes over 32 and 128 connections, and PutRecords of 100: records/s, CPU a record of the server's process, its
memory afterwards; the servers take turns, --rounds times, and the median round by records/s counts. Then how long each takes from its
start to its first answer, and what ours and the whole program (`up`) hold in anonymous memory when idle.
  ./dev bench kinesis [--seconds 5] [--rounds 3] [--dir DIR] [--only ours]
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


def memory_mib(pid, kind):
    """kind: Rss or Anonymous, of /proc's smaps_rollup."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(kind + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def idle_anonymous(folder, *args):
    """Of a part of the program with all that it opens, some seconds after its start."""
    with tempfile.TemporaryDirectory(dir=folder) as data:
        process = subprocess.Popen([measure.PINFLOW, *args, "--data", data], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True, cwd=measure.ROOT)
        try:
            while not process.stdout.readline().startswith("ready"):
                pass
            time.sleep(3)
            return memory_mib(process.pid, "Anonymous")
        finally:
            process.terminate()
            process.wait(30)


def first_answer(start):
    """Seconds from a server's start to its first answer."""
    began = time.monotonic()
    with start() as (url, _):
        ask(url, "ListStreams")
        return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", default=None, help="where the log is written")
    parser.add_argument("--only", default=None, help="ours, kinesalite or moto")
    options = parser.parse_args()
    if options.only != "ours":
        servers.get()
    start = {"ours": lambda: ours(options.dir), "kinesalite": servers.kinesalite, "moto": servers.moto}
    if options.only:
        start = {options.only: start[options.only]}
    rows, notes, best = [], [], {}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(begin()) for name, begin in start.items()}
        idle = {name: memory_mib(process.pid, "Rss") for name, (_, process) in running.items()}
        for url, _ in running.values():
            ask(url, "CreateStream", StreamName="bench", ShardCount=SHARDS)
        time.sleep(1)  # kinesalite's and moto's become active later
        for connections, records in ((32, 1), (128, 1), (32, 100)):
            rounds = {name: [] for name in running}
            for url, process in running.values():
                load(url, process, connections, records, 1)
            for _ in range(options.rounds):
                for name, (url, process) in running.items():
                    rounds[name].append(load(url, process, connections, records, options.seconds))
            for name, (_, process) in running.items():
                measured = sorted(rounds[name], key=lambda one: one["records/s"])[options.rounds // 2]
                rows.append({"server": name, "connections": connections, "records a request": records, **measured,
                             "RSS MiB": memory_mib(process.pid, "Rss")})
                best.setdefault((connections, records), {})[name] = measured["records/s"]
    for name, begin in start.items():
        starts = sorted(first_answer(begin) for _ in range(START_ROUNDS if name == "ours" else 3))
        notes.append(f"{name}: {starts[len(starts) // 2] * 1e3:.0f} ms from the start to the first answer (the slowest "
                     f"{starts[-1] * 1e3:.0f}), {idle[name]:.0f} MiB before any record")
    if "ours" in start:
        free = [part for name in ("gateway", "broker", "streams") for part in ("--listen", f"{name}=127.0.0.1:0")]
        notes.append(f"anonymous memory when idle: {idle_anonymous(options.dir, 'streams', '--listen', '127.0.0.1:0'):.1f} MiB of "
                     f"`streams`, {idle_anonymous(options.dir, 'up', *free):.1f} MiB of `up`")
    for (connections, records), rates in best.items():
        if "ours" in rates:
            notes += [f"{connections} connections, {records} a request: {rates['ours'] / rate:.1f} times {name}'s records/s"
                      for name, rate in rates.items() if name != "ours"]
    measure.report("kinesis", rows, notes)


main()
