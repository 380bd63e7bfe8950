"""Tables that we write, read by others; tables that others write to, read by us and written on."""
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
TOOL = os.environ.get("PINFLOW_TABLE_TOOL", str(ROOT / "build/test/table_tool"))
PACKAGES = ROOT / "build/deps/strangers-delta"
TABLE = "tables/t"
NAMES = ["id", "n", "name", "score", "made", "spots", "flag", "day"]


@pytest.fixture(scope="session", autouse=True)
def packages():
    """The other programs, by pip, into the build folder; once for each state of requirements.txt."""
    requirements = HERE / "requirements.txt"
    version = hashlib.sha256(requirements.read_bytes()).hexdigest()
    mark = PACKAGES / ".version"
    if mark.exists() and mark.read_text() == version:
        return
    shutil.rmtree(PACKAGES, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps",
                    "--only-binary", ":all:", "--target", str(PACKAGES), "-r", str(requirements)], check=True)
    mark.write_text(version)


def client_process(call, *args):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES), "TZ": "Asia/Kolkata"}
    return subprocess.Popen([sys.executable, str(HERE / "clients.py"), call, *map(str, args)], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def client(call, *args):
    process = client_process(call, *args)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, f"{call}: {err}"
    return json.loads(out)


def tool(*args):
    done = subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def row(i):
    made = datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=i)
    day = datetime.date(2020, 1, 1) + datetime.timedelta(days=i % 365)
    return [i, None if i % 7 == 0 else i % 1000, f"name-{i} é", i / 8, made.strftime("%Y-%m-%dT%H:%M:%S.%f"), [i + 0.5, -float(i)],
            i % 2 == 0, day.isoformat()]


def rows(*ranges):
    return [row(i) for numbers in ranges for i in numbers]


def forget_commits_before_the_checkpoint(root):
    log = root / TABLE / "_delta_log"
    checkpoint = max(int(path.name[:20]) for path in log.glob("*.checkpoint.parquet"))
    forgotten = [path for path in log.glob("*.json") if int(path.name[:20]) < checkpoint]
    assert forgotten
    for path in forgotten:
        path.unlink()


def check_readers(root, expected):
    seen = client("delta_rs", root / TABLE)
    assert seen["rows"] == expected
    assert client("duckdb_read", root / TABLE)["rows"] == expected
    return seen


def test_types_rows_and_provenance(tmp_path):
    tool("write", tmp_path, TABLE, 0, 3, 500)
    seen = check_readers(tmp_path, rows(range(1500)))
    assert seen["version"] == 2
    assert seen["protocol"] == [1, 2]
    assert seen["types"] == {"id": "int64", "n": "int32", "name": "string", "score": "double", "made": "timestamp[us, tz=UTC]",
                             "spots": "list<element: double>", "flag": "bool", "day": "date32[day]"}
    assert [(field["name"], field["type"]) for field in seen["schema"]["fields"]] == [
        ("id", "long"), ("n", "integer"), ("name", "string"), ("score", "double"), ("made", "timestamp"),
        ("spots", {"type": "array", "elementType": "double", "containsNull": True}), ("flag", "boolean"), ("day", "date")]
    assert seen["txn"] == 1000
    assert seen["last_commit"]["operation"] == "WRITE"
    assert seen["last_commit"]["pinflow"] == {"rows": 500}
    assert client("duckdb_read", tmp_path / TABLE)["types"] == {
        "id": "BIGINT", "n": "INTEGER", "name": "VARCHAR", "score": "DOUBLE", "made": "TIMESTAMP WITH TIME ZONE", "spots": "DOUBLE[]",
        "flag": "BOOLEAN", "day": "DATE"}


def test_statistics(tmp_path):
    tool("write", tmp_path, TABLE, 0, 3, 500)
    files = sorted(client("delta_rs", tmp_path / TABLE)["stats"], key=lambda file: file["min.id"])
    assert [file["num_records"] for file in files] == [500, 500, 500]
    for number, file in enumerate(files):
        part = rows(range(number * 500, number * 500 + 500))
        for name in ["id", "n", "name", "made", "day"]:
            values = [one[NAMES.index(name)] for one in part]
            known = [value for value in values if value is not None]
            assert file[f"null_count.{name}"] == len(values) - len(known)
            assert file[f"min.{name}"] == min(known), name
            assert file[f"max.{name}"] == max(known), name
    # Each reader skips files by them; what it then finds is right.
    for i in [0, 499, 500, 1000, 1499]:
        for condition in [f"id = {i}", f"name = 'name-{i} é'", f"made = TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_seconds({i})"]:
            assert client("duckdb_find", tmp_path / TABLE, condition) == [i], condition
    assert client("duckdb_find", tmp_path / TABLE, "n IS NULL AND id < 30") == [0, 7, 14, 21, 28]


def test_checkpoint_with_older_commits_deleted(tmp_path):
    tool("write", tmp_path, TABLE, 0, 25, 10)
    forget_commits_before_the_checkpoint(tmp_path)
    seen = check_readers(tmp_path, rows(range(250)))
    assert seen["version"] == 24
    assert seen["txn"] == 240
    assert tool("show", tmp_path, TABLE)["records"] == 250


def test_append_by_delta_rs_and_by_us_in_turn(tmp_path):
    tool("write", tmp_path, TABLE, 0, 2, 10)
    client("delta_rs_append", tmp_path / TABLE, 20, 10)
    shown = tool("show", tmp_path, TABLE)
    assert (shown["version"], shown["records"], shown["txns"]) == (2, 30, {"table_tool": 10})
    tool("write", tmp_path, TABLE, 30, 12, 10)
    client("delta_rs_append", tmp_path / TABLE, 150, 10)
    forget_commits_before_the_checkpoint(tmp_path)
    seen = check_readers(tmp_path, rows(range(160)))
    assert seen["version"] == 15
    assert tool("show", tmp_path, TABLE)["records"] == 160


def test_after_delete_compaction_and_a_checkpoint_of_delta_rs(tmp_path):
    tool("write", tmp_path, TABLE, 0, 8, 100)
    version = client("delta_rs_maintain", tmp_path / TABLE)
    left = [i for i in range(800) if i % 10 != 3]
    shown = tool("show", tmp_path, TABLE)
    assert (shown["version"], shown["checkpoint"], shown["records"]) == (version, version, len(left))
    assert shown["txns"] == {"table_tool": 700}
    assert len(shown["files"]) == 1
    forget_commits_before_the_checkpoint(tmp_path)
    tool("write", tmp_path, TABLE, 800, 60, 1)
    assert tool("show", tmp_path, TABLE)["checkpoint"] > version  # ours, with delta-rs's tombstones
    forget_commits_before_the_checkpoint(tmp_path)
    check_readers(tmp_path, rows(left, range(800, 860)))


def test_two_writers_at_once(tmp_path):
    tool("write", tmp_path, TABLE, 0, 1, 1)
    theirs = client_process("delta_rs_append_each", tmp_path / TABLE, 1000, 30)
    tool("write", tmp_path, TABLE, 1, 120, 1)
    out, err = theirs.communicate(timeout=120)
    assert theirs.returncode == 0, err
    tool("write", tmp_path, TABLE, 121, 1, 1)
    seen = check_readers(tmp_path, rows(range(122), range(1000, 1030)))
    assert seen["version"] == 151
    assert tool("show", tmp_path, TABLE)["records"] == 152
