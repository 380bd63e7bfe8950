"""The main job, end to end: what `pinflow run` leaves and answers, against an independent calculation cell by cell.

The rows are the real posts where they are there, else generated ones; the expected tables and answers come from
lake_rules.py, which is written from the rules and not from the pipeline's SQL.
"""
import collections
import json
import os
import random
import sqlite3

import pytest

import lake_rules
import pinflow as pf

RECORDS = {"pin": "pinterest_data", "geo": "geolocation_data", "user": "user_data"}


def source_rows(database):
    """{record type: [row as a dict, …]} in the order of the key, read by Python's own SQLite."""
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    found = {}
    for record, table in RECORDS.items():
        key = connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone().keys()[0]
        found[record] = [dict(row) for row in connection.execute(f'SELECT * FROM {table} ORDER BY "{key}"')]
    connection.close()
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run over every row once: (data folder, what it printed as JSON, the source's rows)."""
    data = tmp_path_factory.mktemp("run") / "data"
    return data, pf.run_every_row(data), source_rows(data / "source.db")


def lines_of(lake, record):
    return [line for found in pf.objects(lake, f"local.{record}").values() for _, lines in found for line in lines]


def as_cells(rows):
    """Rows with times as the readers show them, ready to be compared as multisets."""
    return collections.Counter(repr(tuple(row)) for row in rows)


def test_counts_agree(done):
    data, answer, source = done
    counts, posts = answer["counts"], len(source["pin"])
    assert counts["posted"] == counts["acknowledged"] == counts["log"] == counts["records_in_objects"] == 3 * posts
    for record in RECORDS:
        assert counts["clean"][record] + counts["duplicates"][record] + counts["dead"][record] == posts
        assert counts["tables"][record] - counts["tables_before"][record] == counts["clean"][record]
        assert counts["tables"][record] == len(pf.rows(data / "lake", record))
    assert answer["seconds"]["total"] > 0


def test_the_lake_holds_what_the_source_holds(done):
    data, _, source = done
    for record in RECORDS:
        got = collections.Counter(json.dumps(json.loads(line), sort_keys=True) for line in lines_of(data / "lake", record))
        expected = collections.Counter(json.dumps(row, sort_keys=True) for row in source[record])
        assert got == expected, record


def test_real_posts_are_loaded_as_they_are(done):
    data, _, source = done
    folder = pf.real_posts()
    for record, table in RECORDS.items():
        if folder:
            rows = [json.loads(line) for line in (folder / f"{table}.jsonl").read_text().splitlines()]
            assert sorted(rows, key=lambda r: r.get("index", r.get("ind"))) == source[record]
        else:
            assert len(source[record]) == 1058


def test_tables_cell_by_cell(done):
    data, _, source = done
    tables, dead, _ = lake_rules.clean({record: [json.dumps(row) for row in rows] for record, rows in source.items()})
    for record in RECORDS:
        assert as_cells(pf.rows(data / "lake", record)) == as_cells(tables[record]), record
    assert len(pf.rows(data / "lake", "dead")) == len(dead)


def test_answers_cell_by_cell(done):
    _, answer, source = done
    tables, _, _ = lake_rules.clean({record: [json.dumps(row) for row in rows] for record, rows in source.items()})
    expected = lake_rules.answers(tables)
    assert set(answer["answers"]) == set(expected)
    for name, rows in expected.items():
        got = answer["answers"][name]
        key = lambda row: json.dumps(row, sort_keys=True)
        assert sorted(map(key, got)) == sorted(map(key, rows)), name


def test_query_gives_the_same_answers(done):
    data, answer, _ = done
    for name, rows in answer["answers"].items():
        assert pf.pinflow_json("query", name, "--data", data) == rows


def test_the_machines_time_zone_does_not_matter(done, tmp_path):
    data, answer, _ = done
    env = {**os.environ, "TZ": "America/New_York"}
    other = tmp_path / "data"
    again = pf.pinflow_json("run", "--all", "--data", other, "--source", f"sqlite:///{data}/source.db", env=env)
    assert again["answers"] == answer["answers"]
    for record in RECORDS:
        assert as_cells(pf.rows(other / "lake", record)) == as_cells(pf.rows(data / "lake", record))


def test_a_second_run_adds_nothing_and_says_why(tmp_path):
    data = tmp_path / "data"
    first = pf.pinflow_json("run", "--posts", 200, "--data", data)
    before = {record: as_cells(pf.rows(data / "lake", record)) for record in RECORDS}
    text = pf.pinflow("run", "--posts", 200, "--data", data).stdout
    assert {record: as_cells(pf.rows(data / "lake", record)) for record in RECORDS} == before
    assert "repeat" in text and "did not grow" in text
    third = pf.pinflow_json("run", "--posts", 200, "--data", data)["counts"]
    assert third["duplicates"] == {record: 200 for record in RECORDS} and third["dead"] == {r: 0 for r in RECORDS}
    assert third["tables"] == first["counts"]["tables"]


def test_kept_repeats_grow_the_tables(tmp_path):
    for _ in range(2):
        counts = pf.pinflow_json("run", "--posts", 100, "--keep-repeats", "--data", tmp_path)["counts"]
    assert counts["tables"] == {record: 200 for record in RECORDS}


def test_the_rows_are_the_courses(tmp_path):
    """One connection keeps the order: the k-th record of each topic is the row that Python's loop draws k-th."""
    pf.pinflow_json("run", "--posts", 300, "--connections", 1, "--data", tmp_path)
    source = source_rows(tmp_path / "source.db")
    assert len(source["pin"]) == 11_154
    random.seed(100)
    drawn = []
    for _ in range(300):
        random.randrange(0, 2)
        drawn.append(random.randint(0, 11_000))
    assert drawn[:8] == [7528, 2863, 5730, 8304, 8731, 1313, 4315, 10794]
    for record in RECORDS:
        assert [json.loads(line) for line in lines_of(tmp_path / "lake", record)] == [source[record][n] for n in drawn]


def test_post_7528(tmp_path):
    raw = {
        "pin": {"index": 7528, "unique_id": "fbe53c66-3442-4773-b19e-d3ec6f54dddf", "title": "No Title Data Available",
                "description": "No description available Story format", "poster_name": "User Info Error",
                "follower_count": "User Info Error", "tag_list": "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e",
                "is_image_or_video": "multi-video(story page format)", "image_src": "Image src error.", "downloaded": 0,
                "save_location": "Local save in /data/mens-fashion", "category": "mens-fashion"},
        "geo": {"ind": 7528, "timestamp": "2020-08-28 03:52:47", "latitude": -89.9787, "longitude": -173.293,
                "country": "Albania"},
        "user": {"ind": 7528, "first_name": "Abigail", "last_name": "Ali", "age": 20, "date_joined": "2015-10-24 11:23:51"},
    }
    data = tmp_path / "data"
    with pf.up(data) as process:
        for record, value in raw.items():
            assert pf.post(process.address("gateway"), f"local.{record}", value)[0] == 200
        assert process.stop() == 0
    pf.pinflow("batch", "--data", data)
    assert pf.rows(data / "lake", "pin") == [
        (7528, "fbe53c66-3442-4773-b19e-d3ec6f54dddf", None, None, None, None, None, "multi-video(story page format)", None,
         "/data/mens-fashion", "mens-fashion")]
    assert pf.rows(data / "lake", "geo") == [(7528, "Albania", [-89.9787, -173.293], "2020-08-28 03:52:47")]
    assert pf.rows(data / "lake", "user") == [(7528, "Abigail Ali", 20, "2015-10-24 11:23:51")]


def test_broken_counts_end_with_a_status(tmp_path):
    """An object that vanishes between sink and batch is missed, named, and fails the run."""
    pf.pinflow("run", "--posts", 50, "--data", tmp_path)
    with pf.up(tmp_path, "--flush-size", 10) as process:
        for ind in range(30):
            pf.post(process.address("gateway"), "local.geo", {"ind": 20_000 + ind, "timestamp": "2020-08-28 03:52:47",
                                                             "latitude": 1, "longitude": 2, "country": "A"})
        assert process.stop() == 0
    objects = sorted((tmp_path / "lake/topics/local.geo/partition=0").glob("*.json"))
    objects[-2].unlink()
    done = pf.pinflow("run", "--posts", 10, "--data", tmp_path, check=False)
    assert done.returncode != 0
    assert "had 60 records to read (30 new, 30 from earlier), but read 50" in done.stderr
