"""What the portability check refuses does differ between DuckDB and Spark, and what it says to write instead does not."""
import decimal
import re

import local_spark
import pinflow as pf
import portable_cases as cases
import pytest


def literal(value):
    if value is None:
        return "CAST(NULL AS {})"
    return str(value) if not isinstance(value, str) else "'" + value.replace("'", "''") + "'"


@pytest.fixture(scope="module")
def engines():
    spark, duck = local_spark.session(), local_spark.duckdb_connection()
    raw, thing = [], []
    for place, row in enumerate(cases.RAW):
        texts = [literal(value).format("STRING") for value in row]
        raw.append("SELECT {} AS number, {} AS name, {} AS height, {} AS taken, {} AS origin".format(*texts, place))
    for number, name, height, taken in cases.THING:
        thing.append(f"SELECT CAST({number} AS BIGINT) AS number, {literal(name).format('STRING')} AS name, CAST({literal(height).format('DOUBLE')} AS DOUBLE) AS height, "
                     f"CAST({literal(taken).format('TIMESTAMP')} AS TIMESTAMP) AS taken")
    for name, rows in (("raw", raw), ("thing", thing)):
        duck.execute(f"CREATE TABLE {name} AS " + " UNION ALL ".join(rows))
        spark.sql(" UNION ALL ".join(rows)).createOrReplaceTempView(name)
    return lambda sql: (local_spark.ask_duckdb(duck, sql), local_spark.ask_spark(spark, sql))


def in_order(answer):
    return answer if isinstance(answer, str) else (answer[0], sorted(answer[1], key=repr))


def agree(duck, spark, ordered):
    if isinstance(duck, str) or isinstance(spark, str):
        return False
    return repr(duck) == repr(spark) if ordered else repr(in_order(duck)) == repr(in_order(spark))


def test_what_is_refused_differs(engines):
    alike = []
    for rule, sql, _ in cases.CASES:
        duck, spark = engines(sql)
        both_fail = isinstance(duck, str) and isinstance(spark, str)
        if both_fail or agree(duck, spark, "ORDER BY" in sql):
            alike.append((rule, sql, duck, spark))
    assert alike == []


def test_what_is_to_be_written_instead_is_alike(engines):
    differ = []
    for _, _, sql in cases.CASES:
        if sql:
            duck, spark = engines(sql)
            if not agree(duck, spark, "ORDER BY" in sql):
                differ.append((sql, duck, spark))
    assert differ == []


def test_the_functions_that_pass_answer_alike(engines):
    """Their values; where the types differ, the check asks for a CAST ("result-type")."""
    columns = ", ".join(f"(SELECT {call}) AS c{place}" for place, call in enumerate(cases.COMMON))
    duck, spark = engines(f"SELECT {columns}")  # one query: Spark takes half a second for each
    assert not isinstance(duck, str), duck
    assert not isinstance(spark, str), spark
    numbers = [[float(value) if isinstance(value, (int, float, decimal.Decimal)) else value for value in answer[1][0]] for answer in (duck, spark)]
    assert [(call, a, b) for call, a, b in zip(cases.COMMON, *numbers, strict=True) if a != b] == []


def test_every_function_that_passes_was_called():
    text = (pf.ROOT / "src/portable/functions.cc").read_text()
    lists = re.findall(r"kCommon\w* = std::to_array<std::string_view>\(\s*\{(.*?)\}\)", text, re.S)
    names = set(re.findall(r'"(\w+)"', " ".join(lists)))
    called = {name.lower() for call in [*cases.COMMON, *[sql for _, _, sql in cases.CASES if sql]] for name in re.findall(r"(\w+)\s*\(", call)}
    # Not a function of its own value; refused by the rule "trim" with any arguments.
    assert sorted(names - called - {"cast", "ltrim", "rtrim"}) == []
