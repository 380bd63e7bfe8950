"""Our client of Spark Connect against Apache Spark's own server: values and types beside DuckDB's, errors with their lines, streams,
stops, and what becomes of a statement when the connection or the server breaks."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

import duckdb
import pytest

import spark_server

ROOT = pathlib.Path(__file__).parent.parent.parent.parent
TOOL = os.environ.get("PINFLOW_SPARK_TOOL", str(ROOT / "build/test/spark_tool"))


TOKEN = "t0ken-of-the-tests"  # the server asks for it with every call


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with spark_server.running(tmp_path_factory.mktemp("spark"), settings={"spark.connect.authenticate.token": TOKEN}) as running:
        yield running


def url(port, token=TOKEN):
    return f"sc://127.0.0.1:{port}/;use_ssl=false;token={token}"


class Tool:
    """A session of ours, told what to do line by line."""

    def __init__(self, url):
        self.process = subprocess.Popen([TOOL, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.opened = self.answer()

    def send(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def __call__(self, *words):
        self.send(*words)
        return self.answer()

    def value(self, sql):
        answer = self("query", sql)
        assert "rows" in answer, answer
        return answer["rows"][0][0]

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


@contextlib.contextmanager
def session(url):
    tool = Tool(url)
    try:
        yield tool
    finally:
        if tool.process.poll() is None:
            tool.process.kill()
            tool.process.wait()


class Wire:
    """Passes bytes on to a port; breaks every connection when it is told to."""

    def __init__(self, port):
        self.target = port
        self.pairs = []
        self.carried = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                inside, _ = self.listener.accept()
            except OSError:
                return
            try:
                outside = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                inside.close()
                continue
            with self.lock:
                self.pairs.append((inside, outside))
            for one, other in ((inside, outside), (outside, inside)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self.carried += len(data)
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for inside, outside in pairs:
            for end in (inside, outside):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def close(self):
        self.listener.close()
        self.cut()


# ---- values ----------------------------------------------------------------------------------------------------

# Each is read by both engines; the JSON of the value and the name of the type must be the same.
VALUES = [
    "CAST(NULL AS BIGINT)", "true", "CAST(-128 AS TINYINT)", "CAST(32767 AS SMALLINT)", "CAST(-2147483648 AS INT)",
    "CAST(9223372036854775807 AS BIGINT)", "CAST(9007199254740993 AS BIGINT)", "CAST(0.1 AS DOUBLE)", "CAST('1e300' AS DOUBLE)",
    "CAST('NaN' AS DOUBLE)", "CAST('-inf' AS DOUBLE)", "CAST(0.5 AS FLOAT)", "CAST(1234.56 AS DECIMAL(10,2))",
    "CAST(123456789012345678901234567890.12345678 AS DECIMAL(38,8))", "CAST(-0.01 AS DECIMAL(4,2))", "''", "'it''s é😀 \n tab\t'",
    "DATE '2020-08-28'", "DATE '0001-01-01'", "DATE '9999-12-31'", "CAST('abc' AS STRING)", "CAST(NULL AS STRING)",
    "CAST(TIMESTAMP '2020-02-29 23:59:59.999999' AS DATE)",
]


def test_values_and_types_are_those_of_duckdb(server):
    names = [f"c{i}" for i in range(len(VALUES))]
    select = ", ".join(f"{value} AS {name}" for value, name in zip(VALUES, names))
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    expected = connection.execute("SELECT " + select)
    types = [str(column[0]) for column in connection.execute(
        "SELECT column_type FROM (DESCRIBE SELECT " + select + ")").fetchall()]
    row = connection.execute("SELECT " + select).fetchone()
    del expected

    def plain(value):
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            return None
        if hasattr(value, "isoformat"):
            return value.isoformat()
        return float(value) if type(value).__name__ == "Decimal" else value

    with session(url(server.port)) as tool:
        answer = tool("query", "SELECT " + select)
        assert [name for name, _ in answer["columns"]] == names
        assert dict(zip(VALUES, [kind for _, kind in answer["columns"]])) == dict(zip(VALUES, types))
        assert dict(zip(VALUES, answer["rows"][0])) == dict(zip(VALUES, map(plain, row)))


def test_what_only_spark_has(server):
    with session(url(server.port)) as tool:
        answer = tool("query", "SELECT TIMESTAMP '2020-08-28 03:52:47.25' a, TIMESTAMP_NTZ '2020-01-01 00:00:00' b, array(1.5D, NULL) c, "
                               "map('k', 1, 'l', NULL) d, named_struct('x', 1, 'y', array('z')) e, X'4142' f, NULL g, "
                               "TIMESTAMP '2020-08-28 03:52:47+02:00' h, 'x' || repeat('y', 3000000) i")
        assert [kind for _, kind in answer["columns"]] == [
            "TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DOUBLE[]", "MAP(VARCHAR, INTEGER)", "STRUCT(x INTEGER, y VARCHAR[])", "BLOB", '"NULL"',
            "TIMESTAMP WITH TIME ZONE", "VARCHAR"]
        assert answer["rows"] == [["2020-08-28 03:52:47.25", "2020-01-01 00:00:00", [1.5, None], {"k": 1, "l": None},
                                   {"x": 1, "y": ["z"]}, "AB", None, "2020-08-28 01:52:47", "x" + "y" * 3000000]]
        assert tool("columns", "SELECT 1 a, array(map('x', 2L)) b, current_timestamp() c, CAST(1 AS DECIMAL(7,3)) d")["value"] == [
            ["a", "INTEGER"], ["b", "MAP(VARCHAR, BIGINT)[]"], ["c", "TIMESTAMP WITH TIME ZONE"], ["d", "DECIMAL(7,3)"]]
        for refused in ["parse_json('{}')", "INTERVAL '1' DAY"]:
            code, message = tool("query", f"SELECT {refused} AS x")["error"]
            assert code == "unsupported" and "column x" in message


def test_many_rows_and_their_limit(server):
    with session(url(server.port)) as tool:
        answer = tool("query", "SELECT id, concat('row ', id) FROM range(300000)")
        assert sorted(row[0] for row in answer["rows"]) == list(range(300000))
        assert all(row[1] == f"row {row[0]}" for row in answer["rows"])
        code, message = tool("query", "SELECT id FROM range(2000001)")["error"]
        assert code == "full" and "2000000" in message
        assert tool.value("SELECT 1") == 1  # the session lives on


# ---- statements and errors ---------------------------------------------------------------------------------------

def test_statements_views_and_settings(server, tmp_path):
    with session(url(server.port)) as tool:
        assert tool.opened[0] == "4.2.0"
        assert tool("get", "spark.sql.session.timeZone")["value"] == "UTC"
        assert tool("get", "spark.sql.ansi.enabled")["value"] == "true"
        assert tool("get", "spark.no.such.setting")["value"] is None
        assert tool("set", "spark.sql.shuffle.partitions", "3")["value"] is True
        assert tool("get", "spark.sql.shuffle.partitions")["value"] == "3"
        table = f"delta.`{tmp_path}/t`"
        assert tool("execute", f"CREATE TABLE {table} (id BIGINT, name STRING) USING delta; -- a ';' here\n"
                               f"INSERT INTO {table} VALUES (1, ';'), (2, \"--\"), (3, NULL); SELECT count(*) FROM {table}")["value"] is True
        assert tool("view", "evens", "", f"SELECT * FROM {table} WHERE id % 2 = 0;")["value"] is True
        assert tool("query", "SELECT * FROM evens")["rows"] == [[2, "--"]]
        assert tool("view", "evens", "", f"SELECT id FROM {table} WHERE id = 3")["value"] is True
        assert tool("query", "SELECT * FROM evens")["rows"] == [[3]]
        assert ["evens", True] in [row[1:] for row in tool("query", "SHOW TABLES")["rows"]]
    with session(url(server.port)) as other:  # views are of their session
        assert other("query", "SELECT * FROM evens")["error"][0] == "not found"


@pytest.mark.parametrize("sql, code, line, word", [
    ("SELECT *\nFROM nowhere", "not found", 2, "TABLE_OR_VIEW_NOT_FOUND"),
    ("SELECT 1;\n\nSELEC 2", "invalid", 3, "PARSE_SYNTAX_ERROR"),
    ("SELECT 1;\nSELECT\n 'é😀', 1/(id - 2)\nFROM range(5)", "invalid", 3, "DIVIDE_BY_ZERO"),
    ("SELECT\nCAST('x' || id AS INT) FROM range(2)", "invalid", 2, "CAST_INVALID_INPUT"),
    ("SELECT id,\n  nonsense\nFROM range(3)", "invalid", 2, "UNRESOLVED_COLUMN"),
    ("SELECT id\nFROM range(3) GROUP BY\n nothing", "invalid", 3, "UNRESOLVED_COLUMN"),
    ("-- one\n/* two\n*/ SELECT 1;\nSELECT raise_error('my own')", "invalid", 4, "my own"),
])
def test_errors_are_sparks_own_with_the_files_line(server, sql, code, line, word):
    with session(url(server.port)) as tool:
        got, message = tool("query", sql, "queries/x.sql")["error"]
        assert (got, message.split(": ")[0]) == (code, f"queries/x.sql:{line}"), message
        assert word in message and "Project" not in message


def test_an_error_inside_a_view_names_the_views_file(server):
    with session(url(server.port)) as tool:
        assert tool("view", "bad", "clean/bad.sql", "SELECT id,\n\n1/(id-2) AS z FROM range(5)")["value"] is True
        _, message = tool("query", "SELECT sum(z)\nFROM bad", "queries/x.sql")["error"]
        assert message.startswith("clean/bad.sql:3: [DIVIDE_BY_ZERO]")


def test_delta_says_what_it_lost(server, tmp_path):
    with session(url(server.port)) as tool:
        assert tool("query", f"SELECT * FROM delta.`{tmp_path}/none`")["error"][0] == "not found"
        table = f"delta.`{tmp_path}/t`"
        assert "value" in tool("execute", f"CREATE TABLE {table} (id BIGINT) USING delta")
        assert tool("execute", f"CREATE TABLE {table} (id BIGINT) USING delta")["error"][0] == "already exists"


# ---- streams -----------------------------------------------------------------------------------------------------

def test_a_stream_of_files_into_delta_exactly_once(server, tmp_path):
    source, table = tmp_path / "in", tmp_path / "table"
    source.mkdir()
    with session(url(server.port)) as tool:
        for part in range(3):
            (source / f"{part}.txt").write_text("".join(f"line {part} {i}\n" for i in range(100)))
            for _ in range(2):  # a second run finds nothing new
                ended, progresses, name = tool("stream", str(source), str(table), str(tmp_path / "state"))["value"]
                assert ended and name == "copy" and progresses >= 0
                assert tool("query", f"SELECT count(*), count(DISTINCT value) FROM delta.`{table}`")["rows"] == [[100 * part + 100] * 2]


def test_a_stream_is_started_listed_and_stopped(server, tmp_path):
    with session(url(server.port)) as tool:
        assert tool("endless", str(tmp_path / "state")) == [1, True, False]


# ---- stops and faults ----------------------------------------------------------------------------------------------

SLOW = "SELECT count(*) FROM range(0, 40000000000, 1, 8) WHERE id % 7 = xxhash64(id) % 3"


def test_ctrl_c_cancels_on_the_server(server):
    with session(url(server.port)) as tool:
        before = time.monotonic()
        tool.send("query", SLOW)
        time.sleep(2)
        tool.process.send_signal(signal.SIGINT)
        code, message = tool.answer()["error"]
        assert code == "cancelled", message
        assert time.monotonic() - before < 30
    # Both cores are free again: the statement is not running on behind our back.
    with session(url(server.port)) as tool:
        began = time.monotonic()
        assert tool.value("SELECT count(*) FROM range(1000000)") == 1000000
        assert time.monotonic() - began < 20


def test_a_connection_that_breaks_is_mended(server, tmp_path):
    wire = Wire(server.port)
    table = f"delta.`{tmp_path}/t`"
    try:
        with session(url(wire.port)) as tool:
            assert "value" in tool("execute", f"CREATE TABLE {table} (id BIGINT) USING delta")
            stop = threading.Event()

            def cutter():
                while not stop.wait(0.4):
                    wire.cut()

            thread = threading.Thread(target=cutter)
            thread.start()
            try:
                for round_ in range(4):
                    answer = tool("execute", f"INSERT INTO {table} SELECT id FROM range({round_ * 1000}, {round_ * 1000 + 1000})")
                    assert answer == {"value": True}
                rows = tool("query", "SELECT id, repeat('x', 100) FROM range(200000)")["rows"]
            finally:
                stop.set()
                thread.join()
            assert sorted(row[0] for row in rows) == list(range(200000))
            # Each statement ran once, however often its connection broke.
            assert tool.value(f"SELECT count(*) FROM {table}") == 4000
            assert tool.value(f"SELECT count(DISTINCT id) FROM {table}") == 4000
    finally:
        wire.close()


def test_a_session_that_expired(server):
    """The server ends a session: by its id, from another client."""
    with session(url(server.port)) as tool:
        session_id = tool.opened[1]
        assert tool.value("SELECT 1") == 1
        with session(url(server.port)) as other:
            assert other("end", url(server.port), session_id) == {"value": True}
        code, message = tool("query", "SELECT 1")["error"]
        assert code == "unavailable" and "ended the session" in message
        assert tool("query", "SELECT 1")["error"][0] == "unavailable"


@pytest.mark.parametrize("token", ["wrong-t0ken", "t0ken-of-the-tests-"])
def test_a_token_that_is_not_right(server, token):
    tool = Tool(url(server.port, token))
    code, message = tool.opened["error"]
    assert tool.close() == 1
    assert code == "denied" and "is the token right, and not expired" in message and token not in message


def test_nobody_there():
    process = subprocess.run([TOOL, f"sc://127.0.0.1:{spark_server.free_port()}"], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    code, message = json.loads(process.stdout)["error"]
    assert process.returncode == 1 and code == "unavailable" and "refused" in message


# The last one, for it ends the server that the others share.
def test_a_server_that_is_killed_and_started_again(server, tmp_path):
    table = f"delta.`{tmp_path}/t`"
    with session(url(server.port)) as tool:
        assert "value" in tool("execute", f"CREATE TABLE {table} (id BIGINT) USING delta")
        tool.send("execute", f"INSERT INTO {table} {SLOW.replace('count(*)', 'count(*) AS id')}")
        time.sleep(2)
        server.kill()
        server.start()
        code, message = tool.answer()["error"]
        assert code == "unavailable" and "not known" in message, message
        assert tool("query", "SELECT 1")["error"][0] == "unavailable"
    with session(url(server.port)) as tool:  # a new session works, and nothing was written twice or half
        assert tool.value(f"SELECT count(*) FROM {table}") == 0
