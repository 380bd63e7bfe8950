"""The gateway with its log, acknowledged after fsync, beside a bare Beast server that only parses, in the same run.

One record a request over 32 and 256 connections: requests/s, and CPU a request of the server's process. 100 records a
request: bytes of records stored a second beside `dd conv=fdatasync` on the same disk.
  ./dev bench gateway [--seconds 5] [--dir DIR]
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import measure

BUILD = measure.ROOT / "build/bench/bench"  # where bench/CMakeLists.txt puts its programs
SCRIPT = measure.ROOT / "bench/post_records.lua"


def start(command):
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def stop(process):
    process.stdin.close()
    process.wait(30)
    assert process.returncode == 0, f"{process.args[0]} ended with {process.returncode}"


def load(process, port, connections, records, seconds):
    url = f"http://127.0.0.1:{port}/prod/topics/bench"
    before = measure.cpu_seconds(process.pid)
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), url,
                           "--", str(records)], check=True, capture_output=True, text=True).stdout
    cpu = measure.cpu_seconds(process.pid) - before
    result = json.loads(next(line for line in done.splitlines() if line.startswith("RESULT"))[7:])
    assert result["errors"] == 0, done
    return {"requests/s": result["requests"] / result["seconds"], "cpu us/request": cpu / result["requests"] * 1e6,
            "p50 ms": result["p50_ms"], "p99 ms": result["p99_ms"], "requests": result["requests"],
            "seconds": result["seconds"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--dir", default=None, help="where the log is written")
    options = parser.parse_args()
    rows, notes = [], []
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-", dir=options.dir) as folder:
        for connections, records in ((32, 1), (256, 1), (32, 100)):
            bare, bare_port = start([BUILD / "beast_bare"])
            measured = {"bare": load(bare, bare_port, connections, records, options.seconds)}
            stop(bare)
            log = pathlib.Path(folder) / f"log-{connections}-{records}"
            ours, our_port = start([BUILD / "gateway_server", log])
            load(ours, our_port, connections, records, 1)  # the topic is made, the first segment too
            stored_before = stored(log)
            measured["gateway"] = load(ours, our_port, connections, records, options.seconds)
            bytes_stored = stored(log) - stored_before
            stop(ours)
            for name, m in measured.items():
                rows.append({"server": name, "connections": connections, "records a request": records,
                             "requests/s": m["requests/s"], "cpu us/request": m["cpu us/request"], "p50 ms": m["p50 ms"],
                             "p99 ms": m["p99 ms"]})
            ours_, bare_ = measured["gateway"], measured["bare"]
            notes.append(f"{connections} connections, {records} records a request: "
                         f"{ours_['requests/s'] / bare_['requests/s']:.2f} of the bare server's requests/s, "
                         f"{ours_['cpu us/request'] / bare_['cpu us/request']:.2f} times its CPU a request, "
                         f"{bytes_stored / ours_['seconds'] / 1e6:.1f} MB/s stored")
        notes.append(f"dd conv=fdatasync writes {measure.disk_rate(folder):.0f} MB/s on this disk")
    measure.report("gateway", rows, notes)


def stored(log):
    """Bytes in the log's segments."""
    return sum(path.stat().st_size for path in log.rglob("*.log"))


main()
