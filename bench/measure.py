"""What the benches share: running a command with its times and memory, and printing a table and JSON."""
import contextlib
import json
import os
import pathlib
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).parent.parent
PINFLOW = ROOT / "build/bench/pinflow"


class Measured:
    def __init__(self, wall, user, system, peak_mib, stdout, status):
        self.wall, self.user, self.system, self.peak_mib = wall, user, system, peak_mib
        self.cpu, self.stdout, self.status = user + system, stdout, status


def run(command, **more):
    """Runs a command to its end: wall, user and system seconds, and the peak of its resident memory.

    The peak is read from /proc while it runs: what wait4 tells includes this process's own, from before the exec.
    """
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, **more)
    peaks = [0.0]

    def watch():
        while process.returncode is None:
            with contextlib.suppress(OSError):
                peaks.append(peak_mib(process.pid))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    stdout = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    watcher.join()
    return Measured(wall, usage.ru_utime, usage.ru_stime, max(peaks), stdout, process.returncode)


def cpu_seconds(pid):
    """User and system seconds that a living process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def report(name, rows, notes=()):
    """Prints rows (dicts with the same keys) as a table, then everything as one JSON object."""
    keys = list(rows[0])
    shown = [[f"{row[key]:,.2f}" if isinstance(row[key], float) else f"{row[key]:,}" if isinstance(row[key], int)
              else str(row[key]) for key in keys] for row in rows]
    widths = [max(len(key), *(len(line[i]) for line in shown)) for i, key in enumerate(keys)]
    print("  ".join(key.ljust(width) for key, width in zip(keys, widths)))
    for line in shown:
        print("  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(line, widths))))
    for note in notes:
        print(note)
    load = os.getloadavg()[0]
    print(json.dumps({"bench": name, "cores": os.cpu_count(), "load_before": round(load, 2), "rows": rows}))


def disk_rate(folder, megabytes=512):
    """What dd conv=fdatasync writes here, in MB/s."""
    target = pathlib.Path(folder) / "dd.tmp"
    start = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", f"of={target}", "bs=1M", f"count={megabytes}", "conv=fdatasync"],
                   check=True, capture_output=True)
    seconds = time.monotonic() - start
    target.unlink()
    return megabytes * 1.048576 / seconds


def file_rate(folder, count=2000):
    """How many small files a second this disk creates with an fsync of each and of the folder once in a hundred."""
    target = pathlib.Path(folder) / "files.tmp"
    target.mkdir()
    directory = os.open(target, os.O_RDONLY)
    start = time.monotonic()
    for n in range(count):
        fd = os.open(target / str(n), os.O_CREAT | os.O_WRONLY)
        os.write(fd, b"x" * 450)
        os.fdatasync(fd)
        os.close(fd)
        if n % 100 == 99:
            os.fsync(directory)
    seconds = time.monotonic() - start
    os.close(directory)
    for path in target.iterdir():
        path.unlink()
    target.rmdir()
    return count / seconds


__all__ = ["Measured", "run", "cpu_seconds", "peak_mib", "report", "disk_rate", "file_rate", "ROOT", "PINFLOW"]
