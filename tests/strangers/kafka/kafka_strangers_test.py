"""Other people's clients against `pinflow broker`: kcat, Apache Kafka's own tools of two versions, Python's clients."""
import hashlib
import pathlib
import random
import re
import subprocess
import tempfile
import time

import pytest

from pinflow import running
from tools import DEPS, HERE, ROOT, VERSIONS, Java, kcat, python

COUNT = 1000
LINES = "".join(f"line {i}\n" for i in range(COUNT))


@pytest.fixture(scope="session", autouse=True)
def programs():
    subprocess.run([HERE / "get"], check=True)


@pytest.fixture(scope="module")
def address():
    with tempfile.TemporaryDirectory() as data, running("broker", "--data", data, "--listen", "127.0.0.1:0") as broker:
        yield broker.addresses["broker"]


@pytest.fixture(params=VERSIONS)
def java(request, address):
    return Java(request.param, address)


def name(stem="t"):
    return f"{stem}.{random.randrange(1 << 32):08x}"


def consumed(address, topic, *args):
    return kcat(address, "-C", "-t", topic, "-o", "beginning", "-e", "-q", *args)


# ---- kcat ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", ["false", "true"])
def test_kcat_gets_back_what_it_sent(address, codec, idempotent):
    topic = name("kcat")
    kcat(address, "-P", "-t", topic, "-z", codec, "-X", f"enable.idempotence={idempotent}", stdin=LINES)
    assert consumed(address, topic) == LINES


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_kcat_with_each_kind_of_acknowledgement(address, acks):
    topic = name("acks")
    kcat(address, "-P", "-t", topic, "-X", f"acks={acks}", stdin=LINES)
    end = time.monotonic() + 30
    while consumed(address, topic) != LINES:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_kcat_keys_headers_and_offsets(address):
    topic = name("parts")
    kcat(address, "-P", "-t", topic, "-K:", "-H", "a=b", stdin="k:v\nk2:\n")
    assert consumed(address, topic, "-f", "%o %k=%s %h\\n") == "0 k=v a=b\n1 k2= a=b\n"
    assert kcat(address, "-Q", "-t", f"{topic}:0:-1").split() == [topic, "[0]", "offset", "2"]
    assert kcat(address, "-Q", "-t", f"{topic}:0:1").split()[-1] == "0"
    assert kcat(address, "-C", "-t", topic, "-o", "-1", "-e", "-q", "-f", "%k") == "k2"


def test_kcat_in_a_group_goes_on_where_it_was(address):
    topic, group = name("group"), name("g")
    kcat(address, "-P", "-t", topic, stdin=LINES)
    read = ["-G", group, topic, "-X", "auto.offset.reset=earliest", "-e", "-q"]
    assert kcat(address, *read) == LINES
    kcat(address, "-P", "-t", topic, stdin="one more\n")
    assert kcat(address, *read) == "one more\n"


def test_a_large_message_and_one_that_is_too_large(address):
    topic = name("large")
    kcat(address, "-P", "-t", topic, "-X", "message.max.bytes=20000000", stdin="x" * 1_000_000)
    assert len(consumed(address, topic, "-D", "")) == 1_000_000
    refused = subprocess.run(["kcat", "-b", address, "-P", "-t", topic, "-X", "message.max.bytes=20000000"], input="x" * 1_100_000,
                             capture_output=True, text=True, timeout=60)
    assert "too large" in refused.stderr


# ---- Apache Kafka's tools --------------------------------------------------------------------------------------

def test_java_topics_are_created_listed_described_altered_deleted(java):
    topic = name("java")
    made = java("topics", "--create", "--topic", topic, "--partitions", "3", "--replication-factor", "1", "--config", "retention.ms=86400000")
    assert f"Created topic {topic}." in made.stdout
    assert topic in java.lines("topics", "--list")
    described = java("topics", "--describe", "--topic", topic).stdout
    assert "PartitionCount: 3" in described and "ReplicationFactor: 1" in described and "retention.ms=86400000" in described
    assert len(re.findall(r"Leader: 1\s+Replicas: 1\s+Isr: 1", described)) == 3
    java("topics", "--alter", "--topic", topic, "--partitions", "5")
    assert "PartitionCount: 5" in java("topics", "--describe", "--topic", topic).stdout
    again = java("topics", "--create", "--topic", topic, check=False)
    assert again.returncode != 0 and "already exists" in again.stdout + again.stderr
    java("topics", "--create", "--topic", topic, "--if-not-exists")
    copies = java("topics", "--create", "--topic", name(), "--replication-factor", "3", check=False)
    assert copies.returncode != 0 and "eplication factor" in copies.stdout + copies.stderr
    java("topics", "--delete", "--topic", topic)
    assert topic not in java.lines("topics", "--list")


def test_java_console_producer_and_consumer_with_a_group(java):
    topic, group = name("pin"), name("students")
    java("topics", "--create", "--topic", topic, "--partitions", "2")
    java("console-producer", "--topic", topic, stdin=LINES)
    read = ["--topic", topic, "--group", group, "--from-beginning"]
    got = java.lines("console-consumer", *read, "--max-messages", str(COUNT))
    assert sorted(got) == sorted(LINES.splitlines())
    java("console-producer", "--topic", topic, stdin="one more\n")
    assert java.lines("console-consumer", *read, "--max-messages", "1") == ["one more"]

    assert group in java.lines("groups", "--list")
    offsets = java("groups", "--describe", "--group", group).stdout
    lags = [line.split()[5] for line in offsets.splitlines() if line.startswith(group)]
    assert lags == ["0", "0"]
    assert "Empty" in java("groups", "--describe", "--group", group, "--state").stdout
    java("groups", "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute")
    assert len(java.lines("console-consumer", *read, "--max-messages", str(COUNT + 1))) == COUNT + 1
    java("groups", "--delete-offsets", "--group", group, "--topic", topic)
    java("groups", "--delete", "--group", group, check=False)  # gone with its last offset
    assert group not in java.lines("groups", "--list")


def test_java_two_consumers_share_a_topic(java):
    topic, group = name("shared"), name("g")
    java("topics", "--create", "--topic", topic, "--partitions", "2")
    both = [java.start("console-consumer", "--topic", topic, "--group", group, "--from-beginning") for _ in range(2)]
    try:
        end = time.monotonic() + 60
        while True:
            members = java("groups", "--describe", "--group", group, "--members", check=False).stdout
            shares = [line.split()[-1] for line in members.splitlines() if line.startswith(group)]
            if shares == ["1", "1"]:
                break
            assert time.monotonic() < end, members
        kcat(java.address, "-P", "-t", topic, "-p", "0", stdin="to one\n")
        kcat(java.address, "-P", "-t", topic, "-p", "1", stdin="to the other\n")
        assert sorted(process.stdout.readline() for process in both) == ["to one\n", "to the other\n"]
    finally:
        for process in both:
            process.terminate()
            process.wait(30)


def test_java_configurations(java):
    topic = name("configured")
    java("topics", "--create", "--topic", topic)
    entity = ["--entity-type", "topics", "--entity-name", topic]
    java("configs", "--alter", *entity, "--add-config", "retention.ms=12345,cleanup.policy=compact")
    described = java("configs", "--describe", *entity).stdout
    assert "retention.ms=12345" in described and "cleanup.policy=compact" in described
    java("configs", "--alter", *entity, "--delete-config", "retention.ms")
    assert "retention.ms=12345" not in java("configs", "--describe", *entity).stdout
    wrong = java("configs", "--alter", *entity, "--add-config", "retention.ms=soon", check=False)
    assert "soon" in wrong.stdout + wrong.stderr
    assert "message.max.bytes=1048588" in java("configs", "--describe", "--entity-type", "brokers", "--entity-name", "1", "--all").stdout


def test_java_offsets_and_deleting_records(java, tmp_path):
    topic = name("offsets")
    kcat(java.address, "-P", "-t", topic, stdin=LINES)
    servers = ["--broker-list", java.address] if java.version == "2.8.1" else []
    command = java.command("get-offsets", "--topic", topic)
    if servers:  # the tool of 2.8.1 has no --bootstrap-server
        at = command.index("--bootstrap-server")
        command[at:at + 2] = servers
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip() == f"{topic}:0:{COUNT}"
    plan = tmp_path / "plan.json"
    plan.write_text('{"partitions":[{"topic":"%s","partition":0,"offset":%d}],"version":1}' % (topic, COUNT - 10))
    assert f"low_watermark: {COUNT - 10}" in java("delete-records", "--offset-json-file", plan).stdout
    assert consumed(java.address, topic) == "".join(LINES.splitlines(True)[-10:])


def test_java_performance_tools(java):
    topic = name("perf")
    java("topics", "--create", "--topic", topic, "--partitions", "2")
    produced = java("perf", "--topic", topic, "--num-records", "50000", "--record-size", "450", "--throughput", "-1",
                    "--producer-props", f"bootstrap.servers={java.address}", "compression.type=lz4")
    assert "50000 records sent" in produced.stdout
    consumed_lines = java("consumer-perf", "--topic", topic, "--messages", "50000", "--timeout", "30000").stdout.splitlines()
    assert float(consumed_lines[-1].split(",")[4]) >= 50000


def test_java_reads_the_versions(java):
    listed = java("api-versions").stdout
    assert "Produce(0): 0 to 11" in listed and "UNSUPPORTED" in listed


# ---- Python ----------------------------------------------------------------------------------------------------

def test_python_confluent_three_consumers(address):
    assert python(address, "confluent_round_trip", name("confluent"), "300") == ["300"]


def test_python_confluent_admin(address):
    topic = name("admin")
    assert python(address, "confluent_admin", topic) == ["1000000", "3", "note", f"['{topic}-group']", "EMPTY", "[0]", "1", "False"]


def test_python_kafka_python(address):
    assert python(address, "kafka_python_round_trip", name("pykafka"), "300") == ["True"]


def test_keys_go_where_java_puts_them(address):
    by_java, by_kcat = name("keys"), name("keys")
    tool = Java(VERSIONS[-1], address)
    for topic in (by_java, by_kcat):
        tool("topics", "--create", "--topic", topic, "--partitions", "7")
    lines = "".join(f"key{i}:v\n" for i in range(100))
    tool("console-producer", "--topic", by_java, "--property", "parse.key=true", "--property", "key.separator=:", stdin=lines)
    kcat(address, "-P", "-t", by_kcat, "-K:", "-X", "topic.partitioner=murmur2_random", stdin=lines)
    placed = [sorted(consumed(address, topic, "-f", "%k %p\\n").splitlines()) for topic in (by_java, by_kcat)]
    assert placed[0] == placed[1] and len(placed[0]) == 100


# ---- across kill -9 --------------------------------------------------------------------------------------------

def test_what_was_acknowledged_and_committed_survives_kill_9(tmp_path):
    topic = "kept"
    with running("broker", "--data", tmp_path, "--listen", "127.0.0.1:0") as broker:
        kcat(broker.addresses["broker"], "-P", "-t", topic, stdin=LINES)
        assert kcat(broker.addresses["broker"], "-G", "g", topic, "-X", "auto.offset.reset=earliest", "-e", "-q") == LINES
        broker.kill()
    with running("broker", "--data", tmp_path, "--listen", "127.0.0.1:0") as broker:
        address = broker.addresses["broker"]
        assert consumed(address, topic) == LINES
        kcat(address, "-P", "-t", topic, stdin="after\n")
        assert kcat(address, "-G", "g", topic, "-X", "auto.offset.reset=earliest", "-e", "-q") == "after\n"


# ---- the codec -------------------------------------------------------------------------------------------------

def test_the_codecs_vectors_are_those_of_kafkas_definitions():
    jar = DEPS / "4.3.1/kafka-clients-4.3.1.jar"
    api_list = ROOT / "src/kafka/codec/api.cc"
    made = subprocess.run(["python3", HERE / "message_vectors.py", jar, api_list], check=True, capture_output=True).stdout
    kept = pathlib.Path(ROOT / "src/kafka/codec/testdata/vectors.txt").read_bytes()
    assert hashlib.sha256(made).hexdigest() == hashlib.sha256(kept).hexdigest()
