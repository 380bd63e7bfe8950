"""Tables over time: read as they were, columns added, small files folded, old versions cleaned away."""
import datetime
import json
import os
import shutil
import time

import pinflow as pf
import pytest

TINY = pf.ROOT / "tests/pipelines/tiny"
TABLE = "reading"


@pytest.fixture
def lake(tmp_path):
    """A copy of the tiny pipeline, with a query of one table, and a data folder."""
    shutil.copytree(TINY, tmp_path / "pipeline")
    return Lake(tmp_path)


class Lake:
    def __init__(self, folder):
        self.folder, self.pipeline, self.data = folder, folder / "pipeline", folder / "data"
        self.yaml, self.cleaning = self.pipeline / "pipeline.yaml", self.pipeline / "clean/reading.sql"
        (self.pipeline / "queries/how_many.sql").write_text(f"SELECT count(*) AS n FROM {TABLE}\n")
        edit(self.yaml, "queries:\n", "queries:\n  how_many:\n    title: Rows\n    sql: queries/how_many.sql\n")

    def __call__(self, *args, **more):
        data = () if "--data" in args else ("--data", self.data)
        return pf.pinflow(*args, "--pipeline", self.pipeline, *data, **more)

    def json(self, *args):
        return json.loads(self(*args, "--format", "json").stdout)

    def run(self, seed=1):
        return self.json("run", "--batch", "--posts", "5", "--seed", str(seed), "--keep-repeats")["counts"]["tables"][TABLE]

    def count(self, *args):
        return self.json("query", "how_many", *args)[0]["n"]

    def log(self):
        return self.data / "lake/tables" / TABLE / "_delta_log"

    def says(self, *args):
        done = self(*args, check=False)
        assert done.returncode == 1, done.stdout
        return done.stderr


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def moment_of(path):
    info = next(json.loads(line)["commitInfo"] for line in path.read_bytes().splitlines() if b"commitInfo" in line)
    return datetime.datetime.fromtimestamp(info["timestamp"] / 1000, datetime.timezone.utc)


def test_queries_of_the_past(lake):
    first = lake.run(1)
    time.sleep(0.01)
    second = lake.run(2)
    assert second > first == lake.count("--version", 0) == lake.count("--version", f"{TABLE}=0")
    assert lake.count() == second == lake.count("--version", 1)
    commits = sorted(lake.log().glob("*.json"))
    made, changed = moment_of(commits[0]), moment_of(commits[1])
    assert lake.count("--at", made.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == first
    assert lake.count("--at", (changed - datetime.timedelta(milliseconds=1)).strftime("%Y-%m-%d %H:%M:%S.%f")) == first
    assert lake.count("--at", "2999-01-01") == second
    assert lake.json("tables", "show", TABLE, "--version", "0")["records"] == first
    assert lake.json("tables", "show", TABLE, "--at", "2999-01-01")["version"] == 1
    for words, said in {
            ("query", "how_many", "--at", "2020-01-01"): "there is nothing of it at 2020-01-01T00:00:00.000Z",
            ("query", "how_many", "--version", "7"): "has no version 7; its newest is 1",
            ("query", "how_many", "--version", "x"): "a whole number or TABLE=NUMBER is meant",
            ("query", "how_many", "--version", "dead=0"): "that table is not read",
            ("query", "how_many", "--at", "noon"): "'noon' is no time",
            ("query", "how_many", "--at", "2999-01-01", "--version", "0"): "exclude each other",
            ("query", "how_many", "--at", "2999-01-01", "--version", f"{TABLE}=0"): "for the same table",
            ("query", "how_many", "--version", f"{TABLE}=1", "--version", f"{TABLE}=0"): "is given twice",
            ("tables", "show", TABLE, "--version", "7"): "has no version 7",
            ("tables", "fold", "nothing"): "there is no table 'nothing'; there are:"}.items():
        assert said in lake.says(*words), words


def test_a_query_reads_the_tables_of_both_legs(lake):
    (lake.pipeline / "queries/how_many.sql").write_text(
        f"SELECT count(batch) AS batch, count(stream) AS stream FROM (SELECT number AS batch, NULL AS stream FROM {TABLE} "
        f"UNION ALL SELECT NULL, number FROM {TABLE}_stream) AS both_legs\n")
    lake.run(1)
    assert lake.json("query", "how_many")[0]["stream"] == 0  # no stream was read yet
    counts = lake.json("run", "--posts", "5", "--seed", "2", "--keep-repeats")["counts"]
    batch, stream = counts["tables"][TABLE], counts["stream"]["tables"][TABLE]
    assert lake.json("query", "how_many") == [{"batch": batch, "stream": stream}]
    assert batch > stream > 0
    before = lake.json("query", "how_many", "--version", f"{TABLE}=0", "--at", "2999-01-01")
    assert before == [{"batch": batch - stream, "stream": stream}]


def test_small_files_are_folded_and_old_ones_cleaned(lake):
    counts = [lake.run(seed) for seed in range(3)]
    rows = sorted(map(str, pf.rows(lake.data / "lake", TABLE)))
    assert "nothing to fold" in lake("tables", "fold", TABLE).stdout
    assert lake.json("tables", "fold", TABLE, "--all") == {
        "files_folded": 3, "files_made": 1, "bytes": lake.json("tables", "show", TABLE, "--version", "2")["bytes"], "checkpoints": 0}
    shown = lake.json("tables", "show", TABLE)
    assert (shown["version"], shown["files"], shown["records"]) == (3, 1, counts[-1])
    assert sorted(map(str, pf.rows(lake.data / "lake", TABLE))) == rows
    assert lake.count("--version", "1") == counts[1]
    # Nothing is old yet; and without a retention the files of the versions before go, which is then said.
    assert lake.json("tables", "clean", TABLE)["files_removed"] == 0
    assert lake.json("tables", "clean", TABLE, "--keep-files", "0 days")["files_removed"] == 3
    assert lake.count() == counts[-1]
    assert "one of its files is gone; files that the table no longer has are kept for" in lake.says("query", "how_many", "--version", "1")
    # A log of eleven days ago, with a checkpoint: what is before it goes, and is said to be gone.
    for seed in range(3, 12):
        lake.run(seed)
    checkpoint, = lake.log().glob("*.checkpoint.parquet")
    for path in lake.log().iterdir():
        os.utime(path, (time.time() - 11 * 86400,) * 2)
    oldest = int(checkpoint.name[:20])
    assert lake.json("tables", "clean", TABLE)["log_entries_removed"] == 0
    assert lake.json("tables", "clean", TABLE, "--keep", "10 days")["log_entries_removed"] == oldest
    assert f"version 1 of tables/{TABLE} was cleaned away; the oldest that its log still holds is {oldest}" in lake.says(
        "query", "how_many", "--version", "1")
    assert "was cleaned away; its log begins with version" in lake.says("query", "how_many", "--at", "2020-01-01")
    assert lake.count() == lake.json("tables", "show", TABLE)["records"]


def test_a_column_at_the_end_is_added_and_nothing_else(lake, tmp_path):
    first = lake.run(1)
    columns = [column["name"] for column in lake.json("tables", "show", TABLE)["columns"]]
    remark, cleaned = "      remark: string\n", "  NULLIF(remark, '') AS remark,\n"
    yaml, cleaning = lake.yaml.read_text(), lake.cleaning.read_text()

    def declare(column, expression):
        lake.yaml.write_text(yaml.replace(remark, remark + column))
        lake.cleaning.write_text(cleaning.replace(cleaned, cleaned + expression))

    declare("      added: string\n", "  'new' AS added,\n")
    second = lake.run(2)
    assert [column["name"] for column in lake.json("tables", "show", TABLE)["columns"]] == [*columns, "added"]
    (lake.pipeline / "queries/how_many.sql").write_text(f"SELECT count(*) AS n, count(added) AS added FROM {TABLE}\n")
    assert lake.json("query", "how_many") == [{"n": second, "added": second - first}]
    lake("tables", "fold", TABLE, "--all")
    assert lake.json("query", "how_many") == [{"n": second, "added": second - first}]
    assert [column["name"] for column in lake.json("tables", "show", TABLE, "--version", "0")["columns"]] == columns
    # Taken out again, of another type, renamed, in another place: refused, by name, and nothing is written.
    for column, expression, said in (
            ("", "", "has a column 'added' (string) that the pipeline does not declare"),
            ("      added: long\n", "  CAST(1 AS BIGINT) AS added,\n", "has 'added' as string, not as long: a column's type cannot be changed"),
            ("      other: string\n", "  'new' AS other,\n", "has the column 'added' (string) where the pipeline declares 'other'"),
            ("      other: string\n      added: string\n", "  'x' AS other, 'new' AS added,\n",
             "has no column 'other', which the pipeline declares before 'added': a new column comes after the last one")):
        declare(column, expression)
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        shutil.copytree(lake.data, tmp_path / "again")
        assert said in lake.says("run", "--batch", "--posts", "5", "--data", tmp_path / "again")
        again = pf.pinflow_json("tables", "show", TABLE, "--pipeline", lake.pipeline, "--data", tmp_path / "again")
        assert (again["version"], again["records"]) == (2, second)
