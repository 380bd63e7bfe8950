"""Runs Pinflow's steps in Apache Airflow."""


def get_provider_info():
    return {
        "package-name": "pinflow-airflow",
        "name": "Pinflow",
        "description": "Runs Pinflow's steps through its command line.",
        "versions": ["0.1.0"],
    }
