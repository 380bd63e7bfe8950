"""The lake on S3 under another's rules: a user who may do what docs/s3.md says and no more, buckets as host names, a clock
that is wrong, and the main job through faults."""
import glob
import json
import random
import re
import shutil
import subprocess

import pytest

import fault_proxy as faults
import pinflow as pf
from service import DEPS, HERE, KEY, REGION, SECRET, awscli, boto3_objects, environment, free_port, versitygw

BUCKET = "lake-of-others"
WORKER = {"AWS_ACCESS_KEY_ID": "AKIDWORKER", "AWS_SECRET_ACCESS_KEY": "secret-of-the-worker"}
POSTS = ("--posts", "300", "--seed", "7", "--flush-size", "50")


@pytest.fixture(scope="session", autouse=True)
def programs():
    subprocess.run([HERE / "get"], check=True)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """(the proxy, the service's own address); the service knows its users, and buckets as hosts under the proxy's name."""
    folder = tmp_path_factory.mktemp("versitygw")
    (folder / "users").mkdir()
    port = free_port()
    with faults.proxy("127.0.0.1", port) as proxy:
        host = "s3.localhost:" + proxy.url.rpartition(":")[2]
        with versitygw(folder, "--iam-dir", folder / "users", "--virtual-domain", host, port=port) as (_, _, root):
            (root / BUCKET).mkdir()
            url = f"http://127.0.0.1:{port}"
            subprocess.run([DEPS / "versitygw", "admin", "--access", KEY, "--secret", SECRET, "--region", REGION, "--endpoint-url", url,
                            "create-user", "--access", WORKER["AWS_ACCESS_KEY_ID"], "--secret", WORKER["AWS_SECRET_ACCESS_KEY"],
                            "--role", "user"], check=True)
            yield proxy, url


@pytest.fixture
def proxy(service):
    yield service[0]
    service[0].rule = None


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the same job gives with its lake in a directory."""
    return pf.pinflow_json("run", "--data", tmp_path_factory.mktemp("expected"), *POSTS)


def policy(without=None):
    """The one that docs/s3.md prints, as a policy of the bucket for the worker."""
    text = re.search(r"```json\n(.*?)```", (pf.ROOT / "docs/s3.md").read_text(), re.S).group(1).replace("my-bucket", BUCKET)
    found = json.loads(text)
    # To list all buckets is nothing that a bucket's policy can allow.
    found["Statement"] = [one for one in found["Statement"] if one["Resource"] != "*"]
    assert len(found["Statement"]) == 2
    for one in found["Statement"]:
        one["Principal"] = {"AWS": [WORKER["AWS_ACCESS_KEY_ID"]]}
        one["Action"] = [action for action in one["Action"] if action != without]
    return found


def allow(url, folder, without=None):
    file = folder / "policy.json"
    file.write_text(json.dumps(policy(without)))
    awscli(url, "s3api", "put-bucket-policy", "--bucket", BUCKET, "--policy", f"file://{file}")


def run(proxy, folder, prefix, *args, url=None, **more):
    return pf.pinflow("run", "--data", folder, "--lake", f"s3://{BUCKET}/{prefix}", "--format", "json", *POSTS, *args,
                      env=environment(url or proxy.url, **more))


def test_the_policy_of_the_docs_is_enough(service, proxy, expected, tmp_path):
    allow(service[1], tmp_path)
    done = json.loads(run(proxy, tmp_path / "a", "policy", **WORKER).stdout)
    assert done["answers"] == expected["answers"]
    again = json.loads(run(proxy, tmp_path / "a", "policy", **WORKER).stdout)
    assert again["counts"]["tables_before"] == done["counts"]["tables"]


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject", "s3:PutObject"])
def test_what_is_not_allowed_is_said(service, proxy, tmp_path, action):
    """A run ends with it; it does not wait for a policy that nobody mends."""
    allow(service[1], tmp_path, without=action)
    done = pf.pinflow("run", "--data", tmp_path / "a", "--lake", f"s3://{BUCKET}/{action[3:]}", *POSTS, check=False,
                      env=environment(proxy.url, **WORKER))
    assert done.returncode == 1
    said = next(line for line in done.stderr.splitlines() if "AccessDenied" in line)
    assert "policy" in said
    assert WORKER["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr


def test_buckets_as_host_names(service, proxy, expected, tmp_path):
    shutil.copytree(pf.PIPELINE, tmp_path / "pipeline")
    file = tmp_path / "pipeline/pipeline.yaml"
    text = file.read_text()
    assert text.count("\nsettings:") == 1
    file.write_text(re.sub(r"\nsettings:.*\n", lambda found: found[0] + "  s3.path_style: false\n", text))
    del proxy.operations[:]
    done = json.loads(run(proxy, tmp_path / "a", "hosts", "--pipeline", tmp_path / "pipeline",
                          url=proxy.url.replace("127.0.0.1", "s3.localhost")).stdout)
    assert done["answers"] == expected["answers"]
    paths = [path for _, _, path in proxy.operations]
    assert paths and not any(path.startswith(f"/{BUCKET}") for path in paths)
    assert "hosts/topics/local.pin/partition=0/local.pin+0+0000000000.json" in boto3_objects(service[1], BUCKET, "hosts/topics/")


@pytest.mark.parametrize("offset", ["+20m", "-20m"])
def test_a_wrong_clock_is_put_right_by_the_services(service, proxy, expected, tmp_path, offset):
    """Of a batch, which reads and writes the lake and needs no broker: libfaketime breaks the Kafka client's waiting."""
    library, = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    prefix = f"clock{len(offset)}{offset[0]}"
    run(proxy, tmp_path / "a", prefix)
    awscli(service[1], "s3", "cp", "--quiet", "--recursive", f"s3://{BUCKET}/{prefix}/topics", f"s3://{BUCKET}/{prefix}-late/topics")
    lake = f"s3://{BUCKET}/{prefix}-late"
    skewed = environment(proxy.url, LD_PRELOAD=library, FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")
    del proxy.statuses[:]
    pf.pinflow("batch", "--data", tmp_path / "b", "--lake", lake, env=skewed)
    tables = {table["name"]: table["records"] for table in
              pf.pinflow_json("tables", "--data", tmp_path / "b", "--lake", lake, env=skewed)}
    assert {name: tables[name] for name in expected["counts"]["tables"]} == expected["counts"]["tables"]
    # The service did refuse what was signed by that clock.
    assert 403 in proxy.statuses


@pytest.mark.parametrize("name, fault", [
    ("500", faults.answer(500, "InternalError")),
    ("503", faults.answer(503, "SlowDown")),
    ("reset", faults.reset),
    ("middle", faults.reset_in_the_middle),
    ("lost", faults.lose_answer),
])
def test_the_main_job_through_faults(proxy, expected, tmp_path, name, fault):
    """Plans, commits, checkpoints, answers: each may be lost, and none is done twice."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    proxy.rule = faults.sometimes(random.Random(seed), 0.1, [fault])
    done = json.loads(run(proxy, tmp_path / "a", f"fault-{name}").stdout)
    assert done["answers"] == expected["answers"]
    assert done["counts"]["tables"] == expected["counts"]["tables"]
    again = json.loads(run(proxy, tmp_path / "a", f"fault-{name}").stdout)
    assert again["counts"]["tables_before"] == done["counts"]["tables"]
