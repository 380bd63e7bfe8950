"""The exported Databricks notebooks, cell by cell on a local Spark: the same tables, dead letters and answers as the embedded run's."""
import ast
import json
import re

import local_spark
import nasty
import notebooks
import pinflow as pf
import pytest

RECORDS = ("pin", "geo", "user")


def records_of(record):
    """Python cannot make a local time of the first day of the year 1, which PySpark asks of it."""
    return [line for line in nasty.lines(record, seed=7, many=150) if nasty.passes_checks(record, line) and b"0001-01-01" not in line]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    done = pf.pinflow("export", "databricks", folder)
    assert sorted(done.stdout.split()) == sorted(map(str, folder.iterdir()))
    return folder


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A lake of nasty records, cleaned by the embedded engine: (lake, its report)."""
    data = tmp_path_factory.mktemp("data")
    for record in RECORDS:
        nasty.write_objects(data / "lake", f"local.{record}", records_of(record))
    return data / "lake", pf.pinflow_json("batch", "--data", data)


@pytest.fixture(scope="module")
def spark():
    return local_spark.session()


def session(spark, lake, schema, **widgets):
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    return notebooks.Notebook(spark.newSession(), {"bucket": str(lake), "id": "local", "schema": schema, **widgets})


def rows_of(spark, table, columns="*"):
    types, rows = local_spark.ask_spark(spark, f"SELECT {columns} FROM {table}")
    return types, sorted(rows, key=repr)


def ours(lake, table, columns="*"):
    _, files, _ = pf.delta_files(lake, table)
    names = ", ".join(f"'{name}'" for name in files)
    types, rows = local_spark.ask_duckdb(local_spark.duckdb_connection(), f"SELECT {columns} FROM read_parquet([{names}])")
    return types, sorted(rows, key=repr)


def test_the_batch_notebooks_do_what_the_embedded_run_does(exported, embedded, spark):
    lake, report = embedded
    for table_round in range(2):  # run again, they add nothing
        first = session(spark, lake, "nb", date="2026-11-20")
        first.run(exported / "2_clean.py")
        assert len(first.shown) == 3, first.shown
        for record in RECORDS:
            assert rows_of(spark, f"nb.{record}") == ours(lake, record), (record, table_round)
        dead = "`table`, reason, topic, `partition`, object, `offset`, record"
        assert rows_of(spark, "nb.dead", dead) == ours(lake, "dead", dead.replace("`", '"'))
    assert all(" 0 added" in line for line in first.shown), first.shown
    second = session(spark, lake, "nb", date="2026-11-20")
    answers = second.run(exported / "3_queries.py")[-9:]
    names = re.findall(r"### (\w+)", (exported / "3_queries.py").read_text())
    expected = {name: json.loads(pf.pinflow("query", name, "--data", lake.parent, "--format", "json").stdout) for name in names}
    assert {name: [row.asDict() for row in frame.collect()] for name, frame in zip(names, answers, strict=True)} == expected
    assert any("check whole_posts" in line for line in second.shown)


def test_one_record_type_at_a_time(exported, embedded, spark):
    lake, _ = embedded
    job = session(spark, lake, "nb_one", record="geo", id="local")
    job.run(exported / "2_clean.py")
    assert len(job.shown) == 1 and job.shown[0].startswith("geo: ")
    assert [row[1] for row in spark.sql("SHOW TABLES IN nb_one").collect()] == ["dead", "geo"]


def test_names_follow_the_widget(exported, spark, tmp_path):
    lines = [json.dumps(nasty.good("geo", 5, __import__("random").Random(1))).encode()]
    nasty.write_objects(tmp_path / "lake", "u-7.geo", lines)
    job = session(spark, tmp_path / "lake", "nb_id", id="u-7")
    job.run(exported / "2_clean.py")
    assert job.shown[1].startswith("geo: 1 read, 1 added") and job.shown[0].startswith("pin: 0 read")


def test_a_check_that_fails_stops_the_notebook(exported, spark, tmp_path):
    line = {"ind": 5, "first_name": "A", "last_name": "B", "age": 200, "date_joined": "2017-10-24 11:23:51"}
    nasty.write_objects(tmp_path / "lake", "local.user", [json.dumps(line).encode()])
    job = session(spark, tmp_path / "lake", "nb_check")
    job.run(exported / "2_clean.py")
    with pytest.raises(ValueError, match="check possible_numbers found .*200"):
        session(spark, tmp_path / "lake", "nb_check").run(exported / "3_queries.py")


def test_keys_come_from_secrets_and_a_bucket_is_mounted_once(exported, spark):
    secrets = {("aws", "aws-access-key-id"): "AKIDEXAMPLE", ("aws", "aws-secret-access-key"): "s/e+c"}
    for path in exported.iterdir():
        assert not re.search(r"AKIA|aws_secret_access_key\s*=|BEGIN", path.read_text())
    job = notebooks.Notebook(spark.newSession(), {"bucket": "my-bucket/lake", "mount": "/mnt/posts", "secret_scope": "aws"}, secrets)
    job.run(exported / "1_objects.py")
    job.run(exported / "1_objects.py")
    assert job.mounted == {"/mnt/posts": "s3a://AKIDEXAMPLE:s%2Fe%2Bc@my-bucket"} and job.namespace["LAKE"] == "/mnt/posts/lake"
    job = notebooks.Notebook(spark.newSession(), {"bucket": "s3://my-bucket/lake", "secret_scope": "aws"}, secrets)
    job.run(exported / "1_objects.py")
    assert job.namespace["LAKE"] == "s3a://my-bucket/lake" and job.namespace["spark"].conf.get("fs.s3a.access.key") == "AKIDEXAMPLE"


def test_every_cell_parses(exported, spark):
    """The Python by Python, the SQL by Spark."""
    parser = spark._jsparkSession.sessionState().sqlParser()
    for path in exported.iterdir():
        for language, text in notebooks.cells(path):
            if language == "python":
                ast.parse(text)
            elif language == "sql":
                for statement in notebooks.statements(text):
                    parser.parsePlan(statement)
    for sql in pf.PIPELINE.glob("clean/*.sql"):
        assert sql.read_text().strip() in (exported / "4_stream.py").read_text() and sql.read_text().strip() in (exported / "2_clean.py").read_text()


def test_the_stream_notebook_cleans_a_stream(exported, embedded, spark, tmp_path):
    """Its Kinesis source replaced by files of the same columns; the rest as exported."""
    lake, _ = embedded
    lines = {record: records_of(record) for record in RECORDS}
    asked = []

    def feed(namespace):
        if "source" not in namespace:
            return
        real, reader = namespace["source"], namespace["spark"]
        assert callable(real)

        def source(record):
            asked.append(record)
            folder = tmp_path / "feed" / record
            if not folder.exists():
                rows = [(bytearray(line), "key", "shardId-000000000000", str(place)) for place, line in enumerate(lines[record])]
                frame = reader.createDataFrame(rows, "data BINARY, partitionKey STRING, shardId STRING, sequenceNumber STRING").selectExpr("*", "current_timestamp() AS approximateArrivalTimestamp")
                frame.coalesce(1).write.parquet(str(folder))
            return reader.readStream.schema("data BINARY, partitionKey STRING, shardId STRING, sequenceNumber STRING, approximateArrivalTimestamp TIMESTAMP").parquet(str(folder))
        namespace["source"] = source

    for _ in range(2):  # started again, it goes on where its checkpoint stands
        job = session(spark, lake, "nb_stream", every="once", checkpoints=str(tmp_path / "checkpoints"))
        job.run(exported / "4_stream.py", before_last=feed)
        for record in RECORDS:
            assert rows_of(spark, f"nb_stream.{record}_stream") == ours(lake, record), record
        letters = rows_of(spark, "nb_stream.dead_stream", "replace(`table`, '_stream', '') AS `table`, reason, record")
        assert letters == ours(lake, "dead", '"table", reason, record')
    assert asked == [*RECORDS, *RECORDS]


def test_a_late_shard_loses_nothing(exported, spark, tmp_path):
    """Shards hours apart, one micro-batch each; repeats in one batch, across batches, beyond the window; marks and checkpoint lost."""
    import shutil
    schema = "data BINARY, partitionKey STRING, shardId STRING, sequenceNumber STRING, approximateArrivalTimestamp TIMESTAMP"
    feed, places = tmp_path / "feed", iter(range(1000))

    def put(number, shard, *arrivals):
        """A file, which is a micro-batch: [(user's number, time it arrived)]; a number that is no number is a dead letter."""
        rows = [(bytearray(json.dumps({"ind": ind, "first_name": "A", "last_name": "B", "age": 30, "date_joined": "2017-10-24 11:23:51"}).encode()), "key", shard, str(next(places)), f"2026-11-20 {time}")
                for ind, time in arrivals]
        frame = spark.createDataFrame(rows, "data BINARY, partitionKey STRING, shardId STRING, sequenceNumber STRING, t STRING").selectExpr("* EXCEPT (t)", "CAST(t AS TIMESTAMP) AS approximateArrivalTimestamp")
        frame.coalesce(1).write.parquet(str(tmp_path / f"one{number}"))
        feed.mkdir(exist_ok=True)
        next((tmp_path / f"one{number}").glob("*.parquet")).rename(feed / f"{number}.parquet")

    def run():
        def replace_source(namespace):
            if "source" in namespace:
                namespace["source"] = lambda record: namespace["spark"].readStream.schema(schema).option("maxFilesPerTrigger", "1").option("latestFirst", "false").parquet(str(feed))
        job = session(spark, tmp_path, "nb_late", record="user", every="once", checkpoints=str(tmp_path / "checkpoints"))
        job.run(exported / "4_stream.py", before_last=replace_source)
        return [row[0] for row in spark.sql("SELECT ind FROM nb_late.user_stream ORDER BY ind").collect()]

    put(0, "ahead", *((ind, "12:00:00") for ind in range(10)), (3, "12:04:00"))  # 3 again in the batch
    assert run() == [*range(10)]
    put(1, "behind", *((ind, "02:00:00") for ind in range(10, 20)), ("x", "02:00:00"))  # ten hours late
    put(2, "ahead", (4, "12:09:00"), (5, "12:31:00"), (20, "12:31:00"))  # 4 within the window, 5 beyond it
    put(3, "behind", (21, "02:01:00"), (10, "02:05:00"), ("y", "02:05:00"))
    whole = sorted([*range(22), 5])
    assert run() == whole
    assert spark.table("nb_late.dead_stream").count() == 2
    shutil.rmtree(tmp_path / "checkpoints")  # every record is read again, and batches count from 0 again
    put(4, "behind", (22, "02:02:00"))
    assert run() == [*whole, 22]
    shutil.rmtree(tmp_path / "checkpoints")
    spark.sql("DELETE FROM nb_late.user_stream_seen")
    put(5, "behind", (23, "02:02:00"))
    assert set(run()) == set(range(24))
