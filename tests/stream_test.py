"""The streaming leg as its user runs it: both legs' tables are equal, odd records, one stream for several tables, topics,
a worker that was away past its lease, streams made anew.
"""
import base64
import collections
import json
import os
import re
import shutil
import signal
import socket
import struct
import threading
import time

import pytest

import lake_rules
import nasty
import pinflow as pf
from kinesis_calls import Kinesis, streams

TABLES = {"pin": "pin_stream", "geo": "geo_stream", "user": "user_stream"}


def as_cells(rows):
    return collections.Counter(repr(tuple(row)) for row in rows)


def put(kinesis, stream, records, key="any"):
    """Records (bytes, or values that become JSON) into the stream, 400 at a time."""
    data = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    for first in range(0, len(data), 400):
        answer = kinesis("PutRecords", StreamName=stream, Records=[
            {"Data": base64.b64encode(each).decode(), "PartitionKey": key} for each in data[first:first + 400]])
        assert answer["FailedRecordCount"] == 0


def worker(data, process, *args, **more):
    """`pinflow stream` over the streams of another process."""
    return pf.running("stream", "--data", data, "--kinesis-endpoint", f"http://{process.addresses['streams']}", *args, **more)


def catch_up(data, process, *args, **more):
    return pf.pinflow("stream", "--until-caught-up", "--data", data, "--kinesis-endpoint",
                      f"http://{process.addresses['streams']}", *args, **more)


def with_pipeline(folder, change):
    """A copy of the posts' pipeline, its definition changed."""
    shutil.copytree(pf.PIPELINE, folder)
    text = (folder / "pipeline.yaml").read_text()
    changed = change(text)
    assert changed != text
    (folder / "pipeline.yaml").write_text(changed)
    return folder


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run of both legs over every row once: (data folder, what it printed as JSON)."""
    data = tmp_path_factory.mktemp("run") / "data"
    return data, pf.run_every_row(data)


def test_both_legs_have_the_same_tables(done):
    data, answer = done
    for record, table in TABLES.items():
        batch, stream = pf.rows(data / "lake", record), pf.rows(data / "lake", table)
        assert as_cells(batch) == as_cells(stream), record
        assert len(stream) > 1000
        assert pf.column_names(data / "lake", record) == pf.column_names(data / "lake", table)


def test_the_stations_of_the_leg_agree(done):
    data, answer = done
    batch, leg = answer["counts"], answer["counts"]["stream"]
    assert set(leg) == set(batch) - {"stream"}
    posts = leg["posts"]
    assert leg["posted"] == leg["acknowledged"] == leg["log"] == leg["records_in_objects"] == 3 * posts == batch["posted"]
    for record, table in TABLES.items():
        assert leg["clean"][record] + leg["duplicates"][record] + leg["dead"][record] == posts
        assert leg["tables"][record] - leg["tables_before"][record] == leg["clean"][record]
        assert leg["tables"][record] == len(pf.rows(data / "lake", table))
    assert "differences" not in answer


def test_the_tables_of_both_legs_are_queried_together(done):
    data, _ = done
    listed = {table["name"]: table for table in pf.pinflow_json("tables", "--data", data)}
    assert {"pin", "pin_stream", "geo_stream", "user_stream"} <= set(listed)
    assert listed["pin"]["records"] == listed["pin_stream"]["records"]
    assert "rows" in pf.pinflow("tables", "show", "pin_stream", "--data", data).stdout


def test_a_second_run_adds_nothing_and_finds_what_was_left(done, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(done[0], data)
    with streams(data) as process:  # records that no worker has taken yet
        put(Kinesis(process.address("streams")), "streaming-local-geo", [pf.geo(10**9 + i) for i in range(7)])
    leg = pf.pinflow_json("run", "--all", "--data", data)["counts"]["stream"]
    assert leg["lake_backlog"] == 7
    assert leg["clean"] == {"pin": 0, "geo": 7, "user": 0}
    assert leg["tables"]["geo"] == leg["tables_before"]["geo"] + 7
    assert leg["records_in_objects"] == leg["log"] + 7


def test_one_leg_alone(tmp_path):
    pf.pinflow("source", "generate", "--posts", 50, "--data", tmp_path)
    stream = pf.pinflow_json("run", "--all", "--stream", "--data", tmp_path)
    assert stream["counts"]["posted"] == 0 and stream["counts"]["stream"]["posted"] == 150
    assert not (tmp_path / "lake/tables/pin").exists() and len(pf.rows(tmp_path / "lake", "pin_stream")) == 50
    batch = pf.pinflow_json("run", "--all", "--batch", "--data", tmp_path)
    assert "stream" not in batch["counts"] and batch["counts"]["posted"] == 150
    text = pf.pinflow("run", "--all", "--data", tmp_path).stdout
    assert "Counts of the streaming leg" in text and "Counts, from station to station" in text


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
def test_odd_records_end_as_the_rules_say(tmp_path, repeats):
    """Every odd value and line, a third of them as base64 text of JSON, in micro-batches of 100 ms."""
    expected_rows, expected_dead = {}, collections.Counter()
    with streams(tmp_path, "--make-streams") as process:
        kinesis = Kinesis(process.address("streams"))
        keep = ["--keep-repeats"] if repeats == "kept" else []
        with worker(tmp_path, process, "--trigger", "100ms", *keep) as working:
            for record, table in TABLES.items():
                # Escapes inside of nested values stay as they came; lake_rules resolves them.
                lines = [line for line in nasty.lines(record) if b"\\u00fc" not in line]
                sent = []
                for number, line in enumerate(lines):
                    twice = number % 3 == 0 and line.strip().startswith((b"{", b"["))
                    text = base64.b64encode(line)
                    sent.append((b'"' + text + b'"' if number % 2 else text) if twice else line)
                put(kinesis, f"streaming-local-{record}", sent)
                good, seen = [], set()
                for line in lines:
                    row, reason, _ = lake_rules.clean_one(record, line)
                    if reason:
                        expected_dead[table] += 1
                        continue
                    row = lake_rules.hashable(row)
                    if repeats == "kept" or row not in seen:
                        good.append(row)
                    seen.add(row)
                expected_rows[table] = collections.Counter(good)
            catch_up_is(working, tmp_path, expected_rows, expected_dead)
            assert working.stop() == 0
    for table, expected in expected_rows.items():
        got = collections.Counter(lake_rules.hashable(row) for row in pf.rows(tmp_path / "lake", table))
        assert got == expected, table
    dead = pf.rows(tmp_path / "lake", "dead_stream")
    assert collections.Counter(row[0] for row in dead) == expected_dead
    for table, reason, stream, shard, sequence, record, plan in dead:
        assert reason and stream.startswith("streaming-local-") and shard.startswith("shardId-") and int(sequence) > 0 and plan > 0
    assert {"not JSON", "duplicate key", "lone surrogate", "not UTF-8", "not a JSON object"} <= {row[1] for row in dead}


def catch_up_is(working, data, rows, dead):
    def there():
        got = sum(len(pf.rows(data / "lake", table)) for table in rows)
        return got >= sum(sum(each.values()) for each in rows.values()) and len(pf.rows(data / "lake", "dead_stream")) >= sum(dead.values())
    pf.wait_until(there, 60, "all records in their tables")


def test_one_stream_feeds_several_tables(tmp_path):
    """The newer form of the course: one stream, the table told by the partition key."""
    def change(text):
        text = re.sub(r'    stream: "streaming-\{id\}-\w+"', "    stream: Kinesis-Prod-Stream", text)
        for record, key in (("pin", "pinterest_data"), ("geo", "geolocation_data"), ("user", "user_data")):
            text = text.replace(f"    stream_table: {record}_stream", f"    stream_table: {record}_stream\n    partition_key: {key}")
        return text
    pipeline = with_pipeline(tmp_path / "pipeline", change)
    data = tmp_path / "data"
    pf.pinflow("source", "generate", "--posts", 300, "--data", data)
    leg = pf.pinflow_json("run", "--all", "-p", pipeline, "--data", data)["counts"]["stream"]
    assert leg["clean"] == {"pin": 300, "geo": 300, "user": 300}
    for record, table in TABLES.items():
        assert as_cells(pf.rows(data / "lake", record)) == as_cells(pf.rows(data / "lake", table))
    with streams(data, "-p", pipeline) as process:
        put(Kinesis(process.address("streams")), "Kinesis-Prod-Stream", [pf.geo(5)], key="somebody_elses")
        catch_up(data, process, "-p", pipeline)
    assert [row[:2] for row in pf.rows(data / "lake", "dead_stream")] == [("", "partition key of no record type")]


def test_a_topic_feeds_a_table_directly(tmp_path):
    pipeline = with_pipeline(tmp_path / "pipeline", lambda text: text.replace(
        "    stream_table: geo_stream", "    stream_table: geo_stream\n    from: kafka"))
    data = tmp_path / "data"
    pf.pinflow("source", "generate", "--posts", 300, "--data", data)
    counts = pf.pinflow_json("run", "--all", "-p", pipeline, "--data", data)["counts"]
    assert counts["stream"]["clean"] == counts["clean"] == {"pin": 300, "geo": 300, "user": 300}
    assert as_cells(pf.rows(data / "lake", "geo")) == as_cells(pf.rows(data / "lake", "geo_stream"))
    with pf.up(data, "-p", pipeline, "--trigger", "100ms") as process:
        pf.post(process.address("gateway"), "local.geo", pf.geo(10**9), "no record")
        pf.wait_until(lambda: len(pf.rows(data / "lake", "geo_stream")) == 301, what="the row")
        assert process.stop() == 0
    (table, reason, stream, shard, sequence, record, _), = pf.rows(data / "lake", "dead_stream")
    assert (table, reason, stream, shard, record) == ("geo_stream", "not a JSON object", "local.geo", "0", '"no record"')
    assert sequence == "301"


def test_reshards_are_followed(tmp_path):
    stream, sent = "streaming-local-geo", 0
    with streams(tmp_path, "--make-streams") as process, worker(tmp_path, process, "--trigger", "100ms", "--keep-repeats") as working:
        kinesis = Kinesis(process.address("streams"))
        for round_ in range(6):
            for key in range(20):
                put(kinesis, stream, [pf.geo(sent + i) for i in range(10)], key=str(key))
                sent += 10
            shards = [shard for shard in kinesis.shards(stream) if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
            if round_ % 3 == 2:
                shards.sort(key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
                kinesis("MergeShards", StreamName=stream, ShardToMerge=shards[0]["ShardId"], AdjacentShardToMerge=shards[1]["ShardId"])
            else:
                keys = shards[0]["HashKeyRange"]
                middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
                kinesis("SplitShard", StreamName=stream, ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(middle))
        pf.wait_until(lambda: len(pf.rows(tmp_path / "lake", "geo_stream")) >= sent, 60, "all records")
        assert working.stop() == 0
    assert sorted(row[0] for row in pf.rows(tmp_path / "lake", "geo_stream")) == list(range(sent))


def test_a_stream_made_anew_is_refused_and_gone_on_with(tmp_path):
    stream = "streaming-local-geo"
    with streams(tmp_path, "--make-streams") as process:
        kinesis = Kinesis(process.address("streams"))
        for i in range(3):
            put(kinesis, stream, [pf.geo(i), f"bad {i}"])
            catch_up(tmp_path, process)
        needless = catch_up(tmp_path, process, "--anew", stream, check=False)
        assert needless.returncode == 1 and "nothing of it is missing. Leave --anew out" in needless.stderr
        time.sleep(1.1)  # streams are told apart by the second of their making
        kinesis("DeleteStream", StreamName=stream)
        pf.wait_until(lambda: stream not in kinesis("ListStreams")["StreamNames"], what="the stream is gone")
        kinesis("CreateStream", StreamName=stream, ShardCount=1)
        put(kinesis, stream, [pf.geo(3), "bad 3"])
        put(kinesis, "streaming-local-user", [{"ind": 1, "first_name": "A", "last_name": "B", "age": 30, "date_joined": "2016-01-01 00:00:00"}])
        refused = catch_up(tmp_path, process, check=False)
        assert refused.returncode == 1
        assert refused.stderr.count("was made anew") == 1 and f"pinflow stream --anew {stream}" in refused.stderr
        assert len(pf.rows(tmp_path / "lake", "geo_stream")) == 3
        assert len(pf.rows(tmp_path / "lake", "user_stream")) == 1  # the others went on
        catch_up(tmp_path, process, "--anew", stream)
        put(kinesis, stream, [pf.geo(4), "bad 4"])
        catch_up(tmp_path, process)
        unknown = catch_up(tmp_path, process, "--anew", "no-stream", check=False)
        assert unknown.returncode == 1 and "reads no such stream" in unknown.stderr
    assert sorted(row[0] for row in pf.rows(tmp_path / "lake", "geo_stream")) == list(range(5))
    assert sorted(row[5] for row in pf.rows(tmp_path / "lake", "dead_stream")) == [f'"bad {i}"' for i in range(5)]


def test_up_goes_on_without_a_stream_that_was_deleted(tmp_path):
    stream, tables = "streaming-local-geo", tmp_path / "lake"
    with pf.up(tmp_path, "--trigger", "50ms") as process:
        kinesis = Kinesis(process.address("streams"))
        put(kinesis, stream, [pf.geo(1), "bad 1"])
        pf.wait_until(lambda: len(pf.rows(tables, "geo_stream")) == 1, what="the row")
        time.sleep(1.1)
        status, _, _ = pf.request(process.address("gateway"), "DELETE", f"/prod/streams/{stream}")
        assert status == 200
        pf.wait_until(lambda: any("ResourceNotFound" in line for line in process.lines), what="the worker's end")
        put(kinesis, "streaming-local-user", [{"ind": 1, "first_name": "A", "last_name": "B", "age": 30, "date_joined": "2016-01-01 00:00:00"}])
        pf.wait_until(lambda: len(pf.rows(tables, "user_stream")) == 1, what="the other stream's row")
        assert process.stop() == 1
        assert sum("ResourceNotFound" in line for line in process.lines) == 1
        assert any("ended by an error: stream streaming-local-geo" in line for line in process.lines)
    with pf.up(tmp_path, "--trigger", "50ms") as process:  # makes the stream, which is another one
        pf.wait_until(lambda: any(f"--anew {stream}" in line for line in process.lines), what="the hint")
        put(Kinesis(process.address("streams")), stream, [pf.geo(2), "bad 2"])
        assert process.stop() == 1
    with pf.up(tmp_path, "--trigger", "50ms", "--anew", stream) as process:
        pf.wait_until(lambda: len(pf.rows(tables, "geo_stream")) == 2, what="the new stream's row")
        assert process.stop() == 0
    assert sorted(row[5] for row in pf.rows(tables, "dead_stream")) == ['"bad 1"', '"bad 2"']


def delete_records(address, topic, partition):
    """Kafka's DeleteRecords, version 0, of all that the partition has: what retention does, at once."""
    name = topic.encode()
    body = struct.pack(f">hhihih{len(name)}siiqi", 21, 0, 1, -1, 1, len(name), name, 1, partition, -1, 10_000)
    with socket.create_connection(address, timeout=10) as kafka:
        kafka.sendall(struct.pack(">i", len(body)) + body)
        size, = struct.unpack(">i", kafka.recv(4, socket.MSG_WAITALL))
        answer = kafka.recv(size, socket.MSG_WAITALL)
    assert answer[-2:] == b"\0\0", answer


def test_topics_with_a_gap_and_made_anew_are_gone_on_with(tmp_path):
    """Repeats are kept, so what is read twice is seen."""
    pipeline = with_pipeline(tmp_path / "pipeline", lambda text: re.sub(r"(stream_table: \w+)\n", r"\1\n    from: kafka\n", text))
    data, topic = tmp_path / "data", "local.geo"
    with pf.running("broker", "--data", data, "--listen", "127.0.0.1:0") as broker:
        kafka = ["--bootstrap-server", broker.addresses["broker"], "-p", pipeline, "--data", data]
        pf.pinflow("topics", "create", *kafka)
        pf.pinflow("topics", "delete", "--topic", topic, *kafka)
        pf.pinflow("topics", "create", "--topic", topic, "--partitions", 2, *kafka)
        with pf.running("gateway", "--listen", "127.0.0.1:0", *kafka) as gateway:
            def send(*inds):
                raw = json.dumps([{"value": pf.geo(ind), "partition": ind % 2} for ind in inds])
                status, _ = pf.post(gateway.address("gateway"), topic, raw=raw)
                assert status == 200
            def catch_up(*args, check=True):
                return pf.pinflow("stream", "--until-caught-up", "--keep-repeats", *kafka, *args, check=check)
            def inds():
                return sorted(row[0] for row in pf.rows(data / "lake", "geo_stream"))
            send(0, 1, 2, 3)
            catch_up()
            send(4, 5)
            delete_records(broker.address("broker"), topic, 0)
            send(6, 7)
            refused = catch_up(check=False)
            assert refused.returncode == 1 and inds() == [0, 1, 2, 3]
            assert "1 records are lost" in refused.stderr and f"pinflow stream --anew {topic} (repeats are kept" in refused.stderr
            catch_up("--anew", topic)
            assert inds() == [0, 1, 2, 3, 5, 6, 7]  # the partition that lacks nothing is not read twice
            assert "Leave --anew out" in catch_up("--anew", topic, check=False).stderr
            pf.pinflow("topics", "delete", "--topic", topic, *kafka)
            pf.pinflow("topics", "create", "--topic", topic, "--partitions", 2, *kafka)
            send(8, 9, 10, 11, 12, 13, 14, 15)
            refused = catch_up(check=False)
            assert refused.returncode == 1 and "is not the topic that the table was filled from" in refused.stderr
            catch_up("--anew", topic)
            send(16)
            catch_up()
            assert inds() == [0, 1, 2, 3, *range(5, 17)]


def test_a_mistake_in_a_cleaning_is_mended(tmp_path):
    """One that ends every micro-batch, one that ends at a row; a column that pipeline.yaml has before the SQL."""
    pipeline = with_pipeline(tmp_path / "pipeline", lambda text: text + "\n")
    sql, definition = pipeline / "clean/geo.sql", pipeline / "pipeline.yaml"
    good, columns = sql.read_text(), definition.read_text()
    country = "NULLIF(country, '') AS country"
    wider = columns.replace("      timestamp: timestamp\n\n  user:", "      timestamp: timestamp\n      region: string\n\n  user:")
    assert country in good and wider != columns
    with streams(tmp_path, "--make-streams") as process:
        kinesis, sent = Kinesis(process.address("streams")), 0
        for wrong_sql, wrong_definition, mended in (
                (good.replace("FROM known", "FROMM known"), columns, good),
                (good.replace(country, "CAST(CAST(country AS INT) AS VARCHAR) AS country"), columns, good),
                (good, wider, good.replace("posted_at AS timestamp,", "posted_at AS timestamp, 'north' AS region,"))):
            put(kinesis, "streaming-local-geo", [pf.geo(sent), f"bad {sent}"])
            sent += 1
            sql.write_text(wrong_sql)
            definition.write_text(wrong_definition)
            for _ in range(2):
                assert catch_up(tmp_path, process, "-p", pipeline, check=False).returncode == 1
            sql.write_text(mended)
            catch_up(tmp_path, process, "-p", pipeline)
    assert sorted(row[0] for row in pf.rows(tmp_path / "lake", "geo_stream")) == list(range(sent))
    assert len(pf.rows(tmp_path / "lake", "dead_stream")) == sent


def test_a_stream_that_is_not_there_is_named(tmp_path):
    with streams(tmp_path) as process:
        refused = catch_up(tmp_path, process, check=False)
    assert refused.returncode == 1 and "streaming-local-pin" in refused.stderr


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
def test_a_worker_that_was_stopped_past_its_lease(tmp_path, repeats):
    """SIGSTOP; another takes over; SIGCONT: nothing is lost or doubled."""
    stream, sent, stopping = "streaming-local-geo", [0], threading.Event()
    keep = ["--keep-repeats"] if repeats == "kept" else []
    with streams(tmp_path, "--make-streams") as process:
        def post():
            kinesis = Kinesis(process.address("streams"))
            while not stopping.is_set():
                put(kinesis, stream, [pf.geo(sent[0] + i) for i in range(20)])
                sent[0] += 20
                time.sleep(0.01)
        posting = threading.Thread(target=post)
        posting.start()
        try:
            pipeline = with_pipeline(tmp_path / "pipeline", lambda text: text.replace("\nsettings:", "\nsettings:\n  stream.lease: 600ms\n ", 1))
            keep += ["-p", pipeline]
            with worker(tmp_path, process, "--trigger", "10ms", *keep) as first:
                pf.wait_until(lambda: len(pf.rows(tmp_path / "lake", "geo_stream")) > 100, what="rows")
                with worker(tmp_path, process, "--trigger", "10ms", *keep) as second:
                    for working in (first, second, first, second):
                        os.kill(working.process.pid, signal.SIGSTOP)
                        time.sleep(1.5)  # the other takes over
                        before = len(pf.rows(tmp_path / "lake", "geo_stream"))
                        pf.wait_until(lambda: len(pf.rows(tmp_path / "lake", "geo_stream")) > before, what="rows of the other one")
                        os.kill(working.process.pid, signal.SIGCONT)
                        time.sleep(0.3)
                    stopping.set()
                    posting.join()
                    assert first.stop() == 0 and second.stop() == 0
                assert any("was taken over" in line or "waiting for its lease" in line for line in first.lines + second.lines)
        finally:
            stopping.set()
            posting.join()
        catch_up(tmp_path, process, *keep)
    assert sorted(row[0] for row in pf.rows(tmp_path / "lake", "geo_stream")) == list(range(sent[0]))


def test_a_trigger_must_be_a_time(tmp_path):
    for wrong in ("fast", "5", "1ms", "2h", "-1s"):
        refused = pf.pinflow("stream", f"--trigger={wrong}", "--data", tmp_path, check=False)
        assert refused.returncode == 1 and f"--trigger is '{wrong}'" in refused.stderr


def test_metrics(tmp_path):
    with streams(tmp_path, "--make-streams") as process, worker(tmp_path, process, "--listen", "127.0.0.1:0", "--trigger", "50ms") as working:
        put(Kinesis(process.address("streams")), "streaming-local-geo", [pf.geo(1), pf.geo(2), pf.geo(1), {"ind": 3}])
        pf.wait_until(lambda: len(pf.rows(tmp_path / "lake", "geo_stream")) == 2, what="rows")
        line = r'pinflow_stream_records_total\{feed="stream streaming-local-geo",table="geo_stream",result="(\w+)"\} (\d+)'
        def told():
            status, _, body = pf.request(working.address("metrics"), "GET", "/metrics")
            return status == 200 and dict(re.findall(line, body.decode())) == {"clean": "2", "duplicate": "1", "dead": "1"}
        pf.wait_until(told, what="the metrics")
        assert pf.request(working.address("metrics"), "GET", "/health")[0] == 200
        Kinesis(process.address("streams"))("DeleteStream", StreamName="streaming-local-user")
        pf.wait_until(lambda: pf.request(working.address("metrics"), "GET", "/health")[0] == 503, what="the worker's end")
        text = pf.request(working.address("metrics"), "GET", "/metrics")[2].decode()
        ended = dict(re.findall(r'pinflow_stream_ended\{feed="stream streaming-local-(\w+)"\} (\d)', text))
        assert ended == {"pin": "0", "geo": "0", "user": "1"} and "pinflow_stream_up 0" in text
        put(Kinesis(process.address("streams")), "streaming-local-geo", [pf.geo(3)])
        pf.wait_until(lambda: len(pf.rows(tmp_path / "lake", "geo_stream")) == 3, what="the others go on")
        assert working.stop() == 1
    assert any(l.startswith("stopped: 3 rows in") and l.endswith("ended by an error: stream streaming-local-user") for l in working.lines)


def test_plans_do_not_pile_up(tmp_path):
    with streams(tmp_path, "--make-streams") as process, worker(tmp_path, process, "--trigger", "10ms") as working:
        kinesis = Kinesis(process.address("streams"))
        sent = 0
        def plans():
            return sorted(int(path.stem) for path in (tmp_path / "lake/state/plans/stream/streaming-local-geo").glob("*.json"))
        while not plans() or plans()[-1] < 130:
            put(kinesis, "streaming-local-geo", [pf.geo(sent)])
            sent += 1
            time.sleep(0.01)
        pf.wait_until(lambda: len(pf.rows(tmp_path / "lake", "geo_stream")) == sent, what="all rows")
        assert working.stop() == 0
    assert plans()[0] == 1 and len(plans()) <= 77
