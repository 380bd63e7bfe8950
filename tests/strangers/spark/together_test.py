"""Outgrown by configuration alone: one `pinflow run --profile grown` over Apache Kafka 4.3.1, versitygw and Spark 4.2.0 with Delta 4.4.0,
all at once, and the same run embedded: counts that agree, the same tables, the same answers.

The program speaks S3 to the gateway. Spark has no client for S3 among its parts (hadoop-aws and AWS's SDK are 600 MB); it reads and
writes the gateway's own folder, which `engine.paths` maps. docs/growing.md says what was tried with s3a:// by hand.
"""
import json
import shutil
import subprocess
import sys

import pinflow as pf
import pytest
import spark_server

sys.path[:0] = [str(pf.ROOT / "tests/strangers/s3"), str(pf.ROOT / "tests/strangers/kafka")]
import kafka_source_test  # noqa: E402
import service  # noqa: E402

POSTS = 400


@pytest.fixture(scope="module", autouse=True)
def programs():
    for suite in ("s3", "kafka"):
        subprocess.run([str(pf.ROOT / f"tests/strangers/{suite}/get")], check=True)


def grown(folder, kafka, s3, spark, bucket_folder):
    """The pipeline's folder with one profile more."""
    shutil.copytree(pf.PIPELINE, folder)
    text = (folder / "pipeline.yaml").read_text()
    profile = f"""
profiles:
  grown:
    settings:
      bootstrap.server: {kafka}
      lake: s3://grown/lake
      s3.endpoint: {s3}
      engine: {spark}
      engine.paths: {{"s3://grown/": "{bucket_folder}/"}}"""
    assert "\nprofiles:" in text
    (folder / "pipeline.yaml").write_text(text.replace("\nprofiles:", profile, 1))
    return folder


def test_kafka_s3_and_spark_at_once(tmp_path):
    for name in ("kafka", "s3"):
        (tmp_path / name).mkdir()
    with kafka_source_test.apache_kafka(tmp_path / "kafka") as kafka, service.versitygw(tmp_path / "s3") as (host, port, root), \
            spark_server.running(tmp_path / "spark") as spark:
        (root / "grown").mkdir()
        s3 = f"http://{host}:{port}"
        pipeline = grown(tmp_path / "pipeline", kafka, s3, spark.url, root / "grown")
        environment = service.environment(s3)
        common = ("--posts", POSTS)
        for turn in range(2):  # the second run goes on where the first ended
            here = pf.pinflow_json("run", *common, "--data", tmp_path / "here", timeout=300)
            there = json.loads(pf.pinflow("run", *common, "--pipeline", pipeline, "--profile", "grown", "--data", tmp_path / "there", "--format", "json",
                                          timeout=900, env=environment).stdout)
            for key in ("acknowledged", "log", "records_in_objects", "clean", "duplicates", "dead", "tables_before", "tables"):
                assert there["counts"][key] == here["counts"][key], (turn, key)
            assert there["answers"] == here["answers"]
        for table in ("pin", "geo", "user", "dead"):
            assert pf.rows(root / "grown/lake", table) == pf.rows(tmp_path / "here/lake", table), table
        # And by the other engine, over the same lake.
        query = ("query", "--pipeline", pipeline, "--profile", "grown", "--data", tmp_path / "there", "--format", "json")
        assert pf.pinflow(*query, "--engine", "duckdb", env=environment).stdout == pf.pinflow(*query, timeout=600, env=environment).stdout
