"""The streams' service as the tests start it, and a plain client of it."""
import base64
import http.client
import json

import pinflow as pf


class Kinesis:
    """A plain client of one address, on one connection. Any answer but 200 is an Exception."""

    class Refused(Exception):
        pass

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(*address, timeout=30)

    def __call__(self, operation, **request):
        self.connection.request("POST", "/", json.dumps(request), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}"})
        answer = self.connection.getresponse()
        text = answer.read()
        body = json.loads(text) if text else {}
        if answer.status != 200:
            raise self.Refused(f"{operation}: {body}")
        return body

    def shards(self, stream, **more):
        return self("ListShards", StreamName=stream, **more)["Shards"]

    def names(self):
        """Every stream's name, page by page."""
        names, last = [], {}
        while True:
            page = self("ListStreams", **last)
            names += page["StreamNames"]
            if not page["HasMoreStreams"]:
                return names
            last = {"ExclusiveStartStreamName": names[-1]}

    def read(self, stream, shard, after=None):
        """Every record of the shard, or those after a number; and whether it has ended."""
        start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after} if after else \
            {"ShardIteratorType": "TRIM_HORIZON"}
        iterator = self("GetShardIterator", StreamName=stream, ShardId=shard, **start)["ShardIterator"]
        records = []
        while iterator:
            answer = self("GetRecords", ShardIterator=iterator)
            records += answer["Records"]
            iterator = answer["NextShardIterator"]
            if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                break
        return records, iterator is None

    def records(self, stream):
        """Every record of the stream: [(shard, sequence number, partition key, data)]."""
        return [(shard["ShardId"], record["SequenceNumber"], record["PartitionKey"], base64.b64decode(record["Data"]))
                for shard in self.shards(stream) for record in self.read(stream, shard["ShardId"])[0]]


def streams(data, *args, listen="127.0.0.1:0", **more):
    return pf.running("streams", "--data", data, "--listen", listen, *args, **more)
