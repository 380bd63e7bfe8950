"""A pipeline's folder, as far as a DAG file needs it."""
from __future__ import annotations

import os
import pathlib

import yaml


def load(folder):
    with open(pathlib.Path(folder) / "pipeline.yaml", encoding="utf-8") as file:
        return yaml.safe_load(file)


def user_id(pipeline):
    """{id} in the pipeline's names."""
    return os.environ.get("PINFLOW_USER_ID") or pipeline.get("user_id", "local")


def dag_id(pipeline):
    return f"{user_id(pipeline)}_dag"
