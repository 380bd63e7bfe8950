"""The streaming leg over other people's services: the gateway and the stream worker before kinesalite and moto; and over our
own with clocks that differ, and keys that are wrong."""
import collections
import json
import random
import threading
import time

import pytest

import pinflow as pf
import servers

STREAM = "streaming-local-geo"


@pytest.fixture(scope="module", autouse=True)
def packages():
    servers.get()


@pytest.fixture(params=["kinesalite", "moto"])
def service(request):
    """(name, URL)"""
    with getattr(servers, request.param)() as (url, _):
        yield request.param, url


def put(address, inds):
    several = [{"data": pf.geo(ind), "partition-key": str(ind)} for ind in inds]
    status, _, answer = pf.request(address, "PUT", f"/prod/streams/{STREAM}/records", json.dumps({"records": several}))
    assert status == 200 and json.loads(answer)["FailedRecordCount"] == 0, answer


def split(kinesis):
    """Splits an open shard in its middle."""
    shards = [s for s in kinesis.list_shards(StreamName=STREAM)["Shards"] if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    low, high = (int(shards[0]["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(StreamName=STREAM, ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str((low + high) // 2))


def inds(data):
    return collections.Counter(row[0] for row in pf.rows(data / "lake", "geo_stream"))


def test_both_legs_of_a_run(service, tmp_path):
    """All posts through the gateway into the other's streams and from there into tables equal to the batch leg's."""
    pf.pinflow("source", "generate", "--posts", 200, "--data", tmp_path)
    pf.pinflow("run", "--all", "--data", tmp_path, "--kinesis-endpoint", service[1], env=servers.environment())
    for record in ("pin", "geo", "user"):
        batch, stream = pf.rows(tmp_path / "lake", record), pf.rows(tmp_path / "lake", f"{record}_stream")
        assert len(batch) > 100
        assert collections.Counter(map(repr, batch)) == collections.Counter(map(repr, stream)), record


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
def test_a_worker_that_is_killed_and_reshards(service, tmp_path, repeats):
    """Each record once in its table, whether the table's plan or its check for repeats sees to it."""
    name, url = service
    more = ["--keep-repeats"] if repeats == "kept" else []
    dice, sent, over = random.Random(11), 0, threading.Event()
    kinesis = servers.client(url)
    kinesis.create_stream(StreamName=STREAM, ShardCount=2)
    for record in ("pin", "user"):
        kinesis.create_stream(StreamName=f"streaming-local-{record}", ShardCount=1)
    pf.wait_until(lambda: kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE")
    gateway = pf.running("gateway", "--data", tmp_path / "gateway", "--listen", "127.0.0.1:0", "--bootstrap-server", "127.0.0.1:1",
                         "--kinesis-endpoint", url, env=servers.environment())
    worker = ["stream", "--data", tmp_path, "--kinesis-endpoint", url, "--trigger", "100ms", *more]
    with gateway as process:
        address = process.address("gateway")

        def put_on():
            nonlocal sent
            while not over.is_set():
                put(address, range(sent, sent + 50))
                sent += 50

        putting = threading.Thread(target=put_on)
        putting.start()
        try:
            for turn in range(max(3, min(pf.KILLS // 10, 20))):
                with pf.running(*worker, env=servers.environment()) as running:
                    time.sleep(dice.uniform(0.1, 0.6))
                    if turn in (1, 2) and name == "kinesalite":  # moto's split leaves the records where they were
                        split(kinesis)
                    running.kill()
        finally:
            over.set()
            putting.join()
    pf.pinflow(*worker, "--until-caught-up", env=servers.environment())
    assert sent > 100 and inds(tmp_path) == collections.Counter(range(sent))


def keys_for(folder):
    """A file of keys for the service, and what its clients have in their environment."""
    keys = folder / "keys"
    keys.write_text(f"[a]\naws_access_key_id = {servers.KEY}\naws_secret_access_key = {servers.SECRET}\n")
    return keys, servers.environment(AWS_ACCESS_KEY_ID=servers.KEY, AWS_SECRET_ACCESS_KEY=servers.SECRET)


@pytest.mark.parametrize("offset", ["+20m", "-20m"])
def test_clocks_that_differ(tmp_path, offset):
    """The service's clock is off by more than a signature may be; then it jumps, and every iterator has expired."""
    keys, env = keys_for(tmp_path)
    clock, skewed = servers.faked(tmp_path, offset)
    with pf.running("streams", "--data", tmp_path, "--listen", "127.0.0.1:0", "--make-streams", "--keys", keys, env=skewed) as service:
        url = "http://" + service.addresses["streams"]
        gateway = pf.running("gateway", "--data", tmp_path / "gateway", "--listen", "127.0.0.1:0", "--bootstrap-server", "127.0.0.1:1",
                             "--kinesis-endpoint", url, env=env)
        worker = ["stream", "--data", tmp_path, "--kinesis-endpoint", url, "--trigger", "50ms"]
        with gateway as process, pf.running(*worker, env=env) as running:
            put(process.address("gateway"), range(100))
            pf.wait_until(lambda: sum(inds(tmp_path).values()) == 100, what="the first records in their table")
            clock.write_text("+1h")
            time.sleep(2)  # the clock's file is read each second
            put(process.address("gateway"), range(100, 200))
            pf.wait_until(lambda: sum(inds(tmp_path).values()) >= 200, what="the later records in their table")
            assert running.stop() == 0
        assert inds(tmp_path) == collections.Counter(range(200))


def test_wrong_keys_are_told_and_nothing_of_them_shown(tmp_path):
    keys, env = keys_for(tmp_path)
    wrong = {**env, "AWS_SECRET_ACCESS_KEY": "not-that-secret"}
    with pf.running("streams", "--data", tmp_path, "--listen", "127.0.0.1:0", "--make-streams", "--keys", keys) as service:
        url = "http://" + service.addresses["streams"]
        done = pf.pinflow("stream", "--data", tmp_path, "--kinesis-endpoint", url, "--until-caught-up", env=wrong, check=False)
        assert done.returncode != 0 and "signature" in done.stderr.lower()
        gateway = pf.running("gateway", "--data", tmp_path / "gateway", "--listen", "127.0.0.1:0", "--bootstrap-server", "127.0.0.1:1",
                             "--kinesis-endpoint", url, env=wrong)
        with gateway as process:
            status, _, answer = pf.request(process.address("gateway"), "PUT", f"/prod/streams/{STREAM}/record",
                                           json.dumps({"Data": pf.geo(1), "PartitionKey": "1"}))
            assert status == 400 and json.loads(answer)["__type"] == "InvalidSignatureException"
            shown = done.stdout + done.stderr + answer.decode() + "".join(process.lines + service.lines)
        for secret in (servers.SECRET, "not-that-secret"):
            assert secret not in shown
