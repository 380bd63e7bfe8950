"""Pinflow's command line, as the operator and the sensor call it."""
from __future__ import annotations

import json
import os


def command(binary, *arguments, pipeline=None, data=None, lake=None, profile=None):
    """The words of a command; flags that are not given are left to Pinflow's own defaults."""
    words = [binary, *map(str, arguments)]
    for flag, value in (("--pipeline", pipeline), ("--data", data), ("--lake", lake), ("--profile", profile)):
        if value:
            words += [flag, str(value)]
    return [*words, "--format", "json"]


def settings():
    """What a DAG file takes from the environment: PINFLOW_BIN, PINFLOW_PIPELINE, PINFLOW_DATA, PINFLOW_LAKE, PINFLOW_PROFILE."""
    return {
        "binary": os.environ.get("PINFLOW_BIN", "pinflow"),
        "pipeline": os.environ.get("PINFLOW_PIPELINE", "pipelines/pinterest"),
        "data": os.environ.get("PINFLOW_DATA", "data"),
        "lake": os.environ.get("PINFLOW_LAKE"),
        "profile": os.environ.get("PINFLOW_PROFILE"),
    }


def last_run(output, date):
    """The newest run of a date (or of an instant of it) in the output of `pinflow runs list`; None: there is none."""
    for run in json.loads(output):
        if date in (run["slot"], run["date"]) and run["slot"]:
            return run
    return None
