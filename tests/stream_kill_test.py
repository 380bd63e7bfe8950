"""kill -9 of the streams' service, the gateway and the stream worker at random moments, during puts and reshards: every
acknowledged record is once in its table.

Each loop kills PINFLOW_KILLS times (a few; by hand 1000) and prints its seed; PINFLOW_SEED gives it again.
"""
import collections
import http.client
import json
import os
import threading
import time

import pytest

import pinflow as pf
from kinesis_calls import Kinesis

ROUNDS = int(os.environ.get("PINFLOW_KILLS", "4"))
STREAM = "streaming-local-geo"


class Putter(threading.Thread):
    """Puts records with numbers of its own through the gateway, one at a time or 20 at once, until told to stop;
    remembers which were acknowledged. A request without an answer is not tried again: it may have been stored or not."""

    def __init__(self, address, first, many):
        super().__init__(daemon=True)
        self.address, self.next, self.many = address, first, many
        self.acknowledged, self.unanswered, self.bad = set(), set(), 0
        self.stopping = False

    def body(self, inds):
        if len(inds) == 1:
            return "record", {"StreamName": STREAM, "Data": pf.geo(inds[0]), "PartitionKey": str(inds[0])}
        return "records", {"records": [{"data": pf.geo(ind), "partition-key": str(ind)} for ind in inds]}

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        while not self.stopping:
            inds = list(range(self.next, self.next + self.many))
            self.next += self.many
            kind, body = self.body(inds)
            try:
                connection.request("PUT", f"/prod/streams/{STREAM}/{kind}", json.dumps(body), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                self.unanswered.update(inds)
                connection.close()
                time.sleep(0.01)
                continue
            if answer.status != 200:
                self.unanswered.update(inds)  # a gateway without its service: the last try may have been stored
                time.sleep(0.01)
                continue
            slots = json.loads(text).get("Records", [{}])
            for ind, slot in zip(inds, slots):
                (self.unanswered if slot.get("ErrorCode") else self.acknowledged).add(ind)


class Place:
    """The service, a gateway and a worker, each a process of its own on a port that stays."""

    def __init__(self, folder, *worker):
        self.data = folder
        self.ports = {part: pf.free_port() for part in ("streams", "broker", "gateway")}
        endpoint = ["--kinesis-endpoint", f"http://127.0.0.1:{self.ports['streams']}"]
        self.arguments = {
            "streams": ["streams", "--make-streams", "--data", folder, "--listen", f"127.0.0.1:{self.ports['streams']}"],
            "broker": ["broker", "--data", folder / "kafka", "--listen", f"127.0.0.1:{self.ports['broker']}"],
            "gateway": ["gateway", "--bootstrap-server", f"127.0.0.1:{self.ports['broker']}", *endpoint, "--listen",
                        f"127.0.0.1:{self.ports['gateway']}"],
            "worker": ["stream", "--data", folder, *endpoint, *worker],
        }
        self.running = {}
        for part in self.arguments:
            self.start(part)

    def start(self, part):
        self.running[part] = pf.Process(*self.arguments[part]).ready()

    def kill(self, part):
        self.running.pop(part).kill()

    def end(self):
        for process in self.running.values():
            if process.process.poll() is None:
                process.kill()

    def kinesis(self):
        return Kinesis(("127.0.0.1", self.ports["streams"]))

    def reshard(self, dice):
        """Splits the widest open shard, or merges two neighbours where there are many."""
        try:
            kinesis = self.kinesis()
            shards = [s for s in kinesis.shards(STREAM) if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
            span = {s["ShardId"]: (int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"])) for s in shards}
            in_order = sorted(span, key=lambda shard: span[shard])
            if len(shards) >= 4:
                at = dice.randrange(len(shards) - 1)
                kinesis("MergeShards", StreamName=STREAM, ShardToMerge=in_order[at], AdjacentShardToMerge=in_order[at + 1])
            else:
                widest = max(span, key=lambda shard: span[shard][1] - span[shard][0])
                low, high = span[widest]
                kinesis("SplitShard", StreamName=STREAM, ShardToSplit=widest, NewStartingHashKey=str((low + high) // 2))
        except (OSError, http.client.HTTPException, Kinesis.Refused, ValueError):
            pass  # the service was killed, or is still at the last one


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
@pytest.mark.parametrize("victims", ["worker", "service", "gateway", "all"])
def test_kills(tmp_path, dice, victims, repeats):
    place = Place(tmp_path, "--trigger", dice.choice(["10ms", "50ms", "200ms"]), *(["--keep-repeats"] if repeats == "kept" else []))
    parts = {"worker": ["worker"], "service": ["streams"], "gateway": ["gateway"], "all": ["worker", "streams", "gateway"]}[victims]
    putters = [Putter(("127.0.0.1", place.ports["gateway"]), first * 10**8, many) for first, many in ((1, 1), (2, 1), (3, 20))]
    try:
        for putter in putters:
            putter.start()
        for _ in range(ROUNDS):
            time.sleep(dice.uniform(0.05, 0.6))
            if dice.random() < 0.5:
                place.reshard(dice)
            for part in dice.sample(parts, dice.randint(1, len(parts))):
                place.kill(part)
            for part in parts:
                if part not in place.running:
                    place.start(part)
        time.sleep(0.3)
        for putter in putters:
            putter.stopping = True
        for putter in putters:
            putter.join()
        assert place.running["worker"].stop() == 0
        pf.pinflow(*place.arguments["worker"], "--until-caught-up")
    finally:
        place.end()
    acknowledged = set().union(*(putter.acknowledged for putter in putters))
    unanswered = set().union(*(putter.unanswered for putter in putters))
    found = collections.Counter(row[0] for row in pf.rows(tmp_path / "lake", "geo_stream"))
    lost = [ind for ind in acknowledged if found[ind] == 0]
    twice = [ind for ind, n in found.items() if n > 1 and (repeats == "dropped" or ind in acknowledged)]
    strangers = [ind for ind in found if ind not in acknowledged and ind not in unanswered]
    assert len(acknowledged) > 10 * ROUNDS, "hardly anything was put: the loop shows nothing"
    assert (lost[:5], twice[:5], strangers[:5]) == ([], [], []), f"{len(lost)} lost, {len(twice)} twice (seed {pf.SEED})"
    assert pf.rows(tmp_path / "lake", "dead_stream") == []


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
def test_everything_in_one_process(tmp_path, dice, repeats):
    """`pinflow up` with both legs, killed again and again while records are put."""
    first, acknowledged, unanswered = 0, set(), set()
    keep = ["--keep-repeats"] if repeats == "kept" else []
    for _ in range(ROUNDS):
        with pf.up(tmp_path, "--trigger", "20ms", *keep) as process:
            putters = [Putter(process.address("gateway"), first + i * 10**6, many) for i, many in enumerate((1, 20))]
            first += 2 * 10**6
            for putter in putters:
                putter.start()
            time.sleep(dice.uniform(0.1, 0.5))
            process.kill()
            for putter in putters:
                putter.stopping = True
                putter.join()
                acknowledged |= putter.acknowledged
                unanswered |= putter.unanswered
    with pf.up(tmp_path, *keep) as process:
        assert process.stop() == 0, "".join(f"{line}\n" for line in process.lines)
    found = collections.Counter(row[0] for row in pf.rows(tmp_path / "lake", "geo_stream"))
    assert [ind for ind in acknowledged if found[ind] != 1] == [], f"seed {pf.SEED}"
    assert [ind for ind in found if ind not in acknowledged and ind not in unanswered] == []
    assert len(acknowledged) > 2 * ROUNDS
