"""versitygw, an S3 gateway over a folder that checks signatures, and other people's clients of it."""
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
DEPS = ROOT / "build/deps/s3-strangers"
KEY, SECRET, REGION = "AKIDPINFLOW", "a-secret-of-the-tests", "eu-west-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def versitygw(folder, *args, port=None):
    """Running, with more of its own flags; gives (host, port, the folder of buckets)."""
    root, sidecar = folder / "root", folder / "meta"
    root.mkdir()
    sidecar.mkdir()
    port = port or free_port()
    with open(folder / "versitygw.log", "w") as log:
        process = subprocess.Popen(
            [DEPS / "versitygw", "--port", f"127.0.0.1:{port}", "--region", REGION, *args, "posix", "--sidecar", sidecar,
             root],
            stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET})
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield "127.0.0.1", port, root
    finally:
        process.terminate()
        process.wait(20)


def environment(url, **more):
    """What a process needs to find and use the service at `url`; nothing of this machine's own AWS settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**own, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": url, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", **more}


def python(url, script, *args):
    """A Python program with the strangers' packages; what it printed."""
    done = subprocess.run([sys.executable, "-c", script, *map(str, args)], capture_output=True, text=True, timeout=120,
                          env=environment(url, PYTHONPATH=str(DEPS / "python")))
    assert done.returncode == 0, done.stderr
    return done.stdout


def boto3_objects(url, bucket, prefix=""):
    """{key: bytes} of the bucket's objects under the prefix, read by boto3."""
    script = """
import base64, boto3, json, os, sys
from botocore.config import Config
s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"], config=Config(s3={"addressing_style": "path"}))
found = {}
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=sys.argv[1], Prefix=sys.argv[2]):
    for item in page.get("Contents", []):
        if not item["Key"].endswith("/"):
            found[item["Key"]] = base64.b64encode(s3.get_object(Bucket=sys.argv[1], Key=item["Key"])["Body"].read()).decode()
print(json.dumps(found))
"""
    import base64
    import json
    return {key: base64.b64decode(text) for key, text in json.loads(python(url, script, bucket, prefix)).items()}


def awscli(url, *args):
    return python(url, "import sys; from awscli.clidriver import main; sys.exit(main())",
                  "--endpoint-url", url, *args)
