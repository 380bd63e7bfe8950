"""The batch leg of a pipeline on Databricks: the notebooks that `pinflow export databricks` writes.

Connection `databricks_default`: host, and extra {"token": "…", "host": "…"}. Its settings are environment variables:
PINFLOW_PIPELINE, PINFLOW_NOTEBOOKS (their folder in the workspace), PINFLOW_CLUSTER (an existing cluster's id), and what
the notebooks' widgets are to say: PINFLOW_BUCKET, PINFLOW_SCHEMA, PINFLOW_MOUNT, PINFLOW_SECRET_SCOPE.
"""
import datetime
import os

from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from airflow.sdk import DAG

from pinflow_airflow.command import settings
from pinflow_airflow.pipeline import dag_id, load, user_id

PIPELINE = load(settings()["pipeline"])
NOTEBOOKS = os.environ.get("PINFLOW_NOTEBOOKS", "/Workspace/Shared/pinflow")
DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


WIDGETS = {"id": user_id(PIPELINE), "date": DAY}
for widget in ("bucket", "schema", "mount", "secret_scope"):
    if os.environ.get(f"PINFLOW_{widget.upper()}"):
        WIDGETS[widget] = os.environ[f"PINFLOW_{widget.upper()}"]


def notebook(task_id, name, **widgets):
    return DatabricksSubmitRunOperator(
        task_id=task_id,
        databricks_conn_id="databricks_default",
        tasks=[{"task_key": task_id, "existing_cluster_id": os.environ.get("PINFLOW_CLUSTER", ""),
                "notebook_task": {"notebook_path": f"{NOTEBOOKS}/{name}", "base_parameters": {**WIDGETS, **widgets}}}],
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
    [notebook(f"clean_{record}", "2_clean", record=record) for record in PIPELINE["records"]] >> notebook("queries", "3_queries")
