"""The portability check, without any engine: each construct is refused with its place, and what to write instead is taken."""
import shutil

import pinflow as pf
import portable_cases as cases


def findings(folder, **more):
    done = pf.pinflow("check", "--pipeline", folder, "--format", "json", check=False, **more)
    assert done.stderr == ""
    import json
    return done.returncode, json.loads(done.stdout)


def rules_by_place(tmp_path, texts):
    places = cases.write_pipeline(tmp_path / "p", texts)
    status, found = findings(tmp_path / "p")
    rules = {place: set() for place in range(len(texts))}
    for finding in found:
        assert finding["line"] >= 1 and finding["column"] >= 1 and finding["what"] and finding["instead"]
        rules[places[finding["file"].rsplit("/", 1)[1]]].add(finding["rule"])
    return status, rules


def test_what_differs_is_refused(tmp_path):
    refused = [(rule, sql) for rule, sql, _ in cases.CASES] + cases.OTHERS + [("row-local", sql) for sql in cases.ROW_LOCAL]
    status, rules = rules_by_place(tmp_path, [sql for _, sql in refused])
    assert status == 1
    assert [(rule, sql, rules[place]) for place, (rule, sql) in enumerate(refused) if rule not in rules[place]] == []


def test_what_to_write_instead_is_taken(tmp_path):
    taken = [sql for _, _, sql in cases.CASES if sql]
    status, rules = rules_by_place(tmp_path, taken)
    assert [(sql, rules[place]) for place, sql in enumerate(taken) if rules[place]] == []
    assert status == 0


def test_what_is_near_to_it_is_taken(tmp_path):
    status, rules = rules_by_place(tmp_path, cases.NEAR)
    assert [(sql, rules[place]) for place, sql in enumerate(cases.NEAR) if rules[place]] == []
    assert status == 0


def test_our_own_pipelines_pass(tmp_path):
    for folder in (pf.PIPELINE, pf.ROOT / "tests/pipelines/tiny"):
        done = pf.pinflow("check", "--pipeline", folder)
        assert "means the same on DuckDB and on Spark" in done.stdout
        assert findings(folder) == (0, [])


def test_a_finding_says_where_and_what_to_write(tmp_path):
    shutil.copytree(pf.PIPELINE, tmp_path / "p")
    query = tmp_path / "p/queries/top_country.sql"
    query.write_text(query.read_text().replace("ORDER BY country NULLS LAST", "ORDER BY country"))
    line = query.read_text()[:query.read_text().index("\nORDER BY country")].count("\n") + 2
    done = pf.pinflow("check", "--pipeline", tmp_path / "p", check=False)
    assert done.returncode == 1
    assert f"top_country.sql:{line}:10: in rising order NULL comes last in DuckDB and first in Spark; write ORDER BY x NULLS LAST" in done.stdout
    doctor = pf.pinflow("doctor", "--pipeline", tmp_path / "p", "--data", tmp_path / "data", check=False)
    assert "1 place" in doctor.stdout and "pinflow check" in doctor.stdout


def test_both_preludes_make_the_same_functions(tmp_path):
    shutil.copytree(pf.PIPELINE, tmp_path / "p")
    duckdb = tmp_path / "p/prelude/duckdb.sql"
    duckdb.write_text(duckdb.read_text().replace("pair(a, b)", "pair(a, b, c)") + "\nCREATE MACRO only_here(x) AS x;\n")
    status, found = findings(tmp_path / "p")
    assert status == 1 and {finding["rule"] for finding in found} == {"prelude"}
    assert any("pair has 3 parameters" in finding["what"] for finding in found)
    assert any("only_here is missing" in finding["what"] for finding in found)


def test_a_query_is_not_stopped_by_another_file(tmp_path):
    """The SQL of the query asked for is judged; the address is nobody's, and is reached for only by SQL that passes."""
    shutil.copytree(pf.PIPELINE, tmp_path / "p")
    (tmp_path / "p/queries/top_country.sql").write_text("SELECT count(*) FROM pin", encoding="utf-8")
    ask = lambda name: pf.pinflow("query", name, "--pipeline", tmp_path / "p", "--data", tmp_path / "data", "--engine", "sc://127.0.0.1:9", check=False).stderr  # noqa: E731
    assert "top_country.sql:1:8: a computed column without AS" in ask("top_country")
    other = ask("users_joined_by_year")
    assert "top_country" not in other and "computed column" not in other and "127.0.0.1:9" in other


def test_a_text_cut_off_names_its_last_line(tmp_path):
    shutil.copytree(pf.PIPELINE, tmp_path / "p")
    (tmp_path / "p/queries/top_country.sql").write_text("SELECT category\nFROM pin\nWHERE", encoding="utf-8")
    done = pf.pinflow("query", "top_country", "--pipeline", tmp_path / "p", "--data", tmp_path / "data", check=False)
    assert "queries/top_country.sql:3: " in done.stderr


def test_the_notebooks_name_the_lakes_bucket(tmp_path):
    pf.pinflow("export", "databricks", tmp_path / "a", "--lake", "s3://lake/posts/")
    text = (tmp_path / "a/1_objects.py").read_text()
    assert 'dbutils.widgets.text("bucket", "lake/posts", ' in text
    stream = text + (tmp_path / "a/4_stream.py").read_text()
    import re
    numbers = [int(number) for number in re.findall(r'dbutils[.]widgets[.]text\([^\n]*"([0-9]+) ', stream)]
    assert sorted(numbers) == [*range(1, 11)]
    assert "replaced" not in pf.pinflow("export", "databricks", tmp_path / "a", "--lake", "s3://lake/posts").stderr
    again = pf.pinflow("export", "databricks", tmp_path / "a")
    assert "1_objects.py was there already" in again.stderr and "4_stream" not in again.stderr
    assert '"bucket", "BUCKET"' in (tmp_path / "a/1_objects.py").read_text()
