"""The streams' service as a process: killed during puts and reshards, keys, addresses, a clock that jumps."""
import base64
import hashlib
import http.client
import json
import random
import threading
import time

import pinflow as pf
from kinesis_calls import Kinesis, streams

LAST = 2**128 - 1


def range_of(shard):
    return int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"])


def check_tree(shards):
    """The open shards cover every hash key once; a closed one is covered by its children; parents come first."""
    by_id = {shard["ShardId"]: shard for shard in shards}
    assert len(by_id) == len(shards)
    open_ranges = sorted(range_of(s) for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"])
    assert open_ranges[0][0] == 0 and open_ranges[-1][1] == LAST
    assert all(a[1] + 1 == b[0] for a, b in zip(open_ranges, open_ranges[1:]))
    for shard in shards:
        parents = [by_id[shard[key]] for key in ("ParentShardId", "AdjacentParentShardId") if key in shard]
        for parent in parents:
            assert parent["ShardId"] < shard["ShardId"]
            assert int(parent["SequenceNumberRange"]["EndingSequenceNumber"]) > 0
        if len(parents) == 2:
            (a, b), (c, d) = sorted(map(range_of, parents))
            assert b + 1 == c and (a, d) == range_of(shard)
        elif parents:
            low, high = range_of(parents[0])
            assert low <= range_of(shard)[0] and range_of(shard)[1] <= high
        children = [s for s in shards if shard["ShardId"] in (s.get("ParentShardId"), s.get("AdjacentParentShardId"))]
        assert bool(children) == ("EndingSequenceNumber" in shard["SequenceNumberRange"])


class Poster(threading.Thread):
    """Puts records until the service is gone. `acknowledged`: id -> (shard, sequence number), in the order of the answers."""

    def __init__(self, address, name):
        super().__init__(daemon=True)
        self.address, self.name_, self.acknowledged, self.sent = address, name, {}, []
        self.start()

    def run(self):
        kinesis, count = Kinesis(self.address), 0
        try:
            while True:
                ids = [f"{self.name_}-{count + n}" for n in range(random.choice([1, 1, 20]))]
                count += len(ids)
                self.sent += ids
                records = [{"Data": base64.b64encode(id_.encode()).decode(), "PartitionKey": f"{self.name_}-{random.randrange(5)}"}
                           for id_ in ids]
                answers = [kinesis("PutRecord", StreamName="s", **records[0])] if len(ids) == 1 else \
                    kinesis("PutRecords", StreamName="s", Records=records)["Records"]
                for id_, answer in zip(ids, answers):
                    assert "ErrorCode" not in answer, answer
                    self.acknowledged[id_] = (answer["ShardId"], answer["SequenceNumber"])
        except (OSError, http.client.HTTPException):
            pass


def reshard(address, done):
    """Splits and merges until the service is gone; `done` gets a word for each that was answered."""
    kinesis = Kinesis(address)
    try:
        while True:
            shards = kinesis.shards("s", ShardFilter={"Type": "AT_LATEST"})
            shards.sort(key=range_of)
            if len(shards) < 2 or len(shards) < 6 and random.random() < 0.5:
                low, high = range_of(shard := random.choice(shards))
                kinesis("SplitShard", StreamName="s", ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2))
                done.append("split")
            elif random.random() < 0.3:
                count = random.randint((len(shards) + 1) // 2, min(2 * len(shards), 6))
                kinesis("UpdateShardCount", StreamName="s", TargetShardCount=count, ScalingType="UNIFORM_SCALING")
                done.append("count")
            else:
                at = random.randrange(len(shards) - 1)
                kinesis("MergeShards", StreamName="s", ShardToMerge=shards[at]["ShardId"],
                        AdjacentShardToMerge=shards[at + 1]["ShardId"])
                done.append("merge")
            time.sleep(random.uniform(0, 0.05))
    except (OSError, http.client.HTTPException):
        pass


def check_records(found, shards, acknowledged, sent):
    """found: shard -> its records, all of them."""
    ranges = {shard["ShardId"]: range_of(shard) for shard in shards}
    numbers, at, keys = set(), {}, {}
    for shard, records in found.items():
        before = -1
        for record in records:
            number = int(record["SequenceNumber"])
            assert number > before, "the numbers of a shard grow"
            before = number
            assert number not in numbers
            numbers.add(number)
            low, high = ranges[shard]
            assert low <= int(hashlib.md5(record["PartitionKey"].encode()).hexdigest(), 16) <= high
            id_ = base64.b64decode(record["Data"]).decode()
            assert id_ in sent
            assert id_ not in at, f"{id_} is there twice"
            at[id_] = (shard, record["SequenceNumber"])
            keys.setdefault(record["PartitionKey"], []).append(int(id_.rsplit("-", 1)[1]))
    lost = [id_ for id_, place in acknowledged.items() if at.get(id_) != place]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged records are not where they were said to be: {lost[:5]}"
    # A poster waits for each answer: its records of one key are in order, over all reshards. (Shards are numbered as
    # they were made, and a child has none before its parent is closed.)
    assert all(order == sorted(order) for order in keys.values())


def test_killed_during_puts_and_reshards(tmp_path):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    random.seed(seed)
    acknowledged, sent, found, last, reshards, after = {}, set(), {}, {}, [], 0
    for round_ in range(max(pf.KILLS // 3, 5)):
        with streams(tmp_path) as process:
            address = process.address("streams")
            kinesis = Kinesis(address)
            if round_ == 0:
                kinesis("CreateStream", StreamName="s", ShardCount=2)
            shards = kinesis.shards("s")
            check_tree(shards)
            posters = [Poster(address, f"{round_}.{n}") for n in range(3)]
            resharder = threading.Thread(target=reshard, args=(address, reshards))
            resharder.start()
            time.sleep(random.uniform(0.02, 0.4))
            process.kill()
            resharder.join()
            for poster in posters:
                poster.join()
                acknowledged |= poster.acknowledged
                sent |= set(poster.sent)
        with streams(tmp_path) as process:
            kinesis = Kinesis(process.address("streams"))
            shards = kinesis.shards("s")
            check_tree(shards)
            for shard in sorted(shard["ShardId"] for shard in shards):
                records, _ = kinesis.read("s", shard, last.get(shard))
                found.setdefault(shard, []).extend(records)
                if records:
                    last[shard] = records[-1]["SequenceNumber"]
            check_records(found, shards, acknowledged, sent)
            process.kill()
    print(len(acknowledged), "acknowledged,", len(reshards), "reshards,", len(shards), "shards")
    assert len(acknowledged) > 100 and len(reshards) > 5


def test_streams_made_and_deleted_across_kills(tmp_path):
    """A stream that was answered is there, with its records; a deleted one stays gone, and its folder goes."""
    there = set()
    for round_ in range(max(pf.KILLS // 5, 5)):
        with streams(tmp_path) as process:
            address = process.address("streams")
            kinesis = Kinesis(address)
            names = set(kinesis.names())
            assert there <= names, "a stream that was made is lost"
            assert names - there <= maybe if round_ else not names
            there = names
            stopping = threading.Timer(random.uniform(0.01, 0.3), process.kill)
            stopping.start()
            maybe = set()
            try:
                for n in range(1000):
                    name = f"s{round_}-{n}"
                    maybe.add(name)
                    kinesis("CreateStream", StreamName=name, ShardCount=2)
                    there.add(name)
                    if random.random() < 0.7 or len(there) > 150:  # so that the limit of open shards is not met
                        gone = random.choice(sorted(there))
                        maybe.add(gone)
                        there.discard(gone)
                        kinesis("DeleteStream", StreamName=gone)
                        maybe.discard(gone)
            except (OSError, http.client.HTTPException):
                pass
            stopping.join()
    with streams(tmp_path) as process:
        names = set(Kinesis(process.address("streams")).names())
        assert there <= names <= there | maybe
        topics = tmp_path / "log/kinesis/records/topics"
        assert len(list(topics.iterdir())) == len(names)


def test_beyond_this_machine_only_with_keys(tmp_path):
    refused = pf.pinflow("streams", "--data", tmp_path, "--listen", "0.0.0.0:0", check=False)
    assert refused.returncode != 0 and "--keys" in refused.stderr
    keys = tmp_path / "keys"
    keys.write_text("[a]\naws_access_key_id = AKIDEXAMPLE\n")
    half = pf.pinflow("streams", "--data", tmp_path, "--listen", "127.0.0.1:0", "--keys", keys, check=False)
    assert half.returncode != 0 and "aws_secret_access_key" in half.stderr
    keys.write_text("[a]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = a-secret\n")
    with streams(tmp_path, "--keys", keys, listen="0.0.0.0:0") as process:
        kinesis = Kinesis(process.address("streams"))
        try:
            kinesis("ListStreams")
            raise AssertionError("it took an unsigned request")
        except Kinesis.Refused as refused:
            assert "MissingAuthenticationTokenException" in str(refused)
        assert "a-secret" not in "".join(process.lines)


def test_a_worker_says_how_streams_come_to_be(tmp_path):
    with streams(tmp_path) as process:
        done = pf.pinflow("stream", "--data", tmp_path, "--kinesis-endpoint", "http://%s:%s" % process.address("streams"),
                          "--until-caught-up", check=False)
        assert done.returncode == 1 and "pinflow streams --make-streams" in done.stderr
        assert "PINFLOW_USER_ID" in done.stderr and ".." not in done.stderr and ".;" not in done.stderr
        assert process.stop() == 0


def test_the_pipelines_streams(tmp_path):
    with pf.up(tmp_path) as process:
        kinesis = Kinesis(process.address("streams"))
        names = kinesis("ListStreams")["StreamNames"]
        assert names == ["streaming-local-geo", "streaming-local-pin", "streaming-local-user"]
        kinesis("PutRecord", StreamName=names[0], PartitionKey="k", Data="eA==")
        second = pf.pinflow("streams", "--data", tmp_path, "--listen", "127.0.0.1:0", check=False)
        assert second.returncode != 0 and "in use by another process" in second.stderr and "--listen" not in second.stderr
        taken = pf.pinflow("streams", "--data", tmp_path / "b", "--listen", "%s:%s" % process.address("streams"),
                           check=False)
        assert taken.returncode != 0 and "the flag is --listen HOST:PORT" in taken.stderr
        assert process.stop() == 0
    with streams(tmp_path, "--make-streams") as process:
        kinesis = Kinesis(process.address("streams"))
        assert kinesis("ListStreams")["StreamNames"] == names
        assert len(kinesis.read(names[0], "shardId-000000000000")[0]) == 1
        assert process.stop() == 0


def test_a_slow_reader_holds_up_no_put(tmp_path):
    """Readers that ask for megabytes and take none of them; puts go on."""
    with streams(tmp_path) as process:
        address = process.address("streams")
        kinesis = Kinesis(address)
        kinesis("CreateStream", StreamName="s", ShardCount=1)
        data = base64.b64encode(random.randbytes(700_000)).decode()
        for _ in range(20):
            kinesis("PutRecord", StreamName="s", PartitionKey="k", Data=data)
        iterator = kinesis("GetShardIterator", StreamName="s", ShardId="shardId-000000000000",
                           ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        readers = []
        for _ in range(4):
            readers.append(http.client.HTTPConnection(*address, timeout=30))
            readers[-1].request("POST", "/", json.dumps({"ShardIterator": iterator}), {
                "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.GetRecords"})
        for n in range(200):
            kinesis("PutRecord", StreamName="s", PartitionKey="k", Data="eA==")
        for reader in readers:
            answer = reader.getresponse()
            assert answer.status == 200
            assert len(json.loads(answer.read())["Records"]) > 10
