"""The log: appends inside the process beside the raw disk, then produce and fetch through the broker with kcat, fsync on."""
import argparse
import pathlib
import subprocess
import tempfile
import time

import measure

TOPIC = "bench"


def broker(data):
    process = subprocess.Popen([measure.PINFLOW, "broker", "--data", data, "--listen", "127.0.0.1:0"], cwd=measure.ROOT,
                               stdout=subprocess.PIPE, text=True)
    address = ""
    for line in process.stdout:
        if line.startswith("broker"):
            address = line.split()[1]
        if line.startswith("ready"):
            return process, address
    raise SystemExit("the broker did not start")


def timed(process, command):
    before, start = measure.cpu_seconds(process.pid), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start, measure.cpu_seconds(process.pid) - before


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=500_000)
    records = parser.parse_args().records
    print(subprocess.run([measure.ROOT / "build/bench/bench/log_bench"], check=True, capture_output=True, text=True).stdout)
    with tempfile.TemporaryDirectory(prefix="pinflow-bench-") as folder:
        disk = measure.disk_rate(folder)
        lines = pathlib.Path(folder) / "lines"
        lines.write_text("".join(f"{n:09d}" + "x" * 441 + "\n" for n in range(records)))
        megabytes = records * 450 / 1e6
        process, address = broker(f"{folder}/data")
        try:
            rows = []
            for name, command in (
                    ("kcat produce", ["kcat", "-P", "-b", address, "-t", TOPIC, "-X", "linger.ms=5,acks=all", "-l", str(lines)]),
                    ("kcat consume", ["kcat", "-C", "-b", address, "-t", TOPIC, "-o", "beginning", "-e", "-q"])):
                wall, cpu = timed(process, command)
                rows.append({"what": name, "records/s": int(records / wall), "MB/s": megabytes / wall,
                             "broker cpu us/record": cpu * 1e6 / records, "broker peak MiB": measure.peak_mib(process.pid)})
        finally:
            process.terminate()
            process.wait(30)
    measure.report("log", rows, [f"dd conv=fdatasync writes {disk:,.0f} MB/s here"])


main()
