"""A full disk: a clear error, no acknowledgement of what was not stored, and work goes on once there is room."""
import contextlib
import os
import subprocess

import pytest

import pinflow as pf
from kill_test import lake_inds

# Where mounting is not allowed, log_test and object_test inject ENOSPC below the same code instead.


@contextlib.contextmanager
def small_disk(folder, megabytes):
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.xfail("mounting a tmpfs is not allowed here; the unit tests inject a full disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk(tmp_path):
    with small_disk(tmp_path / "disk", 24) as disk:
        data = disk / "data"
        with pf.up(data, "--lake", tmp_path / "lake") as process:
            gateway = process.address("gateway")
            assert pf.post(gateway, "local.geo", pf.geo(0))[0] == 200
            ballast = disk / "ballast"
            with open(ballast, "wb") as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            acknowledged, refused, texts = [0], 0, set()
            for ind in range(1, 200):
                status, answer = pf.post(gateway, "local.geo", {**pf.geo(ind), "country": "x" * 5000})
                slot = answer.get("offsets", [{"error_code": answer.get("error_code"), "error": answer.get("message")}])[0]
                if status == 200 and slot["error_code"] is None:
                    acknowledged.append(ind)
                else:
                    refused += 1
                    texts.add(slot["error"])
            assert refused > 0, "the disk was not full"
            assert any("space" in text.lower() or "full" in text.lower() for text in texts), texts
            ballast.unlink()
            os.sync()

            def goes_on():
                status, answer = pf.post(gateway, "local.geo", pf.geo(1000))
                return status == 200 and answer["offsets"][0]["error_code"] is None
            pf.wait_until(goes_on, what="posting after there is room again")
            assert process.stop() == 0
        counts = lake_inds(tmp_path / "lake", "local.geo")
        assert sorted(set(counts) - {1000}) == acknowledged
        assert all(n == 1 for ind, n in counts.items() if ind != 1000)
