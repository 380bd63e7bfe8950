#include "notebook/templates.h"

namespace pinflow::notebook {

const std::string_view kWidgets = R"py(import datetime
import re

dbutils.widgets.text("schema", "default", "4 Catalog and schema of the tables")
dbutils.widgets.text("mount", "", "5 Where to mount the bucket: /mnt/NAME; empty: it is read where it is")
dbutils.widgets.text("secret_scope", "", "6 Scope of the secrets aws-access-key-id and aws-secret-access-key; empty: the cluster's own role")

ID = dbutils.widgets.get("id")
DATE = dbutils.widgets.get("date") or datetime.datetime.now(datetime.timezone.utc).date().isoformat()
SCHEMA = dbutils.widgets.get("schema")
spark.conf.set("spark.sql.session.timeZone", "UTC")
spark.conf.set("spark.sql.ansi.enabled", "true")


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def text(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def named(pattern):
    """A name of the pipeline: {id} is the widget's."""
    return pattern.replace("{id}", ID)


def table_of(pattern):
    return ".".join(map(quoted, SCHEMA.split("."))) + "." + quoted(named(pattern))


def dated(sql):
    """$date as a text, outside of texts, names and comments."""
    return re.sub(r"'(?:[^']|'')*'|`[^`]*`|--[^\n]*|/\*.*?\*/|(?<![\w$])\$date(?!\w)",
                  lambda found: text(DATE) if found[0] == "$date" else found[0], sql, flags=re.S))py";

const std::string_view kLake = R"py(def keys():
    scope = dbutils.widgets.get("secret_scope")
    return scope and (dbutils.secrets.get(scope, "aws-access-key-id"), dbutils.secrets.get(scope, "aws-secret-access-key"))


def open_lake():
    """Where the lake is to be read: the bucket itself, or where it is mounted."""
    import urllib.parse
    bucket, mount = dbutils.widgets.get("bucket").rstrip("/"), dbutils.widgets.get("mount")
    is_path = re.match("/|(?!s3a?:)[a-z]+:", bucket) is not None
    name, _, prefix = ("" if is_path else re.sub("^s3a?://", "", bucket)).partition("/")
    if mount and not is_path:
        if mount not in [each.mountPoint for each in dbutils.fs.mounts()]:
            login = "%s:%s@" % (keys()[0], urllib.parse.quote(keys()[1], safe="")) if keys() else ""
            dbutils.fs.mount(f"s3a://{login}{name}", mount)
        return f"{mount}/{prefix}".rstrip("/")
    if keys() and not is_path:
        spark.conf.set("fs.s3a.access.key", keys()[0])
        spark.conf.set("fs.s3a.secret.key", keys()[1])
    return bucket if is_path else f"s3a://{name}/{prefix}".rstrip("/")


LAKE = open_lake())py";

const std::string_view kLines = R"py(def lines_of(record):
    """A view of the lines of the topic's objects: value, and which object (topics/TOPIC/partition=P/TOPIC+P+FIRST.json) and where in it."""
    from pyspark.errors import AnalysisException
    topic = named(RECORDS[record]["topic"])
    name = r"/partition=([0-9]+)/" + re.escape(topic) + r"[+]\1[+]([0-9]+)[.]json$"
    try:
        files = spark.read.option("lineSep", "\n").option("recursiveFileLookup", "true").text(f"{LAKE}/topics/{topic}")
    except AnalysisException as error:
        if "PATH_NOT_FOUND" not in str(error):
            raise
        files = spark.createDataFrame([], "value STRING, _metadata STRUCT<file_path: STRING, file_block_start: BIGINT>")
    files.selectExpr("value", f"regexp_extract(_metadata.file_path, {text(name)}, 1) AS part",
                     f"regexp_extract(_metadata.file_path, {text(name)}, 2) AS first", "_metadata.file_block_start AS block",
                     "monotonically_increasing_id() AS id").where("first <> ''").createOrReplaceTempView("object_lines")
    spark.sql("SELECT value, CAST(part AS INT) AS part, CAST(first AS BIGINT) AS first, block, id, CAST(NULL AS BIGINT) AS n "
              "FROM object_lines").createOrReplaceTempView("lines_" + record)
    return "lines_" + record


def cleaned(record, sql, lines, view):
    """A view of the cleaned lines: the table's columns as their types, reason, count_…, origin."""
    spec = RECORDS[record]
    raw = spec["raw"].replace("{lines}", lines)
    casts = ", ".join(f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in spec["columns"].items())
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {view} AS WITH raw AS ({raw}) SELECT {casts}, CASE origin.fault WHEN 1 THEN 'not a JSON object' "
              f"WHEN 2 THEN 'longer than 16 MiB' ELSE CAST(reason AS STRING) END AS reason, * EXCEPT ({', '.join(map(quoted, spec['columns']))}, reason) "
              f"FROM (\n{dated(sql)}\n)")
    return view)py";

const std::string_view kClean = R"py(DONE = []


def kept(frame):
    """Cleaned once for all that is asked of it, where the cluster can keep it (serverless compute cannot)."""
    try:
        return frame.persist()
    except Exception:
        return frame


def let_go(frame):
    try:
        frame.unpersist()
    except Exception:
        pass


def make_tables(record):
    spec = RECORDS[record]
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in spec["columns"].items())
    for name, has in ((spec["table"], columns), ("dead", "`table` STRING, reason STRING, topic STRING, `partition` INT, object STRING, "
                                                         "`offset` BIGINT, record STRING, plan BIGINT")):
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table_of(name)} ({has}) USING delta TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')")


def clean(record, sql):
    """Adds the rows that the record type's table lacks, in one commit: run again, or twice at once, nothing is added twice."""
    if dbutils.widgets.get("record") not in ("all", record):
        return
    spec = RECORDS[record]
    topic, table, dead = named(spec["topic"]), table_of(spec["table"]), table_of("dead")
    make_tables(record)
    lines = lines_of(record)
    view = "cleaned_" + record
    frame = kept(spark.table(cleaned(record, sql, lines, "cleaning_" + record)))
    frame.createOrReplaceTempView(view)
    counts = [name for name in spark.table(view).columns if name.startswith("count_")]
    sums = "".join(f", sum(CAST({name} AS BIGINT)) FILTER (WHERE reason IS NULL) AS {name}" for name in map(quoted, counts))
    met = spark.sql(f"SELECT count(*) AS `rows`, count(reason) AS dead{sums} FROM {view}").first()
    if met["rows"] != spark.table(lines).count():
        raise ValueError(f"{spec['clean']}: {met['rows']} rows were made of {spark.table(lines).count()} records; a cleaning makes one row of each record")
    if met["dead"]:
        bury(record, sql, lines, topic, dead)
    before = spark.table(table).count()
    columns = ", ".join(map(quoted, spec["columns"]))
    # EXCEPT compares all columns, NULL equal to NULL, and makes one of equal rows.
    spark.sql(f"INSERT INTO {table} SELECT {columns} FROM (SELECT {columns} FROM {view} WHERE reason IS NULL EXCEPT SELECT {columns} FROM {table})")
    after = spark.table(table).count()
    let_go(frame)
    DONE.append({"record": record, "read": met["rows"], "dead": met["dead"], "added": after - before, "repeats": met["rows"] - met["dead"] - (after - before),
                 "rows": after, "counts": ", ".join(f"{name[6:]}={met[name] or 0}" for name in counts)})


def bury(record, sql, lines, topic, dead):
    """Dead letters, each once: by topic, partition and offset. Where a line stands is counted only in objects that hold one."""
    spark.sql(f"SELECT DISTINCT origin.part, origin.first FROM cleaned_{record} WHERE reason IS NOT NULL").createOrReplaceTempView("with_dead")
    spark.sql(f"SELECT l.value, l.part, l.first, l.block, l.id, row_number() OVER (PARTITION BY l.part, l.first ORDER BY l.block NULLS LAST, l.id NULLS LAST) - 1 AS n "
              f"FROM {lines} l SEMI JOIN with_dead w ON l.part = w.part AND l.first = w.first").createOrReplaceTempView("numbered_" + record)
    view = cleaned(record, sql, "numbered_" + record, "dead_" + record)
    spark.sql(f"INSERT INTO {dead} SELECT {text(named(RECORDS[record]['table']))} AS `table`, reason, {text(topic)} AS topic, origin.part AS `partition`, "
              f"concat({text('topics/' + topic + '/partition=')}, origin.part, {text('/' + topic + '+')}, origin.part, '+', lpad(CAST(origin.first AS STRING), 10, '0'), '.json') AS object, "
              f"origin.first + origin.n AS `offset`, {SHOWN} AS record, CAST(NULL AS BIGINT) AS plan FROM {view} d WHERE reason IS NOT NULL AND NOT EXISTS "
              f"(SELECT 1 FROM {dead} o WHERE o.topic = {text(topic)} AND o.`partition` = d.origin.part AND o.`offset` = d.origin.first + d.origin.n)"))py";

const std::string_view kCleanEnd = R"py(for done in DONE:
    print("{record}: {read} read, {added} added, {repeats} repeats, {dead} dead; {rows} rows now. {counts}".format(**done)))py";

const std::string_view kChecks = R"py(# Where tables are named otherwise, the queries still say the record types' names.
for record, spec in RECORDS.items():
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {quoted(record)} AS SELECT * FROM {table_of(spec['table'])}")


def check(name, fails, sql):
    """Rows that should not be there: they stop the notebook, or are shown."""
    found = [row.asDict() for row in spark.sql(f"SELECT * FROM (\n{dated(sql)}\n) LIMIT 21").collect()]
    if found and fails:
        raise ValueError(f"check {name} found {found[:20]}")
    if found:
        print(f"check {name}: {len(found) if len(found) < 21 else 'more than 20'} rows, {found[:3]} …"))py";

}  // namespace pinflow::notebook
