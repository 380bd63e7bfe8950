"""Delta tables under many small commits: a commit at version 10, 1,000 and 36,000, checkpoints, reading before and after folding.

`tables.py [--commits 36000] [--s3]`. 36,000 commits are an hour at ten a second; a step of the upkeep comes after each
hundred, as every ten seconds then. With --s3 also on versitygw (got by tests/strangers/s3/get), where the commits alone
are put. Each file has 100 rows of eleven columns.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import tempfile

import measure

PROGRAM = measure.ROOT / "build/bench/bench/table_bench"
TABLE = "tables/t"


def call(*words, environment=None):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def commit_rows(where, answer):
    notes = [f"{where}: commits weigh {answer['log_bytes'] / 1e6:.1f} MB, {answer['checkpoints']} checkpoints "
             f"{answer['checkpoint_bytes'] / 1e6:.1f} MB together; the upkeep took {answer['upkeep_seconds']:.1f} s, "
             f"{answer['upkeep_cpu_seconds']:.1f} s of CPU"]
    return [{"where": where, **one} for one in answer["commits"]], notes


def service():
    spec = importlib.util.spec_from_file_location("service", measure.ROOT / "tests/strangers/s3/service.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    subprocess.run([module.HERE / "get"], check=True)
    return module


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--commits", type=int, default=36_000)
    parser.add_argument("--s3", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as folder:
        rows, notes = commit_rows("directory", call("commits", folder, TABLE, asked.commits, 100))
        before = call("read", folder, TABLE)
        folded = call("fold", folder, TABLE)
        after = call("read", folder, TABLE)
    for name, read in (("before folding", before), ("after folding", after)):
        notes.append(f"{name}, {read['files']} files: " + ", ".join(f"{key[:-8]} {value:.2f} s" for key, value in read.items()
                                                                    if key.endswith("_seconds")))
    notes.append(f"folding {folded['files']} files into {folded['into']}: {folded['seconds']:.1f} s, {folded['cpu_seconds']:.1f} s of CPU")
    if asked.s3:
        with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as folder:
            s3 = service()
            with s3.versitygw(pathlib.Path(folder)) as (host, port, buckets):
                (buckets / "bench").mkdir()
                more, said = commit_rows("S3", call("commits", "s3://bench/lake", TABLE, asked.commits, 100,
                                                    environment=s3.environment(f"http://{host}:{port}")))
                rows, notes = rows + more, notes + said
    measure.report("tables", rows, [*notes, "load " + " ".join(f"{one:.0f}" for one in os.getloadavg())])


main()
