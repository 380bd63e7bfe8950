"""The batch leg of a pipeline on Databricks: the notebooks that `python3 -m pinflow_airflow.pipeline` writes.

Connection `databricks_default`: host, and extra {"token": "…", "host": "…"}. Its settings are environment variables:
PINFLOW_PIPELINE, PINFLOW_NOTEBOOKS (their folder in the workspace), and PINFLOW_CLUSTER or PINFLOW_WAREHOUSE.
"""
import datetime
import os

from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from airflow.sdk import DAG

from pinflow_airflow.command import settings
from pinflow_airflow.pipeline import dag_id, load

PIPELINE = load(settings()["pipeline"])
NOTEBOOKS = os.environ.get("PINFLOW_NOTEBOOKS", "/Workspace/Shared/pinflow")
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


def notebook(name):
    task = {"notebook_path": f"{NOTEBOOKS}/{name}", "base_parameters": {"date": DAY}}
    where = {}
    if os.environ.get("PINFLOW_WAREHOUSE"):
        task["warehouse_id"] = os.environ["PINFLOW_WAREHOUSE"]
    else:
        where["existing_cluster_id"] = os.environ.get("PINFLOW_CLUSTER", "")
    return DatabricksSubmitRunOperator(
        task_id=name,
        databricks_conn_id="databricks_default",
        tasks=[{"task_key": name, "notebook_task": task, **where}],
        # One submission a try, though its request be sent twice. Not the same for all tries: Databricks would answer the
        # next one with the run that has failed.
        idempotency_token=f"{{{{ ti.task_id }}}}-{DAY}-{{{{ ti.try_number }}}}",
    )


with DAG(
    dag_id=dag_id(PIPELINE).removesuffix("_dag") + "_databricks_dag",
    description=f"The batch leg of {PIPELINE['id']}, on Databricks",
    schedule="@daily",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=2)},
    tags=["pinflow"],
):
    [notebook(f"clean_{name}") for name in PIPELINE["records"]] >> notebook("queries")
