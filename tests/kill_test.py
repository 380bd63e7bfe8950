"""kill -9 at random moments, then start again: every acknowledged record is once in the lake and once in its table.

Each loop kills PINFLOW_KILLS times (50; by hand 1000) and prints its seed; PINFLOW_SEED gives it again.
"""
import collections
import http.client
import json
import threading
import time

import pytest

import pinflow as pf



class Poster(threading.Thread):
    """Posts records with numbers of its own until the connection breaks; remembers which were acknowledged."""

    def __init__(self, address, topic, numbers):
        super().__init__(daemon=True)
        self.address, self.topic, self.numbers = address, topic, numbers
        self.acknowledged, self.unanswered = [], []

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        try:
            for ind in self.numbers:
                body = json.dumps({"records": [{"value": pf.geo(ind)}]})
                self.unanswered.append(ind)
                connection.request("POST", f"/prod/topics/{self.topic}", body, {"Content-Type": pf.JSON_V2})
                answer = connection.getresponse()
                slot = json.loads(answer.read())["offsets"][0]
                if answer.status == 200 and slot["error_code"] is None:
                    self.acknowledged.append(ind)
                self.unanswered.pop()
        except (OSError, http.client.HTTPException, ValueError):
            pass  # the server was killed


def lake_inds(lake, topic):
    """How often each ind stands in the objects; offsets must be dense and never twice."""
    counts = collections.Counter()
    for partition, found in pf.objects(lake, topic).items():
        offset = 0
        for first, lines in found:
            assert first == offset, f"partition {partition}: an object begins at {first}, the one before ends at {offset}"
            offset += len(lines)
            counts.update(json.loads(line)["ind"] for line in lines)
    return counts


def check(acknowledged, unanswered, counts, where):
    lost = [ind for ind in acknowledged if counts[ind] == 0]
    twice = [ind for ind, n in counts.items() if n > 1]
    strangers = [ind for ind in counts if ind not in acknowledged and ind not in unanswered]
    assert (lost, twice, strangers) == ([], [], []), f"{where} (seed {pf.SEED})"


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
def test_posting(tmp_path, dice, repeats):
    """The process that holds gateway, log, broker and sink is killed while three threads post."""
    data, topic = tmp_path / "data", "local.geo"
    acknowledged, unanswered, next_ind = set(), set(), 0
    for _ in range(pf.KILLS):
        with pf.up(data, "--flush-size", 50) as process:
            posters = []
            for _ in range(3):
                posters.append(Poster(process.address("gateway"), topic, range(next_ind, next_ind + 100_000)))
                next_ind += 100_000
            for poster in posters:
                poster.start()
            time.sleep(dice.uniform(0, 0.15))
            process.kill()
            for poster in posters:
                poster.join()
                acknowledged.update(poster.acknowledged)
                unanswered.update(poster.unanswered)
    with pf.up(data) as process:
        assert process.stop() == 0
    assert len(acknowledged) > pf.KILLS, "hardly anything was posted: the loop shows nothing"
    check(acknowledged, unanswered, lake_inds(data / "lake", topic), "objects")
    pf.pinflow("batch", "--data", data, *(["--keep-repeats"] if repeats == "kept" else []))
    check(acknowledged, unanswered, collections.Counter(row[0] for row in pf.rows(data / "lake", "geo")), "table")


def test_sink(tmp_path, dice):
    """The sink, a process of its own, is killed again and again over a living broker."""
    data, lake, topic = tmp_path / "data", tmp_path / "lake", "local.geo"
    with pf.running("broker", "--data", data, "--listen", "127.0.0.1:0") as broker:
        server = broker.addresses["broker"]
        sent = 0

        def produce(count):
            nonlocal sent
            lines = "".join(json.dumps(pf.geo(ind)) + "\n" for ind in range(sent, sent + count))
            pf.pinflow("produce", "--topic", topic, "--bootstrap-server", server, input=lines)
            sent += count

        produce(2000)
        arguments = ["sink", "--lake", lake, "--bootstrap-server", server, "--until-caught-up", "--flush-size"]
        for _ in range(pf.KILLS):
            sink = pf.Process(*arguments, dice.choice([7, 100, 5000]))
            time.sleep(dice.uniform(0, 0.4))
            sink.kill()
            if dice.random() < 0.2:
                produce(dice.randrange(1, 200))
        pf.pinflow(*arguments, 1000)
    counts = lake_inds(lake, topic)
    check(set(range(sent)), set(), counts, "objects")
    assert sum(counts.values()) == sent


def write_object(lake, topic, first, lines):
    folder = lake / "topics" / topic / "partition=0"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".new"
    temporary.write_text("".join(line + "\n" for line in lines))
    temporary.rename(folder / f"{topic}+0+{first:010}.json")


@pytest.mark.parametrize("repeats", ["dropped", "kept"])
def test_batch(tmp_path, dice, repeats):
    """The batch is killed again and again, with new objects between the runs: each record once in its table."""
    lake, offset, next_ind, bad = tmp_path / "lake", 0, 0, 0
    arguments = ["batch", "--lake", lake, "--data", tmp_path / "data"] + (["--keep-repeats"] if repeats == "kept" else [])
    for _ in range(pf.KILLS):
        count = dice.randrange(1, 300)
        lines = [json.dumps(pf.geo(ind)) for ind in range(next_ind, next_ind + count)]
        if dice.random() < 0.5:
            lines.append('["no","object"]')
            bad += 1
        write_object(lake, "local.geo", offset, lines)
        offset += len(lines)
        next_ind += count
        batch = pf.Process(*arguments)
        time.sleep(dice.uniform(0, 0.6))
        batch.kill()
    pf.pinflow(*arguments)
    counts = collections.Counter(row[0] for row in pf.rows(lake, "geo"))
    check(set(range(next_ind)), set(), counts, "table")
    assert len(pf.rows(lake, "dead")) == bad
