"""Our Kinesis client and gateway before other people's services: kinesalite and moto, and before our own the same."""
import base64
import contextlib
import json
import os
import random
import subprocess
import threading
import time

import pytest

import pinflow as pf
import servers

TOOL = os.environ.get("PINFLOW_KINESIS_CLIENT_TOOL", str(pf.ROOT / "build/test/kinesis_client_tool"))


@pytest.fixture(scope="module", autouse=True)
def packages():
    servers.get()


@contextlib.contextmanager
def ours(data):
    with pf.running("streams", "--data", data, "--listen", "127.0.0.1:0") as process:
        yield "http://" + process.addresses["streams"]


@pytest.fixture(scope="module", params=["ours", "kinesalite", "moto"])
def service(request, tmp_path_factory):
    """(name, URL)"""
    if request.param == "ours":
        with ours(tmp_path_factory.mktemp("ours")) as url:
            yield "ours", url
    else:
        with getattr(servers, request.param)() as (url, _):
            yield request.param, url


class Client:
    """client_tool, kept running."""

    class Refused(Exception):
        def __init__(self, answer):
            super().__init__(answer["error"])
            self.code = answer["code"]

    def __init__(self, url):
        self.process = subprocess.Popen([TOOL, url, servers.REGION], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise self.Refused(answer)
        return answer

    def read(self, count, seconds=60):
        """[(shard, sequence number, key, data)], and "end" instead of a number where a shard ends."""
        got, end = [], time.monotonic() + seconds
        while len(got) < count and time.monotonic() < end:
            for block in self("read", wait_ms=500)["blocks"]:
                got += [(block["shard"], *record) for record in block["records"]]
                if block["ends"]:
                    got.append((block["shard"], "end", "", ""))
        return got

    def ask(self, operation, **body):
        answer = self("call", operation=operation, body=json.dumps(body))
        assert answer["status"] == 200, answer
        return json.loads(answer["body"] or "{}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture
def client(service):
    made = Client(service[1])
    yield made
    made.close()


names = iter(f"stream-{i}" for i in range(1000))


def record(i):
    return {"data": json.dumps({"i": i, "text": "é “x” " * (i % 9)}), "key": f"k{i}"}


def test_what_was_put_is_read_once_in_each_shards_order(client):
    stream = next(names)
    client("create", stream=stream, shards=3)
    records = [record(i) for i in range(3000)]
    slots = client("put", stream=stream, records=records)["slots"]
    client("start", stream=stream)
    got = client.read(3000)
    assert {(shard, number) for shard, number, _, _ in got} == {(slot["shard"], slot["sequence"]) for slot in slots}
    assert sorted((key, data) for _, _, key, data in got) == sorted((r["key"], r["data"]) for r in records)
    for shard in {one[0] for one in got}:
        numbers = [int(one[1]) for one in got if one[0] == shard]
        assert numbers == sorted(set(numbers))
    # What comes later comes too; and then all is known to be there.
    client("put", stream=stream, records=records[:5])
    assert len(client.read(5)) == 5
    pf.wait_until(lambda: client("read", wait_ms=50) == {"blocks": []} and client("state")["complete_ms"] > 0)


def test_reading_goes_on_behind_a_position_and_a_range_is_read_again(client):
    stream = next(names)
    client("create", stream=stream, shards=1)
    slots = client("put", stream=stream, records=[record(i) for i in range(50)])["slots"]
    shard, numbers = slots[0]["shard"], [slot["sequence"] for slot in slots]
    client("start", stream=stream, progress={shard: {"after": numbers[19]}})
    assert [one[1] for one in client.read(30)] == numbers[20:]
    client("start", stream=stream, begin="latest")
    client("read", wait_ms=100)
    pf.wait_until(lambda: client("read", wait_ms=10) == {"blocks": []} and client("state")["complete_ms"] > 0)
    client("put", stream=stream, records=[record(99)])
    assert [one[2] for one in client.read(1)] == ["k99"]
    again = client("range", stream=stream, shard=shard, after=numbers[9], through=numbers[14])["records"]
    assert [one[0] for one in again] == numbers[10:15]
    again = client("range", stream=stream, shard=shard, first=numbers[10], through=numbers[14])["records"]
    assert [one[0] for one in again] == numbers[10:15]
    again = client("range", stream=stream, shard=shard, through=numbers[2])["records"]
    assert [one[0] for one in again] == numbers[:3]


def test_a_stream_made_anew_is_recognised(client):
    stream = next(names)
    client("create", stream=stream, shards=1)
    before = client("describe", stream=stream)
    slots = client("put", stream=stream, records=[record(1)])["slots"]
    client.ask("DeleteStream", StreamName=stream)
    time.sleep(1.1)  # kinesalite's clock of creation has seconds
    client("create", stream=stream, shards=1)
    client("put", stream=stream, records=[record(2)])
    identity = {"arn": before["arn"], "created_ms": before["created_ms"]}
    with pytest.raises(Client.Refused) as refused:
        client("start", stream=stream, **identity, progress={slots[0]["shard"]: {"after": slots[0]["sequence"]}})
    assert refused.value.code == "conflict"
    # A reader that runs finds it out too, and never takes the new stream's records for the old one's.
    client("start", stream=stream, list_every_ms=100)
    assert [one[2] for one in client.read(1)] == ["k2"]
    client.ask("DeleteStream", StreamName=stream)
    time.sleep(1.1)
    client("create", stream=stream, shards=1)
    with pytest.raises(Client.Refused) as refused:
        client.read(1, 30)
    assert refused.value.code in ("conflict", "not found")
    with pytest.raises(Client.Refused) as refused:
        client("start", stream="no-such-stream")
    assert refused.value.code == "not found"


def test_a_split_and_a_merge_are_followed_parents_first(service, client):
    """moto's split closes a shard in its lists alone: records go on into the parent, which never ends."""
    if service[0] == "moto":
        stream = next(names)
        client("create", stream=stream, shards=1)
        (before,) = client("put", stream=stream, records=[record(0)])["slots"]
        client.ask("SplitShard", StreamName=stream, ShardToSplit=before["shard"], NewStartingHashKey=str(2**127))
        parent, *children = client("shards", stream=stream)["shards"]
        assert parent["closed"] and [child["parent"] for child in children] == [before["shard"]] * 2
        client("start", stream=stream)
        slots = client("put", stream=stream, records=[record(i) for i in range(1, 50)])["slots"]
        assert {slot["shard"] for slot in slots} == {before["shard"]}
        assert [one[2] for one in client.read(50)] == [f"k{i}" for i in range(50)]
        return
    stream = next(names)
    client("create", stream=stream, shards=2)
    first, second = (shard["id"] for shard in client("shards", stream=stream)["shards"])
    client("put", stream=stream, records=[record(i) for i in range(100)])
    client("start", stream=stream)
    assert len(client.read(100)) == 100
    client.ask("SplitShard", StreamName=stream, ShardToSplit=first, NewStartingHashKey=str(2**126))
    slots = client("put", stream=stream, records=[record(i) for i in range(100, 300)])["slots"]
    pf.wait_until(lambda: len(client("shards", stream=stream)["shards"]) == 4)
    children = [shard["id"] for shard in client("shards", stream=stream)["shards"] if shard["parent"] == first]
    got = client.read(1 + sum(slot["shard"] not in children for slot in slots))
    assert (first, "end", "", "") in got and not any(one[0] in children for one in got)
    assert client.read(1, 1) == []  # the children wait
    assert client("state")["complete_ms"] == 0
    client("release", shard=first)
    got += client.read(201 - len(got))
    assert sorted(int(one[2][1:]) for one in got if one[1] != "end") == list(range(100, 300))
    low, high = sorted(children)
    client.ask("MergeShards", StreamName=stream, ShardToMerge=low, AdjacentShardToMerge=high)
    slots = client("put", stream=stream, records=[record(i) for i in range(300, 400)])["slots"]
    got = client.read(2 + sum(slot["shard"] in (low, high, second) for slot in slots))
    assert {one[0] for one in got if one[1] == "end"} == set(children)
    client("release", shard=low)
    assert client.read(1, 1) == []  # the other parent is not done with
    client("release", shard=high)
    got += client.read(102 - len(got))
    assert sorted(int(one[2][1:]) for one in got if one[1] != "end") == list(range(300, 400))
    # A reader that begins now comes to the same, through all generations.
    client("start", stream=stream, release=True)
    assert sorted(int(one[2][1:]) for one in client.read(403) if one[1] != "end") == list(range(400))
    assert not [one for one in client("shards", stream=stream)["shards"] if one["id"] == second][0]["closed"]


def test_the_gateway_before_the_service(service, tmp_path):
    name, url = service
    stream = next(names)
    with pf.running("gateway", "--data", tmp_path, "--listen", "127.0.0.1:0", "--bootstrap-server", "127.0.0.1:1",
                    "--kinesis-endpoint", url, env=servers.environment()) as process:
        address = process.address("gateway")

        def ask(method, path, body=None, **headers):
            status, _, answer = pf.request(address, method, path, json.dumps(body) if body is not None else None, headers)
            return status, json.loads(answer or b"null")

        assert ask("POST", f"/prod/streams/{stream}", {"ShardCount": 2})[0] == 200
        pf.wait_until(lambda: ask("GET", f"/prod/streams/{stream}")[1]["StreamDescription"]["StreamStatus"] == "ACTIVE")
        assert stream in ask("GET", "/prod/streams?Limit=100")[1]["StreamNames"]
        sent, lock = {}, threading.Lock()

        def put(worker):
            for i in range(40):
                data = {"worker": worker, "i": i, "text": "é"}
                status, answer = ask("PUT", f"/prod/streams/{stream}/record", {"StreamName": "wrong", "Data": data, "PartitionKey": f"{worker}-{i}"})
                assert status == 200, answer
                with lock:
                    sent[answer["ShardId"], answer["SequenceNumber"]] = data

        workers = [threading.Thread(target=put, args=(i,)) for i in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        several = [{"data": {"several": i}, "partition-key": str(i)} for i in range(10)]
        status, answer = ask("POST", f"/prod/streams/{stream}/records", {"records": several})
        assert status == 200 and answer["FailedRecordCount"] == 0
        for slot, one in zip(answer["Records"], several):
            sent[slot["ShardId"], slot["SequenceNumber"]] = one["data"]
        assert len(sent) == 330
        read = {}
        for shard in ask("GET", f"/prod/streams/{stream}")[1]["StreamDescription"]["Shards"]:
            status, answer = ask("GET", f"/prod/streams/{stream}/sharditerator?shard-id={shard['ShardId']}")
            iterator = answer["ShardIterator"].strip()  # moto's end with a line feed
            for _ in range(3):
                status, answer = ask("GET", f"/prod/streams/{stream}/records", **{"Shard-Iterator": iterator})
                assert status == 200, answer
                read.update({(shard["ShardId"], r["SequenceNumber"]): json.loads(base64.b64decode(r["Data"])) for r in answer["Records"]})
                iterator = answer["NextShardIterator"].strip()
        assert read == sent
        status, answer = ask("PUT", "/prod/streams/no-such-stream/record", {"Data": {}, "PartitionKey": "k"})
        assert status == 400 and answer["__type"] == "ResourceNotFoundException"
        status, answer = ask("PUT", f"/prod/streams/{stream}/record", {"Data": {}, "PartitionKey": "k" * 300})
        assert status == 400, answer
        if name != "moto":  # which has a type of its own for that
            assert answer["__type"] == "ValidationException"
        assert ask("DELETE", f"/prod/streams/{stream}")[0] == 200


def test_throttling_is_waited_for(tmp_path):
    """The rates of AWS, which neither of the other services holds to: 1,000 records a second into a shard, 5 reads a
    second from it."""
    with pf.running("streams", "--data", tmp_path, "--listen", "127.0.0.1:0", "--shard-limits") as process:
        client = Client("http://" + process.addresses["streams"])
        other = Client("http://" + process.addresses["streams"])
        client("create", stream="s", shards=1)
        slots = client("put", stream="s", records=[record(i) for i in range(2500)])["slots"]
        assert len(slots) == 2500
        client("start", stream="s")
        other("start", stream="s")  # the two of them ask for more than 5 a second
        assert [one[1] for one in client.read(2500)] == [one[1] for one in other.read(2500)]
        rng = random.Random(3)
        for i in range(10):
            client("put", stream="s", records=[record(i)])
            time.sleep(rng.uniform(0, 0.3))
        assert len(client.read(10)) == len(other.read(10)) == 10
        client.close()
        other.close()


def test_a_reader_goes_on_when_the_service_was_killed(tmp_path):
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    client, got, put = Client(url), [], 0
    for turn in range(max(2, pf.KILLS // 10)):
        process = pf.Process("streams", "--data", tmp_path, "--listen", f"127.0.0.1:{port}").ready()
        if turn == 0:
            client("create", stream="s", shards=1)
            client("start", stream="s")
        client("put", stream="s", records=[record(i) for i in range(put, put + 300)])
        put += 300
        got += client.read(100)
        process.kill()
    with pf.running("streams", "--data", tmp_path, "--listen", f"127.0.0.1:{port}"):
        got += client.read(put - len(got))
    assert [int(one[2][1:]) for one in got] == list(range(put))
    client.close()
