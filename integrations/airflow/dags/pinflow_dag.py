"""The daily batch leg of a pipeline: load, clean each record type, answer the queries.

Its settings are environment variables of the workers and of the DAG processor: see docs/airflow.md.
"""
import datetime

from airflow.sdk import DAG

from pinflow_airflow.command import settings
from pinflow_airflow.operators import PinflowOperator
from pinflow_airflow.pipeline import dag_id, load

SETTINGS = settings()
PIPELINE = load(SETTINGS["pipeline"])

with DAG(
    dag_id=dag_id(PIPELINE),
    description=f"The batch leg of {PIPELINE['id']}",
    schedule="@daily",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=2)},
    tags=["pinflow"],
):
    load_task = PinflowOperator(task_id="load", step="load", **SETTINGS)
    queries = PinflowOperator(task_id="queries", step="answers", **SETTINGS)
    for name in PIPELINE["records"]:
        load_task >> PinflowOperator(task_id=f"clean_{name}", step="clean", record=name, **SETTINGS) >> queries
