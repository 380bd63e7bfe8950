"""A second pipeline, of weather stations: the program knows nothing of posts, so a folder is all that it takes."""
import collections
import json
import shutil
import sqlite3

import pinflow as pf

TINY = pf.ROOT / "tests/pipelines/tiny"


def test_it_runs_end_to_end(tmp_path):
    answer = pf.pinflow_json("run", "--pipeline", TINY, "--all", "--data", tmp_path)
    counts = answer["counts"]
    records = list(counts["clean"])
    assert "pin" not in records and len(records) >= 1
    source = sqlite3.connect(tmp_path / "source.db")
    tables = [name for name, in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    in_source = {table: source.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}
    assert counts["acknowledged"] == counts["log"] == counts["records_in_objects"] == sum(in_source.values())
    for record in records:
        assert len(pf.rows(tmp_path / "lake", record)) == counts["tables"][record] == counts["clean"][record] > 0
    assert answer["answers"] and all(rows for rows in answer["answers"].values())


def test_mistakes_in_a_pipeline_name_file_and_line(tmp_path):
    """Each mistake is one line changed or added; the message begins with that file and line."""
    text = (TINY / "pipeline.yaml").read_text().splitlines()
    column = next(n for n, line in enumerate(text) if line.strip().endswith(": long"))
    clean = next(n for n, line in enumerate(text) if line.strip().startswith("clean:"))
    mistakes = {
        "unknown key": (column, text[0] + "\nnonsense: 1", "nonsense", 0),
        "type that does not exist": (column, text[column].replace("long", "lnog"), "lnog", column),
        "missing file": (clean, text[clean].split(":")[0] + ": clean/none.sql", "none.sql", clean),
        "duplicate name": (column, text[column] + "\n" + text[column], text[column].split(":")[0].strip(), column + 1),
    }
    for what, (line, new, word, at) in mistakes.items():
        folder = tmp_path / what.replace(" ", "-")
        shutil.copytree(TINY, folder)
        changed = [*text]
        if what == "unknown key":
            changed.append("nonsense: 1")
            at = len(text)
        else:
            changed[line] = new
        (folder / "pipeline.yaml").write_text("\n".join(changed) + "\n")
        done = pf.pinflow("batch", "--pipeline", folder, "--data", tmp_path / "data", check=False)
        assert done.returncode == 1, what
        assert f"pipeline.yaml:{at + 1}:" in done.stderr and word in done.stderr, (what, at + 1, done.stderr)


def test_lake_lines_are_the_sources_rows(tmp_path):
    pf.pinflow("run", "--pipeline", TINY, "--all", "--data", tmp_path)
    source = sqlite3.connect(tmp_path / "source.db")
    source.row_factory = sqlite3.Row
    rows = collections.Counter()
    for table, in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        rows.update(json.dumps(dict(row), sort_keys=True) for row in source.execute(f'SELECT * FROM "{table}"'))
    lines = collections.Counter()
    for topic in (tmp_path / "lake/topics").iterdir():
        for found in pf.objects(tmp_path / "lake", topic.name).values():
            for _, records in found:
                lines.update(json.dumps(json.loads(record), sort_keys=True) for record in records)
    assert lines == rows
