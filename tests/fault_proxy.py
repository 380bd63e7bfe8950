"""A proxy before an S3 service that breaks what it is told to, and writes down every operation.

The client speaks to the proxy's address; the Host header goes through unchanged, so signatures stay right."""
import contextlib
import http.client
import http.server
import socket
import struct
import threading
import time
import urllib.parse

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{0}</Code><Message>{0}, said the proxy</Message>{1}</Error>'

# What the policy of the original set-up allows, and the requests that need it.
POLICY = {"s3:ListBucket", "s3:GetBucketLocation", "s3:ListAllMyBuckets", "s3:PutObject", "s3:GetObject", "s3:DeleteObject",
          "s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}


def action_of(method, path, headers):
    """The IAM action that a path-style request needs."""
    target, _, query = path.partition("?")
    query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    bucket, _, key = target.lstrip("/").partition("/")
    if not bucket:
        return "s3:ListAllMyBuckets"
    if not key:
        if method == "GET" and "location" in query:
            return "s3:GetBucketLocation"
        if method == "GET" and "uploads" in query:
            return "s3:ListBucketMultipartUploads"
        return {"GET": "s3:ListBucket", "HEAD": "s3:ListBucket"}.get(method, f"s3:{method} on the bucket")
    if "acl" in query or "tagging" in query or "retention" in query:
        return f"s3:{method} ?{'&'.join(query)}"
    if any(name.lower() in ("x-amz-acl", "x-amz-tagging") for name in headers):
        return "s3:PutObjectAcl or s3:PutObjectTagging"
    if "uploadId" in query:
        return {"DELETE": "s3:AbortMultipartUpload", "GET": "s3:ListMultipartUploadParts"}.get(method, "s3:PutObject")
    return {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "POST": "s3:PutObject",
            "DELETE": "s3:DeleteObject"}.get(method, f"s3:{method}")


# Faults. Each is called with the handler; it answers (or not) and returns True, or lets the request go through.

def answer(status, code, more="", headers=None):
    def fault(handler):
        handler.read_request_body()
        handler.send(status, {"Content-Type": "application/xml", **(headers or {})}, ERROR.format(code, more).encode())
        return True
    return fault


def reset(handler):
    """The connection breaks before anything is answered."""
    handler.read_request_body()
    handler.break_connection()
    return True


def reset_in_the_middle(handler):
    """Half of the answer's body, then the connection breaks."""
    status, headers, body = handler.forward()
    handler.send(status, headers, body, cut=len(body) // 2)
    handler.break_connection()
    return True


def lose_answer(handler):
    """The service does its work, and nobody hears of it."""
    handler.forward()
    handler.break_connection()
    return True


def stall(seconds):
    def fault(handler):
        handler.read_request_body()
        handler.server.stopping.wait(seconds)
        handler.break_connection()
        return True
    return fault


def wrong_etag(handler):
    status, headers, body = handler.forward()
    if "ETag" in headers:
        headers["ETag"] = '"' + "0" * 32 + '"'
    handler.send(status, headers, body)
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def read_request_body(self):
        if self.body is None:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return self.body

    def forward(self):
        body = self.read_request_body()
        upstream = self.server.upstream()
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body or None)
        got = upstream.getresponse()
        self.server.statuses.append(got.status)
        return got.status, dict(got.getheaders()), got.read()

    def send(self, status, headers, body, cut=None):
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = headers.get("Content-Length", len(body)) if self.command == "HEAD" else len(body)
        if status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()

    def break_connection(self):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def handle_any(self):
        self.body = None
        with self.server.lock:
            self.server.operations.append((action_of(self.command, self.path, dict(self.headers)), self.command, self.path))
            rule = self.server.rule
            fault = rule(self.command, self.path) if rule else None
        if fault is not None and fault(self):
            return
        self.send(*self.forward())

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host, port):
        super().__init__(("127.0.0.1", 0), Handler)
        self.host, self.port = host, port
        self.operations = []  # (IAM action, method, path)
        self.statuses = []    # of the service's own answers
        self.rule = None      # (method, path) -> a fault or None; called with the lock held
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.local = threading.local()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def upstream(self):
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        return self.local.connection

    def handle_error(self, *_):
        pass  # connections that were broken on purpose


@contextlib.contextmanager
def proxy(host, port):
    server = Proxy(host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def sometimes(random, share, faults):
    """A rule: the given share of the requests gets one of the faults."""
    return lambda method, path: random.choice(faults) if random.random() < share else None
