"""The source in a MariaDB server: tables that `pinflow source` fills, and tables that others made."""
import collections
import http.server
import json
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from pinflow import Process, pinflow, pinflow_json, real_posts

HERE = pathlib.Path(__file__).parent
TABLES = {"pin": "pinterest_data", "geo": "geolocation_data", "user": "user_data"}
PASSWORD = "s3cret/w@rd"
ENCODED = "s3cret%2Fw%40rd"


class Server:
    def __init__(self, folder):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen([HERE / "server.sh", str(folder), str(self.port)])
        end = time.monotonic() + 120
        while not (folder / "s").exists():
            assert self.process.poll() is None and time.monotonic() < end, "no server: see " + str(folder)
            time.sleep(0.1)
        self.sql(f"CREATE USER ann@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON `posts%`.* TO ann@'127.0.0.1'")

    def sql(self, text, database=""):
        done = subprocess.run(["mariadb", "--no-defaults", "--socket", self.folder / "s", "--user", "root", "--batch", "--skip-column-names",
                               "--default-character-set=utf8mb4", database], input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def database(self, name, options=""):
        """A new, empty database, as the URL of a source."""
        self.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} {options}")
        return f"mysql://ann:{ENCODED}@127.0.0.1:{self.port}/{name}"


@pytest.fixture(scope="session")
def server():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pf-mysql-"))  # short: a socket's path has 107 bytes
    folder.chmod(0o755)
    made = Server(folder)
    yield made
    made.process.terminate()
    made.process.wait(60)
    shutil.rmtree(folder)


class Gateway:
    """Takes what the emulator posts, and keeps it."""

    def __init__(self):
        self.records = collections.defaultdict(dict)  # by topic and key: the record's JSON text as sent
        self.got = threading.Event()
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                topic = self.path.rsplit("/", 1)[1].rsplit(".", 1)[1]
                records = json.loads(body)["records"]
                for record in records:
                    value = record["value"]
                    gateway.records[topic][next(iter(value.values()))] = (value, body)
                gateway.got.set()
                answer = json.dumps({"offsets": [{"partition": 0, "offset": 0, "error_code": None, "error": None}] * len(records),
                                     "key_schema_id": None, "value_schema_id": None}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/vnd.kafka.v2+json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/prod"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def values(self, topic):
        return {key: value for key, (value, _) in self.records[topic].items()}


@pytest.fixture
def gateway():
    made = Gateway()
    yield made
    made.server.shutdown()
    made.server.server_close()


def emulate_all(source, gateway):
    pinflow("emulate", "--all", "--source", source, "--url", gateway.url, "--connections", "4")


def write_posts(folder, pins=(), geos=(), users=()):
    for table, rows in zip(TABLES.values(), (pins, geos, users)):
        (folder / f"{table}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return folder


def geo(ind, **columns):
    return {"ind": ind, "timestamp": "2020-08-28 03:52:47", "latitude": -89.9787, "longitude": -173.293, "country": "Albania", **columns}


def test_posts_read_back_equal(server, gateway, tmp_path):
    source = server.database("posts_equal")
    folder = real_posts()
    if folder is None:
        made = f"sqlite:///{tmp_path}/made.db"
        pinflow("source", "generate", "--posts", 500, "--source", made)
        from_sqlite = Gateway()
        emulate_all(made, from_sqlite)
        folder = write_posts(tmp_path, *(from_sqlite.values(record).values() for record in TABLES))
    expected = {record: [json.loads(line) for line in open(folder / f"{table}.jsonl", encoding="utf-8")]
                for record, table in TABLES.items()}
    pinflow("source", "load", folder, "--source", source)
    counts = {table: len(expected[record]) for record, table in TABLES.items()}
    assert pinflow_json("source", "count", "--source", source) == counts
    again = pinflow("source", "load", folder, "--source", source).stdout
    assert f"0 rows added, {counts['pinterest_data']:,} replaced".replace(",", "") in again.replace(",", "")
    assert pinflow_json("source", "count", "--source", source) == counts
    emulate_all(source, gateway)
    for record, rows in expected.items():
        assert list(gateway.values(record).values()) and gateway.values(record) == {next(iter(row.values())): row for row in rows}
        first = rows[0]
        assert list(gateway.values(record)[next(iter(first.values()))]) == list(first)  # the columns' order


def test_generated_posts_are_those_of_sqlite(server, gateway, tmp_path):
    source = server.database("posts_generated")
    pinflow("source", "generate", "--posts", 300, "--seed", 7, "--source", source)
    refused = pinflow("source", "generate", "--posts", 300, "--source", source, check=False)
    assert refused.returncode != 0 and "--replace" in refused.stderr and PASSWORD not in refused.stderr
    pinflow("source", "generate", "--posts", 200, "--seed", 7, "--replace", "--source", source)
    pinflow("source", "generate", "--posts", 200, "--seed", 7, "--source", f"sqlite:///{tmp_path}/same.db")
    other = Gateway()
    emulate_all(source, gateway)
    emulate_all(f"sqlite:///{tmp_path}/same.db", other)
    assert len(gateway.records["geo"]) == 200
    assert gateway.records == other.records  # the bytes, too


def test_a_float_keeps_its_bits_and_is_shortest(server, gateway):
    source = server.database("posts_floats")
    pinflow("source", "generate", "--posts", 1, "--source", source)
    draw = random.Random(5)
    bits = [draw.getrandbits(32) for _ in range(500)] + [0x3DCCCCCD, 0x4B7FFFFF, 0x4B800000, 0x00000001, 0x7F7FFFFF]
    floats = [struct.unpack("<f", struct.pack("<I", pattern))[0] for pattern in bits if pattern >> 23 & 0xFF != 0xFF]
    server.sql("DELETE FROM geolocation_data; INSERT INTO geolocation_data (ind, latitude) VALUES " +
               ",".join(f"({i}, {value!r})" for i, value in enumerate(floats)), "posts_floats")
    emulate_all(source, gateway)
    for i, value in enumerate(floats):
        record, body = gateway.records["geo"][i]
        assert struct.pack("<f", record["latitude"]) == struct.pack("<f", value)
        shown = body.split('"latitude":')[1].split(",")[0]
        assert len(shown.lstrip("-").split("e")[0].replace(".", "").strip("0")) <= 9, shown
    assert '"latitude":0.1,' in gateway.records["geo"][floats.index(struct.unpack("<f", b"\xcd\xcc\xcc\x3d")[0])][1]


def test_texts_survive(server, gateway, tmp_path):
    source = server.database("posts_texts", "CHARACTER SET latin1")
    titles = ["", "a\0b", "👩‍🎨 𝔫𝔬𝔱𝔢 花", "it's \"quoted\" \\ back\\slash\\", "line\nbreak\r\n\t\x1a\x7f", "x" * 1_000_000, "trailing  "]
    pins = [{"index": i, "title": title} for i, title in enumerate(titles)] + [{"index": 99, "title": None}]
    pinflow("source", "load", write_posts(tmp_path, pins), "--source", source)
    emulate_all(source, gateway)
    assert {key: value["title"] for key, value in gateway.values("pin").items()} == {pin["index"]: pin["title"] for pin in pins}


def test_a_value_that_does_not_fit_is_named_and_nothing_is_loaded(server, tmp_path):
    source = server.database("posts_narrow")
    server.sql("CREATE TABLE geolocation_data (ind INT PRIMARY KEY, timestamp DATETIME, latitude FLOAT, longitude FLOAT, country VARCHAR(8))",
               "posts_narrow")
    rows = [geo(i) for i in range(50)] + [geo(50, country="Azerbaijan")] + [geo(i) for i in range(51, 60)]
    failed = pinflow("source", "load", write_posts(tmp_path, geos=rows), "--source", source, check=False)
    assert failed.returncode != 0
    assert "the row with the key 50" in failed.stderr and "'country'" in failed.stderr, failed.stderr
    assert pinflow_json("source", "count", "--source", source)["geolocation_data"] == 0
    failed = pinflow("source", "load", write_posts(tmp_path, geos=[geo(0), geo(2**31)]), "--source", source, check=False)
    assert "geolocation_data.jsonl:2: the column 'ind': 2147483648 does not fit in 32 bits" in failed.stderr


def test_tables_that_others_made_are_read_as_they_are(server, gateway, tmp_path):
    """Another order, more columns, other types, another character set, no key, gaps."""
    source = server.database("posts_foreign", "CHARACTER SET latin1")
    server.sql("""
        CREATE TABLE pinterest_data (`index` BIGINT, title VARCHAR(50), price DECIMAL(10,2), made DATE, small TINYINT UNSIGNED);
        INSERT INTO pinterest_data VALUES (7, 'Café', 1.50, '2020-02-29', 255), (3, NULL, NULL, NULL, NULL), (7, 'second', 2, NULL, 0);
        CREATE TABLE geolocation_data (country TEXT, ind INT, timestamp DATETIME(3), latitude DOUBLE);
        INSERT INTO geolocation_data VALUES ('Cote d''Ivoire', 3, '2020-08-28 03:52:47.250', 0.1), ('Albania', 5, '2020-08-28 03:52:47', 20);
        CREATE TABLE user_data (ind INT, date_joined TIMESTAMP NULL);
        SET time_zone = '+00:00'; INSERT INTO user_data VALUES (5, '2015-10-24 11:23:51'), (NULL, NULL)""", "posts_foreign")
    emulate_all(source, gateway)
    bodies = {topic: sorted(body for _, body in records.values()) for topic, records in gateway.records.items()}
    assert bodies["geo"] == [
        '{"records":[{"value":{"country":"Albania","ind":5,"timestamp":"2020-08-28 03:52:47","latitude":20.0}}]}',
        '{"records":[{"value":{"country":"Cote d\'Ivoire","ind":3,"timestamp":"2020-08-28 03:52:47.25","latitude":0.1}}]}']
    assert bodies["pin"] == ['{"records":[{"value":{"index":3,"title":null,"price":null,"made":null,"small":null}}]}',
                             '{"records":[{"value":{"index":7,"title":"Café","price":1.50,"made":"2020-02-29","small":255}}]}']
    assert bodies["user"] == ['{"records":[{"value":{"ind":5,"date_joined":"2015-10-24 11:23:51"}}]}']
    refused = pinflow("source", "load", write_posts(tmp_path), "--source", source, check=False)
    assert refused.returncode != 0 and "has no unique index" in refused.stderr and "ADD PRIMARY KEY (`index`)" in refused.stderr


def test_credentials_in_every_style(server, tmp_path):
    server.database("posts_credentials")
    pinflow("source", "generate", "--posts", 3, "--source", f"mysql://ann:{ENCODED}@127.0.0.1:{server.port}/posts_credentials")
    values = {"HOST": "127.0.0.1", "USER": "ann", "PASSWORD": PASSWORD, "DATABASE": "posts_credentials", "PORT": server.port}
    for prefix in ("", "RDS_", "AWSDB_"):
        for style in (str.upper, str.lower):
            creds = tmp_path / "creds.yaml"
            creds.write_text("".join(f"{style(prefix + key)}: {value}\n" for key, value in values.items()))
            assert pinflow_json("source", "count", "--db-creds", creds)["user_data"] == 3
    environment = {"PATH": "/usr/bin:/bin", **{f"PINFLOW_DB_{key}": str(value) for key, value in values.items()}}
    assert pinflow_json("source", "count", env=environment)["user_data"] == 3
    creds.write_text(creds.read_text().replace(PASSWORD, "wr0ng-w@rd"))
    denied = pinflow("source", "count", "--db-creds", creds, check=False)
    assert denied.returncode != 0 and "Access denied" in denied.stderr and "wr0ng" not in denied.stderr + denied.stdout
    away = pinflow("source", "count", "--source", f"mysql://ann:{ENCODED}@127.0.0.1:1/posts", check=False)
    assert away.returncode != 0 and "is the server up" in away.stderr and "s3cret" not in away.stderr + away.stdout


def test_broken_connections_are_made_anew(server, gateway):
    source = server.database("posts_broken")
    pinflow("source", "generate", "--posts", 400, "--source", source)
    emulator = Process("emulate", "--all", "--source", source, "--url", gateway.url, "--rate", "200")
    try:
        kills = 0
        while emulator.process.poll() is None:
            gateway.got.wait(10)
            for (connection,) in server.sql("SELECT id FROM information_schema.processlist WHERE user = 'ann'"):
                with_error = subprocess.run(["mariadb", "--no-defaults", "--socket", server.folder / "s", "--user", "root",
                                             "-e", f"KILL {connection}"], capture_output=True, text=True, timeout=60)
                kills += with_error.returncode == 0  # it may have ended by itself
            time.sleep(0.3)
        assert emulator.process.wait(60) == 0, emulator.lines
    finally:
        emulator.process.kill()
    assert kills > 0
    assert {record: len(gateway.records[record]) for record in TABLES} == dict.fromkeys(TABLES, 400)
