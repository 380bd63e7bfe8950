"""Every SQL text of the pipeline on DuckDB and on Spark: 100,000 generated posts, the real posts, nasty records.

Each engine cleans a lake of its own from the same objects. Tables and dead letters are compared row by row, physical and
logical types included, and answers as they are shown, by each engine over each lake.
"""
import json
import os
import shutil
import sqlite3

import duckdb
import lake_rules
import nasty
import pinflow as pf
import pytest
import spark_server

RECORDS = {"pin": "pinterest_data", "geo": "geolocation_data", "user": "user_data"}
POSTS = int(os.environ.get("PINFLOW_EQUAL_POSTS", "100000"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with spark_server.running(tmp_path_factory.mktemp("spark"), heap="2g") as running:
        yield running


def rows_as_lines(database, record):
    """The source's rows as the emulator sends them."""
    connection = sqlite3.connect(database)
    found = connection.execute(f'SELECT * FROM {RECORDS[record]} ORDER BY 1')
    names = [column[0] for column in found.description]
    return [json.dumps(dict(zip(names, row)), ensure_ascii=False, separators=(",", ":")).encode() for row in found]


def generated(folder):
    pf.pinflow("source", "generate", "--posts", POSTS, "--data", folder, timeout=600)
    return {record: rows_as_lines(folder / "source.db", record) for record in RECORDS}


def real(_):
    return {record: (pf.real_posts() / f"{table}.jsonl").read_bytes().splitlines() for record, table in RECORDS.items()}


def odd(_):
    return {record: nasty.lines(record, seed=3) for record in RECORDS}


CASES = [generated, odd] + ([real] if pf.real_posts() else [])


def cleaned(folder, lines, *engine):
    for record in RECORDS:
        nasty.write_objects(folder / "lake", f"local.{record}", lines[record], per_object=20_000)
    return pf.pinflow_json("batch", "--data", folder, "--step", "clean", "--date", "2026-11-20", *engine, timeout=1200)["counts"]


def live_files(lake, table):
    return pf.delta_files(lake, table)[1]


def table_types(lake, table):
    """As Delta declares them, and as they lie in the files."""
    commit = (lake / "tables" / table / "_delta_log/00000000000000000000.json").read_text()
    declared = next(json.loads(line)["metaData"]["schemaString"] for line in commit.splitlines() if '"metaData"' in line)
    physical = duckdb.execute("SELECT name, type, converted_type, logical_type FROM parquet_schema(?) WHERE name NOT IN ('schema', 'duckdb_schema', 'spark_schema')",
                              [live_files(lake, table)[0]]).fetchall()
    # That an integer is signed and a text is text is said in two ways, or goes without saying.
    return declared, [(kind, None if converted in ("INT_32", "INT_64") else converted, logical if "Timestamp" in str(logical) else None)
                      for _, kind, converted, logical in physical if kind is not None]


def differences(one, other, table):
    """Rows that only one of both has, as often as it has them."""
    a, b = live_files(one, table), live_files(other, table)
    query = "(SELECT * FROM read_parquet($x) EXCEPT ALL SELECT * FROM read_parquet($y)) LIMIT 5"
    return [str(row) for x, y in ((a, b), (b, a)) for row in
            duckdb.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({query})", {"x": x, "y": y}).fetchall()]


def as_read(row):
    """A nested value keeps its escapes as they came, and the rules write them anew; a zero has a sign in the rules only."""
    def cell(value):
        if isinstance(value, str):
            return value.replace("\\u00fc", "\u00fc")
        return [None if part is None else part + 0.0 for part in value] if isinstance(value, list) else value
    return repr([cell(value) for value in row])


@pytest.mark.parametrize("make", CASES)
def test_tables_dead_letters_and_answers(make, server, tmp_path):
    lines = make(tmp_path)
    ours, sparks = tmp_path / "duckdb", tmp_path / "spark"
    counts = cleaned(ours, lines)
    assert cleaned(sparks, lines, "--engine", server.url) == counts
    tables = [*RECORDS, *(["dead"] if sum(counts["dead"].values()) else [])]
    for table in tables:
        assert table_types(ours / "lake", table) == table_types(sparks / "lake", table), table
        assert differences(ours / "lake", sparks / "lake", table) == [], table
    answers = [pf.pinflow("query", "--data", folder, "--format", "json", "--date", "2026-11-20", *engine, timeout=600).stdout
               for folder in (ours, sparks) for engine in ((), ("--engine", server.url))]
    assert answers[0] == answers[1] == answers[2] == answers[3]
    if make is not generated:  # and by the rules, without any SQL
        expected, dead, _ = lake_rules.clean(lines)
        for record in RECORDS:
            assert sorted(map(as_read, pf.rows(ours / "lake", record))) == sorted(map(as_read, expected[record])), record
        assert sum(counts["dead"].values()) == len(dead)
    shutil.rmtree(sparks)


def test_the_pipelines_own_checks_find_the_same(server, tmp_path):
    lines = odd(tmp_path)
    cleaned(tmp_path, lines)
    said = [pf.pinflow("batch", "--data", tmp_path, "--step", "answers", "--date", "2026-11-20", "--force", "--format", "json", *engine, check=False, timeout=600)
            for engine in ((), ("--engine", server.url))]
    assert said[0].returncode == said[1].returncode == 1, said[1].stderr
    found = [{name: (check["well"], check["rows"]) for name, check in json.loads(done.stdout)["checks"].items() if name != "possible_numbers"} for done in said]
    assert found[0] == found[1]
