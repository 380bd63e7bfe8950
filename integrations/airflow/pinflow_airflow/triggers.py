"""The trigger of PinflowRunSensor."""
from __future__ import annotations

import asyncio

from airflow.triggers.base import BaseTrigger, TriggerEvent

from pinflow_airflow.command import last_run


def judge(run, date):
    """(has succeeded, what is wrong for good). A failed run may have tries left: then another one is queued."""
    if run is None or run["state"] in ("queued", "running", "abandoned"):
        return False, None
    if run["state"] == "succeeded":
        return True, None
    return False, f"run {run['id']} of {date} {run['state']}: {run['message']}"


class PinflowRunTrigger(BaseTrigger):
    def __init__(self, command, date, poke_interval=60.0):
        super().__init__()
        self.command = command
        self.date = date
        self.poke_interval = poke_interval

    def serialize(self):
        return (f"{type(self).__module__}.{type(self).__name__}",
                {"command": self.command, "date": self.date, "poke_interval": self.poke_interval})

    async def run(self):
        while True:
            process = await asyncio.create_subprocess_exec(*self.command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
            output, errors = await process.communicate()
            if process.returncode != 0:
                yield TriggerEvent({"run": None, "trouble": errors.decode(errors="replace").strip()})
                return
            run = last_run(output.decode(), self.date)
            well, trouble = judge(run, self.date)
            if well or trouble:
                yield TriggerEvent({"run": run["id"], "trouble": trouble})
                return
            await asyncio.sleep(self.poke_interval)
