"""Eight writers race for 1,000 commits on one table: on a directory and on S3. Every commit is there once, none is lost."""
import importlib.util
import json
import os
import pathlib
import subprocess
import time

import pytest

from delta_strangers_test import ROOT, TABLE, TOOL, check_readers, packages, row  # noqa: F401

WRITERS, COMMITS = 8, 1000


def s3_service():
    spec = importlib.util.spec_from_file_location("service", ROOT / "tests/strangers/s3/service.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def directory(tmp_path):
    yield str(tmp_path / "lake"), dict(os.environ), tmp_path / "lake"


@pytest.fixture
def bucket(tmp_path):
    service = s3_service()
    subprocess.run([service.HERE / "get"], check=True)
    with service.versitygw(tmp_path) as (host, port, buckets):
        (buckets / "race").mkdir()
        yield "s3://race/lake", service.environment(f"http://{host}:{port}"), buckets / "race/lake"


def race(root, environment):
    each = COMMITS // WRITERS
    start = time.monotonic()
    writers = [subprocess.Popen([TOOL, "race", root, TABLE, f"writer-{i}", str(i * each), str(each)], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(WRITERS)]
    done = []
    for writer in writers:
        out, err = writer.communicate(timeout=300)
        assert writer.returncode == 0, err
        done.append((json.loads(out), time.monotonic() - start))
    return done


def check_log(folder):
    """What the log itself says: each version once, each writer's number once and in order, each row's file added once."""
    log = folder / TABLE / "_delta_log"
    entries = sorted(path for path in log.glob("*.json") if len(path.name) == 25)
    assert [int(path.name[:20]) for path in entries] == list(range(COMMITS))
    last, files, ids = {}, set(), set()
    for path in entries:
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        txn, = [action["txn"] for action in actions if "txn" in action]
        assert txn["version"] == last.get(txn["appId"], -1) + 1, path
        last[txn["appId"]] = txn["version"]
        add, = [action["add"]["path"] for action in actions if "add" in action]
        info, = [action["commitInfo"] for action in actions if "commitInfo" in action]
        assert add not in files and info["txnId"] not in ids, path
        files.add(add)
        ids.add(info["txnId"])
    assert last == {f"writer-{i}": COMMITS // WRITERS - 1 for i in range(WRITERS)}


@pytest.mark.parametrize("where", ["directory", "bucket"])
def test_eight_writers_of_a_thousand_commits(where, request, packages):  # noqa: F811
    root, environment, folder = request.getfixturevalue(where)
    done = race(root, environment)
    versions = sorted(version for commits, _ in done for version, _ in commits)
    assert versions == list(range(COMMITS)), "each commit was told its own version"
    check_log(folder)
    shown = json.loads(subprocess.run([TOOL, "show", root, TABLE], capture_output=True, text=True, check=True, env=environment).stdout)
    assert (shown["version"], shown["records"]) == (COMMITS - 1, COMMITS)
    check_readers(folder, [row(i) for i in range(COMMITS)])
    lost = [races for commits, _ in done for _, races in commits]
    ends = [end for _, end in done]
    print(f"{where}: {COMMITS / max(ends):.0f} commits/s, races lost by a commit: mean {sum(lost) / len(lost):.2f}, most {max(lost)}; "
          f"first writer done after {min(ends):.1f} s, last after {max(ends):.1f} s")
    # Nobody starves: no commit lost a hundred races.
    assert max(lost) < 100
