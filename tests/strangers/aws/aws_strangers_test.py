"""Signatures held against AWS's own test vectors and AWS's own signer (botocore); credentials lent by moto's services."""
import datetime
import hashlib
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
DEPS = ROOT / "build/deps/aws-strangers"
TOOL = os.environ.get("PINFLOW_SIGNATURE_TOOL", str(ROOT / "build/test/signature_tool"))
NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.fixture(scope="session", autouse=True)
def packages():
    subprocess.run([HERE / "get"], check=True)


class Tool:
    """signature_tool, kept running."""

    def __init__(self, env=None):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**clean, **(env or {})})

    def __call__(self, call, **fields):
        self.process.stdin.write(json.dumps({"call": call, **fields}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@pytest.fixture(scope="module")
def tool():
    with Tool() as one:
        yield one


def signer(script, **fields):
    """A Python program with the strangers' packages, given `given`; what it printed, as JSON."""
    done = subprocess.run([sys.executable, "-c", "import json, sys; given = json.load(sys.stdin)\n" + script],
                          input=json.dumps(fields), capture_output=True, text=True, timeout=300,
                          env={**os.environ, "PYTHONPATH": str(DEPS / "python"), "AWS_EC2_METADATA_DISABLED": "true"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- vectors --------------------------------------------------------------------------------------------------------

class Vector:
    def __init__(self, folder):
        self.folder = folder
        self.name = folder.name
        context = folder / "context.json"
        self.context = json.loads(context.read_text()) if context.exists() else {"normalize": True}

    def read(self, file):
        path = self.folder / file
        return path.read_bytes().decode().rstrip("\n") if path.exists() else None

    def request(self, file):
        """(method, path, query, headers, body); a line that begins with a blank goes on with the one before."""
        head, _, body = (self.folder / file).read_bytes().decode().replace("\r\n", "\n").partition("\n\n")
        lines = head.split("\n")
        method, target = lines[0].removesuffix(" HTTP/1.1").split(" ", 1)
        path, _, query = target.partition("?")
        headers = []
        for line in filter(None, lines[1:]):
            if line[0].isspace():
                headers[-1][1] += "\n" + line
            else:
                headers.append(line.split(":", 1))
        return method, path, query, headers, body

    @property
    def rule(self):
        """The suite encodes paths once. That is S3's rule but for the dots; ours for all others encodes again, which for
        paths without '%' is the same. Two vectors of the suite before it encode twice."""
        encoded = "%" in self.request("request.txt")[1] and not self.name.startswith("double-")
        return "twice" if self.context["normalize"] and not encoded else "once"


def vectors():
    subprocess.run([HERE / "get"], check=True)
    found = [Vector(folder) for folder in sorted((DEPS / "aws-signing-test-suite/v4").iterdir())]
    assert len(found) == 40
    return found


VECTORS = vectors()


def scope_of(to_sign):
    day, region, service, _ = to_sign.split("\n")[2].split("/")
    del day
    return {"region": region, "service": service, "date": to_sign.split("\n")[1]}


MADE = [(vector, way) for vector in VECTORS for way in ("header", "query") if vector.read(f"{way}-canonical-request.txt")]


def test_all_vectors_are_there():
    assert len(MADE) == 78  # the two older ones have no query


@pytest.mark.parametrize("vector, way", MADE, ids=lambda value: getattr(value, "name", value))
def test_vector_is_made(tool, vector, way):
    expected = vector.read(f"{way}-canonical-request.txt")
    # The last two lines tell what was to be signed.
    lines = expected.split("\n")
    names, sha256 = lines[-2], lines[-1]
    method, path, _, headers, _ = vector.request("request.txt")
    signed = vector.request(f"{way}-signed-request.txt") if vector.read(f"{way}-signed-request.txt") else None
    if way == "header":
        query = vector.request("request.txt")[2]
        stamp = [line for line in lines if line.startswith("x-amz-date:")][0].split(":", 1)[1]
        headers = [field for field in headers if field[0].lower() != "x-amz-date"] + [["X-Amz-Date", stamp]]
        given = {name.lower() for name, _ in headers}
        headers += [field for field in (signed or vector.request("request.txt"))[3] if field[0].lower() not in given]
    else:
        query = signed[2]
        if vector.context.get("omit_session_token"):  # put into the URL when all was signed
            query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Security-Token="))
        stamp = "20150830T123600Z"
    to_sign = vector.read(f"{way}-string-to-sign.txt")
    scope = scope_of(to_sign) if to_sign else {"region": "us-east-1", "service": "service", "date": stamp}
    secret = vector.context.get("credentials", {}).get("secret_access_key", "")
    made = tool("canonical", rule=vector.rule, method=method, path=path, query=query, names=names, headers=headers,
                sha256=sha256, secret=secret, **scope)
    assert made["canonical"] == expected
    if to_sign:
        assert made["string_to_sign"] == to_sign
    if vector.read(f"{way}-signature.txt"):
        assert made["signature"] == vector.read(f"{way}-signature.txt")


@pytest.mark.parametrize("way", ["header", "query"])
@pytest.mark.parametrize("vector", [one for one in VECTORS if one.rule == "twice" and not one.name.startswith("double-")],
                         ids=lambda vector: vector.name)
def test_vector_is_taken_and_a_changed_one_is_not(tool, vector, way):
    method, path, query, headers, body = vector.request(f"{way}-signed-request.txt")
    keys = vector.context["credentials"]
    at = int(datetime.datetime.fromisoformat(vector.context["timestamp"].replace("Z", "+00:00")).timestamp() * 1000)
    call = {"method": method, "target": path + ("?" + query if query else ""), "headers": headers,
            "body": body if vector.context["sign_body"] else "", "region": vector.context["region"],
            "service": vector.context["service"], "key": keys["access_key_id"], "secret": keys["secret_access_key"], "now_ms": at}
    if vector.context.get("omit_session_token") and way == "query":
        # Added after signing, which a service of ours does not allow for: it is part of the query.
        assert tool("verify", **call)["problem"] == "wrong_signature"
        return
    assert tool("verify", **call) == {"caller": keys["access_key_id"]}
    assert tool("verify", **{**call, "secret": "another"})["problem"] == "wrong_signature"
    assert tool("verify", **{**call, "key": "AKIDOTHER"})["problem"] == "unknown_key"
    assert tool("verify", **{**call, "method": "PATCH"})["problem"] == "wrong_signature"
    assert tool("verify", **{**call, "region": "eu-west-1"})["problem"] == "wrong_signature"
    late = 3601 if way == "query" else 301
    assert tool("verify", **{**call, "now_ms": at + late * 1000})["problem"] == "expired"
    assert tool("verify", **{**call, "now_ms": at - 301_000})["problem"] == "expired"


# ---- AWS's own signer -----------------------------------------------------------------------------------------------

SIGN = """
import datetime, unittest.mock
import botocore.auth as auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
now = datetime.datetime(2020, 11, 9, 0, 52, 47)
made = []
with unittest.mock.patch.object(auth, "get_current_datetime", lambda *_, **__: now):
    for case in given["cases"]:
        keys = Credentials("AKID", "se/cret+", case["token"] or None)
        s3 = case["service"] == "s3"
        url = "https://" + case["host"] + case["target"]
        request = AWSRequest(method=case["method"], url=url, headers=dict(case["headers"]), data=case["body"])
        (auth.S3SigV4Auth if s3 else auth.SigV4Auth)(keys, case["service"], case["region"]).add_auth(request)
        query = AWSRequest(method=case["method"], url=url, headers=dict(case["headers"]), data="")
        (auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth)(keys, case["service"], case["region"], expires=900).add_auth(query)
        made.append({"headers": request.headers.items(), "target": request.url, "query": query.url})
json.dump(made, sys.stdout)
"""
NOW_MS = 1_604_883_167_000  # 2020-11-09T00:52:47Z


def random_case(rand):
    letters = "abcXYZ019-._~ !*'()+=&%$#@,;:/?[]{}|\\\"<>^`éüñ漢😀"

    def word(longest):
        return "".join(rand.choice(letters) for _ in range(rand.randint(1, longest)))

    service = rand.choice(["s3", "kinesis", "sts", "kafka-cluster"])
    path = "/" + "/".join(word(8) for _ in range(rand.randint(0, 4)))
    if service == "s3":  # keys may have parts of any kind
        path += rand.choice(["", "/", "/.", "/..", "/a/../b", "//c"])
    else:  # where botocore ends a path with a dot part otherwise than RFC 3986 does, no client sends one
        path = path.removesuffix("/.").removesuffix("/..") or "/"
    query = [[word(6), word(6) if rand.random() < 0.8 else ""] for _ in range(rand.randint(0, 4))]
    if query and rand.random() < 0.2:
        query.append([query[0][0], word(4)])
    return {"method": rand.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]), "service": service, "path": path, "query": query,
            "host": rand.choice(["h.example", "h.example:7070", "b.s3.eu-west-1.amazonaws.com"]),
            "region": rand.choice(["us-east-1", "eu-west-1"]), "token": rand.choice(["", "tok/en+=="]), "body": word(30),
            "headers": [[f"X-Amz-Meta-{n}", rand.choice(["a", "  a   b ", "z "])] for n in range(rand.randint(0, 3))]}


def test_what_botocore_signs():
    seed = int(os.environ.get("PINFLOW_SEED", time.time()))
    print("seed", seed)
    rand = random.Random(seed)
    cases = [random_case(rand) for _ in range(1000)]
    with Tool() as tool:
        for case in cases:
            case["ours"] = tool("sign", **{**case, "sha256": hashlib.sha256(case["body"].encode()).hexdigest(), "key": "AKID",
                                           "secret": "se/cret+", "now_ms": NOW_MS, "expires": 900})
            case["target"] = case["ours"]["target"]
        for case, made in zip(cases, signer(SIGN, cases=cases)):
            theirs, ours = dict(made["headers"]), dict(case["ours"]["headers"])
            assert ours["Authorization"] == theirs["Authorization"], case
            host = [] if any(name.lower() == "host" for name in theirs) else [["Host", case["host"]]]
            call = {"method": case["method"], "service": case["service"], "region": case["region"], "key": "AKID",
                    "secret": "se/cret+", "now_ms": NOW_MS + 1000}
            after = len("https://" + case["host"])
            good = {"caller": "AKID"}
            assert tool("verify", target=made["target"][after:], headers=made["headers"] + host, body=case["body"], **call) == good, case
            assert tool("verify", target=made["query"][after:], headers=case["headers"] + [["host", case["host"]]], body="",
                        **call) == good, case


# ---- credentials ----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """moto's services at an address of this machine. They take any signature, and know the keys that they lent."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(tmp_path_factory.mktemp("moto") / "log", "w") as log:
        process = subprocess.Popen([sys.executable, "-c", "import sys; from moto.server import main; main(sys.argv[1:])",
                                    "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log,
                                   env={**os.environ, "PYTHONPATH": str(DEPS / "python")})
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


WHO = """
import boto3
sts = boto3.client("sts", endpoint_url=given["url"], region_name="eu-west-1", aws_access_key_id=given["key"],
                   aws_secret_access_key=given["secret"], aws_session_token=given["token"])
json.dump(sts.get_caller_identity()["Arn"], sys.stdout)
"""


def credentials(env, profile=""):
    with Tool(env) as tool:
        return tool("credentials", profile=profile)


def lent_for(got, seconds):
    return abs(got["expires_ms"] / 1000 - time.time() - seconds) < 120


def test_a_profiles_role_is_lent_by_stss_words(moto, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile base]\naws_access_key_id=BASE\naws_secret_access_key=b\n[profile dev]\nregion=eu-west-1\n"
                      "role_arn=arn:aws:iam::123456789012:role/lake\nsource_profile=base\nrole_session_name=nightly\n"
                      "external_id=e\nduration_seconds=900\n")
    env = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ENDPOINT_URL_STS": moto}
    for got in (credentials({**env, "AWS_PROFILE": "dev"}), credentials(env, "dev")):
        assert got["from"] == "the profile dev (role arn:aws:iam::123456789012:role/lake)", got
        assert lent_for(got, 900)
        assert signer(WHO, url=moto, **got) == "arn:aws:sts::123456789012:assumed-role/lake/nightly"


def test_a_web_identity_is_lent_a_role(moto, tmp_path):
    (tmp_path / "token").write_text("header.claims.signature\n")
    got = credentials({"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ENDPOINT_URL": moto, "HOME": str(tmp_path),
                       "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pod", "AWS_ROLE_SESSION_NAME": "p-1",
                       "AWS_REGION": "eu-west-1"})
    assert got["from"] == "a web identity (role arn:aws:iam::123456789012:role/pod)", got
    assert lent_for(got, 3600)
    assert signer(WHO, url=moto, **got) == "arn:aws:sts::123456789012:assumed-role/pod/p-1"


def test_an_instances_role(moto, tmp_path):
    got = credentials({"AWS_EC2_METADATA_SERVICE_ENDPOINT": moto, "HOME": str(tmp_path)})
    assert got["from"] == "the instance's role", got
    assert got["key"] and got["secret"] and got["token"]
    assert got["expires_ms"] > time.time() * 1000


def test_none_are_found_and_it_is_said_where_was_looked(tmp_path):
    got = credentials({"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)})
    assert "AWS_ACCESS_KEY_ID is not set" in got["error"] and "instance" in got["error"]
