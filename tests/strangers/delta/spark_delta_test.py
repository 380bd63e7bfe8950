"""Our tables by Spark with Delta Lake, delta-rs and DuckDB after appends, an added column, folding, checkpoints and
clean-up; in turn with us they append, and fold, and we read on and write on."""
import json
import os
import subprocess
import sys

import pytest

import spark_server
from delta_strangers_test import (HERE, NAMES, TABLE, client, forget_commits_before_the_checkpoint, packages,  # noqa: F401
                                  row, tool)


class Spark:
    def __init__(self, folder):
        spark_server.get()
        environment = {**os.environ, "SPARK_PARTS": str(spark_server.PARTS), "SPARK_HOME": str(spark_server.PARTS / "deps"),
                       "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"}
        self.log = open(folder / "spark.log", "wb")
        self.process = subprocess.Popen([sys.executable, str(HERE / "spark_client.py"), str(folder)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment, cwd=folder)

    def __call__(self, call, *args):
        self.process.stdin.write(json.dumps({"call": call, "args": [arg if isinstance(arg, (int, bool)) else str(arg) for arg in args]}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["is"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.log.close()


@pytest.fixture(scope="module")
def spark(tmp_path_factory, packages):  # noqa: F811
    one = Spark(tmp_path_factory.mktemp("spark"))
    yield one
    one.stop()


WIDE = [*NAMES, "extra"]


def wide(i, has=True):
    return [*row(i), f"e{i}" if has else None]


def check(spark, root, expected, names):
    path = root / TABLE
    read = spark("read", path)
    assert list(read["types"]) == names
    assert read["rows"] == expected
    assert client("delta_rs", path)["rows"] == expected
    assert client("duckdb_read", path)["rows"] == expected
    shown = tool("show", root, TABLE)
    assert (shown["records"], list(shown["columns"])) == (len(expected), names)
    return shown


def test_every_reader_after_every_step_and_all_write_in_turn(spark, tmp_path):
    path = tmp_path / TABLE
    tool("write", tmp_path, TABLE, 0, 12, 5)
    check(spark, tmp_path, [row(i) for i in range(60)], NAMES)
    # A column at the end.
    tool("widen", tmp_path, TABLE, 60, 12, 5)
    expected = [wide(i, i >= 60) for i in range(120)]
    shown = check(spark, tmp_path, expected, WIDE)
    assert shown["checkpoint"] > 0
    # Folding changes no row; the versions before it stay.
    assert tool("fold", tmp_path, TABLE) == 24
    shown = check(spark, tmp_path, expected, WIDE)
    assert len(shown["files"]) == 1
    assert spark("read", path, 23)["rows"] == expected
    assert spark("read", path, 11)["rows"] == [row(i) for i in range(60)]
    assert spark("history", path)[0] == [24, "OPTIMIZE", False]
    # The others append, with the column that they found.
    spark("append", path, 120, 10, True)
    client("delta_rs_append", path, 130, 10, "wide")
    client("duckdb_append", path, 140, 10)
    expected += [wide(i) for i in range(120, 150)]
    check(spark, tmp_path, expected, WIDE)
    # They fold, we go on, up to a checkpoint of ours that holds their tombstones and ours; then without what was before it.
    spark("sql", f"OPTIMIZE delta.`{path}`")
    client("delta_rs_compact", path)
    tool("widen", tmp_path, TABLE, 150, 60, 1)
    expected += [wide(i) for i in range(150, 210)]
    forget_commits_before_the_checkpoint(tmp_path)
    check(spark, tmp_path, expected, WIDE)
    # A column that Spark adds is one that we refuse by name until it is declared.
    spark("sql", f"ALTER TABLE delta.`{path}` ADD COLUMNS (more INT)")
    with pytest.raises(AssertionError, match="column 'more' .integer. that the pipeline does not declare"):
        tool("widen", tmp_path, TABLE, 210, 1, 1)
    assert spark("read", path)["rows"] == [[*one, None] for one in expected]


def test_spark_and_we_write_at_once(spark, tmp_path):
    from delta_strangers_test import TOOL
    tool("write", tmp_path, TABLE, 0, 1, 1)
    ours = subprocess.Popen([TOOL, "race", str(tmp_path), TABLE, "ours", "1000", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for i in range(6):
        spark("append", tmp_path / TABLE, 1 + i, 1)
    _, err = ours.communicate(timeout=120)
    assert ours.returncode == 0, err
    tool("fold", tmp_path, TABLE)
    check(spark, tmp_path, [row(i) for i in [*range(7), *range(1000, 1060)]], NAMES)
