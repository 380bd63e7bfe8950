"""A Spark Connect server with Delta Lake, for the suites that need one; its parts come by tests/strangers/spark/get.

    with spark_server.running(tmp_path) as server:
        pinflow("query", "--engine", server.url, …)
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).parent.parent
PARTS = ROOT / "build/deps/spark-strangers"
HEAP = "1g"


def get():
    """The parts, where they are not there yet (a minute); who comes second waits."""
    subprocess.run([str(ROOT / "tests/strangers/spark/get")], check=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Started by start(), on 127.0.0.1 only: local[2], UTC, Delta's extension and catalog. A heap of more than 1 GB is for long work."""

    def __init__(self, folder, settings=None, port=None, jars=(), heap=HEAP):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.settings = settings or {}
        self.jars = list(jars)
        self.heap = heap
        self.process = None
        self.log = self.folder / "spark.log"

    @property
    def url(self):
        return f"sc://127.0.0.1:{self.port}"

    def command(self):
        settings = {
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": self.port,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": self.folder / "warehouse",
            "spark.local.dir": self.folder / "local",
            "spark.sql.shuffle.partitions": 4,
            "spark.databricks.delta.snapshotPartitions": 2,
            **self.settings,
        }
        jars = [*sorted((PARTS / "deps/jars").glob("*.jar")), *sorted((PARTS / "delta").glob("*.jar")), *self.jars]
        opens = ["java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
                 "java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"]
        # In short work the JVM's second compiler takes more than it gives: 76 s of CPU for a first batch of 400 posts, 53 s without it.
        compilers = 1 if self.heap == HEAP else 4
        # SparkSubmit's own start of the same class costs 2 s more and another process.
        return ["java", f"-Xmx{self.heap}", "-XX:+UseSerialGC", f"-XX:TieredStopAtLevel={compilers}", "-Duser.timezone=UTC", "-Dderby.system.home=" + str(self.folder),
                "-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true", "-XX:+IgnoreUnrecognizedVMOptions",
                "--add-modules=jdk.incubator.vector", *[f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in opens],
                "-cp", ":".join(map(str, jars)), "org.apache.spark.deploy.SparkSubmit", "--master", "local[2]",
                *[part for key, value in settings.items() for part in ("--conf", f"{key}={value}")],
                "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]

    def start(self, timeout=120):
        """Returns when the server's port answers."""
        assert self.process is None
        home = PARTS / "deps"
        environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=self.folder,
                                            start_new_session=True)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.1)
        self.stop()
        raise AssertionError(f"Spark's server did not answer in {timeout} s:\n{self.log.read_text(errors='replace')[-4000:]}")

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self, timeout=30):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        shutil.rmtree(self.folder / "local", ignore_errors=True)


@contextlib.contextmanager
def running(folder, **more):
    get()
    server = Server(folder, **more)
    try:
        yield server.start()
    finally:
        server.stop()
