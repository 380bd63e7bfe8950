"""Spark with Delta Lake behind a pipe: a line {"call": …, "args": […]} on standard input, a line of JSON for the answer.

One process for all tests of the suite, as Spark takes its time to start. PARTS are those of tests/strangers/spark/get.
"""
import datetime
import json
import os
import pathlib
import sys

PARTS = pathlib.Path(os.environ["SPARK_PARTS"])
sys.path[:0] = [str(PARTS), str(next((PARTS / "lib").glob("py4j-*.zip")))]


def session(folder):
    from pyspark.sql import SparkSession
    jars = ":".join(str(jar) for jar in sorted((PARTS / "delta").glob("*.jar")))
    builder = SparkSession.builder.master("local[2]").appName("strangers")
    for key, value in {
            "spark.driver.extraClassPath": jars, "spark.driver.memory": "1g", "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC",
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension", "spark.sql.shuffle.partitions": "2",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.databricks.delta.snapshotPartitions": "2", "spark.sql.warehouse.dir": folder + "/warehouse",
            "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseSerialGC -Dderby.system.home=" + folder}.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class Client:
    def __init__(self, spark):
        self.spark = spark

    def read(self, path, version=None):
        reader = self.spark.read.format("delta")
        frame = (reader if version is None else reader.option("versionAsOf", version)).load(path).orderBy("id")
        return {"types": dict(frame.dtypes), "rows": [[plain(cell) for cell in row] for row in frame.collect()]}

    def sql(self, text):
        return [[plain(cell) for cell in row] for row in self.spark.sql(text).collect()]

    def append(self, path, first, rows, extra=False):
        """Rows of the tests' rule."""
        text = ("id, CASE WHEN id % 7 <> 0 THEN CAST(id % 1000 AS INT) END AS n, concat('name-', id, ' é') AS name, id / 8 AS score, "
                "timestamp_seconds(unix_seconds(TIMESTAMP '2020-01-01 00:00:00') + id) AS made, "
                "array(CAST(id + 0.5 AS DOUBLE), CAST(-id AS DOUBLE)) AS spots, id % 2 = 0 AS flag, "
                "date_add(DATE '2020-01-01', CAST(id % 365 AS INT)) AS day" + (", concat('e', id) AS extra" if extra else ""))
        self.spark.range(first, first + rows, 1, 1).selectExpr("*").createOrReplaceTempView("numbers")
        self.spark.sql(f"SELECT {text} FROM numbers").write.format("delta").mode("append").save(path)
        return True

    def history(self, path):
        rows = self.spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()
        return [[row["version"], row["operation"], row["isBlindAppend"]] for row in rows]


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Spark's own words
    client = Client(session(sys.argv[1]))
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"is": getattr(client, asked["call"])(*asked["args"])}
        except Exception as error:  # told to the test
            answer = {"error": f"{type(error).__name__}: {str(error)[:2000]}"}
        print(json.dumps(answer), file=answers, flush=True)
