"""The sink as a process of its own: its properties file, its group, and the lakes it must refuse."""
import json
import shutil
import signal
import time

import pytest

import pinflow as pf

TOPIC = "0a1b2c.pin"
COURSE = """connector.class=io.confluent.connect.s3.S3SinkConnector
s3.region=us-east-1
flush.size=10
schema.compatibility=NONE
tasks.max=3
topics.regex=0a1b2c.*
format.class=io.confluent.connect.s3.format.json.JsonFormat
partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
value.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
storage.class=io.confluent.connect.s3.storage.S3Storage
key.converter=org.apache.kafka.connect.storage.StringConverter
s3.bucket.name=user-0a1b2c-bucket
"""


class Place:
    """A broker, a lake and the course's properties file, in one folder."""

    def __init__(self, folder):
        self.data, self.lake, self.file = folder / "data", folder / "lake", folder / "0a1b2c-sink.properties"
        self.file.write_text(COURSE + f"store.url=file://{self.lake}\n")
        self.sent = 0
        self.server = None

    def create(self, topic=TOPIC, partitions=1):
        pf.pinflow("topics", "create", "--topic", topic, "--partitions", partitions, "--bootstrap-server", self.server)

    def produce(self, count, topic=TOPIC):
        lines = "".join(json.dumps({"n": n}) + "\n" for n in range(self.sent, self.sent + count))
        pf.pinflow("produce", "--topic", topic, "--bootstrap-server", self.server, input=lines)
        self.sent += count

    def arguments(self, *more):
        return ["sink", self.file, "--bootstrap-server", self.server, *more]

    def catch_up(self, **more):
        return pf.pinflow(*self.arguments("--until-caught-up"), **more)

    def numbers(self, topic=TOPIC):
        """All numbers in the lake; each partition's objects must be one chain from offset 0."""
        found = []
        for partition, objects in pf.objects(self.lake, topic).items():
            offset = 0
            for first, lines in objects:
                assert first == offset, f"partition {partition}: an object begins at {first}, the one before ends at {offset}"
                offset += len(lines)
                found += [json.loads(line)["n"] for line in lines]
        return found


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    with pf.running("broker", "--data", place.data, "--listen", "127.0.0.1:0") as broker:
        place.server = broker.addresses["broker"]
        yield place


def test_the_courses_properties_file(place):
    place.create()
    place.produce(25)
    done = place.catch_up()
    assert [(first, len(lines)) for first, lines in pf.objects(place.lake, TOPIC)[0]] == [(0, 10), (10, 10), (20, 5)]
    assert "schema.compatibility is ignored" in done.stderr
    assert json.loads((place.lake / f"state/topics/{TOPIC}.json").read_text()).keys() == {"cluster_id", "topic_id", "group"}
    assert len(list(place.lake.glob(".staging/*/"))) == 0, "a sink that ended well leaves nothing behind"


def test_goes_on_where_it_ended(place):
    place.create(partitions=3)
    for _ in range(4):
        place.produce(40)
        place.catch_up()
        assert sorted(place.numbers()) == list(range(place.sent))
    objects = sum(len(objects) for objects in pf.objects(place.lake, TOPIC).values())
    place.catch_up()
    assert sum(len(objects) for objects in pf.objects(place.lake, TOPIC).values()) == objects


def test_an_emptied_lake_is_filled_again(place):
    place.create()
    place.produce(30)
    place.catch_up()
    shutil.rmtree(place.lake)
    place.catch_up()
    assert place.numbers() == list(range(30))


def test_two_sinks_of_a_group_share_the_work(place):
    place.create(partitions=4)
    place.produce(100)
    with pf.running(*place.arguments()) as first, pf.running(*place.arguments()) as second:
        for _ in range(10):
            place.produce(50)
        pf.wait_until(lambda: len(place.numbers()) == place.sent, what="all records in the lake")
        first.kill()
        place.produce(50)
        pf.wait_until(lambda: len(place.numbers()) == place.sent, timeout=60, what="all records after one was killed")
        assert second.stop() == 0
    assert sorted(place.numbers()) == list(range(place.sent))


def test_a_sink_that_was_asleep_writes_nothing_twice(place):
    """Stopped for longer than its session, a sink wakes up with files in its hands that another has written since."""
    place.create()
    place.produce(5)
    with pf.running(*place.arguments()) as sleeper:
        pf.wait_until(lambda: len(place.numbers()) == 5, what="the first objects")
        place.produce(15)
        sleeper.process.send_signal(signal.SIGSTOP)
        place.produce(30)
        place.catch_up()  # waits until the group gives up the sleeper
        assert place.numbers() == list(range(50))
        sleeper.process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        place.produce(30)
        pf.wait_until(lambda: len(place.numbers()) == 80, what="the records after waking up")
        assert sleeper.stop() == 0
    assert place.numbers() == list(range(80))


def refused(place, *words):
    before = sorted(p for p in place.lake.rglob("*.json"))
    done = place.catch_up(check=False)
    assert done.returncode == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert sorted(p for p in place.lake.rglob("*.json")) == before


def test_refuses_a_topic_that_was_made_anew(place):
    place.create()
    place.produce(30)
    place.catch_up()
    pf.pinflow("topics", "delete", "--topic", TOPIC, "--bootstrap-server", place.server)
    place.create()
    place.produce(40)
    refused(place, f"topic {TOPIC}: it was deleted and made anew since the lake was written", "Use another lake")


def test_refuses_a_lake_of_another_cluster(tmp_path):
    place = Place(tmp_path)
    for again in (False, True):
        with pf.running("broker", "--data", place.data, "--listen", "127.0.0.1:0") as broker:
            place.server = broker.addresses["broker"]
            place.create()
            place.produce(30)
            if again:
                refused(place, "the lake was written from the cluster", "Use another lake")
            else:
                place.catch_up()
        shutil.rmtree(place.data)


def test_refuses_a_lake_ahead_of_its_log(place):
    place.create()
    place.produce(30)
    place.catch_up()
    last = place.lake / f"topics/{TOPIC}/partition=0/{TOPIC}+0+0000000020.json"
    last.write_text(last.read_text() + '{"n":30}\n')
    refused(place, "the lake holds records up to offset 30, but the log ends before offset 30")


def test_refuses_other_properties(place):
    for line, word in (("s3.compression.type=lzma", "must be"), ("format.class=io.confluent.connect.s3.format.avro.AvroFormat", "Avro"),
                       ("transforms=x", "not supported"), ("flush.size=none", "must be")):
        place.file.write_text(COURSE + line + "\n")
        done = place.catch_up(check=False)
        assert done.returncode == 1 and word in done.stderr and f"{place.file}:14" in done.stderr


def test_tells_how_it_does(place):
    place.create(partitions=2)
    place.produce(30)
    with pf.running(*place.arguments("--listen", "127.0.0.1:0")) as sink:
        def metrics():
            return pf.request(sink.address("metrics"), "GET", "/metrics")[2].decode()
        pf.wait_until(lambda: 'pinflow_sink_records_total{result="written"} 30\n' in metrics(), what="30 records written")
        assert "pinflow_sink_up 1\n" in metrics()
        assert f'pinflow_sink_done{{topic="{TOPIC}",partition="0"}} ' in metrics()
        assert pf.request(sink.address("metrics"), "GET", "/health")[0] == 200
        assert pf.request(sink.address("metrics"), "GET", "/other")[0] == 404
        assert sink.stop() == 0


def test_stops_although_the_broker_is_gone(tmp_path):
    place = Place(tmp_path)
    with pf.running("broker", "--data", place.data, "--listen", "127.0.0.1:0") as broker:
        place.server = broker.addresses["broker"]
        place.create()
        place.produce(15)
        with pf.running(*place.arguments()) as sink:
            pf.wait_until(lambda: len(place.numbers()) == 15, what="the records in the lake")
            broker.kill()
            pf.wait_until(lambda: any("brokers are down" in line for line in sink.lines), what="the sink to notice")
            begin = time.monotonic()
            assert sink.stop() == 0
            assert time.monotonic() - begin < 8, "as long as librdkafka holds a commit back"
    assert place.numbers() == list(range(15))
