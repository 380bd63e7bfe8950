"""Pinflow's steps in real Apache Airflow: DAG files parsed, `dags test` end to end, a failing step, a retry.

No server is started: `dags test` runs a DAG in its own process. Python's packages go to build/deps/airflow, once.
"""
import ast
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import pinflow as pf

HERE = pathlib.Path(__file__).parent
PACKAGE = pf.ROOT / "integrations/airflow"
VENV = pf.ROOT / "build/deps/airflow"
DAY = "2026-11-20"


@pytest.fixture(scope="session")
def airflow(tmp_path_factory):
    """The environment of Airflow's commands, with an Airflow home of the session's."""
    # Without PYTHONPATH, whose packages pip would take for its own.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "PYTHON", "PINFLOW"))}
    wanted = hashlib.sha256((HERE / "requirements.txt").read_bytes()).hexdigest()
    mark = VENV / ".version"
    if not mark.is_file() or mark.read_text() != wanted:
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, env=environment)
        subprocess.run([VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
                        "--no-deps", "--only-binary", ":all:", "-r", HERE / "requirements.txt"], check=True, env=environment)
        mark.write_text(wanted)
    home = tmp_path_factory.mktemp("airflow")
    environment |= {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(PACKAGE),
                    "AIRFLOW__CORE__DAGS_FOLDER": str(PACKAGE / "dags"), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    subprocess.run([VENV / "bin/airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    return environment


def settings(airflow, tmp_path, **more):
    return airflow | {"PINFLOW_BIN": pf.BIN, "PINFLOW_PIPELINE": str(pf.PIPELINE), "PINFLOW_DATA": str(tmp_path / "data"), **more}


def python(environment, code):
    return subprocess.run([VENV / "bin/python", "-c", code], env=environment, capture_output=True, text=True, timeout=300, check=False)


def dags_test(environment, dag="local_dag"):
    done = subprocess.run([VENV / "bin/airflow", "dags", "test", dag, DAY], env=environment, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def posted(data, posts=200):
    """A log that holds posts, and a lake that holds nothing yet."""
    with pf.running("broker", "--data", data, "--listen", "127.0.0.1:0") as broker:
        server = "%s:%d" % broker.address("broker")
        with pf.running("gateway", "--listen", "127.0.0.1:0", "--bootstrap-server", server) as gateway:
            pf.pinflow("topics", "create", "--bootstrap-server", server)
            pf.pinflow("source", "generate", "--posts", posts, "--data", data)
            pf.pinflow("emulate", "--all", "--data", data, "--url", "http://%s:%d/prod" % gateway.address("gateway"))
            gateway.stop()
        broker.stop()


def dags_of_ones_own(tmp_path, retries=2):
    """Copies of the DAG files whose retries come at once."""
    folder = tmp_path / "dags"
    folder.mkdir()
    for path in (PACKAGE / "dags").glob("*.py"):
        (folder / path.name).write_text(path.read_text().replace("timedelta(minutes=2)", "timedelta(seconds=1)")
                                        .replace('"retries": 2', f'"retries": {retries}'))
    return {"AIRFLOW__CORE__DAGS_FOLDER": str(folder)}


def test_the_dag_files_are_parsed_without_a_warning(airflow, tmp_path):
    done = python(settings(airflow, tmp_path), """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from airflow.models.dagbag import DagBag
    caught.clear()
    import runpy, glob, os
    from airflow.sdk import DAG
    found = {}
    for path in sorted(glob.glob(os.environ["AIRFLOW__CORE__DAGS_FOLDER"] + "/*.py")):
        for value in runpy.run_path(path).values():
            if isinstance(value, DAG):
                found[value.dag_id] = value
        for each in __import__("gc").get_objects():
            if isinstance(each, DAG):
                found[each.dag_id] = each
mine = [str(w.message) for w in caught if "site-packages" not in w.filename]
print(json.dumps({"warnings": mine, "dags": {name: {"tasks": {t.task_id: sorted(t.downstream_task_ids) for t in dag.tasks},
      "catchup": dag.catchup, "retries": sorted({t.retries for t in dag.tasks}), "schedule": str(dag.schedule)} for name, dag in found.items()}}))
""")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["warnings"] == []
    daily = found["dags"]["local_dag"]
    assert daily == {"tasks": {"load": ["clean_geo", "clean_pin", "clean_user"], "clean_pin": ["queries"], "clean_geo": ["queries"],
                               "clean_user": ["queries"], "queries": []}, "catchup": False, "retries": [2], "schedule": "@daily"}
    cloud = found["dags"]["local_databricks_dag"]
    assert set(cloud["tasks"]) == {"clean_pin", "clean_geo", "clean_user", "queries"} and cloud["catchup"] is False
    listed = subprocess.run([VENV / "bin/airflow", "dags", "list-import-errors"], env=settings(airflow, tmp_path), capture_output=True, text=True, check=False)
    assert "No data found" in listed.stdout + listed.stderr


def test_a_dag_run_does_everything_and_a_second_one_repeats_nothing(airflow, tmp_path):
    data, lake = tmp_path / "data", tmp_path / "data/lake"
    posted(data)
    environment = settings(airflow, tmp_path)
    status, output = dags_test(environment)
    assert status == 0 and "state=success" in output, output[-3000:]
    assert [len(pf.rows(lake, table)) for table in ("pin", "geo", "user")] == [200, 200, 200]
    answers = list((lake / "answers").glob("*/top_country.json"))
    assert answers and json.loads(answers[0].read_text())["date"] == DAY
    status, output = dags_test(environment)
    assert status == 0
    assert [len(pf.rows(lake, table)) for table in ("pin", "geo", "user")] == [200, 200, 200]


def test_a_step_that_is_killed_is_retried_and_repeats_nothing(airflow, tmp_path):
    data, lake = tmp_path / "data", tmp_path / "data/lake"
    posted(data)
    # Each step's first try dies: by kill -9 in the middle, or after it has done all.
    wrapper = tmp_path / "pinflow"
    wrapper.write_text(f"""#!/bin/sh
step=$(echo "$@" | sed 's/.*--step \\([a-z]*\\).*--record \\([a-z]*\\).*/\\1-\\2/; t; s/.*--step \\([a-z]*\\).*/\\1/')
if [ ! -e {tmp_path}/$step ]; then
  touch {tmp_path}/$step
  case $step in clean-geo) {pf.BIN} "$@" >/dev/null ;; *) {pf.BIN} "$@" >/dev/null & sleep 0.1; kill -9 $! ;; esac
  echo "killed in $step" >&2
  exit 137
fi
exec {pf.BIN} "$@"
""")
    wrapper.chmod(0o755)
    status, output = dags_test(settings(airflow, tmp_path, PINFLOW_BIN=str(wrapper), **dags_of_ones_own(tmp_path)))
    assert status == 0 and "state=success" in output, output[-3000:]
    assert "pinflow load ended with 137" in output and "killed in clean-pin" in output
    for table in ("pin", "geo", "user"):
        rows = pf.rows(lake, table)
        assert len(rows) == len(set(map(str, rows))) == 200
        pf.delta_files(lake, table)


def test_a_failing_step_fails_its_task_with_its_message(airflow, tmp_path):
    posted(tmp_path / "data", 20)
    folder = tmp_path / "pipeline"
    shutil.copytree(pf.PIPELINE, folder)
    (folder / "checks/possible_numbers.sql").write_text("SELECT ind, 'too odd' AS why FROM pin WHERE ind < 2\n")
    environment = settings(airflow, tmp_path, PINFLOW_PIPELINE=str(folder), **dags_of_ones_own(tmp_path, 0))
    status, output = dags_test(environment)
    assert "state=failed" in output and "pinflow answers ended with 1: check possible_numbers" in output and "too odd" in output, output[-3000:]
    (folder / "clean/pin.sql").write_text("SELECT nonsense FROM raw\n")
    shutil.rmtree(tmp_path / "data/lake")
    status, output = dags_test(environment)
    assert "state=failed" in output and "clean/pin.sql:1:" in output


def test_the_sensor_and_its_trigger_follow_a_run(airflow, tmp_path):
    environment = settings(airflow, tmp_path)
    code = """
import asyncio, os, sys
from pinflow_airflow.sensors import PinflowRunSensor
from airflow.sdk.exceptions import TaskDeferred
sensor = PinflowRunSensor(task_id="wait", date="2026-11-20", binary=os.environ["PINFLOW_BIN"], pipeline=os.environ["PINFLOW_PIPELINE"],
                          data=os.environ["PINFLOW_DATA"], poke_interval=0.2)
try:
    sensor.execute({})
    print("at once")
except TaskDeferred as deferred:
    path, arguments = deferred.trigger.serialize()
    module, _, name = path.rpartition(".")
    trigger = getattr(sys.modules[module], name)(**arguments)
    print("deferred", flush=True)
    async def wait():
        async for event in trigger.run():
            return event.payload
    print("run", sensor.execute_complete({}, asyncio.run(wait())))
"""
    process = subprocess.Popen([VENV / "bin/python", "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if line.strip() == "deferred":
            break
    assert process.poll() is None
    pf.pinflow("batch", "--data", tmp_path / "data", "--date", DAY)
    assert "run 1" in process.communicate(timeout=60)[0]
    assert "at once" in python(environment, code).stdout


def test_the_databricks_dag_submits_notebooks_made_from_the_same_folder(airflow, tmp_path):
    notebooks = tmp_path / "notebooks"
    pf.pinflow("export", "databricks", notebooks)
    assert sorted(path.name for path in notebooks.iterdir()) == ["1_objects.py", "2_clean.py", "3_queries.py", "4_stream.py"]
    assert (pf.PIPELINE / "clean/geo.sql").read_text().strip() in (notebooks / "2_clean.py").read_text()
    # What Databricks would be asked for: the operator's own request.
    done = python(settings(airflow, tmp_path, PINFLOW_CLUSTER="0123-cluster", PINFLOW_BUCKET="my-bucket"), """
import gc, json, os, runpy
from airflow.sdk import DAG
namespace = runpy.run_path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"] + "/pinflow_databricks_dag.py")
dag = next(each for each in gc.get_objects() if isinstance(each, DAG) and each.dag_id == "local_databricks_dag")
task = dag.get_task("clean_pin")
print(json.dumps({"json": task._prepare_submit_json({}), "connection": task.databricks_conn_id,
                  "templated": {"tasks", "idempotency_token"} <= set(task.template_fields)}))
""")
    assert done.returncode == 0, done.stderr
    asked = json.loads(done.stdout.splitlines()[-1])
    assert asked["connection"] == "databricks_default" and asked["templated"]
    assert asked["json"]["tasks"][0]["existing_cluster_id"] == "0123-cluster"
    task = asked["json"]["tasks"][0]["notebook_task"]
    assert task["notebook_path"].endswith("/2_clean") and (notebooks / "2_clean.py").is_file()
    widgets = task["base_parameters"]
    assert widgets["record"] == "pin" and widgets["bucket"] == "my-bucket" and widgets["id"] == "local" and "ds" in widgets["date"]
    known = re.findall(r'widgets.text\("(\w+)"', "".join(path.read_text() for path in notebooks.iterdir()))
    assert set(widgets) <= set(known), "a widget that no notebook has"
    token = asked["json"]["idempotency_token"]
    assert "ti.try_number" in token and "logical_date" in token
    assert ast.parse((PACKAGE / "dags/pinflow_databricks_dag.py").read_text())
