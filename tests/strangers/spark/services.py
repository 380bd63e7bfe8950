"""Apache Kafka and versitygw as processes that can be killed and started again on what they left."""
import contextlib
import os
import pathlib
import socket
import subprocess
import sys

import pinflow as pf

SUITES = pf.ROOT / "tests/strangers"
sys.path[:0] = [str(SUITES / "s3"), str(SUITES / "kafka")]
import service as s3  # noqa: E402
import tools as kafka  # noqa: E402


class Service:
    """Started by start(), which returns when its port answers."""

    def __init__(self, name, command, port, folder, env=None):
        self.name, self.command, self.port = name, list(map(str, command)), port
        self.folder, self.env, self.process = folder, env, None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")[-3000:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(self.env or {})})
        pf.wait_until(self._answers, timeout=120, what=self.name)
        return self

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    __enter__ = start

    def __exit__(self, *_):
        self.kill()


def apache_kafka(folder):
    """Version 4.3.1, one node, without security."""
    folder.mkdir()
    port, controller = s3.free_port(), s3.free_port()
    file = folder / "server.properties"
    file.write_text("\n".join([
        "process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{controller}",
        f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}", f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names=CONTROLLER", f"log.dirs={folder}/logs", "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=1", "group.initial.rebalance.delay.ms=0", ""]))
    java = ["java", "-Xmx400m", "-cp", f"{kafka.DEPS}/4.3.1/*"]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", file], check=True, capture_output=True,
                   timeout=240)
    return Service("Apache Kafka", [*java, "kafka.Kafka", file], port, folder)


def versitygw(folder):
    """The buckets are the folders in folder/root."""
    for name in ("root", "meta"):
        (folder / name).mkdir(parents=True)
    port = s3.free_port()
    command = [s3.DEPS / "versitygw", "--port", f"127.0.0.1:{port}", "--region", s3.REGION, "posix", "--sidecar", folder / "meta", folder / "root"]
    return Service("versitygw", command, port, folder, {"ROOT_ACCESS_KEY": s3.KEY, "ROOT_SECRET_KEY": s3.SECRET})


def spark_s3a(url):
    """What makes Spark find the S3 service at `url`: (jars, settings)."""
    jars = sorted(pathlib.Path(pf.ROOT / "build/deps/spark-s3a").glob("*.jar"))
    hadoop = {"endpoint": url, "endpoint.region": s3.REGION, "path.style.access": "true", "access.key": s3.KEY, "secret.key": s3.SECRET}
    return jars, {f"spark.hadoop.fs.s3a.{key}": value for key, value in hadoop.items()}


def get():
    for path in ("s3/get", "kafka/get", "spark/get_s3a"):
        subprocess.run([str(SUITES / path)], check=True)
