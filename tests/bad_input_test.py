"""Each bad input has a clear answer; the good records are kept, and the bad ones lie in the dead letters with their reason."""
import base64
import json

import pytest

import pinflow as pf

GOOD = {"ind": 1, "timestamp": "2020-08-28 03:52:47", "latitude": 1.5, "longitude": 2.5, "country": "Albania"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with pf.up(tmp_path_factory.mktemp("bad") / "data") as process:
        yield process.address("gateway")


def error_of(answer):
    status, _, body = answer
    error = json.loads(body)
    assert error["message"], "an error without a message"
    return status, error["error_code"]


def send(server, body, content_type=pf.JSON_V2, path="/prod/topics/local.geo", method="POST"):
    return pf.request(server, method, path, body, {"Content-Type": content_type})


def test_broken_json(server):
    assert error_of(send(server, '{"records":[{"value":{"a":1}')) [0] == 400
    assert error_of(send(server, "")) [0] in (400, 422)


def test_wrong_content_type(server):
    assert error_of(send(server, "a=1", "text/plain")) == (415, 415)


def test_request_over_16_mib(server):
    assert error_of(send(server, b"x" * ((16 << 20) + 1))) == (413, 413)


def test_missing_records(server):
    for body in ("{}", '{"records":null}', '{"records":[]}'):
        assert error_of(send(server, body))[0] == 422, body


def test_unknown_paths(server):
    for path in ("/", "/prod/nothing", "/prod/topics/a/b/c", "/prod/streams/x/recrd", "/prod/streams/x/record/1",
                 "/prod/consumers/students"):
        status, _, body = pf.request(server, "POST", path, "{}", {"Content-Type": pf.JSON_V2})
        assert status in (404, 405) or path == "/", path
        assert json.loads(body) is not None


def test_bad_requests_to_streams(server):
    for method, path, body, status in (
        ("PUT", "/prod/streams/streaming-local-geo/record", "{}", 400),           # neither Data nor PartitionKey
        ("PUT", "/prod/streams/streaming-local-geo/record", '{"Data":{}}', 400),
        ("PUT", "/prod/streams/streaming-local-geo/record", '{"Data":', 400),
        ("PUT", "/prod/streams/streaming-local-geo/record", "[]", 400),
        ("PUT", "/prod/streams/streaming-local-geo/records", '{"records":[]}', 400),
        ("PUT", "/prod/streams/streaming-local-geo/records", '{"records":{}}', 400),
        ("PUT", "/prod/streams/nobody-made-this/record", '{"Data":{},"PartitionKey":"k"}', 400),
        ("DELETE", "/prod/streams/streaming-local-geo/record", "", 405),
    ):
        answered, _, answer = pf.request(server, method, path, body, {"Content-Type": "application/json"})
        assert answered == status, (path, body, answered, answer)
        assert json.loads(answer)["message"], (path, body, answer)


def test_a_record_over_1_mib_fails_in_its_own_slot(server):
    status, answer = pf.post(server, "bad.large", GOOD, {"title": "x" * (1 << 20)}, GOOD)
    assert status == 200
    errors = [slot["error_code"] for slot in answer["offsets"]]
    assert errors[0] is None and errors[2] is None and errors[1] is not None
    assert answer["offsets"][1]["error"]


def test_topic_that_does_not_exist_without_auto_creation(tmp_path):
    with pf.up(tmp_path / "data", "--no-auto-create") as process:
        status, answer = pf.post(process.address("gateway"), "nobody.made.this", GOOD)
        assert (status, answer["error_code"]) == (404, 40401)
        assert pf.post(process.address("gateway"), "local.geo", GOOD)[0] == 200, "the pipeline's topics are made by up"


# Raw JSON of a value, and what becomes of it: None (kept), or a word of the reason, and where it ends up.
NASTY = [
    ('{"ind":100,"timestamp":"2020-08-28 03:52:47","latitude":1,"longitude":2,"country":"a\\u0000b"}', None, "kept"),
    ('[{"ind":101,"timestamp":"2020-08-28T03:52:47","latitude":1,"longitude":2,"country":"A"}]', None, "kept"),
    ('{"ind":102,"timestamp":"2020:08:28 03:52:47","latitude":1,"longitude":2,"country":"A"}', None, "kept"),
    ('{"ind":"103","timestamp":"2020-08-28 03:52:47","latitude":"1.25","longitude":2e0,"country":"A","new":[1,{"x":2}]}', None, "kept"),
    ('{"ind":104}', "none of", "batch"),
    ('[{"ind":105},{"ind":106}]', "object", "batch"),
    ('{"ind":107,"timestamp":"28.08.2020","country":"A"}', "timestamp", "batch"),
    ('{"index":108,"title":"in the wrong topic"}', "ind", "batch"),
    ('"text"', "object", "batch"),
    ("null", "", "any"),
    ('{"ind":109,"country":"\\ud800"}', "surrogate", "sink"),
    ('{"ind":110,"ind":111,"country":"A"}', "duplicate", "sink"),
    ("[" * 10_000 + "]" * 10_000, "deep", "sink"),
    ('{"ind":112,"timestamp":"2020-08-28 03:52:47","latitude":1,"longitude":2,"country":"' + "x" * 1_000_000 + '"}', None, "kept"),
]


def test_bad_records_among_good_ones(tmp_path):
    data = tmp_path / "data"
    with pf.up(data) as process:
        gateway = process.address("gateway")
        for n, (raw, _, _) in enumerate(NASTY):
            good = [json.dumps({"value": {**GOOD, "ind": 1000 + n * 10 + i}}) for i in range(2)]
            records = f'[{good[0]},{{"value":{raw}}},{good[1]}]'
            status, answer = pf.post(gateway, "local.geo", raw=records)
            assert status == 200 and all(s["error_code"] is None for s in answer["offsets"]), (raw[:80], status, str(answer)[:300])
        # Bytes that are no UTF-8, as a Kafka client may send them.
        body = json.dumps({"records": [{"value": base64.b64encode(b'{"ind":120,"country":"\xff"}').decode()}]})
        status, _, answer = send(gateway, body, "application/vnd.kafka.binary.v2+json")
        assert status == 200, answer
        assert process.stop() == 0
    pf.pinflow("batch", "--data", data)
    lake = data / "lake"
    kept = {row[0] for row in pf.rows(lake, "geo")}
    assert {1000 + n * 10 + i for n in range(len(NASTY)) for i in range(2)} <= kept, "good records were lost"
    in_sink = pf.dead_in_sink(lake, "local.geo")
    names = pf.column_names(lake, "dead")
    in_batch = [dict(zip(names, row)) for row in pf.rows(lake, "dead")]
    for dead in in_sink:
        assert dead["topic"] == "local.geo" and dead["partition"] == 0 and dead["offset"] >= 0 and dead["reason"]
    sink_texts = {base64.b64decode(dead["value_base64"]): dead["reason"] for dead in in_sink if dead.get("value_base64")}
    batch_texts = {dead["record"]: dead["reason"] for dead in in_batch}
    assert b'{"ind":120,"country":"\xff"}' in sink_texts
    for raw, word, where in NASTY:
        if where == "sink":
            assert word in sink_texts[raw.encode()].lower(), raw[:60]
        elif where == "batch":
            assert word in batch_texts[raw].lower(), raw[:60]
    assert {100, 101, 102, 103, 112} <= kept
    assert kept.isdisjoint({104, 105, 106, 107, 108, 109, 110, 111, 120})
    assert len(in_sink) + len(in_batch) == sum(1 for _, _, where in NASTY if where != "kept") + 1


def test_one_bad_record_among_100_good_ones(tmp_path):
    data = tmp_path / "data"
    values = [{**GOOD, "ind": i} for i in range(100)]
    values.insert(50, ["bad"])
    with pf.up(data) as process:
        assert pf.post(process.address("gateway"), "local.geo", *values)[0] == 200
        assert process.stop() == 0
    pf.pinflow("batch", "--data", data)
    assert [row[0] for row in pf.rows(data / "lake", "geo")] == list(range(100))
    assert len(pf.rows(data / "lake", "dead")) == 1
