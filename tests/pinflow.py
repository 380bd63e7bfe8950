"""What the cross-room tests share: running the program, talking to it, and reading what it left by independent means."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time

import duckdb

ROOT = pathlib.Path(__file__).parent.parent
BIN = os.environ.get("PINFLOW_BIN", str(ROOT / "build/test/pinflow"))
PIPELINE = ROOT / "pipelines/pinterest"
KILLS = int(os.environ.get("PINFLOW_KILLS", "50"))  # rounds of each kill loop
SEED = int(os.environ.get("PINFLOW_SEED", random.SystemRandom().randrange(1 << 32)))  # of each kill loop's dice
JSON_V2 = "application/vnd.kafka.json.v2+json"


def real_posts():
    """The folder of real posts, or None where it is not there."""
    folder = os.environ.get("PINFLOW_REAL_POSTS")
    return pathlib.Path(folder) if folder and pathlib.Path(folder).is_dir() else None


def geo(ind, **more):
    """A good record of the type geo."""
    return {"ind": ind, "timestamp": "2020-08-28 03:52:47", "latitude": -89.9787, "longitude": 1.5, "country": "Albania", **more}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinflow(*args, check=True, timeout=120, **more):
    """Runs a command to its end; the completed process, its output as text."""
    command = [BIN, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=more.pop("cwd", ROOT), **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def pinflow_json(*args, **more):
    return json.loads(pinflow(*args, "--format", "json", **more).stdout)


def run_every_row(data):
    """A run over every row once, of the real posts where they are there; what it printed as JSON."""
    if real_posts():
        pinflow("source", "load", real_posts(), "--data", data)
    else:
        pinflow("source", "generate", "--posts", 1058, "--data", data)
    return pinflow_json("run", "--all", "--data", data)


class Process:
    """A part that runs until it is stopped. Its lines are read as they come; `addresses` are those it printed."""

    def __init__(self, *args, cwd=ROOT, env=None):
        self.args = [BIN, *map(str, args)]
        self.lines = []
        self.addresses = {}
        self._ready = threading.Event()
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
                                        env={**os.environ, **(env or {})})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            found = re.match(r"(\w+)\s+(?:http://)?(127\.0\.0\.1:\d+)", line)
            if found:
                self.addresses[found[1]] = found[2]
            if line.startswith("ready"):
                self._ready.set()
        self._ready.set()

    def ready(self, timeout=60):
        assert self._ready.wait(timeout), f"{self.args} was not ready in {timeout} s: {self.lines}"
        assert self.process.poll() is None, f"{self.args} ended with {self.process.poll()}: {self.lines}"
        return self

    def address(self, part):
        host, port = self.addresses[part].split(":")
        return host, int(port)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def stop(self, timeout=30):
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=60):
        status = self.process.wait(timeout)
        self._reader.join(timeout)
        return status


@contextlib.contextmanager
def running(*args, **more):
    """A part, ready; ended at the end of the block whatever happens."""
    process = Process(*args, **more)
    try:
        yield process.ready()
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.wait()


def up(data, *args, **more):
    """`pinflow up` on free ports."""
    return running("up", "--data", data, "--listen", "gateway=127.0.0.1:0", "--listen", "broker=127.0.0.1:0",
                   "--listen", "streams=127.0.0.1:0", *args, **more)


def request(address, method, path, body=None, headers=None, timeout=30):
    """One HTTP request on a connection of its own: (status, headers, body)."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def post(address, topic, *values, raw=None, content_type=JSON_V2, path=None):
    """Posts values as one request, or `raw` as the records' JSON text: (status, answer)."""
    records = raw if raw is not None else json.dumps([{"value": value} for value in values])
    body = b'{"records":' + (records if isinstance(records, bytes) else records.encode()) + b"}"
    status, _, answer = request(address, "POST", path or f"/prod/topics/{topic}", body, {"Content-Type": content_type})
    return status, json.loads(answer)


# ---- what lies in the lake, read without the program ------------------------------------------------------------

def objects(lake, topic):
    """{partition: [(first offset, [line, …])]} in the order of offsets, from the names and bytes alone."""
    found = {}
    for path in sorted(pathlib.Path(lake, "topics", topic).glob("partition=*/*.json")):
        name, partition, first = path.name.removesuffix(".json").rsplit("+", 2)
        assert name == topic and path.parent.name == f"partition={partition}"
        data = path.read_bytes()
        assert data.endswith(b"\n")
        found.setdefault(int(partition), []).append((int(first), data[:-1].split(b"\n")))
    return found


def dead_in_sink(lake, topic):
    found = []
    for path in sorted(pathlib.Path(lake, "dead", topic).glob("partition=*/*.json")):
        found += [json.loads(line) for line in path.read_bytes().splitlines()]
    return found


def delta_files(lake, table):
    """(version, paths of the live files, {appId: txn version}) by a plain replay of the table's JSON commits."""
    folder = pathlib.Path(lake, "tables", table)
    live, txns, version = {}, {}, -1
    for commit in sorted((folder / "_delta_log").glob("*.json")):
        version = int(commit.stem)
        for line in commit.read_bytes().splitlines():  # of bytes: a text's lines end at U+2028, too
            action = json.loads(line)
            if "add" in action:
                assert action["add"]["path"] not in live, f"{table}: added twice: {action['add']['path']}"
                live[action["add"]["path"]] = action["add"]
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
            if "txn" in action:
                txns[action["txn"]["appId"]] = action["txn"]["version"]
    return version, [str(folder / path) for path in live], txns


def rows(lake, table, order="ALL"):
    """All rows of a Delta table as tuples of Python values, times as UTC text."""
    if not pathlib.Path(lake, "tables", table).exists():
        return []
    _, files, _ = delta_files(lake, table)
    if not files:
        return []
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    columns = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()
    select = ", ".join(f'CAST("{c[0]}"::TIMESTAMP AS VARCHAR) AS "{c[0]}"' if "TIMESTAMP" in c[1] else f'"{c[0]}"' for c in columns)
    return connection.execute(f"SELECT {select} FROM read_parquet(?) ORDER BY {order}", [files]).fetchall()


def column_names(lake, table):
    _, files, _ = delta_files(lake, table)
    return [c[0] for c in duckdb.connect().execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()]


def wait_until(condition, timeout=30, what="the condition"):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true in {timeout} s")
