"""The streams' service asked by AWS's own clients: boto3, awscli, @aws-sdk/client-kinesis; signatures, throttling, clocks."""
import hashlib
import json
import random
import time

import pytest

import pinflow as pf
import servers

ALL = 2**128


@pytest.fixture(scope="module", autouse=True)
def packages():
    servers.get()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "credentials"
    file.write_text(f"[tests]\naws_access_key_id = {servers.KEY}\naws_secret_access_key = {servers.SECRET}\n")
    return file


@pytest.fixture
def service(tmp_path, keys):
    with pf.running("streams", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--keys", keys) as process:
        yield "http://" + process.addresses["streams"]


def all_records(kinesis, stream):
    """Through every shard to its end, as a consumer does: children are told by their parents."""
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=stream, ShardFilter={"Type": "AT_TRIM_HORIZON"})["Shards"]]
    records, seen = [], set(shards)
    while shards:
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shards.pop(0), ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            answer = kinesis.get_records(ShardIterator=iterator)
            records += answer["Records"]
            iterator = answer.get("NextShardIterator")
            for child in answer.get("ChildShards", []):
                if child["ShardId"] not in seen:
                    seen.add(child["ShardId"])
                    shards.append(child["ShardId"])
            if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                break
    return records


def test_boto3_through_the_life_of_a_stream(service):
    kinesis = servers.client(service)
    kinesis.create_stream(StreamName="s", ShardCount=2, Tags={"team": "a"})
    kinesis.get_waiter("stream_exists").wait(StreamName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 3})
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    sent = {}
    rng = random.Random(1)

    def put(count):
        for n in range(count):
            key, data = f"key-{rng.randrange(1000)}", rng.randbytes(rng.randrange(0, 2000))
            answer = kinesis.put_record(StreamARN=arn, PartitionKey=key, Data=data)
            sent[answer["SequenceNumber"]] = (key, data)
        batch = [{"PartitionKey": f"key-{rng.randrange(1000)}", "Data": rng.randbytes(500)} for _ in range(500)]
        answer = kinesis.put_records(StreamName="s", Records=batch)
        assert answer["FailedRecordCount"] == 0
        for record, slot in zip(batch, answer["Records"]):
            sent[slot["SequenceNumber"]] = (record["PartitionKey"], record["Data"])

    put(30)
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(ALL // 4))
    put(30)
    kinesis.merge_shards(StreamName="s", ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001")
    put(30)
    kinesis.update_shard_count(StreamName="s", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    put(30)
    assert {r["SequenceNumber"]: (r["PartitionKey"], r["Data"]) for r in all_records(kinesis, "s")} == sent
    # (boto3's own paginator of list_shards sends StreamName with NextToken, which AWS refuses.)
    page = kinesis.list_shards(StreamName="s", MaxResults=3)
    shards = page["Shards"]
    while "NextToken" in page:
        page = kinesis.list_shards(NextToken=page["NextToken"], MaxResults=3)
        shards += page["Shards"]
    described = [s for page in kinesis.get_paginator("describe_stream").paginate(StreamName="s", PaginationConfig={"PageSize": 3})
                 for s in page["StreamDescription"]["Shards"]]
    assert shards == described and len(shards) > 8
    opened = [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    assert len(opened) == 4
    for key, shard in ((f"key-{n}", None) for n in range(20)):
        answer = kinesis.put_record(StreamName="s", PartitionKey=key, Data=b"")
        shard = next(s for s in opened if s["ShardId"] == answer["ShardId"])
        low, high = int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"])
        assert low <= int(hashlib.md5(key.encode()).hexdigest(), 16) <= high
    kinesis.add_tags_to_stream(StreamName="s", Tags={"more": "b"})
    assert {t["Key"]: t["Value"] for t in kinesis.list_tags_for_stream(StreamName="s")["Tags"]} == {"team": "a", "more": "b"}
    kinesis.tag_resource(ResourceARN=arn, Tags={"team": "c"})
    kinesis.untag_resource(ResourceARN=arn, TagKeys=["more"])
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "c"}]
    assert kinesis.describe_account_settings()["MinimumThroughputBillingCommitment"]["Status"] == "DISABLED"
    kinesis.increase_stream_retention_period(StreamName="s", RetentionPeriodHours=48)
    kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = kinesis.describe_stream_summary(StreamARN=arn)["StreamDescriptionSummary"]
    assert summary["RetentionPeriodHours"] == 48 and summary["StreamModeDetails"]["StreamMode"] == "ON_DEMAND"
    limits = kinesis.describe_limits()
    assert limits["OpenShardCount"] == 4 and limits["OnDemandStreamCount"] == 1
    kinesis.delete_stream(StreamName="s")
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.describe_stream(StreamName="s")


def test_awscli(service):
    def cli(*args):
        return servers.awscli(service, *args)
    cli("create-stream", "--stream-name", "s", "--shard-count", "1")
    put = cli("put-record", "--stream-name", "s", "--partition-key", "k", "--data", "x")
    shards = cli("list-shards", "--stream-name", "s")["Shards"]
    assert [shard["ShardId"] for shard in shards] == [put["ShardId"]]
    iterator = cli("get-shard-iterator", "--stream-name", "s", "--shard-id", put["ShardId"], "--shard-iterator-type", "TRIM_HORIZON")
    records = cli("get-records", "--shard-iterator", iterator["ShardIterator"])["Records"]
    assert [(r["SequenceNumber"], r["Data"]) for r in records] == [(put["SequenceNumber"], "eA==")]
    assert cli("list-streams")["StreamNames"] == ["s"]


NODE_CLIENT = """
const {KinesisClient, CreateStreamCommand, PutRecordsCommand, ListShardsCommand, GetShardIteratorCommand, GetRecordsCommand}
    = require('@aws-sdk/client-kinesis');
const {NodeHttpHandler} = require('@smithy/node-http-handler');
const client = new KinesisClient({endpoint: process.argv[1], requestHandler: new NodeHttpHandler(), maxAttempts: 3});
(async () => {
  await client.send(new CreateStreamCommand({StreamName: 'js', ShardCount: 3}));
  const Records = [...Array(100).keys()].map(n => ({PartitionKey: 'k' + n, Data: Buffer.from('value ' + n)}));
  const put = await client.send(new PutRecordsCommand({StreamName: 'js', Records}));
  const found = [];
  for (const {ShardId} of (await client.send(new ListShardsCommand({StreamName: 'js'}))).Shards) {
    const start = {StreamName: 'js', ShardId, ShardIteratorType: 'TRIM_HORIZON'};
    let {ShardIterator} = await client.send(new GetShardIteratorCommand(start));
    const answer = await client.send(new GetRecordsCommand({ShardIterator}));
    for (const record of answer.Records) found.push(Buffer.from(record.Data).toString());
  }
  console.log(JSON.stringify({failed: put.FailedRecordCount, found}));
})().catch(error => { console.error(error); process.exit(1); });
"""


def test_aws_client_for_node(service):
    answer = json.loads(servers.node(NODE_CLIENT, service))
    assert answer["failed"] == 0
    assert sorted(answer["found"]) == sorted(f"value {n}" for n in range(100))


def test_signatures(service):
    from botocore.exceptions import ClientError
    for key, secret, code in [(servers.KEY, "wrong", "InvalidSignatureException"), ("AKIDOTHER", "wrong", "UnrecognizedClientException")]:
        with pytest.raises(ClientError) as error:
            servers.client(service, key, secret).list_streams()
        assert error.value.response["Error"]["Code"] == code
        assert servers.SECRET not in str(error.value)


def test_shards_are_throttled_and_boto3_goes_on(tmp_path):
    with pf.running("streams", "--data", tmp_path, "--listen", "127.0.0.1:0", "--shard-limits") as process:
        url = "http://" + process.addresses["streams"]
        kinesis = servers.client(url)
        kinesis.create_stream(StreamName="s", ShardCount=1)
        refused = 0
        records = [{"PartitionKey": "k", "Data": str(n).encode()} for n in range(3000)]
        deadline = time.monotonic() + 60
        while records and time.monotonic() < deadline:
            answer = kinesis.put_records(StreamName="s", Records=records[:500])
            failed = [record for record, slot in zip(records, answer["Records"]) if "ErrorCode" in slot]
            assert answer["FailedRecordCount"] == len(failed)
            assert {slot["ErrorCode"] for slot in answer["Records"] if "ErrorCode" in slot} <= {"ProvisionedThroughputExceededException"}
            refused += len(failed)
            records = failed + records[500:]
            time.sleep(0.05 if failed else 0)
        assert refused > 0 and not records
        patient = servers.client(url, retries={"total_max_attempts": 10, "mode": "standard"})
        found = [int(record["Data"]) for record in all_records(patient, "s")]
        assert sorted(found) == list(range(3000))
        iterator = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000", ShardIteratorType="LATEST")["ShardIterator"]
        with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
            for _ in range(20):
                kinesis.get_records(ShardIterator=iterator)


def test_expired_iterators_and_tokens_and_retention(tmp_path):
    clock, env = servers.faked(tmp_path, "+0s")
    args = ("streams", "--data", tmp_path / "data", "--listen", "127.0.0.1:0")
    with pf.running(*args, env=env) as process:
        kinesis = servers.client("http://" + process.addresses["streams"])
        kinesis.create_stream(StreamName="s", ShardCount=3)
        put = kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"x")
        start = {"StreamName": "s", "ShardId": put["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(**start)["ShardIterator"]
        token = kinesis.list_shards(StreamName="s", MaxResults=1)["NextToken"]
        assert len(kinesis.get_records(ShardIterator=iterator)["Records"]) == 1
        clock.write_text("+310s")
        time.sleep(2.5)
        with pytest.raises(kinesis.exceptions.ExpiredIteratorException):
            kinesis.get_records(ShardIterator=iterator)
        with pytest.raises(kinesis.exceptions.ExpiredNextTokenException):
            kinesis.list_shards(NextToken=token)
        again = {**start, "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": put["SequenceNumber"]}
        iterator = kinesis.get_shard_iterator(**again)["ShardIterator"]
        assert len(kinesis.get_records(ShardIterator=iterator)["Records"]) == 1
        # A clock that goes back: numbers grow on, and nothing is refused that was just given.
        clock.write_text("-1h")
        time.sleep(2.5)
        later = kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"y", SequenceNumberForOrdering=put["SequenceNumber"])
        assert int(later["SequenceNumber"]) > int(put["SequenceNumber"])
        assert [r["Data"] for r in kinesis.get_records(ShardIterator=iterator)["Records"]] == [b"x", b"y"]
        process.kill()
    clock.write_text("+25h")
    with pf.running(*args, env=env) as process:
        kinesis = servers.client("http://" + process.addresses["streams"])
        iterator = kinesis.get_shard_iterator(**start)["ShardIterator"]
        assert kinesis.get_records(ShardIterator=iterator)["Records"] == []


@pytest.mark.parametrize("offset", ["+20m", "-20m"])
def test_a_client_with_another_clock(tmp_path, keys, offset):
    """boto3 is told; AWS's client for Node.js takes the time from the answer, and asks again."""
    from botocore.exceptions import ClientError
    _, env = servers.faked(tmp_path, offset)
    with pf.running("streams", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--keys", keys, env=env) as process:
        url = "http://" + process.addresses["streams"]
        with pytest.raises(ClientError) as error:
            servers.client(url).list_streams()
        assert error.value.response["Error"]["Code"] == "InvalidSignatureException"
        assert ("Signature expired" if offset == "+20m" else "Signature not yet current") in str(error.value)
        assert json.loads(servers.node(NODE_CLIENT, url))["failed"] == 0
