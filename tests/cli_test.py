"""The mistakes a user makes, and the help that answers them."""
import json

import pytest

import pinflow as pf

COMMANDS = ["run", "up", "broker", "streams", "gateway", "emulate", "sink", "batch", "topics", "topics create", "topics list",
            "topics describe", "topics delete", "produce", "consume", "source", "source generate", "source load",
            "source count", "query", "tables", "tables show", "doctor", "schedule", "schedule next", "schedule pause",
            "schedule resume", "schedule backfill", "runs", "runs list", "runs show", "runs retry", "runs cancel"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_everywhere(command):
    done = pf.pinflow(*command.split(), "--help")
    assert "Usage" in done.stdout


def test_the_front_help_names_every_command():
    text = pf.pinflow("--help").stdout
    assert [c for c in COMMANDS if " " not in c and f"\n  {c} " not in text] == []


def mistake(*args, **more):
    done = pf.pinflow(*args, check=False, **more)
    assert done.returncode != 0, done.stdout
    assert "terminate" not in done.stderr and "Aborted" not in done.stderr
    return done.stderr + done.stdout


def test_unknown_command_and_flag():
    assert "nonsense" in mistake("nonsense")
    assert "--nonsense" in mistake("run", "--nonsense")


def test_a_pipeline_that_is_not_there(tmp_path):
    assert str(tmp_path / "none") in mistake("run", "--pipeline", tmp_path / "none", "--data", tmp_path)


def test_unknown_profile_lists_those_there_are(tmp_path):
    assert "aws" in mistake("batch", "--profile", "nonsense", "--data", tmp_path)


def test_unknown_query_lists_those_there_are(tmp_path):
    assert "top_country" in mistake("query", "nonsense", "--data", tmp_path)


def test_query_before_any_run_answers_over_empty_tables_or_says_so(tmp_path):
    done = pf.pinflow("query", "top_country", "--data", tmp_path, check=False)
    assert "run" in done.stderr or done.stdout == ""


def test_source_that_does_not_exist_is_not_made_when_it_was_named(tmp_path):
    text = mistake("run", "--data", tmp_path / "data", "--source", f"sqlite:///{tmp_path}/none.db")
    assert "none.db" in text
    assert not (tmp_path / "none.db").exists()


def test_bad_source_url(tmp_path):
    assert "sqlite:///" in mistake("source", "count", "--source", "postgres://x", "--data", tmp_path)


def test_a_password_never_shows(tmp_path):
    text = mistake("source", "count", "--source", "mysql://me:hunter2@127.0.0.1:1/db", "--data", tmp_path)
    assert "hunter2" not in text and "127.0.0.1" in text


def test_broker_that_is_not_there(tmp_path):
    text = mistake("topics", "list", "--bootstrap-server", "127.0.0.1:1", timeout=60)
    assert "127.0.0.1:1" in text


def test_gateway_that_is_not_there(tmp_path):
    pf.pinflow("source", "generate", "--posts", 10, "--data", tmp_path)
    done = pf.pinflow("emulate", "--posts", 1, "--url", "http://127.0.0.1:1/prod", "--data", tmp_path, check=False, timeout=110)
    assert done.returncode != 0 and "127.0.0.1:1" in done.stderr


def test_generate_count_and_doctor(tmp_path):
    pf.pinflow("source", "generate", "--posts", 123, "--seed", 7, "--data", tmp_path)
    counts = pf.pinflow_json("source", "count", "--data", tmp_path)
    assert counts == {"pinterest_data": 123, "geolocation_data": 123, "user_data": 123}
    report = pf.pinflow("doctor", "--data", tmp_path, check=False)
    assert "source" in report.stdout


def test_json_is_one_value_and_nothing_else(tmp_path):
    done = pf.pinflow("run", "--posts", 20, "--data", tmp_path, "--format", "json")
    value = json.loads(done.stdout)
    assert value["counts"]["posted"] == 60


def test_sink_properties_with_a_left_over_placeholder(tmp_path):
    file = tmp_path / "sink.properties"
    file.write_text("connector.class=io.confluent.connect.s3.S3SinkConnector\ntopics.regex=<YOUR_UUID>.*\n")
    text = mistake("sink", file, "--data", tmp_path)
    assert "sink.properties:2" in text and "YOUR_UUID" in text


def test_a_part_that_is_none_is_named(tmp_path):
    text = mistake("up", "--data", tmp_path, "--listen", "gatway=127.0.0.1:0")
    assert "gatway" in text and "gateway, broker and streams" in text


def test_what_spark_reads_is_refused_on_duckdb(tmp_path):
    for source in ("kafka", "kinesis", "objects"):
        text = mistake("stream", "--from", source, "--until-caught-up", "--data", tmp_path)
        assert f"--from {source}" in text and "from: kafka" in text and "--engine" in text
    text = mistake("stream", "--from", "kafka", "--engine", "duckdb", "--data", tmp_path)
    assert "duckdb" in text and not (tmp_path / "lake").exists()


def test_a_seed_that_does_not_fit_is_refused(tmp_path):
    assert "18446744073709551615" in mistake("run", "--seed", "18446744073709551615", "--data", tmp_path)


def test_a_urls_password_never_shows(tmp_path):
    pf.pinflow("source", "generate", "--posts", 1, "--data", tmp_path)
    text = mistake("emulate", "--posts", 1, "--url", "http://me:hunter2@127.0.0.1:1/prod", "--data", tmp_path)
    assert "hunter2" not in text and "127.0.0.1:1" in text


def test_csv_is_csv(tmp_path):
    pf.pinflow("run", "--posts", 5, "--data", tmp_path)
    assert pf.pinflow("source", "count", "--format", "csv", "--data", tmp_path).stdout.startswith("table,rows\npinterest_data,")
    assert pf.pinflow("tables", "--format", "csv", "--data", tmp_path).stdout.startswith("name,version,records,files,bytes,changed\ndead,")
