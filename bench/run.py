"""`pinflow run` from an empty folder: wall, CPU and peak memory, each step, and with one record an object."""
import json
import tempfile

import measure


def one(name, *arguments):
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as data:
        done = measure.run([measure.PINFLOW, "run", "--data", data, "--format", "json", *arguments], cwd=measure.ROOT)
        assert done.status == 0, f"{name} ended with {done.status}"
        answer = json.loads(done.stdout)
        counts = answer["counts"]
        row = {"run": name, "records": counts["acknowledged"], "objects": counts["objects"], "wall s": done.wall,
               "cpu s": done.cpu, "peak MiB": done.peak_mib}
        return row, answer["seconds"]


def main():
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as folder:
        files = measure.file_rate(folder)
    rows, notes = [], []
    for name, arguments in (("default", ()), ("default again", ()), ("--flush-size 1", ("--flush-size", "1"))):
        row, seconds = one(name, *arguments)
        rows.append(row)
        notes.append(f"{name}: " + ", ".join(f"{step} {s:.2f} s" for step, s in seconds.items()))
    notes.append(f"this disk creates {files:,.0f} files a second, one at a time, each fsynced")
    measure.report("run", rows, notes)


main()
