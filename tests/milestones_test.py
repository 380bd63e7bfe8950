"""Runs the commands of docs/milestones.md, in order, in one empty folder, and holds what they print against the page.

In a ```console block a line `$ COMMAND` is run by sh, and the lines below it are what it prints; `…` stands for any
text, and a line of `…` alone for any lines. `$ COMMAND &` starts a part, which is ready when it says so, and is
stopped when the page says `$ kill %1`.
"""
import os
import re
import shutil
import subprocess

import pytest

import pinflow as pf

PAGES = ["docs/milestones.md"]


def blocks(text):
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        command, output = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, output
                command, output = line[2:], []
            elif command and command.endswith("\\"):
                command = command[:-1] + line.strip()
            else:
                output.append(line)
        if command:
            yield command, output


def matches(expected, got):
    """Both as lists of lines; blanks at the ends of lines do not count."""
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ \t]*\n"
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in got)) is not None


def start(command, cwd, env):
    process = pf.Process(*command.removesuffix("&").split()[1:], cwd=cwd, env=env)
    return process.ready()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_tells_the_truth(page, tmp_path):
    text = (pf.ROOT / page).read_text()
    shutil.copytree(pf.ROOT / "pipelines", tmp_path / "pipelines")
    bin_folder = tmp_path / ".bin"
    bin_folder.mkdir()
    (bin_folder / "pinflow").symlink_to(pf.BIN)
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    part, ran, wrong = None, 0, []
    try:
        for command, expected in blocks(text):
            ran += 1
            if command.endswith("&"):
                part = start(command, tmp_path, env)
                pf.wait_until(lambda: matches(expected, part.lines), 5, f"{command} printing what the page says: {part.lines}")
                continue
            if command == "kill %1":
                assert part.stop() == 0
                part = None
                continue
            done = subprocess.run(command, shell=True, cwd=tmp_path, env=env, text=True, timeout=120, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            got = done.stdout.splitlines()
            if done.returncode != 0 or not matches(expected, got):
                wrong.append(f"$ {command}\n--- the page says\n" + "\n".join(expected) + f"\n--- printed (status {done.returncode})\n" + "\n".join(got))
    finally:
        if part:
            part.kill()
    assert wrong == [], "\n\n".join(wrong)
    assert ran >= 10
