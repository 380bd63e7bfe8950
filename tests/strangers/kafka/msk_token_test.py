"""MSK's IAM tokens, byte for byte those of AWS's own signer (aws-msk-iam-sasl-signer-python), but for the unsigned
User-Agent at their end; roles are assumed at moto's STS, through a proxy that remembers the keys which it lends."""
import base64
import calendar
import contextlib
import http.server
import json
import os
import random
import re
import string
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

import pinflow as pf
import secure
import tools

AWS = tools.ROOT / "tests/strangers/aws/get"
PYTHON = tools.ROOT / "build/deps/aws-strangers/python"
TOOL = os.environ.get("PINFLOW_TOKEN_TOOL", str(tools.ROOT / "build/test/token_tool"))
SIGNER = """
import datetime, json, sys
import botocore.auth, botocore.compat
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider as provider
from botocore.credentials import CredentialProvider, Credentials

class Given(CredentialProvider):
    def __init__(self, call):
        self.call = call
    def load(self):
        return Credentials(self.call["key"], self.call["secret"], self.call["token"] or None)

for line in sys.stdin:
    call = json.loads(line)
    at = datetime.datetime.fromtimestamp(call["now_ms"] // 1000, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: at.replace(tzinfo=None) if remove_tzinfo else at
    print(provider.generate_auth_token_from_credentials_provider(call["region"], Given(call))[0])
"""


@pytest.fixture(scope="module", autouse=True)
def packages():
    subprocess.run([AWS], check=True)


def lines(command, calls, env):
    done = subprocess.run(command, input="".join(json.dumps(call) + "\n" for call in calls), capture_output=True, text=True,
                          timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def ours(calls, **variables):
    return lines([TOOL], calls, secure.machine(**variables))


def amazons(calls):
    return lines([sys.executable, "-c", SIGNER], calls, {**secure.machine(), "PYTHONPATH": str(PYTHON)})


def signed(token):
    """The URL in a token without what is not signed."""
    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    assert re.search(r"&User-Agent=[^&]+$", url) and "=" not in token
    return re.sub(r"&User-Agent=[^&]+$", "", url)


def some_calls(count):
    rng = random.Random(7)
    text = lambda size, more="": "".join(rng.choices(string.ascii_letters + string.digits + more, k=size))
    for n in range(count):
        yield {"region": rng.choice(["us-east-1", "eu-west-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"]),
               "key": "AKIA" + text(16).upper(), "secret": text(40, "/+"),
               "token": text(rng.randint(1, 900), "/+=,.-_~ ") if n % 3 else "",
               "now_ms": rng.randint(0, 4_102_444_800) * 1000 + rng.randint(0, 999)}


def test_tokens_are_amazons_byte_for_byte():
    calls = list(some_calls(1000))
    for call, own, other in zip(calls, ours(calls), amazons(calls), strict=True):
        assert signed(own) == signed(other), call


class Lender(http.server.BaseHTTPRequestHandler):
    """Hands requests on to moto and remembers what it answers."""
    moto, seen = "", []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        request = urllib.request.Request(self.moto, body, {name: self.headers[name] for name in ("authorization", "x-amz-date", "content-type")})
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = answer.read()
        self.seen.append((body.decode(), data.decode()))
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def sts():
    port, = secure.free_ports(1)
    moto = subprocess.Popen([sys.executable, "-c", "import sys; from moto.server import main; main(sys.argv[1:])", "-H", "127.0.0.1", "-p",
                             str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env={**secure.machine(), "PYTHONPATH": str(PYTHON)})
    try:
        Lender.moto, Lender.seen = f"http://127.0.0.1:{port}/", []

        def answers():
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{Lender.moto}moto-api/", timeout=5):
                return True
        pf.wait_until(answers, timeout=60, what="moto")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lender)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
    finally:
        moto.terminate()
        moto.wait(30)


def test_tokens_of_an_assumed_role(tmp_path):
    file = tmp_path / "client.properties"
    file.write_text("\n".join([
        "security.protocol = SASL_SSL", "sasl.mechanism = AWS_MSK_IAM",
        'sasl.jaas.config = software.amazon.msk.auth.iam.IAMLoginModule required awsRoleArn="arn:aws:iam::123456789012:role/posts" '
        'awsRoleSessionName="producer" awsRoleExternalId="an id" awsStsRegion="eu-central-1";']) + "\n")
    with sts() as url:
        token, = ours([{"properties": str(file), "servers": "b-1.x.y.c2.kafka.us-west-2.amazonaws.com:9098"}], AWS_ENDPOINT_URL_STS=url,
                      AWS_ACCESS_KEY_ID="AKIDBASE", AWS_SECRET_ACCESS_KEY="base")
        asked, answered = Lender.seen[-1]
    for part in ("Action=AssumeRole", "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fposts", "RoleSessionName=producer", "ExternalId=an%20id"):
        assert part in asked
    lent = {name: re.search(f"<{name}>(.*?)</{name}>", answered)[1] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    at = re.search(r"X-Amz-Date=(\d{8}T\d{6})Z", signed(token))[1]
    seconds = calendar.timegm(time.strptime(at, "%Y%m%dT%H%M%S"))
    other, = amazons([{"region": "us-west-2", "key": lent["AccessKeyId"], "secret": lent["SecretAccessKey"], "token": lent["SessionToken"],
                       "now_ms": seconds * 1000}])
    assert signed(token) == signed(other) and lent["AccessKeyId"] in signed(token)
