"""Profiles over a pipeline's folder: variables, files beside it, services that are not there; what doctor says of them."""
import json
import os
import shutil

import pytest

import pinflow as pf

PROFILE = """
profiles:
  work:
    names: {topic: "posts.{id}.{record}", table: "{id}_{record}"}
    settings:
      bootstrap.server: "${TEST_BROKERS}"
      command.config: work/client.properties
      lake: s3://bucket/posts
      s3.endpoint: "${TEST_S3}"
      kinesis.endpoint: "${TEST_KINESIS}"
"""


@pytest.fixture
def folder(tmp_path):
    """The pipeline's folder with a profile `work`, whose services the environment names."""
    folder = tmp_path / "pipeline"
    shutil.copytree(pf.PIPELINE, folder)
    text = (folder / "pipeline.yaml").read_text()
    (folder / "pipeline.yaml").write_text(text[:text.index("\nprofiles:")] + PROFILE)
    (folder / "work").mkdir()
    (folder / "work/client.properties").write_text("security.protocol=${TEST_PROTOCOL}\n")
    return folder


def machine(**variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TEST_"))}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "not-to-be-seen", "TEST_PROTOCOL": "PLAINTEXT",
            "TEST_BROKERS": "127.0.0.1:1", "TEST_S3": "http://127.0.0.1:1", "TEST_KINESIS": "http://127.0.0.1:1", **variables}


def doctor(folder, data, env, *args):
    done = pf.pinflow("doctor", "--pipeline", folder, "--profile", "work", "--data", data, "--format", "json", *args, check=False, env=env)
    assert "not-to-be-seen" not in done.stdout + done.stderr
    found = {}
    for finding in json.loads(done.stdout):
        found.setdefault(finding["check"], []).append(finding)
    return done.returncode, found


def test_services_that_are_not_there(folder, tmp_path):
    status, found = doctor(folder, tmp_path, machine())
    assert status == 1
    for check, setting in (("kafka", "bootstrap.server"), ("kinesis", "kinesis.endpoint"), ("lake", "s3.endpoint")):
        finding, = found[check]
        assert not finding["ok"] and "127.0.0.1:1" in finding["detail"], finding
        assert f"{setting}), and does the network let this machine reach it?" in finding["detail"]
    assert found["pipeline"][0]["ok"] and "AKIDTEST of the environment" in found["keys"][0]["detail"]
    assert "broker" not in found and "streams" not in found  # those of this machine are not used


def test_missing_keys_are_told_once(folder, tmp_path):
    """And an address that is not AWS's own is asked, in the region that the profile tells of another service."""
    (folder / "work/client.properties").write_text("security.protocol=SASL_SSL\nsasl.mechanism=AWS_MSK_IAM\n"
                                                   "sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;\n")
    env = machine()
    del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    status, found = doctor(folder, tmp_path, env)
    assert status == 1 and "set AWS_REGION, or kinesis.region or s3.region" in found["kafka"][0]["detail"], found
    config = folder / "pipeline.yaml"
    config.write_text(config.read_text() + "      s3.region: eu-west-1\n")
    status, found = doctor(folder, tmp_path, env)
    assert status == 1 and "127.0.0.1:1" in found["kafka"][0]["detail"] and "Connection refused" in found["kafka"][0]["detail"], found
    said = [finding for findings in found.values() for finding in findings if "no AWS credentials" in finding["detail"]]
    assert [finding["check"] for finding in said] == ["keys"], said
    assert found["lake"][0]["detail"].endswith("see keys above")


def test_a_kafka_rest_file_in_the_place_of_a_clients(folder, tmp_path):
    """Its client. keys count: here they name a file that is not there, and that is said."""
    (folder / "work/client.properties").write_text("bootstrap.servers=SSL://127.0.0.1:1\nclient.security.protocol=SSL\n"
                                                   "client.ssl.truststore.location=/not/there.p12\n")
    status, found = doctor(folder, tmp_path, machine())
    assert status == 1 and "client.properties:3: ssl.truststore.location: the file /not/there.p12 is not there" in found["kafka"][0]["detail"]


def test_a_run_without_its_lake_ends(folder, tmp_path):
    """It says why before it posts anything, and does not wait for the lake for ever."""
    done = pf.pinflow("run", "--pipeline", folder, "--profile", "work", "--data", tmp_path, check=False, env=machine())
    assert done.returncode == 1 and "the lake s3://bucket/posts" in done.stderr and "pinflow doctor" in done.stderr, done.stderr


def test_variables_of_a_profile_and_of_its_files(folder, tmp_path):
    env = machine()
    del env["TEST_S3"], env["TEST_PROTOCOL"]
    status, found = doctor(folder, tmp_path, env)
    said, = found["pipeline"]
    assert status == 1 and not said["ok"]
    assert "pipeline.yaml:" in said["detail"] and "'s3.endpoint': the environment variable TEST_S3 is not set" in said["detail"]
    status, found = doctor(folder, tmp_path, env, "--lake", tmp_path / "lake")  # then nobody asks for the S3 endpoint
    assert found["pipeline"][0]["ok"] and found["lake"][0]["ok"]
    said, = found["kafka"]
    assert "work/client.properties:1: security.protocol: the environment variable TEST_PROTOCOL is not set" in said["detail"]


def test_up_uses_the_cluster_that_the_profile_names(folder, tmp_path):
    """No broker of its own; what is posted is in the cluster, and comes from there into the lake."""
    with pf.running("broker", "--data", tmp_path / "k", "--listen", "127.0.0.1:0") as broker, \
            pf.running("streams", "--data", tmp_path / "s", "--listen", "127.0.0.1:0") as streams:
        servers = broker.addresses["broker"]
        env = machine(TEST_BROKERS=servers, TEST_KINESIS=f"http://{streams.addresses['streams']}")
        data = tmp_path / "data"
        with pf.up(data, "--pipeline", folder, "--profile", "work", "--lake", tmp_path / "lake", env=env) as up:
            assert up.addresses["kafka"] == servers and "broker" not in up.addresses
            status, _ = pf.post(up.address("gateway"), "posts.local.pin", {"index": 1})
            assert status == 200
            read = pf.pinflow("consume", "--topic", "posts.local.pin", "--from-beginning", "--until-end", "--bootstrap-server", servers)
            assert json.loads(read.stdout) == {"index": 1}
            pf.wait_until(lambda: list((tmp_path / "lake/topics/posts.local.pin").rglob("*.json")), timeout=60, what="an object")
            assert up.stop() == 0, up.lines
        assert not (data / "log").exists()
