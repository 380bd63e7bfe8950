#include "notebook/templates.h"

namespace pinflow::notebook {

const std::string_view kStream = R"py(import json

from pyspark.sql.functions import expr

dbutils.widgets.text("region", "us-east-1", "8 The streams' region")
dbutils.widgets.text("checkpoints", "", "9 Where checkpoints are kept; empty: LAKE/checkpoints")
dbutils.widgets.text("every", "10 seconds", "10 How often; 'once': what is there, then the end")

CHECKPOINTS = dbutils.widgets.get("checkpoints") or f"{LAKE}/checkpoints"
QUERIES = {}


def source(record):
    """The stream from its start, as Databricks' Kinesis connector gives it: data, partitionKey, shardId, sequenceNumber, approximateArrivalTimestamp."""
    options = {"streamName": named(RECORDS[record]["stream"]), "region": dbutils.widgets.get("region"), "initialPosition": "earliest"}
    if keys():
        options |= {"awsAccessKey": keys()[0], "awsSecretKey": keys()[1]}
    return spark.readStream.format("kinesis").options(**options).load()


# A record that is base64 text of JSON, bare or as a JSON string, is that JSON.
BARE = r"regexp_replace(CASE WHEN trim(value) LIKE '\"%\"' THEN replace(replace(trim(BOTH '\"' FROM trim(value)), '\\\\/', '/'), '\\\\n', '') ELSE trim(value) END, '[\\r\\n]', '')"
DECODED = f"CASE WHEN {BARE} RLIKE '^[A-Za-z0-9+/]+={{0,2}}$' AND length({BARE}) % 4 = 0 THEN CAST(try_to_binary({BARE}, 'base64') AS STRING) END"


def first_of_equals(rows, columns, seen):
    """
    Without repeats: rows equal in all columns to another that arrived STREAM_MINUTES before or less. Only a row whose equal is
    written is ever left out. A watermark (dropDuplicatesWithinWatermark) would be shorter, but it also drops, unseen, each
    record that is older than the newest one by more than its delay: a shard that runs behind would lose its records, as would
    a producer that was cut off for a while. So it is asked of this batch and of the marks of the rows written before, by the
    time that each record itself arrived, however late it is read.
    """
    values = ", ".join(f"CAST({quoted(name)} AS STRING) AS {quoted(name)}" if kind == "timestamp" else quoted(name) for name, kind in columns.items())
    minutes = f"INTERVAL '{STREAM_MINUTES}' MINUTE"
    rows = rows.selectExpr("*", f"sha2(to_json(struct({values})), 256) AS pf_mark")
    rows = rows.selectExpr("*", "lag(pf_arrived) OVER (PARTITION BY pf_mark ORDER BY pf_arrived, pf_shard, pf_sequence) AS pf_before")
    rows = rows.where(f"pf_before IS NULL OR pf_arrived > pf_before + {minutes}")
    first, last = rows.selectExpr(f"CAST(min(pf_arrived) - {minutes} AS STRING)", f"CAST(max(pf_arrived) + {minutes} AS STRING)").first()
    if first is None:
        return rows
    near = seen.where(f"arrived BETWEEN CAST({text(first)} AS TIMESTAMP) AND CAST({text(last)} AS TIMESTAMP)").selectExpr("mark AS seen_mark", "arrived AS seen_arrived")
    return rows.join(near, expr(f"pf_mark = seen_mark AND seen_arrived BETWEEN pf_arrived - {minutes} AND pf_arrived + {minutes}"), "left_anti")


def start(record, sql):
    """Starts the record type's query: the same cleaning, rows to its table, dead letters to dead_stream."""
    if dbutils.widgets.get("record") not in ("all", record):
        return
    spec = RECORDS[record]
    table, dead, seen = table_of(spec["stream_table"]), table_of("dead_stream"), table_of(spec["stream_table"] + "_seen")
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in spec["columns"].items())
    spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING delta")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {dead} (`table` STRING, reason STRING, stream STRING, shard STRING, sequence_number STRING, record STRING, plan BIGINT) USING delta")
    if DROP_REPEATS:
        spark.sql(f"CREATE TABLE IF NOT EXISTS {seen} (mark STRING, arrived TIMESTAMP, query STRING, batch BIGINT) USING delta")
    records = source(record)
    if spec["partition_key"]:
        records = records.where(f"partitionKey = {text(spec['partition_key'])}")
    records.selectExpr("CAST(data AS STRING) AS value", "shardId", "sequenceNumber", "approximateArrivalTimestamp AS arrived").createOrReplaceTempView("arrived_" + record)
    spark.sql(f"SELECT CASE WHEN trim(value) LIKE '{{%' OR trim(value) LIKE '[%' THEN value WHEN trim(decoded) LIKE '{{%' OR trim(decoded) LIKE '[%' THEN decoded ELSE value END AS value, "
              "0 AS part, 0L AS first, 0L AS block, 0L AS id, 0L AS n, shardId, sequenceNumber, arrived "
              f"FROM (SELECT *, {DECODED} AS decoded FROM arrived_{record})").createOrReplaceTempView("lines_" + record)
    view = cleaned(record, sql, "lines_" + record, "cleaned_" + record)
    rows = spark.sql(f"SELECT * EXCEPT (origin), origin.value AS pf_value, origin.fault AS pf_fault, origin.shardId AS pf_shard, origin.sequenceNumber AS pf_sequence, origin.arrived AS pf_arrived FROM {view}")
    checkpoint = f"{CHECKPOINTS}/{named(spec['stream_table'])}"

    def write(batch, number):
        """A batch that comes again is not written again: Delta knows the query and the batch's number."""
        batch.persist()
        # A checkpoint that is made anew has another id: its batches count from 0 again, and are not taken for the old ones.
        query = json.loads(batch.sparkSession.read.text(f"{checkpoint}/metadata").first()[0])["id"]
        once = {"txnAppId": query, "txnVersion": str(number)}
        shown = SHOWN.replace("origin.value", "pf_value").replace("origin.fault", "pf_fault")
        letters = batch.where("reason IS NOT NULL").selectExpr(f"{text(named(spec['stream_table']))} AS `table`", "reason", f"{text(named(spec['stream']))} AS stream", "pf_shard AS shard",
                                                               "pf_sequence AS sequence_number", f"{shown} AS record", "CAST(NULL AS BIGINT) AS plan")
        if not letters.isEmpty():
            letters.write.format("delta").mode("append").options(**once).saveAsTable(dead)
        good = batch.where("reason IS NULL")
        if DROP_REPEATS:
            good = first_of_equals(good, spec["columns"], batch.sparkSession.table(seen).where(f"NOT (query = {text(query)} AND batch >= {number})"))
        good.select(*spec["columns"]).write.format("delta").mode("append").options(**once).saveAsTable(table)
        if DROP_REPEATS:  # behind the table: what stands here has been written there
            marks = good.selectExpr("pf_mark AS mark", "pf_arrived AS arrived", f"{text(query)} AS query", f"CAST({number} AS BIGINT) AS batch")
            marks.write.format("delta").mode("append").options(**once).saveAsTable(seen)
        batch.unpersist()

    every = dbutils.widgets.get("every")
    trigger = {"availableNow": True} if every == "once" else {"processingTime": every}
    QUERIES[record] = rows.writeStream.queryName("pinflow_" + record).option("checkpointLocation", checkpoint).trigger(**trigger).foreachBatch(write).start())py";

const std::string_view kStreamEnd = R"py(if dbutils.widgets.get("every") == "once":
    for query in QUERIES.values():
        query.awaitTermination()
for record, query in QUERIES.items():
    print(record, query.status["message"], (query.lastProgress or {}).get("numInputRows")))py";

}  // namespace pinflow::notebook
