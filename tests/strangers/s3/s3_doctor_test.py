"""What `pinflow doctor` finds of a lake in S3: keys, rights, certificates."""
import json
import subprocess

import pytest

import fault_proxy as faults
import pinflow as pf
from service import HERE, KEY, SECRET, boto3_objects, environment, versitygw


@pytest.fixture(scope="module", autouse=True)
def programs():
    subprocess.run([HERE / "get"], check=True)


def doctor(url, data, **more):
    """What it found, by the name of the check; and all that it said."""
    done = pf.pinflow("doctor", "--data", data, "--lake", "s3://lake/some/where", "--format", "json", check=False,
                      env=environment(url, **more))
    said = done.stdout + done.stderr
    assert SECRET not in said
    return {finding["check"]: finding for finding in json.loads(done.stdout)}


def test_keys_and_rights(tmp_path):
    with versitygw(tmp_path) as (host, port, root), faults.proxy(host, port) as proxy:
        (root / "lake").mkdir()
        found = doctor(proxy.url, tmp_path / "data")
        assert found["lake"]["ok"] and f"{KEY} of the environment" in found["keys"]["detail"]
        assert {entry[0] for entry in proxy.operations} <= faults.POLICY
        assert boto3_objects(proxy.url, "lake") == {}, [str(path) for path in root.rglob("*")]  # nothing is left
        for method, said in [("PUT", "cannot be written"), ("DELETE", "nothing be removed"), ("GET", "AccessDenied")]:
            proxy.rule = lambda m, path: faults.answer(403, "AccessDenied") if m == method else None
            found = doctor(proxy.url, tmp_path / "data")
            assert not found["lake"]["ok"]
            assert said in found["lake"]["detail"] and "AccessDenied" in found["lake"]["detail"]


def test_tls_by_an_authority_of_ones_own(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pinflow test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True, timeout=60)
    with versitygw(tmp_path, "--cert", certificate, "--key", key) as (host, port, root):
        (root / "lake").mkdir()
        refused = doctor(f"https://{host}:{port}", tmp_path / "data")["lake"]
        assert not refused["ok"] and "certificate" in refused["detail"]
        found = doctor(f"https://{host}:{port}", tmp_path / "data", AWS_CA_BUNDLE=str(certificate))
        assert found["lake"]["ok"], found["lake"]
