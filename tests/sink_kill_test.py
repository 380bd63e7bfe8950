"""kill -9 of the sink at random moments, for each format, partitioner and kind of closing: what the lake holds is what
the log holds, each record once, read by Python and DuckDB alone.

Each loop kills PINFLOW_KILLS times at most (a few; by hand 1000) and prints its seed; PINFLOW_SEED gives it again.
"""
import base64
import collections
import gzip
import json
import os
import pathlib
import random
import subprocess
import time

import duckdb
import pytest

import pinflow as pf
from disk_full_test import small_disk

ROUNDS = int(os.environ.get("PINFLOW_KILLS", "4"))
TOPIC = "local.geo"
JSON = "io.confluent.connect.s3.format.json.JsonFormat"
BYTES = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat"
PARQUET = "io.confluent.connect.s3.format.parquet.ParquetFormat"
PARTITIONER = "io.confluent.connect.storage.partitioner."
CASES = {
    "chain": "flush.size=7",
    "chain-bytes-age": "flush.size=1000\nflush.bytes=600\nflush.interval.ms=80",
    "chain-idle": "flush.size=1000\nflush.idle.ms=40",
    "gzip": "flush.size=9\ns3.compression.type=gzip",
    "bytes": f"flush.size=5\nformat.class={BYTES}\nvalue.converter=org.apache.kafka.connect.converters.ByteArrayConverter",
    "parquet": f"flush.size=20\nformat.class={PARQUET}\nerrors.tolerance=all",
    "fields": f"flush.size=11\npartitioner.class={PARTITIONER}FieldPartitioner\npartition.field.name=country",
    "fields-few-files": f"flush.size=50\npartitioner.class={PARTITIONER}FieldPartitioner\npartition.field.name=ind\n"
                        "partitioner.max.open.files=8",
    "hourly-by-field": f"flush.size=1000\npartitioner.class={PARTITIONER}HourlyPartitioner\ntimezone=UTC\n"
                       "timestamp.extractor=RecordField\ntimestamp.field=timestamp\nrotate.interval.ms=7200000",
    "by-the-clock": f"flush.size=1000\npartitioner.class={PARTITIONER}TimeBasedPartitioner\npath.format='s'=ss\n"
                    "partition.duration.ms=1000\ntimezone=UTC\nlocale=en-US\ntimestamp.extractor=Wallclock\n"
                    "flush.interval.ms=150",
    "schedule": f"flush.size=1000\npartitioner.class={PARTITIONER}DailyPartitioner\ntimezone=Asia/Tokyo\nlocale=ja-JP\n"
                "timestamp.extractor=Record\nrotate.schedule.interval.ms=100",
    "keys-and-headers": "flush.size=8\nstore.kafka.keys=true\nstore.kafka.headers=true\n"
                        f"keys.format.class={JSON}\nheaders.format.class={JSON}\n"
                        "key.converter=org.apache.kafka.connect.storage.StringConverter",
    "little-memory": f"flush.size=100000\nbuffer.memory.bytes=1048576\npartitioner.class={PARTITIONER}FieldPartitioner\n"
                     "partition.field.name=country",
}


class Place:
    def __init__(self, folder, dice):
        self.folder, self.dice, self.lake, self.sent, self.bad = folder, dice, folder / "lake", 0, 0
        self.broker, self.name = None, 0
        self.start_broker("127.0.0.1:0")
        self.server = self.broker.addresses["broker"]
        pf.pinflow("topics", "create", "--topic", TOPIC, "--partitions", 2, "--bootstrap-server", self.server)

    def start_broker(self, listen):
        self.broker = pf.Process("broker", "--data", self.folder / "data", "--listen", listen).ready()

    def restart_broker(self):
        self.broker.kill()
        self.start_broker(self.server)

    def produce(self, count, bad=True):
        lines = []
        for ind in range(self.sent, self.sent + count):
            time_of = f"2020-08-{1 + ind % 9:02} {ind % 24:02}:52:47"
            record = {"ind": ind, "timestamp": time_of, "latitude": -89.9787, "longitude": 1.5, "country": f"Land {ind % 5}"}
            lines.append(f"not JSON {ind}" if bad and self.dice.random() < 0.05 else json.dumps(record))
        pf.pinflow("produce", "--topic", TOPIC, "--bootstrap-server", self.server, input="\n".join(lines) + "\n")
        self.sent += count

    def sink(self, settings, *more, new_group=False):
        self.name += new_group
        file = self.folder / "sink.properties"
        file.write_text(f"name=kills-{self.name}\ntopics={TOPIC}\nstore.url=file://{self.lake}\n{settings}\n")
        return ["sink", file, "--bootstrap-server", self.server, *more]

    def inds(self):
        """How often each record is in the lake, dead letters with it."""
        found = collections.Counter()
        for path in pathlib.Path(self.lake, "topics").rglob("*"):
            if path.is_dir() or ".keys." in path.name or ".headers." in path.name:
                continue
            if path.name.endswith(".parquet"):
                found.update(ind for ind, in duckdb.connect().execute("SELECT ind FROM read_parquet(?)", [str(path)]).fetchall())
                continue
            data = path.read_bytes()
            data = gzip.decompress(data) if path.name.endswith(".gz") else data
            assert data.endswith(b"\n")
            found.update(self.ind(line) for line in data.splitlines())
        for letter in pf.dead_in_sink(self.lake, TOPIC):
            found[self.ind(base64.b64decode(letter["value_base64"]))] += 1
        return found

    @staticmethod
    def ind(value):
        return int(value.split()[-1]) if value.startswith(b"not JSON") else json.loads(value)["ind"]

    def check(self, what):
        found = self.inds()
        lost = [ind for ind in range(self.sent) if not found[ind]]
        twice = [ind for ind, n in found.items() if n > 1]
        assert (lost, twice, len(found)) == ([], [], self.sent), f"{what} (seed {pf.SEED})"


@pytest.fixture
def place(tmp_path, request):
    print(f"seed {pf.SEED}")
    place = Place(tmp_path, random.Random(f"{pf.SEED}-{request.node.name}"))
    yield place
    place.broker.kill()


@pytest.mark.parametrize("case", CASES)
def test_kills(place, case):
    settings = CASES[case]
    for _ in range(ROUNDS):
        place.produce(place.dice.randrange(20, 200))
        # A killed member keeps its partitions for its session. A broker started anew has forgotten it; another group
        # knows only the lake.
        new_group = place.dice.random() < 0.3
        if not new_group:
            place.restart_broker()
        with pf.running(*place.sink(settings, new_group=new_group)) as sink:
            time.sleep(place.dice.random() * 0.7)
            sink.kill()
    place.restart_broker()
    pf.pinflow(*place.sink(settings, "--until-caught-up"))
    place.check(case)


def test_changed_settings_wait_for_what_was_planned(place):
    """A plan whose objects are not all there is finished by the settings that made it, or not at all."""
    fields = CASES["fields"]
    place.produce(100)
    pf.pinflow(*place.sink(fields, "--until-caught-up"))
    plans = sorted((place.lake / "state/sink" / TOPIC).glob("partition=*/*.json"))
    last = json.loads(plans[-1].read_text())
    pathlib.Path(place.lake, last["objects"][0]["name"]).unlink()
    refused = pf.pinflow(*place.sink(CASES["gzip"], "--until-caught-up", new_group=True), check=False)
    assert refused.returncode == 1 and "were begun with other settings and are not all made" in refused.stderr
    refused = pf.pinflow(*place.sink(CASES["chain"], "--until-caught-up", new_group=True), check=False)
    assert refused.returncode == 1 and "were begun with other settings and are not all made" in refused.stderr
    pf.pinflow(*place.sink(fields, "--until-caught-up", new_group=True))
    place.check("made again")
    for case in ("gzip", "chain", "fields", "keys-and-headers"):
        place.produce(40)
        pf.pinflow(*place.sink(CASES[case], "--until-caught-up", new_group=True))
        place.check(f"gone on as {case}")


@pytest.mark.parametrize("case", ["chain", "fields"])
def test_sinks_of_two_groups_are_told_and_corrupt_nothing(place, case):
    place.produce(100)
    settings = CASES[case] + "\nflush.interval.ms=100"
    with pf.running(*place.sink(settings)) as first:
        pf.wait_until(lambda: sum(place.inds().values()) == place.sent, what="the first records")
        with pf.running(*place.sink(settings, new_group=True)) as second:
            for _ in range(10):
                place.produce(60)
            pf.wait_until(lambda: sum(place.inds().values()) >= place.sent, timeout=60, what="all records")
            assert second.stop() == 0
        assert first.stop() == 0
    place.check("two groups")
    assert any("were begun by the group connect-kills-0" in line for line in second.lines)


@pytest.mark.parametrize("case", ["chain", "fields", "keys-and-headers"])
def test_rebalances_in_mid_file(place, case):
    """Members come and go while records come in."""
    settings = CASES[case].replace("flush.size=", "flush.size=1") + "\ntasks.max=2\nflush.interval.ms=60000"
    with pf.running(*place.sink(settings)) as first:
        for _ in range(3):
            place.produce(150)
            with pf.running(*place.sink(settings)) as second:
                place.produce(150)
                time.sleep(place.dice.random() * 2)
                place.produce(150)
                assert second.stop() == 0
        assert first.stop() == 0
    pf.pinflow(*place.sink(settings, "--until-caught-up"))
    place.check("after rebalances")


def test_dead_letters_go_to_their_topic(place):
    settings = CASES["fields"] + "\nerrors.tolerance=all\nerrors.deadletterqueue.topic.name=dead\n" \
        "errors.deadletterqueue.context.headers.enable=true"
    pf.pinflow("topics", "create", "--topic", "dead", "--partitions", 1, "--bootstrap-server", place.server)
    place.produce(200)
    for _ in range(3):
        place.restart_broker()
        with pf.running(*place.sink(settings)) as sink:
            time.sleep(place.dice.random() * 0.5)
            sink.kill()
    place.restart_broker()
    pf.pinflow(*place.sink(settings, "--until-caught-up"))
    letters = pf.pinflow("consume", "--topic", "dead", "--from-beginning", "--timeout-ms", 2000, "--bootstrap-server",
                         place.server, check=False).stdout
    dead = {int(line.split()[-1]) for line in letters.splitlines() if line.startswith("not JSON")}
    found = place.inds()
    assert dead and dead.isdisjoint(found) and dead | set(found) == set(range(place.sent))
    assert all(count == 1 for count in found.values())


@pytest.mark.parametrize("case", ["chain", "fields"])
def test_a_full_disk_is_waited_for(place, case):
    with small_disk(place.folder / "small", 4) as disk:
        place.lake = disk / "lake"
        filler = disk / "filler"
        filler.write_bytes(b"x" * (3700 << 10))
        place.produce(6000)
        with pf.running(*place.sink(CASES[case].replace("flush.size=", "flush.size=10") + "\nflush.idle.ms=200")) as sink:
            pf.wait_until(lambda: any("cannot be written" in line and "No space left" in line for line in sink.lines),
                          what="the disk to be full")
            sink.kill()
        place.restart_broker()
        with pf.running(*place.sink(CASES[case] + "\nflush.idle.ms=200", new_group=case == "chain")) as sink:
            pf.wait_until(lambda: any("No space left" in line for line in sink.lines), what="the disk to be full again")
            subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
            pf.wait_until(lambda: sum(place.inds().values()) >= place.sent, timeout=60, what="all records in the lake")
            assert sink.stop() == 0
        place.check("after the disk was full")
