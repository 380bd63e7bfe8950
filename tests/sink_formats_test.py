"""Formats, partitioners and dead letters of the sink, as a process, where a unit test cannot tell."""
import json
import pathlib
import signal
import time

import duckdb
import pytest

import pinflow as pf

TOPIC = "local.geo"
PARQUET = "format.class=io.confluent.connect.s3.format.parquet.ParquetFormat"
BY_COUNTRY = "partitioner.class=io.confluent.connect.storage.partitioner.FieldPartitioner\npartition.field.name=country"


class Place:
    def __init__(self, folder, server):
        self.folder, self.server, self.lake = folder, server, folder / "lake"
        pf.pinflow("topics", "create", "--topic", TOPIC, "--partitions", 1, "--bootstrap-server", server)

    def produce(self, *values):
        pf.pinflow("produce", "--topic", TOPIC, "--bootstrap-server", self.server, input="\n".join(values) + "\n")

    def sink(self, settings, *more):
        file = self.folder / "formats.properties"
        file.write_text(f"topics={TOPIC}\nstore.url=file://{self.lake}\n{settings}\n")
        return ["sink", file, "--bootstrap-server", self.server, *more]

    def objects(self, ending=""):
        return sorted(path for path in pathlib.Path(self.lake, "topics").rglob("*" + ending) if path.is_file())


@pytest.fixture
def place(tmp_path):
    with pf.running("broker", "--data", tmp_path / "data", "--listen", "127.0.0.1:0") as broker:
        yield Place(tmp_path, broker.addresses["broker"])


def record(ind, **more):
    return json.dumps({"ind": ind, "timestamp": "2020-08-28 03:52:47", "latitude": 1.5, "longitude": 2.5, **more})


def test_a_stop_writes_parquet_in_progress(place):
    place.produce(*(record(ind, country="Ireland") for ind in range(50)))
    slow = "flush.size=100000\nflush.interval.ms=600000\nflush.idle.ms=600000\n"
    with pf.running(*place.sink(slow + PARQUET)) as sink:
        deadline = time.monotonic() + 30
        marker = place.lake / f"state/topics/{TOPIC}.json"
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)  # for the records to be taken; a stop that comes sooner is tested by the next sink
        sink.process.send_signal(signal.SIGTERM)
        assert sink.wait() == 0, sink.lines
    pf.pinflow(*place.sink(slow + PARQUET, "--until-caught-up"))
    files = [str(path) for path in place.objects(".snappy.parquet")]
    found = duckdb.connect().execute("SELECT ind FROM read_parquet(?) ORDER BY ind", [files]).fetchall()
    assert found == [(ind,) for ind in range(50)]


def test_folders_that_no_store_takes_are_dead_letters(place):
    odd = ["x" * 3000, "../../up", "a/b", ".", "", "\u0001", "Côte d'Ivoire", "é" * 200]
    place.produce(*(record(ind, country=country) for ind, country in enumerate(odd)), record(100, country="Ireland"), record(101))
    done = pf.pinflow(*place.sink(BY_COUNTRY + "\nerrors.log.enable=true", "--until-caught-up"), timeout=60)
    folders = {path.parent.name: json.loads(path.read_text())["country"] for path in place.objects(".json")}
    assert folders == {"country=..%2F..%2Fup": "../../up", "country=a%2Fb": "a/b", "country=.": ".", "country=": "",
                       "country=%01": "\u0001", "country=Côte d'Ivoire": "Côte d'Ivoire", "country=Ireland": "Ireland"}
    dead = {letter["offset"]: letter["reason"] for letter in pf.dead_in_sink(place.lake, TOPIC)}
    assert dead.keys() == {0, 7, 9}
    assert "longer than 512 bytes" in dead[0] and dead[9] == "no field country to partition by"
    assert f"{TOPIC}/0: the record at offset 9 is a dead letter: no field country" in done.stderr


def test_the_topic_of_dead_letters_is_made(place):
    place.produce(record(1), "not JSON", record(2))
    settings = "errors.tolerance=all\nerrors.deadletterqueue.topic.name=dead.ones\n" \
        "errors.deadletterqueue.topic.replication.factor=1\ns3.compression.type=zstd"
    pf.pinflow(*place.sink(settings, "--until-caught-up"))
    letters = pf.pinflow("consume", "--topic", "dead.ones", "--from-beginning", "--timeout-ms", 2000, "--bootstrap-server",
                         place.server, check=False).stdout
    assert letters.splitlines() == ["not JSON"]
    files = place.objects(".json.zst")
    rows = duckdb.connect().execute("SELECT ind FROM read_json(?, format = 'newline_delimited') ORDER BY ind",
                                    [[str(path) for path in files]]).fetchall()
    assert rows == [(1,), (2,)]


def test_settings_that_cannot_be_are_refused_at_start(place):
    for lines, said in [(PARQUET.replace("parquet.Parquet", "avro.Avro"), "Avro needs a schema registry"),
                        ("partitioner.class=TimeBasedPartitioner\npath.format='../'yyyy\npartition.duration.ms=1", "makes folders such as"),
                        ("behavior.on.null.values=write", "needs store.kafka.keys=true")]:
        done = pf.pinflow(*place.sink(lines, "--until-caught-up"), check=False)
        assert done.returncode != 0 and said in done.stderr, done.stderr
