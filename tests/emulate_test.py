"""`pinflow emulate` against a REST proxy made here: the rows that Python's own generator draws, and a clean end."""
import http.server
import json
import random
import signal
import threading
import time

import pinflow as pf
import pytest


class RestProxy:
    """Acknowledges everything, and keeps what it was sent."""

    def __init__(self):
        proxy = self
        self.records = []
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    for record in body["records"]:
                        proxy.records.append((self.path, self.headers["Content-Type"], record["value"]))
                offsets = [{"partition": 0, "offset": i, "error_code": None, "error": None} for i, _ in enumerate(body["records"])]
                answer = json.dumps({"offsets": offsets}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        http.server.ThreadingHTTPServer.request_queue_size = 128  # as many connections as the emulator opens
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/prod"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def proxy():
    made = RestProxy()
    yield made
    made.close()


def drawn_by_python(seed, posts, rows):
    """The course's loop: a pause and a row in each turn."""
    random.seed(seed)
    turns = [(random.randrange(0, 2), random.randint(0, min(11000, rows - 1))) for _ in range(posts)]
    return [row for _, row in turns]


@pytest.mark.parametrize("seed, rows", [(100, 1000), (0, 1), (7, 2), (123456789012345, 777)])
def test_rows_are_those_that_python_draws(tmp_path, proxy, seed, rows):
    pf.pinflow("source", "generate", "--posts", rows, "--data", tmp_path)
    done = pf.pinflow("emulate", "--url", proxy.url, "--posts", 50, "--seed", seed, "-v", "--data", tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["pin"]["index"] for line in lines] == drawn_by_python(seed, 50, rows)
    assert all(line["pin"]["index"] == line["geo"]["ind"] == line["user"]["ind"] for line in lines)


def test_each_record_is_a_request_of_its_own(tmp_path, proxy):
    pf.pinflow("source", "generate", "--posts", 40, "--data", tmp_path)
    counts = pf.pinflow_json("emulate", "--url", proxy.url, "--all", "--data", tmp_path)
    assert counts["posts"] == 40 and counts["posted"] == counts["acknowledged"] == 120
    assert counts["refused"] == counts["answers_lost"] == counts["retries"] == counts["given_up"] == 0
    assert {content_type for _, content_type, _ in proxy.records} == {pf.JSON_V2}
    for topic, key in [("local.pin", "index"), ("local.geo", "ind"), ("local.user", "ind")]:
        keys = sorted(value[key] for path, _, value in proxy.records if path == f"/prod/topics/{topic}")
        assert keys == list(range(40))


def test_interrupt_ends_with_the_counts(tmp_path, proxy):
    pf.pinflow("source", "generate", "--posts", 40, "--data", tmp_path)
    process = pf.Process("emulate", "--url", proxy.url, "--rate", 100, "--data", tmp_path)
    until = time.monotonic() + 30
    while len(proxy.records) < 60 and time.monotonic() < until:
        time.sleep(0.01)
    process.process.send_signal(signal.SIGINT)
    process.wait(30)
    last = [line for line in process.lines if "acknowledged" in line][-1]
    acknowledged = int(last.split(" acknowledged")[0].split()[-1].replace(",", ""))
    assert acknowledged == len(proxy.records) >= 60
