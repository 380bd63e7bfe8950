"""The lake and the sink on S3: versitygw as the service, boto3, awscli, DuckDB's httpfs and pyarrow as readers, and a
proxy that breaks things."""
import collections
import gzip
import json
import pathlib
import random
import signal
import subprocess
import time

import pytest

import fault_proxy as faults
import pinflow as pf
from service import DEPS, HERE, KEY, REGION, SECRET, awscli, boto3_objects, environment, python, versitygw

KILLS = min(pf.KILLS, 12)  # of each loop; 500 by hand now and then


@pytest.fixture(scope="session", autouse=True)
def programs():
    subprocess.run([HERE / "get"], check=True)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with versitygw(tmp_path_factory.mktemp("versitygw")) as address:
        yield address


@pytest.fixture
def proxy(service):
    with faults.proxy(*service[:2]) as one:
        yield one
        strange = {entry for entry in one.operations if entry[0] not in faults.POLICY}
        assert not strange, f"outside of the policy: {sorted(strange)[:10]}"


@pytest.fixture
def bucket(service):
    """A new one: a lake is one cluster's."""
    name = f"lake-{random.randrange(1 << 32):08x}"
    (service[2] / name).mkdir()
    return name


class Topic:
    """A broker with one topic of four partitions, and records that can be told apart."""

    def __init__(self, folder, broker):
        self.folder, self.broker, self.sent = folder, broker, []

    def produce(self, count, size=100):
        # Keys spread the records, as they do with Kafka's own clients.
        values = [json.dumps({"n": n, "country": ["IE", "FR", "a/b"][n % 3], "timestamp": f"2020-0{n % 9 + 1}-03 04:05:06",
                              "text": "x" * (size + n % 50)}) for n in range(len(self.sent), len(self.sent) + count)]
        for part in range(4):
            subprocess.run(["kcat", "-b", self.broker, "-P", "-t", "t.rec", "-p", str(part)], check=True, timeout=60,
                           input="".join(value + "\n" for value in values[part::4]), text=True)
        self.sent += values

    def sink(self, proxy, bucket, lines="", *args, check=True, timeout=120, **more):
        file = self.folder / f"sink-{bucket}.properties"
        file.write_text(f"name=s-{bucket}\ntopics=t.rec\ns3.bucket.name={bucket}\ns3.region={REGION}\nstore.url={proxy.url}\n"
                        f"s3.retry.backoff.ms=20\ns3.part.retries=9\nflush.size=100\n" + lines)
        return pf.pinflow("sink", file, "--bootstrap-server", self.broker, "--until-caught-up", *args, check=check,
                          timeout=timeout, env=environment(proxy.url, **more))

    def expected(self):
        return collections.Counter(json.dumps(json.loads(value), sort_keys=True) for value in self.sent)


@pytest.fixture
def topic(tmp_path):
    with pf.running("broker", "--data", tmp_path / "data", "--listen", "127.0.0.1:0") as broker:
        address = broker.addresses["broker"]
        pf.pinflow("topics", "create", "--topic", "t.rec", "--partitions", "4", "--bootstrap-server", address)
        yield Topic(tmp_path, address)


def lines_of(objects, opener=lambda data: data):
    found = collections.Counter()
    for data in objects.values():
        for line in opener(data).splitlines():
            found[json.dumps(json.loads(line), sort_keys=True)] += 1
    return found


# ---- the main job ---------------------------------------------------------------------------------------------------

def test_main_job_on_s3_is_that_on_a_directory(proxy, bucket, tmp_path):
    args = ("--posts", "400", "--flush-size", "50", "--seed", "7")
    here = pf.pinflow_json("run", "--data", tmp_path / "a", *args)
    lake = ("--lake", f"s3://{bucket}/some/where")
    there = pf.pinflow_json("run", "--data", tmp_path / "b", *lake, *args, env=environment(proxy.url))
    assert there["counts"] == here["counts"]
    assert there["answers"] == here["answers"]
    env = environment(proxy.url)
    # A second run over the kept lake, and the commands that read it.
    again = pf.pinflow_json("run", "--data", tmp_path / "b", *lake, *args, env=env)
    assert again["counts"]["tables_before"] == there["counts"]["tables"]
    assert pf.pinflow_json("query", "top_country", "--data", tmp_path / "b", *lake, env=env) == again["answers"]["top_country"]
    assert "pin" in pf.pinflow("tables", "--data", tmp_path / "b", *lake, env=env).stdout
    assert f"s3://{bucket}" in pf.pinflow("doctor", "--data", tmp_path / "b", *lake, env=env, check=False).stdout
    # What others read there.
    found = boto3_objects(proxy.url, bucket, "some/where/topics/")
    assert sum(data.count(b"\n") for data in found.values()) == 2 * there["counts"]["records_in_objects"]
    assert "some/where/topics/local.pin/partition=0/local.pin+0+0000000000.json" in found
    listed = awscli(proxy.url, "s3", "ls", "--recursive", f"s3://{bucket}/some/where/topics/")
    assert len(listed.splitlines()) == len(found)
    host = proxy.url.removeprefix("http://")
    # By their names: versitygw lists '+' as it is, and DuckDB's glob takes it for a blank.
    names = [f"s3://{bucket}/{key}" for key in found]
    parts = [f"s3://{bucket}/{key}" for key in boto3_objects(proxy.url, bucket, "some/where/tables/pin/") if key.endswith(".parquet")
             and "_delta_log" not in key]
    httpfs = next((DEPS / "python/duckdb_extension_httpfs").rglob("httpfs.duckdb_extension"))
    rows = python(proxy.url, f"""
import duckdb
db = duckdb.connect(config={{"allow_unsigned_extensions": "false"}})
db.execute("LOAD '{httpfs}'")
db.execute("CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION '{REGION}', ENDPOINT '{host}', "
           "URL_STYLE 'path', USE_SSL false)")
print(db.sql("SELECT count(*) FROM read_json({names}, format='newline_delimited', "
             "columns={{ind: 'BIGINT'}})").fetchone()[0])
print(db.sql("SELECT count(*) FROM read_parquet({parts})").fetchone()[0])
""").split()
    assert int(rows[0]) == 2 * there["counts"]["records_in_objects"]
    assert int(rows[1]) == again["counts"]["tables"]["pin"]


def test_main_job_killed_on_s3_is_finished_by_the_next(proxy, bucket, tmp_path):
    lake = ("--lake", f"s3://{bucket}")
    env = environment(proxy.url)
    want = pf.pinflow_json("run", "--data", tmp_path / "b", *lake, "--posts", "300", env=env)["counts"]["tables"]
    for round_ in range(KILLS):
        more = f"s3://{bucket}/{round_}"
        # The objects of the first run, under a lake of their own.
        awscli(proxy.url, "s3", "cp", "--quiet", "--recursive", f"s3://{bucket}/topics", f"{more}/topics")
        command = [pf.BIN, "batch", "--data", str(tmp_path / f"c{round_}"), "--lake", more]
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=pf.ROOT)
        time.sleep(random.uniform(0.02, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        pf.pinflow(*command[1:], env=env)
        tables = {table["name"]: table["records"] for table in
                  pf.pinflow_json("tables", "--data", tmp_path / f"c{round_}", "--lake", more, env=env)}
        assert {name: tables[name] for name in want} == want


# ---- what the sink writes -------------------------------------------------------------------------------------------

def test_course_file_as_it_is(proxy, topic, bucket, tmp_path):
    """The course's properties, placeholders filled in; the endpoint comes from the environment."""
    topic.produce(40)
    file = tmp_path / "user-sink.properties"
    file.write_text(f"""connector.class=io.confluent.connect.s3.S3SinkConnector
s3.region={REGION}
flush.size=1
schema.compatibility=NONE
tasks.max=3
topics.regex=t.rec.*
format.class=io.confluent.connect.s3.format.json.JsonFormat
partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
value.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
storage.class=io.confluent.connect.s3.storage.S3Storage
key.converter=org.apache.kafka.connect.storage.StringConverter
s3.bucket.name={bucket}
""")
    pf.pinflow("sink", file, "--bootstrap-server", topic.broker, "--until-caught-up", env=environment(proxy.url))
    found = boto3_objects(proxy.url, bucket, "topics/t.rec/")
    assert len(found) == 40
    assert "topics/t.rec/partition=0/t.rec+0+0000000009.json" in found
    assert lines_of(found) == topic.expected()


@pytest.mark.parametrize("lines, ending", [
    ("", ".json"),
    ("s3.compression.type=gzip\n", ".json.gz"),
    ("partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\npartition.field.name=country\n", ".json"),
    ("partitioner.class=io.confluent.connect.storage.partitioner.TimeBasedPartitioner\npath.format='month'=MM\n"
     "partition.duration.ms=86400000\ntimestamp.extractor=RecordField\ntimestamp.field=timestamp\n"
     "rotate.file.on.partition.change=false\n", ".json"),
    ("partitioner.class=io.confluent.connect.storage.partitioner.HourlyPartitioner\ntimestamp.extractor=Wallclock\n", ".json"),
])
def test_layouts_and_kills(proxy, topic, bucket, lines, ending):
    """kill -9 at random moments: what is there in the end is what the topic holds, each record once."""
    topic.produce(2000)
    opener = gzip.decompress if ending.endswith(".gz") else (lambda data: data)
    for _ in range(max(KILLS // 4, 2)):
        file = topic.folder / "killed.properties"
        file.write_text(f"name=s-{bucket}\ntopics=t.rec\ns3.bucket.name={bucket}\ns3.region={REGION}\nstore.url={proxy.url}\n"
                        "flush.size=20\n" + lines)
        process = subprocess.Popen([pf.BIN, "sink", str(file), "--bootstrap-server", topic.broker], cwd=pf.ROOT,
                                   env=environment(proxy.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.1, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        topic.produce(100)
    # A killed member is missed after its session, so a new group takes over at once: the lake is the truth.
    topic.sink(proxy, bucket, lines + f"name=after-{bucket}\n")
    found = boto3_objects(proxy.url, bucket, "topics/t.rec/")
    assert all(key.endswith(ending) for key in found)
    assert lines_of(found, opener) == topic.expected()
    if "country" in lines:
        assert {key.split("/")[2] for key in found} == {"country=IE", "country=FR", "country=a%2Fb"}


def test_parquet_is_read_by_pyarrow(proxy, bucket, tmp_path):
    env = environment(proxy.url)
    with pf.up(tmp_path / "data") as up:
        pf.pinflow("source", "generate", "--posts", "200", "--seed", "3", "--data", tmp_path / "data")
        pf.pinflow("emulate", "--posts", "200", "--data", tmp_path / "data", "--url", f"http://{up.addresses['gateway']}/prod")
        file = tmp_path / "parquet.properties"
        file.write_text(f"topics=local.geo\ns3.bucket.name={bucket}\ns3.region={REGION}\nstore.url={proxy.url}\n"
                        "flush.size=150\nformat.class=io.confluent.connect.s3.format.parquet.ParquetFormat\n")
        pf.pinflow("sink", file, "--bootstrap-server", up.addresses["broker"], "--until-caught-up", env=env)
    found = boto3_objects(proxy.url, bucket, "topics/local.geo/")
    assert sorted(found) == [f"topics/local.geo/partition=0/local.geo+0+{n:010}.snappy.parquet" for n in (0, 150)]
    for index, data in enumerate(found.values()):
        (tmp_path / f"{index}.parquet").write_bytes(data)
    shown = json.loads(python(proxy.url, """
import json, sys
import pyarrow.parquet as pq
tables = [pq.read_table(name) for name in sys.argv[1:]]
print(json.dumps([sum(t.num_rows for t in tables), {f.name: str(f.type) for f in tables[0].schema}]))
""", *(tmp_path / f"{index}.parquet" for index in range(2))))
    assert shown == [200, {"ind": "int64", "timestamp": "string", "latitude": "double", "longitude": "double", "country": "string"}]


def test_large_objects_go_in_parts(proxy, topic, bucket):
    topic.produce(400, size=40_000)
    topic.sink(proxy, bucket, "s3.part.size=5242880\nflush.size=100000\nflush.bytes=12000000\nflush.idle.ms=60000\n")
    assert lines_of(boto3_objects(proxy.url, bucket, "topics/t.rec/")) == topic.expected()
    topic.produce(1200, size=40_000)
    topic.sink(proxy, bucket, "s3.part.size=5242880\nflush.size=100000\nflush.bytes=12000000\nflush.idle.ms=60000\n")
    assert any("uploads" in path for _, _, path in proxy.operations)
    assert lines_of(boto3_objects(proxy.url, bucket, "topics/t.rec/")) == topic.expected()


# ---- faults ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, fault", [
    ("500", faults.answer(500, "InternalError")),
    ("503", faults.answer(503, "SlowDown")),
    ("reset", faults.reset),
    ("reset in mid-body", faults.reset_in_the_middle),
    ("answer lost", faults.lose_answer),
], ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("layout", ["", "partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\n"
                                    "partition.field.name=country\n"], ids=["chain", "planned"])
def test_faults_lose_and_double_nothing(proxy, topic, bucket, layout, kind, fault):
    topic.produce(1200)
    proxy.rule = faults.sometimes(random.Random(3), 0.2, [fault])
    topic.sink(proxy, bucket, layout + "flush.size=30\n")
    proxy.rule = None
    assert lines_of(boto3_objects(proxy.url, bucket, "topics/t.rec/")) == topic.expected()


def test_a_stall_is_a_time_out_and_nothing_is_lost(proxy, topic, bucket):
    topic.produce(200)
    left = [2]

    def rule(method, path):
        if method == "PUT" and left[0] > 0:
            left[0] -= 1
            return faults.stall(90)
        return None

    proxy.rule = rule
    topic.sink(proxy, bucket, "s3.request.timeout.ms=1000\n")
    assert lines_of(boto3_objects(proxy.url, bucket, "topics/t.rec/")) == topic.expected()


@pytest.mark.parametrize("lines, env, said", [
    ("", {"AWS_SECRET_ACCESS_KEY": "another"}, "SignatureDoesNotMatch"),
    ("", {"AWS_ACCESS_KEY_ID": "AKIDNOBODY"}, "access key"),
    ("s3.bucket.name=no-such-bucket\n", {}, "The bucket no-such-bucket is not there"),
    ("s3.region=us-east-2\n", {}, "region"),
], ids=["wrong secret", "unknown key", "no bucket", "wrong region"])
def test_what_is_wrong_is_said_and_nothing_hangs(proxy, topic, bucket, lines, env, said):
    topic.produce(4)
    process = subprocess.Popen(
        [pf.BIN, "sink", str(write(topic, proxy, bucket, lines)), "--bootstrap-server", topic.broker], cwd=pf.ROOT,
        env=environment(proxy.url, **env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said_so = False
        for line in process.stdout:  # the sink waits for a store that fails, and says what it waits for
            if said in line:
                said_so = True
                break
        assert said_so
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert time.monotonic() - started < 30
    finally:
        process.kill()
        process.wait()


def write(topic, proxy, bucket, lines):
    file = topic.folder / f"wrong-{bucket}.properties"
    file.write_text(f"name=s-{bucket}\ntopics=t.rec\ns3.bucket.name={bucket}\ns3.region={REGION}\nstore.url={proxy.url}\n"
                    f"" + lines)
    return file


@pytest.mark.parametrize("fault, said", [
    (faults.answer(400, "ExpiredToken"), "The session has ended: get new credentials"),
    (faults.answer(403, "RequestTimeTooSkewed", "<ServerTime>2020-01-01T00:00:00Z</ServerTime>"), "Set this machine's clock"),
    (faults.answer(403, "AccessDenied"), "AccessDenied"),
    (faults.answer(301, "PermanentRedirect", headers={"x-amz-bucket-region": "ap-south-1"}), "ap-south-1"),
], ids=["expired token", "skewed clock", "denied", "redirect"])
def test_refusals_are_said(proxy, bucket, tmp_path, fault, said):
    proxy.rule = lambda method, path: fault
    done = pf.pinflow("tables", "--data", tmp_path, "--lake", f"s3://{bucket}", check=False, env=environment(proxy.url))
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_wrong_etag_is_no_success(proxy, bucket, tmp_path):
    proxy.rule = lambda method, path: faults.wrong_etag if method == "PUT" else None
    done = pf.pinflow("run", "--posts", "20", "--data", tmp_path, "--lake", f"s3://{bucket}", check=False,
                      env=environment(proxy.url))
    assert done.returncode != 0
    assert "another checksum" in done.stdout + done.stderr


def test_a_bucket_that_vanishes_and_comes_back(proxy, topic, bucket):
    """Told while it is gone; nothing is lost when it is back."""
    topic.produce(100)
    command = [pf.BIN, "sink", str(write(topic, proxy, bucket, "flush.idle.ms=100\n")), "--bootstrap-server", topic.broker]
    process = subprocess.Popen(command, cwd=pf.ROOT, env=environment(proxy.url), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if line.startswith("ready"):
                break
        pf.wait_until(lambda: lines_of(boto3_objects(proxy.url, bucket, "topics/t.rec/")) == topic.expected())
        gone = faults.answer(404, "NoSuchBucket")
        proxy.rule = lambda method, path: gone
        topic.produce(100)
        for line in process.stdout:
            if f"The bucket {bucket} is not there" in line:
                break
        else:
            raise AssertionError("nothing was said of the bucket")
        proxy.rule = None
        pf.wait_until(lambda: lines_of(boto3_objects(proxy.url, bucket, "topics/t.rec/")) == topic.expected())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
