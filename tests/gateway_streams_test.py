"""The gateway's streams before the program's own service: every request that scripts send, many at once, and kill -9."""
import base64
import concurrent.futures
import http.client
import json
import random
import shutil
import signal
import threading
import time

import pytest

import pinflow as pf
from kinesis_calls import Kinesis

STREAM = "streaming-local-pin"


def put(address, path, body, method="PUT", headers=None):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    status, _, answer = pf.request(address, method, path, text, {"Content-Type": "application/json", **(headers or {})})
    return status, json.loads(answer or b"null")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with pf.up(tmp_path_factory.mktemp("up") / "data") as process:
        yield process


@pytest.fixture
def gateway(everything):
    return everything.address("gateway")


@pytest.fixture
def kinesis(everything):
    return Kinesis(everything.address("streams"))


def test_each_spelling_of_a_put(gateway, kinesis):
    data = {"index": 7528, "title": "é \u201c", "n": 1.5}
    wrong = {"StreamName": "not-this-one", "Data": data, "PartitionKey": "k"}
    before = len(kinesis.records(STREAM))
    for path in (f"/prod/streams/{STREAM}/record", f"/dev/streams/{STREAM}/record/", f"//streams/{STREAM}/record",
                 f"/streams/record?stream-name={STREAM}"):
        status, answer = put(gateway, path, wrong)
        assert status == 200 and answer["ShardId"] == "shardId-000000000000" and int(answer["SequenceNumber"]) > 0
    assert put(gateway, f"/prod/streams/{STREAM}/record", {"Data": data, "PartitionKey": "k"})[0] == 200
    for method in ("PUT", "POST"):
        for body in ({"records": [{"data": data, "partition-key": "k"}] * 2}, {"Records": [{"Data": data, "PartitionKey": "k"}] * 2}):
            status, answer = put(gateway, f"/prod/streams/{STREAM}/records", body, method)
            assert status == 200 and answer["FailedRecordCount"] == 0 and len(answer["Records"]) == 2
    records = kinesis.records(STREAM)[before:]
    assert len(records) == 5 + 8
    assert all(json.loads(text) == data and key == "k" for _, _, key, text in records)


def test_data_that_is_base64_stays_a_json_string(gateway, kinesis):
    inner = base64.b64encode(b'{"index":1}').decode()
    assert put(gateway, f"/prod/streams/{STREAM}/record", {"Data": inner, "PartitionKey": "k"})[0] == 200
    assert kinesis.records(STREAM)[-1][3] == json.dumps(inner).encode()


def test_a_streams_life(gateway):
    assert put(gateway, "/prod/streams/life", "", "POST")[0] == 200
    status, answer = put(gateway, "/prod/streams/life", "", "GET")
    assert status == 200 and len(answer["StreamDescription"]["Shards"]) == 5
    assert put(gateway, "/prod/streams/life-2", {"ShardCount": 2}, "POST")[0] == 200
    assert put(gateway, "/prod/streams?ExclusiveStartStreamName=life&Limit=1", "", "GET")[1]["StreamNames"] == ["life-2"]
    assert "life" in put(gateway, "/prod/streams", "", "GET")[1]["StreamNames"]
    status, stored = put(gateway, "/prod/streams/life/record", {"Data": {"a": 1}, "PartitionKey": "x"})
    status, answer = put(gateway, f"/prod/streams/life/sharditerator?shard-id={stored['ShardId']}", "", "GET")
    assert status == 200
    status, answer = put(gateway, "/prod/streams/life/records", "", "GET", {"Shard-Iterator": answer["ShardIterator"]})
    assert status == 200 and [base64.b64decode(r["Data"]) for r in answer["Records"]] == [b'{"a": 1}']
    for name in ("life", "life-2"):
        assert put(gateway, f"/prod/streams/{name}", "", "DELETE")[0] == 200


def test_errors_are_those_of_aws(gateway):
    status, answer = put(gateway, "/prod/streams/no-such/record", {"Data": 1, "PartitionKey": "k"})
    assert status == 400 and answer["__type"] == "ResourceNotFoundException" and "no-such" in answer["message"]
    status, answer = put(gateway, f"/prod/streams/{STREAM}/record", {"Data": 1, "PartitionKey": "k" * 257})
    assert status == 400 and answer["__type"] == "ValidationException"
    assert put(gateway, f"/prod/streams/{STREAM}/record", {"PartitionKey": "k"})[0] == 400
    assert put(gateway, f"/prod/streams/{STREAM}/record", "{")[0] == 400
    assert put(gateway, f"/prod/streams/{STREAM}/record", {"Data": "x" * (1 << 20), "PartitionKey": "k"})[0] == 400
    status, answer = put(gateway, f"/prod/streams/{STREAM}/sharditerator?shard-id=shardId-000000000099", "", "GET")
    assert status == 400 and answer["__type"] == "ResourceNotFoundException"
    status, answer = put(gateway, f"/prod/streams/{STREAM}/records", "", "GET", {"Shard-Iterator": "none"})
    assert status == 400 and "__type" in answer


def test_many_at_once_are_all_stored_once(gateway, kinesis):
    threads, each = 16, 60

    def post(worker):
        connection = http.client.HTTPConnection(*gateway, timeout=30)
        got = []
        for i in range(each):
            body = json.dumps({"StreamName": "x", "Data": {"id": f"{worker}-{i}"}, "PartitionKey": f"{worker}"})
            connection.request("PUT", "/prod/streams/streaming-local-user/record", body)
            answer = connection.getresponse()
            text = json.loads(answer.read())
            assert answer.status == 200, text
            got.append((text["ShardId"], text["SequenceNumber"], f"{worker}-{i}"))
        return got

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        acknowledged = [one for got in pool.map(post, range(threads)) for one in got]
    assert len(acknowledged) == threads * each
    stored = [(shard, number, json.loads(data)["id"]) for shard, number, _, data in kinesis.records("streaming-local-user")]
    assert sorted(stored) == sorted(acknowledged)


def test_a_gateway_without_a_service_says_what_is_missing(tmp_path):
    with pf.running("gateway", "--data", tmp_path, "--listen", "127.0.0.1:0", "--bootstrap-server", "127.0.0.1:1") as alone:
        status, answer = put(alone.address("gateway"), "/prod/streams", "", "GET")
        assert status == 503 and "--kinesis-endpoint" in answer["message"]


def test_the_emulator_puts_every_record_into_its_stream(tmp_path, everything, gateway, kinesis):
    pf.pinflow("source", "generate", "--posts", 50, "--data", tmp_path)
    before = {kind: len(kinesis.records(f"streaming-local-{kind}")) for kind in ("pin", "geo", "user")}
    url = f"http://{gateway[0]}:{gateway[1]}/prod"
    counts = pf.pinflow_json("emulate", "--stream", "--url", url, "--all", "--data", tmp_path)
    assert counts["posted"] == counts["acknowledged"] == 150 and counts["refused"] == counts["answers_lost"] == 0
    for kind, key in (("pin", "index"), ("geo", "ind"), ("user", "ind")):
        records = kinesis.records(f"streaming-local-{kind}")[before[kind]:]
        assert sorted(json.loads(data)[key] for _, _, _, data in records) == list(range(50))
        assert all(partition == str(json.loads(data)[key]) for _, _, partition, data in records)
    both = pf.pinflow_json("emulate", "--stream", "--batch", "--records-per-request", 7, "--url", url, "--posts", 20, "--data", tmp_path)
    assert both["acknowledged"] == 120 and both["batch"]["acknowledged"] == both["stream"]["acknowledged"] == 60


def test_one_stream_for_all_types_is_told_apart_by_the_partition_key(tmp_path):
    """The newer form: every record goes to one stream, its type in the partition key."""
    folder = tmp_path / "pipeline"
    shutil.copytree(pf.PIPELINE, folder)
    text = (folder / "pipeline.yaml").read_text()
    for kind, key in (("pin", "pinterest_data"), ("geo", "geolocation_data"), ("user", "user_data")):
        text = text.replace(f'stream: "streaming-{{id}}-{kind}"', f"stream: Kinesis-Prod-Stream\n    partition_key: {key}")
    (folder / "pipeline.yaml").write_text(text)
    data = tmp_path / "data"
    with pf.up(data, "-p", folder) as process:
        url = "http://{}:{}/prod".format(*process.address("gateway"))
        pf.pinflow("source", "generate", "--posts", 20, "--data", tmp_path)
        counts = pf.pinflow_json("emulate", "--stream", "-p", folder, "--url", url, "--all", "--data", tmp_path)
        assert counts["acknowledged"] == 60
        records = Kinesis(process.address("streams")).records("Kinesis-Prod-Stream")
    keys = sorted(key for _, _, key, _ in records)
    assert keys == ["geolocation_data"] * 20 + ["pinterest_data"] * 20 + ["user_data"] * 20
    assert all(("title" in json.loads(text)) == (key == "pinterest_data") for _, _, key, text in records)


def test_killed_during_puts_nothing_acknowledged_is_lost(tmp_path):
    """The gateway by itself, killed at any moment: what it acknowledged is in the stream, once; what is there more than
    once or was never acknowledged is at most what was cut off."""
    rounds = max(2, pf.KILLS // 10)
    rng = random.Random(5)
    acknowledged, cut = [], 0
    with pf.running("streams", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--make-streams") as service:
        endpoint = "http://" + service.addresses["streams"]
        for turn in range(rounds):
            gateway = pf.Process("gateway", "--data", tmp_path / f"g{turn}", "--listen", "127.0.0.1:0", "--bootstrap-server",
                                 "127.0.0.1:1", "--kinesis-endpoint", endpoint).ready()
            address, lock, over = gateway.address("gateway"), threading.Lock(), threading.Event()

            def put_on(worker, turn=turn, address=address, lock=lock, over=over):
                nonlocal cut
                connection = http.client.HTTPConnection(*address, timeout=30)
                number = 0
                while not over.is_set():
                    number += 1
                    name = f"{turn}-{worker}-{number}"
                    try:
                        connection.request("PUT", f"/prod/streams/{STREAM}/record",
                                           json.dumps({"Data": {"id": name}, "PartitionKey": name}))
                        answer = connection.getresponse()
                        text = answer.read()
                    except (OSError, http.client.HTTPException):
                        with lock:
                            cut += 1
                        return
                    assert answer.status == 200, text
                    with lock:
                        acknowledged.append(name)

            workers = [threading.Thread(target=put_on, args=(i,)) for i in range(8)]
            for worker in workers:
                worker.start()
            time.sleep(rng.uniform(0.02, 0.3))
            assert gateway.kill() == -signal.SIGKILL
            over.set()
            for worker in workers:
                worker.join()
        stored = [json.loads(data)["id"] for _, _, _, data in Kinesis(service.address("streams")).records(STREAM)]
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    assert len(stored) - len(acknowledged) <= cut
    assert len(acknowledged) > rounds
