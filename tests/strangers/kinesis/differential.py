"""One conversation with each of several Kinesis services, and what each answered, so that it can be compared.

A step is (name, operation, request). In a request "$NAME" stands for what an earlier step's answer held (KEEP says where). What is
each service's own (sequence numbers, iterators, times, ids) is made equal before two answers are compared.
"""
import base64
import json
import re
import time
import urllib.error
import urllib.request

X = base64.b64encode(b"x").decode()
MIB = base64.b64encode(bytes(1 << 20)).decode()
HALF = "170141183460469231731687303715884105728"
LAST = "340282366920938463463374607431768211455"
IDS = [f"shardId-{n:012}" for n in range(20)]

STEPS = [
    # What a request may hold
    ("nothing", "CreateStream", {}),
    ("a number for a name", "CreateStream", {"StreamName": 1, "ShardCount": 1}),
    ("a list for a name", "CreateStream", {"StreamName": ["a"], "ShardCount": 1}),
    ("a text for a count", "CreateStream", {"StreamName": "a", "ShardCount": "1"}),
    ("a bad name and no shards", "CreateStream", {"StreamName": "a;b", "ShardCount": 0}),
    ("a long name", "CreateStream", {"StreamName": "a" * 129, "ShardCount": 1}),
    ("too many shards", "CreateStream", {"StreamName": "a", "ShardCount": 5000}),
    ("a limit of 0", "ListStreams", {"Limit": 0}),
    ("a limit too high", "ListStreams", {"Limit": 10001}),
    ("no target", "", {}),
    ("an unknown operation", "Nothing", {}),
    # Streams
    ("create", "CreateStream", {"StreamName": "a", "ShardCount": 3}),
    ("create again", "CreateStream", {"StreamName": "a", "ShardCount": 3}),
    ("create another", "CreateStream", {"StreamName": "b", "ShardCount": 1}),
    ("list", "ListStreams", {}),
    ("list one", "ListStreams", {"Limit": 1}),
    ("list after", "ListStreams", {"ExclusiveStartStreamName": "a"}),
    ("describe", "DescribeStream", {"StreamName": "a"}),
    ("describe a page", "DescribeStream", {"StreamName": "a", "Limit": 1, "ExclusiveStartShardId": IDS[0]}),
    ("describe none", "DescribeStream", {"StreamName": "none"}),
    ("describe nothing", "DescribeStream", {}),
    ("summary", "DescribeStreamSummary", {"StreamName": "a"}),
    ("limits", "DescribeLimits", {}),
    # Shards
    ("shards", "ListShards", {"StreamName": "a"}),
    ("shards of none", "ListShards", {"StreamName": "none"}),
    ("shards after", "ListShards", {"StreamName": "a", "ExclusiveStartShardId": IDS[1]}),
    ("a page of shards", "ListShards", {"StreamName": "a", "MaxResults": 2}),
    ("the next page", "ListShards", {"NextToken": "$token"}),
    ("a token and a name", "ListShards", {"StreamName": "a", "NextToken": "$token"}),
    ("a bad token", "ListShards", {"NextToken": "abc"}),
    ("the latest", "ListShards", {"StreamName": "a", "ShardFilter": {"Type": "AT_LATEST"}}),
    ("a filter that is none", "ListShards", {"StreamName": "a", "ShardFilter": {"Type": "X"}}),
    # Puts
    ("put", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": X}),
    ("put by hash", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": X, "ExplicitHashKey": LAST}),
    ("put nothing", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": ""}),
    ("put to none", "PutRecord", {"StreamName": "none", "PartitionKey": "k", "Data": X}),
    ("put without a key", "PutRecord", {"StreamName": "a", "Data": X}),
    ("put with an empty key", "PutRecord", {"StreamName": "a", "PartitionKey": "", "Data": X}),
    ("put with a long key", "PutRecord", {"StreamName": "a", "PartitionKey": "k" * 257, "Data": X}),
    ("put what is no base64", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": "*"}),
    ("put too much", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": MIB[:-4] + "AAAAAAAA"}),
    ("put by a hash too high", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": X, "ExplicitHashKey": LAST[:-1] + "6"}),
    ("put by a hash that is none", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": X, "ExplicitHashKey": "01"}),
    ("put in order", "PutRecord", {"StreamName": "a", "PartitionKey": "k", "Data": X, "SequenceNumberForOrdering": "$sequence"}),
    ("put several", "PutRecords", {"StreamName": "a", "Records": [{"PartitionKey": k, "Data": X} for k in "abcdef"]}),
    ("put none of several", "PutRecords", {"StreamName": "a", "Records": []}),
    ("put several to none", "PutRecords", {"StreamName": "none", "Records": [{"PartitionKey": "k", "Data": X}]}),
    ("put several, one bad", "PutRecords", {"StreamName": "a", "Records": [{"PartitionKey": "k", "Data": X}, {"Data": X}]}),
    ("put too many", "PutRecords", {"StreamName": "a", "Records": [{"PartitionKey": "k", "Data": X}] * 501}),
    # Iterators
    ("from the start", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "TRIM_HORIZON"}),
    ("read", "GetRecords", {"ShardIterator": "$iterator"}),
    ("read one", "GetRecords", {"ShardIterator": "$iterator", "Limit": 1}),
    ("read too many", "GetRecords", {"ShardIterator": "$iterator", "Limit": 10001}),
    ("read by nothing", "GetRecords", {"ShardIterator": "abc"}),
    ("from the latest", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "LATEST"}),
    ("read the latest", "GetRecords", {"ShardIterator": "$iterator"}),
    ("at a number", "GetShardIterator", {"StreamName": "a", "ShardId": "$shard", "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                                         "StartingSequenceNumber": "$sequence"}),
    ("read at a number", "GetRecords", {"ShardIterator": "$iterator"}),
    ("after a number", "GetShardIterator", {"StreamName": "a", "ShardId": "$shard", "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                                            "StartingSequenceNumber": "$sequence"}),
    ("read after a number", "GetRecords", {"ShardIterator": "$iterator"}),
    ("at a time", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1}),
    ("read at a time", "GetRecords", {"ShardIterator": "$iterator"}),
    ("at a time without it", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "AT_TIMESTAMP"}),
    ("at a time to come", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "AT_TIMESTAMP",
                                               "Timestamp": 9000000000}),
    ("at no number", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "AT_SEQUENCE_NUMBER"}),
    ("latest with a number", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "LATEST",
                                                  "StartingSequenceNumber": "$sequence"}),
    ("a wrong number", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[2], "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                                            "StartingSequenceNumber": "7"}),
    ("another shard's number", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[0], "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                                                    "StartingSequenceNumber": "$last sequence"}),
    ("an iterator that is none", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[0], "ShardIteratorType": "X"}),
    ("no such shard", "GetShardIterator", {"StreamName": "a", "ShardId": IDS[9], "ShardIteratorType": "LATEST"}),
    ("a shard that is none", "GetShardIterator", {"StreamName": "a", "ShardId": "x", "ShardIteratorType": "LATEST"}),
    ("a shard of none", "GetShardIterator", {"StreamName": "none", "ShardId": IDS[0], "ShardIteratorType": "LATEST"}),
    # Reshards
    ("split at the start", "SplitShard", {"StreamName": "b", "ShardToSplit": IDS[0], "NewStartingHashKey": "0"}),
    ("split at one", "SplitShard", {"StreamName": "b", "ShardToSplit": IDS[0], "NewStartingHashKey": "1"}),
    ("split at the end", "SplitShard", {"StreamName": "b", "ShardToSplit": IDS[0], "NewStartingHashKey": LAST}),
    ("split none", "SplitShard", {"StreamName": "b", "ShardToSplit": IDS[5], "NewStartingHashKey": HALF}),
    ("put before a split", "PutRecord", {"StreamName": "b", "PartitionKey": "k", "Data": X}),
    ("iterator before a split", "GetShardIterator", {"StreamName": "b", "ShardId": IDS[0], "ShardIteratorType": "TRIM_HORIZON"}),
    ("split", "SplitShard", {"StreamName": "b", "ShardToSplit": IDS[0], "NewStartingHashKey": HALF}),
    ("split again", "SplitShard", {"StreamName": "b", "ShardToSplit": IDS[0], "NewStartingHashKey": HALF}),
    ("shards after a split", "ListShards", {"StreamName": "b"}),
    ("describe after a split", "DescribeStream", {"StreamName": "b"}),
    ("the latest after a split", "ListShards", {"StreamName": "b", "ShardFilter": {"Type": "AT_LATEST"}}),
    ("read to the end", "GetRecords", {"ShardIterator": "$iterator"}),
    ("merge with itself", "MergeShards", {"StreamName": "b", "ShardToMerge": IDS[1], "AdjacentShardToMerge": IDS[1]}),
    ("merge a closed one", "MergeShards", {"StreamName": "b", "ShardToMerge": IDS[0], "AdjacentShardToMerge": IDS[1]}),
    ("merge one that is not there", "MergeShards", {"StreamName": "b", "ShardToMerge": IDS[1], "AdjacentShardToMerge": IDS[9]}),
    ("merge what is apart", "MergeShards", {"StreamName": "a", "ShardToMerge": IDS[0], "AdjacentShardToMerge": IDS[2]}),
    ("merge", "MergeShards", {"StreamName": "b", "ShardToMerge": IDS[1], "AdjacentShardToMerge": IDS[2]}),
    ("shards after a merge", "ListShards", {"StreamName": "b"}),
    ("more shards", "UpdateShardCount", {"StreamName": "b", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}),
    ("too many more", "UpdateShardCount", {"StreamName": "b", "TargetShardCount": 9, "ScalingType": "UNIFORM_SCALING"}),
    # Tags
    ("tag", "AddTagsToStream", {"StreamName": "a", "Tags": {"x": "1", "y": "2"}}),
    ("tag badly", "AddTagsToStream", {"StreamName": "a", "Tags": {"x;": "1"}}),
    ("tag with nothing", "AddTagsToStream", {"StreamName": "a", "Tags": {}}),
    ("tag none", "AddTagsToStream", {"StreamName": "none", "Tags": {"x": "1"}}),
    ("tag too often", "AddTagsToStream", {"StreamName": "a", "Tags": {f"t{n}": "" for n in range(10)}}),
    ("tags", "ListTagsForStream", {"StreamName": "a"}),
    ("a page of tags", "ListTagsForStream", {"StreamName": "a", "Limit": 1, "ExclusiveStartTagKey": "t9"}),
    ("untag", "RemoveTagsFromStream", {"StreamName": "a", "TagKeys": [f"t{n}" for n in range(10)]}),
    ("tags again", "ListTagsForStream", {"StreamName": "a"}),
    # Retention
    ("keep shorter than may be", "DecreaseStreamRetentionPeriod", {"StreamName": "a", "RetentionPeriodHours": 23}),
    ("keep longer than may be", "IncreaseStreamRetentionPeriod", {"StreamName": "a", "RetentionPeriodHours": 8761}),
    ("keep longer", "IncreaseStreamRetentionPeriod", {"StreamName": "a", "RetentionPeriodHours": 48}),
    ("increase to less", "IncreaseStreamRetentionPeriod", {"StreamName": "a", "RetentionPeriodHours": 25}),
    ("decrease to more", "DecreaseStreamRetentionPeriod", {"StreamName": "a", "RetentionPeriodHours": 49}),
    ("keep shorter", "DecreaseStreamRetentionPeriod", {"StreamName": "a", "RetentionPeriodHours": 24}),
    # The end
    ("delete none", "DeleteStream", {"StreamName": "none"}),
    ("delete", "DeleteStream", {"StreamName": "b"}),
    ("list what is left", "ListStreams", {}),
]

# Steps that a service is not asked: at these kinesalite ends with an exception, and moto makes streams of such names.
NOT_ASKED = {"kinesalite": {"the next page", "a token and a name", "a bad token"},
             "moto": {"nothing", "a number for a name", "a list for a name", "a text for a count", "a bad name and no shards",
                      "a long name", "too many shards"}}

# What later steps take of an answer.
KEEP = {"token": lambda body: body.get("NextToken"), "iterator": lambda body: body.get("ShardIterator")}
OWN = {"NextToken", "ShardIterator", "NextShardIterator", "StreamCreationTimestamp", "ApproximateArrivalTimestamp",
       "MillisBehindLatest"}
CHANGES = {"CreateStream", "DeleteStream", "SplitShard", "MergeShards", "UpdateShardCount", "IncreaseStreamRetentionPeriod",
           "DecreaseStreamRetentionPeriod"}


def ask(url, operation, request, headers=None, raw=None):
    """(status, the body as JSON or None)."""
    body = raw if raw is not None else json.dumps(request).encode()
    asked = urllib.request.Request(url + "/", body, {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}" if operation else "",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        "Authorization": "AWS4-HMAC-SHA256 Credential=k/20261121/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0",
        **(headers or {})})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            text, status = answer.read(), answer.status
    except urllib.error.HTTPError as error:
        text, status = error.read(), error.code
    try:
        return status, json.loads(text) if text else None
    except ValueError:
        return status, {"not JSON": text.decode(errors="replace")[:200]}


def own(value, key=""):
    """Without what is each service's own."""
    if isinstance(value, dict):
        return {name: own(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [own(item, key) for item in value]
    if key in OWN and value is not None:
        return f"<{key}>"
    if key.endswith("SequenceNumber"):
        return "<number>"
    if isinstance(value, str):
        value = re.sub(r"\b\d{45,}\b", lambda found: found[0] if found[0] in (LAST, HALF) else "<number>", value)
        value = re.sub(r"\b\d{12}\b(?=:stream|[ .,]|$)", "<account>", value)
    return value


def settled(url, name):
    """Waits until the stream is active, or gone."""
    for _ in range(200):
        status, body = ask(url, "DescribeStreamSummary", {"StreamName": name})
        if status != 200 or body["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE":
            return
        time.sleep(0.02)
    raise AssertionError(f"the stream {name} is not active")


def converse(url, steps=STEPS, without=()):
    """name -> (status, the answer, without what is the service's own), but for some steps."""
    kept, answers = {}, {}
    for name, operation, request in steps:
        if name in without:
            continue
        filled = {key: kept.get(value[1:], value) if isinstance(value, str) and value.startswith("$") else value
                  for key, value in request.items()}
        status, body = ask(url, operation, filled)
        for key, of in KEEP.items():
            if status == 200 and body and of(body):
                kept[key] = of(body)
        if status == 200 and name == "put":
            kept["sequence"], kept["shard"] = body["SequenceNumber"], body["ShardId"]
        if status == 200 and name == "put by hash":
            kept["last sequence"] = body["SequenceNumber"]
        if status == 200 and operation in CHANGES:
            settled(url, request["StreamName"])
        answers[name] = (status, own(body))
    return answers


def differs(ours, theirs):
    """How, in words; nothing where it does not. Messages are not compared where both are errors of one type."""
    if ours[0] != theirs[0]:
        return f"status {ours[0]} and {theirs[0]}"
    if ours[0] != 200:
        types = [str((body or {}).get("__type", body)).rsplit("#")[-1] for _, body in (ours, theirs)]
        return f"{types[0]} and {types[1]}" if types[0] != types[1] else None
    return paths(ours[1] or {}, theirs[1] or {}, "")  # (AWS sends no body where an operation gives nothing)


def paths(ours, theirs, at):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in theirs:
                return f"{at}/{key} only ours"
            if key not in ours:
                return f"{at}/{key} only theirs"
            if found := paths(ours[key], theirs[key], f"{at}/{key}"):
                return found
        return None
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return next((found for n, pair in enumerate(zip(ours, theirs)) if (found := paths(*pair, f"{at}/{n}"))), None)
    return None if ours == theirs else f"{at}: {json.dumps(ours)[:80]} and {json.dumps(theirs)[:80]}"
