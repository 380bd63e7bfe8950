"""Spark with Delta Lake in this process (its classic API), and DuckDB beside it, asked the same. Parts: tests/strangers/spark/get."""
import atexit
import datetime
import functools
import logging
import os
import re
import sys
import tempfile

import duckdb
import spark_server

# DuckDB's names of types, as Spark says them. A TIMESTAMP is UTC in both.
TYPES = [(r"VARCHAR", "string"), (r"\bINTEGER\b", "int"), (r"TIMESTAMP WITH TIME ZONE|TIMESTAMP_NTZ|TIMESTAMP", "timestamp"),
         (r"(\w+)\[\]", r"array<\1>")]


@functools.cache
def session():
    """One for the whole test run: local[2], ANSI (Spark 4's default), UTC."""
    spark_server.get()
    parts = spark_server.PARTS
    folder = tempfile.TemporaryDirectory(prefix="pinflow-spark-")
    atexit.register(folder.cleanup)
    os.environ.update(SPARK_HOME=str(parts / "deps"), SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    modules = [str(parts), *map(str, (parts / "lib").glob("py4j*.zip"))]
    sys.path[:0] = modules
    os.environ["PYTHONPATH"] = os.pathsep.join([*modules, *filter(None, [os.environ.get("PYTHONPATH")])])  # of its Python workers
    from pyspark.sql import SparkSession
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    jars = ":".join(map(str, sorted((parts / "delta").glob("*.jar"))))
    builder = SparkSession.builder.master("local[2]").appName("tests")
    for key, value in {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "2",
                       "spark.driver.extraClassPath": jars, "spark.driver.memory": "2g", "spark.driver.host": "127.0.0.1",
                       "spark.driver.bindAddress": "127.0.0.1", "spark.local.dir": folder.name, "spark.sql.warehouse.dir": folder.name + "/warehouse",
                       "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={folder.name}", "spark.sql.ansi.enabled": "true",
                       "spark.databricks.delta.snapshotPartitions": "2",
                       "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
                       "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog"}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    atexit.register(spark.stop)
    return spark


def duckdb_connection():
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def plain(value):
    """A value that compares across the two: times without a zone, rows and lists as lists."""
    if isinstance(value, datetime.datetime):
        return str(value.replace(tzinfo=None))
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return bytes(value) if isinstance(value, bytearray) else value


def ask_duckdb(connection, sql):
    """(types, rows) or the error's first line."""
    try:
        types = [row[1] for row in connection.execute("DESCRIBE " + sql).fetchall()]
        times = [f'"{row[0]}"' for row in connection.execute("DESCRIBE " + sql).fetchall() if row[1] == "TIMESTAMP WITH TIME ZONE"]
        if times:  # a Python value of it needs a package that is not there
            sql = f"SELECT * REPLACE ({', '.join(f'CAST({name} AS TIMESTAMP) AS {name}' for name in times)}) FROM ({sql})"
        rows = [plain(row) for row in connection.execute(sql).fetchall()]
    except duckdb.Error as error:
        return str(error).split("\n")[0]
    for duck, spark in TYPES:
        types = [re.sub(duck, spark, kind) for kind in types]
    return [kind.lower() for kind in types], rows


def ask_spark(spark, sql):
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    try:
        frame = spark.sql(sql)
        return [re.sub("timestamp_ntz", "timestamp", field.dataType.simpleString()) for field in frame.schema.fields], [plain(tuple(row)) for row in frame.collect()]
    except (PySparkException, Py4JError) as error:
        return str(error).split("\n")[0] or type(error).__name__
