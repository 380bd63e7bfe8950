"""The systemd units, by systemd's own judge, and the cron line, by a shell."""
import re
import shutil
import subprocess

import pinflow as pf

UNITS = sorted((pf.ROOT / "packaging/systemd").iterdir())


def test_systemd_finds_nothing_wrong_with_the_units():
    assert [unit.suffix for unit in UNITS] == [".service", ".timer", ".service"]
    judge = shutil.which("systemd-analyze")
    assert judge, "systemd-analyze is in Debian's package systemd: ./dev setup test installs it"
    done = subprocess.run([judge, "verify", "--man=no", *UNITS], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_commands_of_units_and_cron_are_commands():
    lines = []
    for unit in UNITS:
        lines += [line.replace("%%", "%") for line in re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.M)]
    cron = (pf.ROOT / "packaging/cron/pinflow").read_text().splitlines()[-1]
    lines.append(cron.replace("\\%", "%"))
    assert len(lines) == 3
    for line in lines:
        words = re.search(r"pinflow (schedule|batch) ([^'>]*)", line)
        flags = re.findall(r"--[a-z]+", words[2])
        shown = pf.pinflow(words[1], "--help").stdout + pf.pinflow("--help").stdout
        assert flags and all(flag in shown for flag in flags if flag != "--utc"), line
    fields = cron.split()[:5]
    assert pf.pinflow("schedule", "next", "--cron", " ".join(fields)).stdout
