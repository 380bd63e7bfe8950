"""Folders deleted under the others, and objects that do not begin where a plan ends: refused or made good, never silent."""
import json
import re
import shutil

import pinflow as pf


def put_through(data, inds):
    """Records through a gateway of their own into the lake."""
    with pf.up(data) as process:
        assert pf.post(process.address("gateway"), "local.geo", *[pf.geo(ind) for ind in inds])[0] == 200
        assert process.stop() == 0


def inds(data):
    return sorted(row[0] for row in pf.rows(data / "lake", "geo"))


def test_a_log_deleted_under_a_kept_lake_is_refused_before_posting(tmp_path):
    pf.pinflow("run", "--posts", 20, "--data", tmp_path)
    shutil.rmtree(tmp_path / "log")
    done = pf.pinflow("run", "--posts", 20, "--data", tmp_path, check=False)
    assert done.returncode == 1 and "topic" in done.stderr
    shutil.rmtree(tmp_path / "lake")
    assert pf.pinflow_json("run", "--posts", 20, "--data", tmp_path)["counts"]["log"] == 60, "something was posted before"


def test_a_lake_deleted_under_a_kept_log_is_filled_again(tmp_path):
    put_through(tmp_path, range(30))
    pf.pinflow("batch", "--data", tmp_path)
    shutil.rmtree(tmp_path / "lake")
    put_through(tmp_path, range(30, 40))
    pf.pinflow("batch", "--data", tmp_path)
    assert inds(tmp_path) == list(range(40))


def test_an_object_that_reaches_over_a_plans_end_is_read_to_its_end(tmp_path):
    put_through(tmp_path, range(30))
    pf.pinflow("batch", "--data", tmp_path)
    shutil.rmtree(tmp_path / "lake/topics/local.geo")
    put_through(tmp_path, range(30, 40))
    assert [first for first, _ in pf.objects(tmp_path / "lake", "local.geo")[0]] == [0], "one object, over the plan's end"
    pf.pinflow("batch", "--data", tmp_path)
    assert inds(tmp_path) == list(range(40))


def test_plans_deleted_under_kept_tables_are_refused(tmp_path):
    put_through(tmp_path, range(10))
    pf.pinflow("batch", "--data", tmp_path)
    shutil.rmtree(tmp_path / "lake/state/plans")
    put_through(tmp_path, range(10, 20))
    done = pf.pinflow("batch", "--data", tmp_path, check=False)
    assert done.returncode == 1 and "plan" in done.stderr
    assert inds(tmp_path) == list(range(10))


def test_the_aws_profile_answers(tmp_path):
    asked = pf.pinflow("run", "--profile", "aws", "--data", tmp_path, check=False)
    assert asked.returncode == 1
    for line in ("'bootstrap.server' still holds the placeholder <BOOTSTRAP_SERVERS>", "<BUCKET>", "<REGION>"):
        assert re.search(r"pipelines/pinterest/pipeline.yaml:\d+: the setting .*" + re.escape(line), asked.stderr), asked.stderr
    # Its names, with every service by the command line's flags.
    (tmp_path / "plain.properties").write_text("security.protocol=PLAINTEXT\n")
    with pf.running("broker", "--data", tmp_path / "k", "--listen", "127.0.0.1:0") as broker, \
            pf.running("streams", "--data", tmp_path / "s", "--listen", "127.0.0.1:0") as streams:
        answers = pf.pinflow_json("run", "--profile", "aws", "--posts", 50, "--data", tmp_path, "--lake", tmp_path / "lake",
                                  "--bootstrap-server", broker.addresses["broker"], "--command-config", tmp_path / "plain.properties",
                                  "--kinesis-endpoint", f"http://{streams.addresses['streams']}")["answers"]
    assert len(answers) == 9 and answers["top_country"]
    assert json.dumps(answers)
