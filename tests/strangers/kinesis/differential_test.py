"""What ours answers beside kinesalite and moto, over one conversation. Each difference is listed here with what decides it: "model" is
AWS's service model 2013-12-02 as botocore ships it, "API" is the Amazon Kinesis Data Streams Service API Reference."""
import contextlib
import gzip
import json

import pytest

import differential
import pinflow as pf
import servers

# (server, decision, steps): in all of them ours is right, or as right as theirs.
DECIDED = [
    ("kinesalite", "model: ListStreamsOutput has StreamSummaries and NextToken, which came after kinesalite",
     ["list", "list one", "list after", "list what is left"]),
    ("kinesalite", "model: StreamDescription has StreamModeDetails", ["describe", "describe after a split"]),
    ("kinesalite", "API, DescribeStream: HasMoreShards is true where shards are left after Limit of them", ["describe a page"]),
    ("kinesalite", "model: DescribeStream needs neither StreamName nor StreamARN by its shape, so it is the argument that is wrong",
     ["describe nothing"]),
    ("kinesalite", "model: StreamDescriptionSummary has StreamModeDetails and MaxRecordSizeInKiB", ["summary"]),
    ("kinesalite", "API: operations that kinesalite does not serve", ["limits", "more shards", "too many more"]),
    ("kinesalite", "API, ListShards: NextToken is given where there are more shards than MaxResults; kinesalite never gives one",
     ["a page of shards"]),
    ("kinesalite", "model: ShardFilterType is an enumeration; kinesalite knows no ShardFilter", ["a filter that is none"]),
    ("kinesalite", "model: HashKey is 0|([1-9]\\d{0,38})", ["put by a hash that is none"]),
    ("kinesalite", "model: GetRecordsOutput has ChildShards at the end of a shard", ["read to the end"]),
    ("kinesalite", "API, SplitShard: a shard that is closed cannot be split; kinesalite splits it again, and has two shards more",
     ["split again", "shards after a split", "the latest after a split", "shards after a merge"]),
    ("kinesalite", "API, IncreaseStreamRetentionPeriod: at most 8760 hours, and no bound in the model", ["keep longer than may be"]),

    ("moto", "model: Limit is 1 to 10000, of ListStreams and of GetRecords; moto checks no bounds",
     ["a limit of 0", "a limit too high", "read too many"]),
    ("moto", "moto has no words for a request without or with an unknown operation", ["no target", "an unknown operation"]),
    ("moto", "API, ListStreams: NextToken; ExclusiveStartStreamName begins after that stream, also the summaries",
     ["list one", "list after"]),
    ("moto", "model: StreamDescription has StreamModeDetails", ["describe"]),
    ("moto", "API, DescribeStream and ListShards: ExclusiveStartShardId begins after that shard", ["describe a page", "shards after"]),
    ("moto", "moto takes no name for a name that is not found", ["describe nothing"]),
    ("moto", "model: StreamDescriptionSummary has ConsumerCount and MaxRecordSizeInKiB", ["summary"]),
    ("moto", "API, DescribeLimits: OpenShardCount counts the open shards; moto counts on-demand ones alone", ["limits"]),
    ("moto", "API, ListShards: a token stands alone; one that was not given is an InvalidArgumentException",
     ["the next page", "a token and a name", "a bad token"]),
    ("moto", "model: enumerations, lengths, patterns, and blobs in base64; moto checks few of them, or with another type of error",
     ["a filter that is none", "put without a key", "put with an empty key", "put with a long key", "put what is no base64",
      "put too much", "put by a hash that is none", "put none of several", "put several, one bad", "an iterator that is none"]),
    ("moto", "API, PutRecord: ExplicitHashKey up to 2^128 - 1; moto's last shard ends before it, with an exception", ["put by hash"]),
    ("moto", "what moto has taken before, of the puts above, it gives", ["read", "read one", "read at a time", "read at a number",
                                                                         "read after a number"]),
    ("moto", "moto ends in an exception, or asks nothing, where the API has an InvalidArgumentException",
     ["read by nothing", "at a time without it", "at a time to come", "at no number", "latest with a number", "a wrong number",
      "another shard's number"]),
    ("moto", "kinesalite, which was held against AWS, refuses a first hash key that is not over one more than the shard's",
     ["split at one", "split", "shards after a split", "describe after a split", "the latest after a split",
      "shards after a merge"]),
    ("moto", "model: GetRecordsOutput has ChildShards at the end of a shard", ["read to the end"]),
    ("moto", "model: UpdateShardCountOutput has StreamARN; API: at most double the open shards", ["more shards", "too many more"]),
    ("moto", "API, tags: valid characters; at least one; ExclusiveStartTagKey begins after that tag",
     ["tag badly", "tag with nothing", "tags", "a page of tags", "tags again"]),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    servers.get()
    with contextlib.ExitStack() as stack:
        urls = {"kinesalite": stack.enter_context(servers.kinesalite())[0], "moto": stack.enter_context(servers.moto())[0]}
        process = stack.enter_context(pf.running("streams", "--data", tmp_path_factory.mktemp("ours"), "--listen", "127.0.0.1:0"))
        urls["ours"] = "http://" + process.addresses["streams"]
        return {name: differential.converse(url, without=differential.NOT_ASKED.get(name, ())) for name, url in urls.items()}


@pytest.mark.parametrize("server", ["kinesalite", "moto"])
def test_each_difference_is_decided(answers, server):
    found = {name: how for name, theirs in answers[server].items() if (how := differential.differs(answers["ours"][name], theirs))}
    decided = {step for name, _, steps in DECIDED if name == server for step in steps}
    assert {name: how for name, how in found.items() if name not in decided} == {}
    assert sorted(decided - found.keys()) == [], "these differ no more"


def test_no_answer_is_outside_of_the_model(answers):
    """The members of every answer, and the types of every error, are those that AWS's model names for the operation."""
    path = servers.DEPS / "python/botocore/data/kinesis/2013-12-02/service-2.json.gz"
    model = json.loads(gzip.decompress(path.read_bytes()))
    shapes, wrong = model["shapes"], []

    def hold(value, shape, at):
        shape = shapes[shape]
        if shape["type"] == "structure":
            wrong.extend(f"{at}: {name} is not in the model" for name in value if name not in shape["members"])
            wrong.extend(f"{at}: {name} is missing" for name in shape.get("required", []) if name not in value)
            for name, item in value.items():
                if name in shape["members"] and item is not None:
                    hold(item, shape["members"][name]["shape"], f"{at}/{name}")
        elif shape["type"] == "list":
            for item in value:
                hold(item, shape["member"]["shape"], at)
        elif "enum" in shape and value not in shape["enum"]:
            wrong.append(f"{at}: {value} is none of {shape['enum']}")

    common = {"ValidationException", "SerializationException", "UnknownOperationException"}  # of every service of AWS
    for name, operation, _ in differential.STEPS:
        status, body = answers["ours"][name]
        known = model["operations"].get(operation, {})
        if status == 200:
            hold(body or {}, known.get("output", {"shape": "CreateStreamInput"})["shape"], name) if body else None
        elif body["__type"] not in common | {error["shape"] for error in known.get("errors", [])}:
            wrong.append(f"{name}: {body}")
    assert wrong == []
