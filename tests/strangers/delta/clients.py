"""Delta tables by delta-rs and by DuckDB's delta extension: one call a process, one JSON value on standard output.

A process of its own because delta-rs aborts at the interpreter's exit after to_pyarrow_table(); its data are right.
"""
import datetime
import glob
import json
import os
import sys


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def rows_of(names, rows):
    return sorted(([plain(row[name]) for name in names] for row in rows), key=lambda row: row[0])


def delta_rs(path, version=None):
    from deltalake import DeltaTable
    table = DeltaTable(path, version=None if version is None else int(version))
    arrow = table.to_pyarrow_table()
    actions = table.get_add_actions(flatten=True)
    stats = [dict(zip(actions.schema.names, row)) for row in zip(*(actions[name].to_pylist() for name in actions.schema.names))]
    return {
        "version": table.version(),
        "protocol": [table.protocol().min_reader_version, table.protocol().min_writer_version],
        "schema": json.loads(table.schema().to_json()),
        "types": {field.name: str(field.type) for field in arrow.schema},
        "rows": rows_of(arrow.column_names, arrow.to_pylist()),
        "txn": table.transaction_version("table_tool"),
        "last_commit": {key: plain(value) for key, value in table.history(1)[0].items()},
        "stats": [{key: plain(value) for key, value in file.items()} for file in stats],
    }


def delta_rs_append(path, first, rows, wide=""):
    """Appends rows of the test's rule to a table that is there; with the column `extra` where it is a wide one."""
    import pyarrow
    from deltalake import CommitProperties, write_deltalake
    ids = range(int(first), int(first) + int(rows))
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    columns = {
        "id": pyarrow.array(list(ids), pyarrow.int64()),
        "n": pyarrow.array([None if i % 7 == 0 else i % 1000 for i in ids], pyarrow.int32()),
        "name": pyarrow.array([f"name-{i} é" for i in ids], pyarrow.string()),
        "score": pyarrow.array([i / 8 for i in ids], pyarrow.float64()),
        "made": pyarrow.array([start + datetime.timedelta(seconds=i) for i in ids], pyarrow.timestamp("us", "UTC")),
        "spots": pyarrow.array([[i + 0.5, -float(i)] for i in ids], pyarrow.list_(pyarrow.float64())),
        "flag": pyarrow.array([i % 2 == 0 for i in ids], pyarrow.bool_()),
        "day": pyarrow.array([datetime.date(2020, 1, 1) + datetime.timedelta(days=i % 365) for i in ids], pyarrow.date32()),
    }
    if wide:
        columns["extra"] = pyarrow.array([f"e{i}" for i in ids], pyarrow.string())
    # By itself it gives up after 15 lost races, which a writer of ours beside it can cause.
    patient = CommitProperties(max_commit_retries=1000)
    write_deltalake(path, pyarrow.table(columns), mode="append", commit_properties=patient)
    return True


def delta_rs_append_each(path, first, commits):
    for i in range(int(commits)):
        delta_rs_append(path, int(first) + i, 1)
    return True


def delta_rs_maintain(path):
    """What leaves remove actions and checkpoints of others behind."""
    from deltalake import DeltaTable
    table = DeltaTable(path)
    table.delete("id % 10 = 3")
    table.optimize.compact()
    table.create_checkpoint()
    return table.version()


def delta_rs_compact(path):
    from deltalake import DeltaTable
    table = DeltaTable(path)
    table.optimize.compact()
    return table.version()


def duckdb_connection():
    import duckdb
    import duckdb_extension_delta
    connection = duckdb.connect()
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    extension, = glob.glob(f"{folder}/extensions/*/delta.duckdb_extension")
    connection.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'")
    return connection


def duckdb_read(path):
    connection = duckdb_connection()
    result = connection.execute(f"SELECT * EXCLUDE (made), made AT TIME ZONE 'UTC' AS made FROM delta_scan('{path}')")
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row)) for row in result.fetchall()]
    for row in rows:
        row["made"] = row["made"].replace(tzinfo=datetime.timezone.utc)
    types = connection.execute(f"DESCRIBE SELECT * FROM delta_scan('{path}')").fetchall()
    order = [row[0] for row in types]
    return {"types": {row[0]: row[1] for row in types}, "rows": rows_of(order, rows)}


def duckdb_append(path, first, rows):
    """Rows of the test's rule, of a wide table."""
    connection = duckdb_connection()
    connection.execute(f"ATTACH '{path}' AS t (TYPE delta)")
    connection.execute(
        "INSERT INTO t SELECT range AS id, CASE WHEN range % 7 <> 0 THEN CAST(range % 1000 AS INTEGER) END AS n, 'name-' || range || ' é' AS name, "
        "range / 8 AS score, TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_seconds(range) AS made, "
        "[CAST(range + 0.5 AS DOUBLE), CAST(-range AS DOUBLE)] AS spots, range % 2 = 0 AS flag, "
        "DATE '2020-01-01' + CAST(range % 365 AS INTEGER) AS day, 'e' || range AS extra "
        f"FROM range({first}, {int(first) + int(rows)})")
    return True


def duckdb_find(path, condition):
    """The ids that a filter finds: wrong statistics make it skip files that it must read."""
    query = f"SELECT id FROM delta_scan('{path}') WHERE {condition} ORDER BY id"
    return [row[0] for row in duckdb_connection().execute(query).fetchall()]


if __name__ == "__main__":
    json.dump(globals()[sys.argv[1]](*sys.argv[2:]), sys.stdout)
    sys.stdout.flush()
    os._exit(0)
