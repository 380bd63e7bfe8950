"""The sink reads from Apache Kafka 4.3.1, of the files that ./get brings, what it reads from the embedded broker: the
same objects, byte for byte, also when it is killed between."""
import contextlib
import json
import pathlib
import socket
import subprocess
import time

import pytest

import pinflow as pf
import tools

TOPIC, PARTITIONS = "t.rec", 3
PARTITIONER = "io.confluent.connect.storage.partitioner."
CASES = {
    "chain": "flush.size=40",
    "gzip": "flush.size=30\ns3.compression.type=gzip",
    "fields": f"flush.size=25\npartitioner.class={PARTITIONER}FieldPartitioner\npartition.field.name=c",
    "by time": f"flush.size=1000\npartitioner.class={PARTITIONER}HourlyPartitioner\ntimezone=Asia/Tokyo\nlocale=en\n"
               "timestamp.extractor=RecordField\ntimestamp.field=time\nrotate.interval.ms=3600000",
    "keys": "flush.size=33\nstore.kafka.keys=true\nkeys.format.class=io.confluent.connect.s3.format.json.JsonFormat\n"
            "key.converter=org.apache.kafka.connect.storage.StringConverter",
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def apache_kafka(folder):
    port, controller = free_port(), free_port()
    file = folder / "server.properties"
    file.write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
""")
    java = ["java", "-Xmx400m", "-cp", f"{tools.DEPS}/4.3.1/*"]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", file], check=True,
                   capture_output=True, timeout=120)
    with open(folder / "kafka.log", "w") as log:
        process = subprocess.Popen([*java, "kafka.Kafka", file], stdout=log, stderr=subprocess.STDOUT)
    try:
        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
        pf.wait_until(listens, timeout=90, what="Kafka's listening")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def fill(server):
    pf.pinflow("topics", "create", "--topic", TOPIC, "--partitions", PARTITIONS, "--bootstrap-server", server)
    for partition in range(PARTITIONS):
        lines = []
        for n in range(400):
            value = json.dumps({"n": n, "c": f"c{n * 7 % 5}", "time": 1_600_000_000_000 + n * 60_000})
            lines.append(f"k{n}\t" + (f"no JSON {n}" if n % 37 == 5 else value))
        subprocess.run(["kcat", "-b", server, "-P", "-t", TOPIC, "-p", str(partition), "-K", "\t"], text=True, check=True,
                       input="\n".join(lines) + "\n", timeout=60)


def tree(lake):
    """Every object and every plan; of dead letters the time is left out, which is that of producing."""
    found = {}
    for path in sorted(pathlib.Path(lake).rglob("*")):
        name = str(path.relative_to(lake))
        if not path.is_file() or not name.startswith(("topics/", "dead/", "state/sink/")):
            continue
        data = path.read_bytes()
        if name.startswith("dead/"):
            data = [{k: v for k, v in json.loads(line).items() if k != "timestamp"} for line in data.splitlines()]
        found[name] = data
    return found


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    subprocess.run([tools.HERE / "get"], check=True)
    kafka = tmp_path_factory.mktemp("kafka")
    own = tmp_path_factory.mktemp("own")
    with apache_kafka(kafka) as theirs, pf.running("broker", "--data", own, "--listen", "127.0.0.1:0") as ours:
        both = theirs, ours.addresses["broker"]
        for server in both:
            fill(server)
        yield both


@pytest.mark.parametrize("case", CASES)
def test_the_same_objects_from_both(servers, tmp_path, case):
    trees = []
    for number, server in enumerate(servers):
        lake = tmp_path / f"lake{number}"
        file = tmp_path / "sink.properties"
        file.write_text(f"name={case.replace(' ', '-')}\ntopics={TOPIC}\nstore.url=file://{lake}\nflush.interval.ms=600000\n"
                        f"flush.idle.ms=600000\n{CASES[case]}\n")
        pf.pinflow("sink", file, "--until-caught-up", "--bootstrap-server", server)
        trees.append(tree(lake))
    assert len(trees[0]) > 10 and trees[0] == trees[1]


def test_killed_while_it_reads_from_kafka(servers, tmp_path):
    lake, file = tmp_path / "lake", tmp_path / "sink.properties"
    for life in range(4):  # each of another group, which need not wait for the session of the killed one
        file.write_text(f"name=kill-{life}\ntopics={TOPIC}\nstore.url=file://{lake}\n{CASES['fields']}\nflush.size=5\n")
        with pf.running("sink", file, "--bootstrap-server", servers[0]) as sink:
            time.sleep(0.2 * life)
            sink.kill()
    pf.pinflow("sink", file, "--until-caught-up", "--bootstrap-server", servers[0], timeout=180)
    values = [json.loads(line)["n"] for name, data in tree(lake).items() if name.startswith("topics/")
              for line in data.splitlines()]
    dead = pf.dead_in_sink(lake, TOPIC)
    assert sorted(values) == [n for n in range(400) if n % 37 != 5 for _ in range(PARTITIONS)]
    assert len({(one["partition"], one["offset"]) for one in dead}) == len(dead) == PARTITIONS * 400 - len(values)
