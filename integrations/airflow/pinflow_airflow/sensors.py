"""A sensor that waits for a run of Pinflow's own schedule."""
from __future__ import annotations

import datetime
import subprocess

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowException

from pinflow_airflow.command import command, last_run
from pinflow_airflow.triggers import PinflowRunTrigger, judge


class PinflowRunSensor(BaseSensorOperator):
    """Waits until the last run of a date has succeeded; fails when it failed for good or was cancelled.

    :param date: the date, or the instant where a day has several runs (templated)
    :param deferrable: wait in the triggerer, without a worker's slot
    """

    template_fields = ("date", "pipeline", "data")

    def __init__(self, *, date="{{ (dag_run.logical_date or dag_run.run_after) | ds }}", binary="pinflow", pipeline=None, data=None,
                 deferrable=True, **kwargs):
        super().__init__(**kwargs)
        self.date = date
        self.binary = binary
        self.pipeline = pipeline
        self.data = data
        self.deferrable = deferrable

    def _command(self):
        return command(self.binary, "runs", "list", "-n", 1000, pipeline=self.pipeline, data=self.data)

    def poke(self, context):
        done = subprocess.run(self._command(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AirflowException(done.stderr.strip())
        well, trouble = judge(last_run(done.stdout, self.date), self.date)
        if trouble:
            raise AirflowException(trouble)
        return well

    def execute(self, context):
        if not self.deferrable:
            return super().execute(context)
        if self.poke(context):
            return None
        self.defer(trigger=PinflowRunTrigger(command=self._command(), date=self.date, poke_interval=self.poke_interval),
                   timeout=datetime.timedelta(seconds=self.timeout), method_name="execute_complete")

    def execute_complete(self, context, event=None):
        if event["trouble"]:
            raise AirflowException(event["trouble"])
        self.log.info("run %s of %s succeeded", event["run"], self.date)
        return event["run"]
