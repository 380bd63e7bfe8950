"""The batch by two engines that take turns on the same tables: DuckDB in the program, Spark by Spark Connect.

What both make of the same plans must be the same: counts, rows, dead letters with their offsets, answers. A lake that
only the embedded engine has worked on is the measure.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import uuid

import pinflow as pf
import pytest
import spark_server

TOOL = os.environ.get("PINFLOW_SPARK_TOOL", str(pf.ROOT / "build/test/spark_tool"))
TABLES = ("pin", "geo", "user", "dead")
TOKEN = "spark.connect.authenticate.token"  # the server asks for it with every call


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with spark_server.running(tmp_path_factory.mktemp("spark")) as running:
        yield running


def put(lake, record, lines, partition=0, end=b"\n"):
    """One object, behind those that are there."""
    folder = lake / f"topics/local.{record}/partition={partition}"
    folder.mkdir(parents=True, exist_ok=True)
    last = max(folder.glob("*.json"), default=None)
    first = 0
    if last:
        before = last.read_bytes()
        first = int(last.stem.rsplit("+", 1)[1]) + before.count(b"\n") + (not before.endswith(b"\n"))
    data = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + end
    (folder / f"local.{record}+{partition}+{first:010d}.json").write_bytes(data)


def command(lake, engine=None, step="clean"):
    """A batch; without its answers, which take Spark as long as the tables, where they are not looked at."""
    return ["batch", "--lake", lake, "--data", lake.parent / "data", "--date", "2026-11-20", "--force", *(("--step", step) if step else ()),
            *(("--engine", engine) if engine else ())]


def batch(lake, *args, engine=None, step="clean", **more):
    return pf.pinflow(*command(lake, engine, step), "--format", "json", *args, timeout=600, **more)


def counted(done):
    report = json.loads(done.stdout)
    return {key: report["counts"][key] for key in ("clean", "duplicates", "dead", "tables_before", "tables", "records_in_objects", "noted")
            if key in report["counts"]}, report.get("answers")


def same_tables(one, other, tables=TABLES):
    for table in tables:
        assert pf.column_names(one, table) == pf.column_names(other, table)
        assert [row for row in pf.rows(one, table)] == [row for row in pf.rows(other, table)], table


def posts(first, count, seed=1, **over):
    rng = random.Random(seed)
    pins, geos, users = [], [], []
    for index in range(first, first + count):
        pins.append({"index": index, "unique_id": f"id-{index}", "title": f"Title {index} \"é\" 日本 \\ 😀\n", "description": "Untitled",
                     "poster_name": rng.choice(["User Info Error", "A b", " x "]), "follower_count": rng.choice(["9k", "1.5M", "12", "User Info Error", "x", "0.5b"]),
                     "tag_list": "a,b", "is_image_or_video": "image", "image_src": "Image src error.", "downloaded": 1,
                     "save_location": "Local save in /data/art", "category": rng.choice(["art", "travel"]), **over})
        geos.append({"ind": index, "timestamp": rng.choice(["2020-08-28 03:52:47", "2020-02-29T00:00:00", "2021:01:02 03:04:05"]),
                     "latitude": rng.choice([-88.8298, 1e-05, 12345678.9, 0.1 + 0.2, -170]), "longitude": rng.uniform(-180, 180), "country": "Côte d'Ivoire"})
        users.append({"ind": index, "first_name": "Abigail", "last_name": f"L{index % 7}", "age": rng.choice([20, "33", 5.5, None, "x"]),
                      "date_joined": "2015-10-24 11:23:51"})
    return {"pin": pins, "geo": geos, "user": users}


def lines_of(records, ascii_only=False):
    return {name: [json.dumps(row, ensure_ascii=ascii_only, separators=(",", ":")) for row in rows] for name, rows in records.items()}


DEEP = "[" * 98 + "]" * 98
NASTY = [
    '{"index":1,"title":1.50e+3,"category":{"z": 1.50, "e":"\\u00e9"}}', '{"index":-0,"title":12345678901234567890123.10,"category":[1, 2.0]}',
    '{"index":1,"index":2,"title":"t"}', '{"index":3,"title":"t"} x', '{"index":4,"title":"\\ud800"}', "{index:5}", "{'index':6}",
    '[{"index":7,"title":"t"},{"index":8}]', '[{"index":9,"title":"t"}]', '{"index":10,"title":NaN}', '{"index":011,"title":"t"}',
    '{"index":12,"x":{"y":1,"y":2},"title":"t"}', '{"index":"13","title":"\\"\\\\\\/\\b\\f\\n\\r\\t","category":"\\u00e9\\ud83d\\ude00"}',
    '{"\\u0069ndex":14,"title":"by another spelling"}', '{"index":15,"title":{"x": [1, 2 ,{"y":"}\\""}] },"category":[ ]}',
    '{"Index":16,"title":"t"}', ' [ {"index":17,"title":[1 ]} ] ', '[[{"index":18}]]', "[]", "", "null", '{"x":tru}', '{"x":[1,}', "{}",
    '{"index":19,"title":' + DEEP + "}", '{"index":20,"title":[' + DEEP + "]}", '{"index":21,"title":[[' + DEEP + "]]}",
    '{"index":1e3,"title":"t"}', '{"index":22,"title":"' + "y" * 70_000 + '\\n"}', '{"index":23,"title":{"k":"\\ud83d"}}',
    '{"index":24,"title":{"k":1}}]', '[{"index":25,"title":{"k":1}}', '{"index":26,"title":{"k":1 2}}', '\t{"index" :\t27,"title":null}\r',
    '{"index":28,"title":' + "9" * 2000 + "}", '{"index":29,"title":true,"category":false,"downloaded":null}', b'\xff{"index":30,"title":"t"}',
    b'{"index":31,"title":"\xe6\x97"}', b'{"index":32,"title":"\xed\xa0\x80"}', '{"index":33,"title":"a\x01b"}', '{"index":34,"title":"\\u0000"}',
    '{"index":35,"title":"' + "\\u65e5" * 4000 + '"}', '{"index":36,"follower_count":"1.5k","title":"  "}', '{"index":36,"title":"  ","follower_count":"1500"}',
    '{"index":37,"title":"$1 \\\\1 \' ` -- /* $date"}', '{"index":38,"title":"x","unknown":1,"more":[1,{"a":null}]}', '{"index":999999999999999999,"title":"t"}',
    '{"index":9999999999999999999,"title":"t"}', '{"index":39,"follower_count":"999999999.999999999b","title":"t"}', '{"title":"no index"}', '{"index":40}',
    '{"index":41,"title":"crlf"}\r', '{"index":42,"tit\\u006ce":"t","title":"twice"}', '"text"', "1", "{", '{"index":43,"title":"\\x"}', '{"index":44,}',
    '\u2028{"index":45,"title":"t"}', '{"index":46,"title":"\u2028\x85"}',
]
NASTY_GEO = [
    '{"ind":1,"timestamp":"2020-02-30 00:00:00","latitude":1,"longitude":2,"country":"a"}', '{"ind":2,"timestamp":"0001-01-01 00:00:00","latitude":1,"longitude":2}',
    '{"ind":3,"timestamp":"1500-02-28T23:59:59","latitude":"1e5","longitude":-0.0}', '{"ind":4,"timestamp":"9999:12:31 23:59:59","latitude":"x","longitude":1e400}',
    '{"ind":5,"timestamp":"2020-08-28 24:00:00","country":"b"}', '{"ind":6,"timestamp":"2020-08-28 03:52:47+02","country":"b"}', '{"ind":7,"country":"no time"}',
    '{"ind":8,"latitude":0.1000000000000000055511151231257827,"longitude":123456789012345.12345678901234567}', '{"ind":9,"latitude":5e-324,"longitude":1.7976931348623157e308}',
    '{"ind":9,"latitude":5e-324,"longitude":1.7976931348623157e308}', '{"ind":10,"timestamp":"2020-08-28 03:52:47\\n","country":"b"}',
]


def fill(lake, turn):
    """What has come before turn 0, 1, …: good posts, repeats of earlier ones, nasty records."""
    lines = lines_of(posts(1000 * turn, 300, seed=turn), ascii_only=turn % 2 == 1)
    if turn:  # those of the turn before once more
        for name, more in lines_of(posts(1000 * (turn - 1), 50, seed=turn - 1)).items():
            lines[name] += more
    lines["pin"] += NASTY
    lines["geo"] += NASTY_GEO
    for name, all_lines in lines.items():
        half = len(all_lines) // 2
        put(lake, name, all_lines[:half], end=b"")
        put(lake, name, all_lines[half:])
        put(lake, name, all_lines[:10], partition=1)
    put(lake, "user", [b'\xef\xbb\xbf{"ind":1,"age":1}', '{"ind":1,"age":1}'], partition=2)


def test_engines_take_turns_and_nothing_tells_who_worked(tmp_path, server):
    measure, lake = tmp_path / "measure/lake", tmp_path / "turns/lake"
    for turn, engine in enumerate((server.url, None, server.url)):
        for place in (measure, lake):
            fill(place, turn)
        expected, answers = counted(batch(measure, step=None))
        found, others = counted(batch(lake, engine=engine, step=None))
        assert found == expected
        assert others == answers and answers
        same_tables(lake, measure)
    assert sum(found["dead"].values()) > 20
    assert sum(found["duplicates"].values()) > 100
    # Queries alone, over the same versions, stored as the embedded run stores them.
    of_spark = pf.pinflow("query", "--lake", lake, "--format", "json", "--engine", server.url, timeout=600).stdout
    assert of_spark == pf.pinflow("query", "--lake", lake, "--format", "json").stdout
    stored = sorted(path.relative_to(measure) for path in measure.glob("answers/*/*.json"))
    assert stored == sorted(path.relative_to(lake) for path in lake.glob("answers/*/*.json")) and stored
    for path in stored:
        one, other = json.loads((measure / path).read_text()), json.loads((lake / path).read_text())
        assert one == other, path
    # The tables are ours: protocol 1/2, and every plan's commit is there once.
    for table in TABLES:
        log = "".join(path.read_text() for path in sorted((lake / f"tables/{table}/_delta_log").glob("*.json")))
        protocols = [json.loads(line)["protocol"] for line in log.splitlines() if '"protocol"' in line]
        assert protocols == [{"minReaderVersion": 1, "minWriterVersion": 2}]
        assert [json.loads(line)["txn"]["version"] for line in log.splitlines() if line.startswith('{"txn"')] == [1, 2, 3]


def by_hand(server, *statements):
    """What somebody does in a session of Spark's own."""
    tool = subprocess.Popen([TOOL, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    answers, _ = tool.communicate("".join(json.dumps(["execute", sql]) + "\n" for sql in statements), timeout=120)
    assert "error" not in answers, answers


def plain(lake, turn, count=40):
    for name, lines in lines_of(posts(1000 * turn, count, seed=turn)).items():
        put(lake, name, lines)


def plans_of(lake, table):
    log = "".join(path.read_text() for path in sorted((lake / f"tables/{table}/_delta_log").glob("*.json")))
    return [json.loads(line)["txn"]["version"] for line in log.splitlines() if line.startswith('{"txn"')]


@pytest.fixture
def lakes(tmp_path):
    """Two lakes with the same objects: the embedded engine works on the first, the second is what is tested."""
    measure, lake = tmp_path / "measure/lake", tmp_path / "tested/lake"
    for place in (measure, lake):
        plain(place, 0)
        put(place, "pin", ['{"index":"none"}', '{"index":7}'])
    return measure, lake


def test_killed_between_two_commits_and_finished_by_the_other_engine(lakes, server):
    measure, lake = lakes
    batch(measure)
    for first, second in ((server.url, None), (None, server.url)):
        shutil.rmtree(lake / "tables", ignore_errors=True)
        shutil.rmtree(lake / "state", ignore_errors=True)
        # The data tables' folders cannot be written to: the run ends behind the dead letters' commit.
        (lake / "tables").mkdir(parents=True)
        (lake / "tables/pin").write_text("in the way")
        assert batch(lake, engine=first, check=False).returncode == 1
        assert plans_of(lake, "dead") == [1] and not (lake / "tables/geo").exists()
        (lake / "tables/pin").unlink()
        found, _ = counted(batch(lake, engine=second))
        assert found["clean"]["pin"] == 40 and found["dead"]["pin"] == 2
        same_tables(lake, measure)
        assert all(plans_of(lake, table) == [1] for table in TABLES)


def test_killed_at_moments(lakes, server):
    measure, lake = lakes
    batch(measure)
    rng = random.Random(7)
    for _ in range(max(1, pf.KILLS // 25)):
        process = subprocess.Popen([pf.BIN, *map(str, command(lake, server.url))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.2, 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    batch(lake, engine=rng.choice([None, server.url]))
    same_tables(lake, measure)
    assert all(plans_of(lake, table) == [1] for table in TABLES)


def start_batch(lake, url):
    """A batch that has put its plan: the embedded engine's part is over, Spark's begins."""
    run = pf.Process(*command(lake, url))
    pf.wait_until(lambda: (lake / "state/plans").exists(), timeout=120, what="a plan")
    return run


def test_sparks_server_killed_in_the_middle_and_back_with_another_token(lakes, tmp_path):
    measure, lake = lakes
    batch(measure)
    url = "{};use_ssl=false;token={}".format
    with spark_server.running(tmp_path / "spark", settings={TOKEN: "the-first"}) as server:
        run = start_batch(lake, url(server.url + "/", "the-first"))
        server.kill()
        assert run.wait(200) == 1
        assert any("Spark" in line or "sc://" in line for line in run.lines), run.lines
        server.settings[TOKEN] = "the-second"
        server.start()
        expired = batch(lake, engine=url(server.url + "/", "the-first"), check=False)
        assert expired.returncode == 1 and "is the token right, and not expired" in expired.stderr and "the-first" not in expired.stderr, expired.stderr
        batch(lake, engine=url(server.url + "/", "the-second"))
    same_tables(lake, measure)
    assert all(plans_of(lake, table) == [1] for table in TABLES)


def test_a_session_that_vanishes_in_the_middle(lakes, server):
    measure, lake = lakes
    batch(measure)
    session = str(uuid.uuid4())
    run = start_batch(lake, f"{server.url}/;session_id={session};user_id=somebody")
    tool = subprocess.Popen([TOOL, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    answers, _ = tool.communicate(json.dumps(["end", server.url + "/;user_id=somebody", session]) + "\n", timeout=120)
    assert answers.splitlines()[-1] == '{"value":true}', answers
    assert run.wait(200) == 1
    assert any("ended the session" in line for line in run.lines), run.lines
    batch(lake, engine=server.url)
    same_tables(lake, measure)
    assert all(plans_of(lake, table) == [1] for table in TABLES)


def test_a_table_that_spark_changed_between_runs(lakes, server):
    measure, lake = lakes
    batch(measure)
    batch(lake, engine=server.url)
    pin = f"delta.`{lake}/tables/pin`"
    by_hand(server, f"INSERT INTO {pin} (ind, title) VALUES (5000, 'by hand')", f"OPTIMIZE {pin}")
    for place in (measure, lake):
        plain(place, 1)
        put(place, "pin", ['{"index":5000,"title":"by hand"}'])  # a repeat where that row is
    expected, _ = counted(batch(measure))
    found, _ = counted(batch(lake))
    assert found["duplicates"]["pin"] == expected["duplicates"]["pin"] + 1
    same_tables(lake, measure)
    # A column more: the run says so, names it, and changes nothing; taken away again, the next run goes on.
    before = sorted(path.name for path in (lake / "tables/pin/_delta_log").glob("*.json"))
    by_hand(server, f"ALTER TABLE {pin} ADD COLUMNS (mood STRING)")
    plain(lake, 2)
    for engine in (None, server.url):
        done = batch(lake, engine=engine, check=False)
        if done.returncode != 0:
            assert "mood" in done.stderr, done.stderr
            assert len(before) + 1 == len(list((lake / "tables/pin/_delta_log").glob("*.json")))
            continue
        assert counted(done)[0]["tables"]["pin"] > 0
    # A feature that nobody here knows is refused by name.
    by_hand(server, f"ALTER TABLE delta.`{lake}/tables/geo` SET TBLPROPERTIES ('delta.enableDeletionVectors' = true)")
    plain(lake, 3)
    done = batch(lake, engine=server.url, check=False)
    assert done.returncode == 1 and "deletionVectors" in done.stderr, done.stderr


def test_the_streaming_leg_on_spark(lakes, server):
    measure, lake = lakes
    batch(measure, "--keep-repeats")
    command = ("stream", "--lake", lake, "--data", lake.parent / "data", "--engine", server.url, "--until-caught-up")
    for turn in (1, 2):
        done = pf.pinflow(*command, timeout=600)
        assert "stopped" in done.stdout
        for table in ("pin", "geo", "user"):
            assert pf.rows(lake, table + "_stream") == pf.rows(measure, table), table
        dead = pf.rows(lake, "dead_stream", "record")
        assert sorted((row[0], row[1], row[5]) for row in dead) == sorted((row[0] + "_stream", row[1], row[6]) for row in pf.rows(measure, "dead"))
        assert {row[2] for row in dead} == {"local.pin"} and all(row[3].startswith("partition=0/local.pin+0+") for row in dead)
        for place in (measure, lake):
            plain(place, turn)
        batch(measure, "--keep-repeats")
    # One owner for life, whichever it is.
    done = pf.pinflow("stream", "--lake", lake, "--data", lake.parent / "data", "--until-caught-up", check=False, timeout=60)
    assert done.returncode == 1 and "a query on Spark" in done.stderr, done.stderr
    (measure / "state/owners").mkdir(parents=True)
    (measure / "state/owners/geo_stream.json").write_text('{"table":"geo_stream","owner":"embedded"}\n')
    done = pf.pinflow("stream", "--lake", measure, "--data", measure.parent / "data", "--engine", server.url, "--until-caught-up", check=False, timeout=120)
    assert done.returncode == 1 and "geo_stream" in done.stderr and "stream workers" in done.stderr, done.stderr


def test_errors_say_file_and_line(lakes, server, tmp_path):
    _, lake = lakes
    folder = tmp_path / "pipeline"
    shutil.copytree(pf.PIPELINE, folder)
    cleaning = folder / "clean/geo.sql"
    lines = cleaning.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "NULLIF(country, '')" in line)
    for wrong, word in (("NULLIF(contry, '') AS country,", "contry"), ("NULLIF(country, '') AS AS country,", "AS"), ("country_of(country) AS country,", "country_of")):
        cleaning.write_text("\n".join([*lines[:at], "  " + wrong, *lines[at + 1:]]) + "\n")
        done = batch(lake, "--pipeline", folder, engine=server.url, check=False)
        assert done.returncode == 1 and f"clean/geo.sql:{at + 1}" in done.stderr and word in done.stderr, done.stderr
    cleaning.write_text("\n".join(lines).replace("FROM known", "FROM known WHERE country = 'none'") + "\n")
    done = batch(lake, "--pipeline", folder, engine=server.url, check=False)
    assert done.returncode == 1 and "WHERE leaves records out" in done.stderr, done.stderr


def test_a_stop_ends_the_statement_on_spark(lakes, server):
    _, lake = lakes
    run = start_batch(lake, server.url)
    run.process.send_signal(signal.SIGINT)
    assert run.wait(60) != 0, run.lines
    batch(lake)
    assert all(plans_of(lake, table) == [1] for table in TABLES)


def test_where_spark_sees_another_lake_it_says_so(lakes, server, tmp_path):
    _, lake = lakes
    folder = tmp_path / "pipeline"
    shutil.copytree(pf.PIPELINE, folder)
    definition = (folder / "pipeline.yaml").read_text()
    assert "\nprofiles:" in definition
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(lake / "topics", elsewhere / "topics")
    for path in elsewhere.glob("topics/local.geo/*/*"):
        path.unlink()
    mapped = definition.replace("\nprofiles:", f"\nprofiles:\n  there:\n    settings:\n      engine: {server.url}\n      engine.paths: {{\"{lake.parent}/\": \"{tmp_path}/\"}}", 1)
    (folder / "pipeline.yaml").write_text(mapped)
    shutil.move(elsewhere, tmp_path / "lake")
    done = batch(lake, "--pipeline", folder, "--profile", "there", check=False)
    assert done.returncode == 1 and "engine.paths" in done.stderr, done.stderr
