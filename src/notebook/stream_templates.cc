#include "notebook/templates.h"

namespace pinflow::notebook {

const std::string_view kStream = R"py(dbutils.widgets.text("region", "us-east-1", "7 The streams' region")
dbutils.widgets.text("checkpoints", "", "8 Where checkpoints are kept; empty: LAKE/checkpoints")
dbutils.widgets.text("every", "10 seconds", "9 How often; 'once': what is there, then the end")

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


def start(record, sql):
    """Starts the record type's query: the same cleaning, rows to its table, dead letters to dead_stream."""
    if dbutils.widgets.get("record") not in ("all", record):
        return
    spec = RECORDS[record]
    table, dead = table_of(spec["stream_table"]), table_of("dead_stream")
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in spec["columns"].items())
    spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING delta")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {dead} (`table` STRING, reason STRING, stream STRING, shard STRING, sequence_number STRING, record STRING, plan BIGINT) USING delta")
    records = source(record)
    if spec["partition_key"]:
        records = records.where(f"partitionKey = {text(spec['partition_key'])}")
    records.selectExpr("CAST(data AS STRING) AS value", "shardId", "sequenceNumber", "approximateArrivalTimestamp AS arrived").createOrReplaceTempView("arrived_" + record)
    spark.sql(f"SELECT CASE WHEN trim(value) LIKE '{{%' OR trim(value) LIKE '[%' THEN value WHEN trim(decoded) LIKE '{{%' OR trim(decoded) LIKE '[%' THEN decoded ELSE value END AS value, "
              "0 AS part, 0L AS first, 0L AS block, 0L AS id, 0L AS n, shardId, sequenceNumber, arrived "
              f"FROM (SELECT *, {DECODED} AS decoded FROM arrived_{record})").createOrReplaceTempView("lines_" + record)
    view = cleaned(record, sql, "lines_" + record, "cleaned_" + record)
    rows = spark.sql(f"SELECT * EXCEPT (origin), origin.value AS pf_value, origin.fault AS pf_fault, origin.shardId AS pf_shard, origin.sequenceNumber AS pf_sequence, origin.arrived AS pf_arrived, "
                     f"CASE WHEN reason IS NOT NULL THEN concat(origin.shardId, ' ', origin.sequenceNumber) END AS pf_dead FROM {view}")
    if DROP_REPEATS:
        rows = rows.withWatermark("pf_arrived", f"{STREAM_MINUTES} minutes").dropDuplicatesWithinWatermark([*spec["columns"], "pf_dead"])
    checkpoint = f"{CHECKPOINTS}/{named(spec['stream_table'])}"

    def write(batch, number):
        """A batch that comes again is not written again: Delta knows its number."""
        batch.persist()
        once = {"txnAppId": checkpoint, "txnVersion": str(number)}
        shown = SHOWN.replace("origin.value", "pf_value").replace("origin.fault", "pf_fault")
        letters = batch.where("reason IS NOT NULL").selectExpr(f"{text(named(spec['stream_table']))} AS `table`", "reason", f"{text(named(spec['stream']))} AS stream", "pf_shard AS shard",
                                                               "pf_sequence AS sequence_number", f"{shown} AS record", "CAST(NULL AS BIGINT) AS plan")
        if not letters.isEmpty():
            letters.write.format("delta").mode("append").options(**once).saveAsTable(dead)
        batch.where("reason IS NULL").select(*spec["columns"]).write.format("delta").mode("append").options(**once).saveAsTable(table)
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
