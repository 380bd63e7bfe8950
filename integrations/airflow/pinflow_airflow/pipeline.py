"""A pipeline's folder, as far as a DAG file needs it."""
from __future__ import annotations

import os
import pathlib
import re

import yaml

SPARK_TYPES = {"string": "STRING", "integer": "INT", "long": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN",
               "timestamp": "TIMESTAMP", "array<double>": "ARRAY<DOUBLE>", "array<string>": "ARRAY<STRING>"}
CELL = "\n\n-- COMMAND ----------\n\n"
# What $date is not looked for in: texts, quoted names, comments.
TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|(?<![\w$])\$date(?!\w)", re.S)


def load(folder):
    with open(pathlib.Path(folder) / "pipeline.yaml", encoding="utf-8") as file:
        return yaml.safe_load(file)


def dag_id(pipeline):
    return f"{os.environ.get('PINFLOW_USER_ID') or pipeline.get('user_id', 'local')}_dag"


def with_date(sql):
    """$date as the notebook's parameter, which is a text, as it is when Pinflow runs the same SQL."""
    return TOKEN.sub(lambda token: ":date" if token[0] == "$date" else token[0], sql)


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def _names(pipeline, profile, record):
    overlay = (pipeline.get("profiles") or {}).get(profile) or {}
    user = os.environ.get("PINFLOW_USER_ID") or overlay.get("user_id") or pipeline.get("user_id", "local")
    names = overlay.get("names") or {}
    fill = lambda pattern: pattern.replace("{id}", user).replace("{record}", record)  # noqa: E731
    spec = pipeline["records"][record]
    return fill(names.get("topic", spec["topic"])), fill(names.get("table", spec["table"]))


def _read(folder, name):
    return with_date((pathlib.Path(folder) / name).read_text(encoding="utf-8")).strip().rstrip(";")


def notebooks(folder, lake, profile="local"):
    """{name: text} of SQL notebooks that clean the objects under `lake` (s3://BUCKET/PREFIX) into Delta tables.

    Each adds the rows that its table lacks, in one commit: run again, or twice at once, it adds nothing twice. That rests
    on dropping repeats, so a pipeline that keeps them is refused.
    """
    pipeline = load(folder)
    if (pipeline.get("repeats") or {}).get("batch", "drop") != "drop":
        raise ValueError(f"{folder}: 'repeats: batch: keep' cannot be run again safely by these notebooks: use Pinflow's own batch")
    start = ["-- Databricks notebook source", "SET TIME ZONE 'UTC'"]
    if (pipeline.get("prelude") or {}).get("spark"):
        prelude = _read(folder, pipeline["prelude"]["spark"])
        start += [part.strip() for part in re.split(r";\s*(?:\n|$)", prelude) if part.strip()]
    made, views = {}, []
    for record, spec in pipeline["records"].items():
        topic, table = _names(pipeline, profile, record)
        columns = {name: SPARK_TYPES[kind] for name, kind in spec["columns"].items()}
        fields = ", ".join(f"{quoted(field)} STRING" for field in spec["fields"]).replace("'", "\\'")
        same = " AND ".join(f"t.{quoted(name)} <=> c.{quoted(name)}" for name in columns)
        cast = ", ".join(f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in columns.items())
        made[f"clean_{record}"] = CELL.join([
            *start,
            f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({', '.join(f'{quoted(n)} {k}' for n, k in columns.items())}) USING delta\n"
            "TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')",
            f"CREATE OR REPLACE TEMPORARY VIEW raw AS\nSELECT r.*, origin FROM (\n  SELECT from_json(value, '{fields}') AS r, "
            f"_metadata.file_path AS origin\n  FROM text.`{lake.rstrip('/')}/topics/{topic}/partition=*/*.json`\n)",
            f"CREATE OR REPLACE TEMPORARY VIEW cleaned AS\n{_read(folder, spec['clean'])}",
            f"INSERT INTO {quoted(table)}\nSELECT DISTINCT * FROM (SELECT {cast} FROM cleaned WHERE reason IS NULL) AS c\n"
            f"WHERE NOT EXISTS (SELECT 1 FROM {quoted(table)} AS t WHERE {same})",
        ]) + "\n"
        if table != record:
            views.append(f"CREATE OR REPLACE TEMPORARY VIEW {quoted(record)} AS SELECT * FROM {quoted(table)}")
    checks = []
    for name, check in (pipeline.get("checks") or {}).items():
        if check.get("severity", "fail") == "fail":
            checks.append(f"SELECT assert_true(count(*) = 0, 'check {name}: there are rows that it should not have') FROM (\n"
                          f"{_read(folder, check['sql'])}\n)")
    queries = [f"-- {name}\n{_read(folder, query['sql'])}" for name, query in (pipeline.get("queries") or {}).items()]
    made["queries"] = CELL.join([*start, *views, *checks, *queries]) + "\n"
    return made


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Writes the SQL notebooks of a pipeline, to be imported into a Databricks workspace.")
    parser.add_argument("folder", help="the pipeline's folder")
    parser.add_argument("lake", help="s3://BUCKET/PREFIX")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--profile", default="local")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for notebook, text in notebooks(given.folder, given.lake, given.profile).items():
        (given.output / f"{notebook}.sql").write_text(text, encoding="utf-8")
        print(given.output / f"{notebook}.sql")
