"""An operator that runs one step of a pipeline."""
from __future__ import annotations

import collections
import json
import os
import signal
import subprocess

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from pinflow_airflow.command import command

LAST_LINES = 20  # of the step's own words, in the task's error


class PinflowOperator(BaseOperator):
    """Runs `pinflow batch --step STEP` for the DAG run's day.

    A step may be run again at any time, and by several at once: Pinflow's plans let each record into its table once.
    So a task's retry needs no clearing up. The step's report (counts, seconds) is the task's XCom.

    :param step: load (the log into the lake), clean, answers (checks, then queries), or all
    :param record: with clean, only this record type
    :param date: the run's label, `$date` in SQL (templated)
    """

    template_fields = ("date", "pipeline", "data", "lake", "environment")

    def __init__(self, *, step, record=None, date="{{ (dag_run.logical_date or dag_run.run_after) | ds }}", binary="pinflow",
                 pipeline=None, data=None, lake=None, profile=None, arguments=(), environment=None, **kwargs):
        super().__init__(**kwargs)
        self.step = step
        self.record = record
        self.date = date
        self.binary = binary
        self.pipeline = pipeline
        self.data = data
        self.lake = lake
        self.profile = profile
        self.arguments = arguments
        self.environment = environment
        self._process = None

    def execute(self, context):
        words = ["batch", "--step", self.step, "--date", self.date, *self.arguments]
        if self.record:
            words += ["--record", self.record]
        line = command(self.binary, *words, pipeline=self.pipeline, data=self.data, lake=self.lake, profile=self.profile)
        self.log.info("%s", " ".join(line))
        try:
            # A group of its own: on_kill ends all of it.
            self._process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                             env={**os.environ, **(self.environment or {})})
        except OSError as error:
            raise AirflowException(f"{self.binary} could not be started: {error}. Name it with PINFLOW_BIN") from error
        last = collections.deque(maxlen=LAST_LINES)
        for text in self._process.stderr:  # standard output is one JSON value, at the end
            last.append(text.rstrip())
            self.log.info("%s", text.rstrip())
        output = self._process.stdout.read()
        status = self._process.wait()
        report = json.loads(output) if output.strip() else None
        if status != 0:
            raise AirflowException(f"pinflow {self.step} ended with {status}: {why(report, last)}")
        if report and report.get("checks"):
            for name, check in report["checks"].items():
                if not check["well"]:
                    self.log.warning("check %s (%s): %s", name, check["title"], check["rows"])
        return report

    def on_kill(self):
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)


def why(report, last):
    """What a failed step says of itself: its checks with their rows, else its last lines."""
    failed = [f"check {name} ({check['title']}) found {check['rows']}" for name, check in ((report or {}).get("checks") or {}).items()
              if check["severity"] == "fail" and not check["well"]]
    return "; ".join(failed) or "\n".join(last) or "it said nothing"
