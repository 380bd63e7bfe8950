"""Outgrown by configuration alone: `pinflow run --profile grown` over Apache Kafka 4.3.1, versitygw and Spark 4.2.0 with Delta 4.4.0, all
at once, and the same runs embedded: counts that agree, the same tables, the same answers, also where each service was killed meanwhile.

Spark reads and writes the lake by S3 as the program does, with Hadoop's own file system (s3a://).
"""
import contextlib
import json
import shutil
import time

import pinflow as pf
import pytest
import services
import spark_server

POSTS = 400
AWAY_S = 2  # how long a killed service stays away


@pytest.fixture(scope="module", autouse=True)
def parts():
    services.get()


class Grown:
    """The services, and the pipeline's folder with one profile more that names them."""

    def __init__(self, folder, stack):
        self.kafka = stack.enter_context(services.apache_kafka(folder / "kafka"))
        self.s3 = stack.enter_context(services.versitygw(folder / "s3"))
        url = f"http://{self.s3.address}"
        jars, settings = services.spark_s3a(url)
        self.spark = stack.enter_context(spark_server.running(folder / "spark", jars=jars, settings=settings))
        self.lake = folder / "s3/root/grown/lake"
        self.lake.parent.mkdir()
        self.data = folder / "there"
        self.environment = services.s3.environment(url)
        self.pipeline = folder / "pipeline"
        shutil.copytree(pf.PIPELINE, self.pipeline)
        text = (self.pipeline / "pipeline.yaml").read_text()
        assert "\nprofiles:" in text
        (self.pipeline / "pipeline.yaml").write_text(text.replace("\nprofiles:", f"""
profiles:
  grown:
    settings:
      bootstrap.server: {self.kafka.address}
      lake: s3://grown/lake
      s3.endpoint: {url}
      engine: {self.spark.url}""", 1))

    def command(self, *command):
        return [*command, "--pipeline", self.pipeline, "--profile", "grown", "--data", self.data]

    def pinflow(self, *command):
        return pf.pinflow(*self.command(*command), "--format", "json", timeout=900, env=self.environment).stdout

    def plans(self):
        return len(list(self.lake.glob("state/plans/batch/*.json")))

    def topics_bytes(self):
        return sum(path.stat().st_size for path in (self.kafka.folder / "logs").glob("local.*/*.log"))


@pytest.fixture
def grown(tmp_path):
    with contextlib.ExitStack() as stack:
        yield Grown(tmp_path, stack)


def away(service):
    service.kill()
    time.sleep(AWAY_S)
    service.start()


def run_through(grown, faults, *command):
    """One run, and the services killed at their moments. One that ends by it says of which it was, and is followed by another."""
    for _ in range(len(faults) + 1):
        names = []
        run = pf.Process(*grown.command(*command), env=grown.environment)
        try:
            while faults and run.process.poll() is None:
                service, moment, called = faults[0]
                pf.wait_until(lambda: moment() or run.process.poll() is not None, timeout=600, what=called[0])
                if run.process.poll() is None:
                    names += called
                    faults.pop(0)
                    away(service)
            status = run.wait(900)
        finally:
            run.process.kill()
        said = "\n".join(run.lines)
        if status == 0:
            break
        assert status == 1 and any(name in said for name in names), (status, names, said)
    assert status == 0 and not faults, said


def test_kafka_s3_and_spark_at_once(grown, tmp_path):
    here = tmp_path / "here"
    embedded = pf.pinflow_json("run", "--posts", POSTS, "--data", here, timeout=300)
    there = json.loads(grown.pinflow("run", "--posts", POSTS))
    for key in ("acknowledged", "log", "records_in_objects", "clean", "duplicates", "dead", "tables_before", "tables"):
        assert there["counts"][key] == embedded["counts"][key], key
    assert there["answers"] == embedded["answers"]

    # Each service killed in the middle of a run: it ends right, or with an error that names what is wrong, and the next completes it.
    command = ("run", "--batch", "--posts", 5 * POSTS, "--seed", 1)
    bytes_before, plans_before = grown.topics_bytes(), grown.plans()
    run_through(grown, [(grown.kafka, lambda: grown.topics_bytes() > bytes_before + 50_000, ("Kafka", "kafka", grown.kafka.address)),
                        (grown.s3, lambda: grown.plans() > plans_before, ("s3://grown", "s3a://grown", grown.s3.address)),
                        (grown.spark, lambda: grown.plans() > plans_before, ("Spark", grown.spark.url))], *command)
    pf.pinflow(*command, "--data", here, timeout=300)

    for table in ("pin", "geo", "user", "dead"):
        assert pf.rows(grown.lake, table) == pf.rows(here / "lake", table), table
    # And by the other engine, over the same lake.
    answers = grown.pinflow("query")
    assert answers == grown.pinflow("query", "--engine", "duckdb") == pf.pinflow("query", "--data", here, "--format", "json").stdout
