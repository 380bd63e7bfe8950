"""The sink: topics into a folder and into an S3 server, beside a consumer that only counts and a stand-in in Java.

Options: --records N (1,000,000; the published figures are of 10,000,000), --small N (20,000; of flush.size 1; 100,000),
--versitygw PROGRAM (S3 by https://github.com/versity/versitygw; left out without one), --stand-in (runs bench/stand_in
too; its libraries come by Maven), --only WORDS (rows whose name has them).
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import measure

PARTITIONS = 12
TOOL = measure.PINFLOW.parent / "sink_tool"
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_REGION": "us-east-1"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def process(*command, ready=None, **more):
    one = subprocess.Popen([str(part) for part in command], text=True, **more)
    try:
        if ready:
            ready(one)
        yield one
    finally:
        one.terminate()
        one.wait(30)


@contextlib.contextmanager
def broker(folder):
    port = free_port()

    def ready(one):
        for line in one.stdout:
            if line.startswith("ready"):
                return
    with process(measure.PINFLOW, "broker", "--data", folder, "--listen", f"127.0.0.1:{port}", ready=ready,
                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def versitygw(program, folder):
    port = free_port()
    (folder / "root").mkdir(parents=True)
    (folder / "meta").mkdir()

    def ready(_):
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.1)
        raise AssertionError("versitygw does not listen")
    (folder / "root/lake").mkdir()
    with process(program, "--port", f"127.0.0.1:{port}", "--access", KEYS["AWS_ACCESS_KEY_ID"], "--secret",
                 KEYS["AWS_SECRET_ACCESS_KEY"], "posix", "--sidecar", folder / "meta", folder / "root", ready=ready,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
        yield f"http://127.0.0.1:{port}", one.pid


def fill(server, topic, records):
    subprocess.run([measure.PINFLOW, "topics", "create", "--topic", topic, "--partitions", str(PARTITIONS),
                    "--bootstrap-server", server], check=True, capture_output=True)
    subprocess.run([TOOL, "produce", server, topic, str(records)], check=True)


def properties(folder, name, topic, flush, store, more=""):
    file = folder / f"{name}.properties"
    file.write_text(f"name={name}\ntopics={topic}\nflush.size={flush}\nflush.interval.ms=600000\nflush.idle.ms=600000\n"
                    f"{store}\n{more}")
    return file


def row(name, records, size, wall, cpu, peak, objects):
    return {"run": name, "records": records, "records/s": int(records / wall), "MB/s": size / 1e6 / wall, "wall s": wall,
            "cpu us/record": cpu * 1e6 / records, "peak MiB": peak, "objects": objects}


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder, self.rows, self.number, self.sizes = options, folder, [], 0, {}

    def wanted(self, name):
        return not self.options.only or self.options.only in name

    def count(self, server, topic, records):
        name = f"counting consumer, {topic}"
        done = measure.run([TOOL, "count", server, topic, records])
        assert done.status == 0
        seconds, size = done.stdout.split()
        self.sizes[topic] = int(size)
        self.rows.append(row(name, records, int(size), float(seconds), done.cpu, done.peak_mib, 0))

    def sink(self, name, server, topic, records, flush, store, objects, more=""):
        if not self.wanted(name):
            return
        self.number += 1
        file = properties(self.folder, f"bench-{self.number}", topic, flush, store, more)
        done = measure.run([measure.PINFLOW, "sink", file, "--bootstrap-server", server, "--until-caught-up"],
                           stderr=subprocess.DEVNULL if not os.environ.get("VERBOSE") else None, env={**os.environ, **KEYS})
        assert done.status == 0, name
        assert f"{records:,} records" in done.stdout.decode(), done.stdout
        self.rows.append(row(name, records, self.sizes[topic], done.wall, done.cpu, done.peak_mib, objects()))
        print(self.rows[-1], flush=True)

    def stand_in(self, name, server, topic, records, flush, url):
        if not self.options.stand_in or not self.wanted(name):
            return
        jars = measure.ROOT / "build/deps/stand-in/*"
        self.number += 1
        done = measure.run(["java", "-Xmx2g", "-cp", jars, measure.ROOT / "bench/stand_in/StandIn.java", server, f"stand-in-{self.number}", topic, str(records),
                            str(flush), url, f"lake-{flush}", f"standin{self.number}"], env={**os.environ, **KEYS})
        assert done.status == 0, name
        seconds, objects = done.stdout.split()[-2:]
        self.rows.append(row(name, records, self.sizes[topic], float(seconds), done.cpu, done.peak_mib, int(objects)))
        print(self.rows[-1], flush=True)


def files_below(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=20_000)
    parser.add_argument("--versitygw", default=os.environ.get("VERSITYGW") or shutil.which("versitygw"))
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if options.stand_in:
        subprocess.run([measure.ROOT / "bench/stand_in/get"], check=True)
    notes = [f"load when it began: {os.getloadavg()[0]:.1f}"]
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        bench = Bench(options, folder)
        server = stack.enter_context(broker(folder / "data"))
        fill(server, "posts", options.records)
        fill(server, "few", options.small)
        bench.count(server, "posts", options.records)
        bench.count(server, "few", options.small)
        for flush in (1_000, 100_000):
            lake = folder / f"lake-{flush}"
            bench.sink(f"folder, flush.size {flush:,}", server, "posts", options.records, flush, f"store.url=file://{lake}",
                       lambda lake=lake: files_below(lake / "topics"))
            shutil.rmtree(lake, ignore_errors=True)
        lake = folder / "lake-1"
        bench.sink("folder, flush.size 1", server, "few", options.small, 1, f"store.url=file://{lake}",
                   lambda: files_below(lake / "topics"))
        shutil.rmtree(lake, ignore_errors=True)
        if options.versitygw:
            url, pid = stack.enter_context(versitygw(options.versitygw, folder / "s3"))
            for topic, records, flush in (("posts", options.records, 1_000), ("posts", options.records, 100_000),
                                          ("few", options.small, 1)):
                cpu = measure.cpu_seconds(pid)
                bucket = f"lake-{flush}"
                (folder / "s3/root" / bucket).mkdir()
                store = f"s3.bucket.name={bucket}\ns3.region=us-east-1\nstore.url={url}"
                target = folder / "s3/root" / bucket / "topics"
                bench.sink(f"S3, flush.size {flush:,}", server, topic, records, flush, store,
                           lambda target=target: files_below(target))
                notes.append(f"versitygw used {measure.cpu_seconds(pid) - cpu:.1f} s of CPU for flush.size {flush:,}")
                bench.stand_in(f"stand-in in Java, S3, flush.size {flush:,}", server, topic, records, flush, url)
        notes.append(f"load when it ended: {os.getloadavg()[0]:.1f}")
    measure.report("sink", bench.rows, notes)


main()
