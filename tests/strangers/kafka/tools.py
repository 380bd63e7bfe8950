"""Other people's Kafka programs, as functions. Each call ends, by itself or by its time limit."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
DEPS = ROOT / "build/deps/kafka-strangers"
VERSIONS = ["2.8.1", "4.3.1"]

# Where a tool's class is, in each version.
CLASSES = {
    "topics": {"2.8.1": "kafka.admin.TopicCommand", "4.3.1": "org.apache.kafka.tools.TopicCommand"},
    "configs": {"2.8.1": "kafka.admin.ConfigCommand", "4.3.1": "kafka.admin.ConfigCommand"},
    "groups": {"2.8.1": "kafka.admin.ConsumerGroupCommand", "4.3.1": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"},
    "delete-records": {"2.8.1": "kafka.admin.DeleteRecordsCommand", "4.3.1": "org.apache.kafka.tools.DeleteRecordsCommand"},
    "get-offsets": {"2.8.1": "kafka.tools.GetOffsetShell", "4.3.1": "org.apache.kafka.tools.GetOffsetShell"},
    "console-consumer": {"2.8.1": "kafka.tools.ConsoleConsumer", "4.3.1": "org.apache.kafka.tools.consumer.ConsoleConsumer"},
    "console-producer": {"2.8.1": "kafka.tools.ConsoleProducer", "4.3.1": "org.apache.kafka.tools.ConsoleProducer"},
    "api-versions": {"2.8.1": "kafka.admin.BrokerApiVersionsCommand", "4.3.1": "org.apache.kafka.tools.BrokerApiVersionsCommand"},
    "perf": {v: "org.apache.kafka.tools.ProducerPerformance" for v in VERSIONS},
    "consumer-perf": {"2.8.1": "kafka.tools.ConsumerPerformance", "4.3.1": "org.apache.kafka.tools.ConsumerPerformance"},
    "verifiable-producer": {v: "org.apache.kafka.tools.VerifiableProducer" for v in VERSIONS},
}


def run(command, stdin="", timeout=120, check=True, env=None):
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Java:
    """Apache Kafka's tools of one version against one broker."""

    def __init__(self, version, address):
        self.version, self.address = version, address

    def command(self, tool, *args):
        servers = [] if tool in ("perf", ) else ["--bootstrap-server", self.address]
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{DEPS}/{self.version}/*", CLASSES[tool][self.version],
                *servers, *args]

    def __call__(self, tool, *args, **more):
        return run(self.command(tool, *args), **more)

    def lines(self, tool, *args, **more):
        return self(tool, *args, **more).stdout.splitlines()

    def start(self, tool, *args):
        return subprocess.Popen(self.command(tool, *args), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kcat(address, *args, stdin="", **more):
    return run(["kcat", "-b", address, *args], stdin=stdin, **more).stdout


def python(address, call, *args):
    """A function of clients.py, in a process of its own that sees the Python clients."""
    done = run([sys.executable, HERE / "clients.py", call, address, *args], env={"PYTHONPATH": str(DEPS / "python")})
    return done.stdout.splitlines()
