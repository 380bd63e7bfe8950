"""`pinflow schedule`, `runs` and data checks, as people use them, and under faults."""
import datetime
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import pinflow as pf

TINY = pf.ROOT / "tests/pipelines/tiny"


def pipeline(tmp_path, schedule="", checks="", files=None):
    """A copy of the second pipeline with a schedule and checks of the test's."""
    folder = tmp_path / "pipeline"
    shutil.copytree(TINY, folder)
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with open(folder / "pipeline.yaml", "a", encoding="utf-8") as file:
        file.write(f"\nschedule:\n  retries: 0\n{schedule}\n" + (f"\nchecks:\n{checks}\n" if checks else ""))
    return folder


@pytest.fixture
def filled(tmp_path):
    """(pipeline's folder maker, data): a lake with some rows in its tables."""
    data = tmp_path / "data"
    pf.pinflow("run", "--posts", 50, "--data", data, "--pipeline", TINY)
    return data


def runs(data, *more):
    return pf.pinflow_json("runs", "list", "--data", data, "-n", 10_000, *more)


def batch(folder, data, *more, **how):
    return pf.pinflow("batch", "--pipeline", folder, "--data", data, *more, **how)


HANG = "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b HAVING n < 0\n"
SLOW = "checks/hang.sql", "  hang: {title: Never ends, sql: checks/hang.sql}"


def hanging(tmp_path, schedule=""):
    return pipeline(tmp_path, schedule, SLOW[1], {SLOW[0]: HANG})


def wait_for_run(data, state):
    found = []

    def there():
        found[:] = [run for run in runs(data) if run["state"] == state]
        return bool(found)
    pf.wait_until(there, 60, f"a run that is {state}")
    return found[0]


# ---- batch as a run -----------------------------------------------------------------------------------------------

def test_a_date_that_succeeded_is_not_run_again_without_force(filled):
    folder = TINY
    batch(folder, filled, "--date", "2026-11-20")
    assert "succeeded already, in run" in batch(folder, filled, "--date", "2026-11-20").stdout
    assert len(runs(filled)) == 1
    batch(folder, filled, "--date", "2026-11-20", "--force")
    batch(folder, filled)
    last, forced, first = runs(filled)
    assert [first["slot"], forced["slot"], last["slot"]] == ["2026-11-20", "2026-11-20", None]
    assert first["state"] == "succeeded" and first["trigger"] == "manual" and first["seconds"]["total"] > 0
    assert set(first["versions_before"]) == {"dead", "reading", "station"} and first["counts"]["tables"]["reading"] > 0
    assert "a day such as" in batch(folder, filled, "--date", "2026-02-30", check=False).stderr


def test_steps_by_themselves_do_what_a_whole_run_does(tmp_path):
    data, lake = tmp_path / "data", tmp_path / "data/lake"
    with pf.running("broker", "--data", data, "--listen", "127.0.0.1:0", "--pipeline", TINY) as broker:
        host, port = broker.address("broker")
        record = '{"number":1,"station":1,"taken":"2026-01-01 00:00:00","celsius":1.5,"remark":"a"}'
        pf.pinflow("produce", "--topic", "weather.test.reading", "--bootstrap-server", f"{host}:{port}", input=record + "\n")
        broker.stop()
    batch(TINY, data, "--step", "load")
    assert not (lake / "tables").exists()
    batch(TINY, data, "--step", "clean", "--record", "station")
    assert len(pf.rows(lake, "reading")) == 0
    batch(TINY, data, "--step", "clean", "--record", "reading")
    batch(TINY, data, "--step", "clean", "--record", "reading")
    assert len(pf.rows(lake, "reading")) == 1 and not (lake / "answers").exists()
    batch(TINY, data, "--step", "answers")
    assert list((lake / "answers").glob("*/warmest_station.json"))
    assert "no record type 'nonsense'" in batch(TINY, data, "--step", "clean", "--record", "nonsense", check=False).stderr


# ---- checks ---------------------------------------------------------------------------------------------------------

def test_a_failed_check_shows_its_rows_and_keeps_the_answers(tmp_path, filled):
    answers = sorted((filled / "lake/answers").rglob("*.json"))
    before = {path: path.read_bytes() for path in answers}
    folder = pipeline(tmp_path, checks="""  cold: {title: It is too cold, sql: checks/cold.sql, severity: fail}
  any: {title: There are stations, sql: checks/any.sql, severity: warn}
""", files={"checks/cold.sql": "SELECT number, $date AS day FROM reading ORDER BY number -- all\n",
            "checks/any.sql": "SELECT count(*) AS n FROM station;\n"})
    done = batch(folder, filled, "--date", "2026-11-20", check=False)
    assert done.returncode == 1
    assert "Check FAILED: cold" in done.stdout and "2026-11-20" in done.stdout and "Check warns: any" in done.stdout
    assert "more than 20" in done.stdout
    assert {path: path.read_bytes() for path in sorted((filled / "lake/answers").rglob("*.json"))} == before
    found = json.loads(batch(folder, filled, "--format", "json", check=False).stdout)
    assert found["answers"] == {} and not found["checks"]["cold"]["well"] and len(found["checks"]["cold"]["rows"]) == 20
    run = runs(filled)[1]
    assert run["state"] == "failed" and "cold" in run["message"]
    (folder / "checks/cold.sql").write_text("SELECT number FROM reading WHERE celsius < -300\n")
    done = batch(folder, filled, "--date", "2026-11-20")
    assert "Check warns: any" in done.stdout and "FAILED" not in done.stdout


def test_a_broken_check_is_an_error_with_file_and_line(tmp_path, filled):
    folder = pipeline(tmp_path, checks="  bad: {title: Bad, sql: checks/bad.sql}\n", files={"checks/bad.sql": "SELECT *\nFROM nowhere\n"})
    assert "checks/bad.sql:2:" in batch(folder, filled, check=False).stderr


# ---- the schedule ---------------------------------------------------------------------------------------------------

def test_runs_what_was_missed_by_its_catch_up(tmp_path, filled):
    start = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)).date()
    folder = pipeline(tmp_path, f"  start: {start}\n  catchup: true\n")
    done = pf.pinflow("schedule", "--once", "--pipeline", folder, "--data", filled)
    assert done.stdout.count("succeeded") == 4, done.stdout
    assert [run["date"] for run in reversed(runs(filled))] == [str(start + datetime.timedelta(days=i)) for i in range(4)]
    assert all(run["trigger"] == "schedule" and pathlib.Path(run["log"]).is_file() for run in runs(filled))
    assert "nothing was due" in pf.pinflow("schedule", "--once", "--pipeline", folder, "--data", filled).stdout


def test_pause_backfill_and_mistakes(tmp_path, filled):
    folder = pipeline(tmp_path, "  start: 2020-01-01\n")
    pf.pinflow("schedule", "pause", "--pipeline", folder, "--data", filled)
    assert "nothing was due" in pf.pinflow("schedule", "--once", "--pipeline", folder, "--data", filled).stdout
    pf.pinflow("schedule", "resume", "--pipeline", folder, "--data", filled)
    done = pf.pinflow("schedule", "backfill", "2020-02-28", "2020-03-01", "--pipeline", folder, "--data", filled)
    assert done.stdout.count("succeeded") == 3
    again = pf.pinflow("schedule", "backfill", "2020-02-28", "2020-03-01", "--pipeline", folder, "--data", filled)
    assert "3 succeeded before" in again.stdout
    for cron, column in (("61 * * * *", "column 1"), ("0 0 * * funday", "column 9")):
        done = pf.pinflow("schedule", "next", "--cron", cron, check=False)
        assert done.returncode == 1 and column in done.stderr
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "pipeline.yaml").write_text((broken / "pipeline.yaml").read_text().replace("  start: 2020-01-01", '  cron: "x"'))
    line = (broken / "pipeline.yaml").read_text().splitlines().index('  cron: "x"') + 1
    assert f"pipeline.yaml:{line}: " in pf.pinflow("schedule", "--pipeline", broken, "--data", filled, check=False).stderr


def test_a_failure_is_retried_then_told_by_command_and_webhook(tmp_path, filled):
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        schedule = f"""  retry_delay: 1s
  on_failure:
    command: 'echo "$PINFLOW_RUN $PINFLOW_STATE $PINFLOW_ATTEMPT" >> {tmp_path}/told'
    webhook: http://127.0.0.1:{server.server_port}/secret
"""
        folder = pipeline(tmp_path, schedule, "  bad: {title: Bad, sql: checks/bad.sql}\n", {"checks/bad.sql": "SELECT nothing\n"})
        text = (folder / "pipeline.yaml").read_text().replace("retries: 0", "retries: 1")
        (folder / "pipeline.yaml").write_text(text)
        done = pf.pinflow("schedule", "backfill", "2026-01-01", "2026-01-01", "--pipeline", folder, "--data", filled, check=False)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 1 and "secret" not in done.stdout + done.stderr
    assert [(run["state"], run["attempt"], run["trigger"]) for run in reversed(runs(filled))] == [
        ("failed", 1, "backfill"), ("failed", 2, "retry")]
    assert (tmp_path / "told").read_text() == "2 failed 2\n"
    assert [(each["run"], each["date"]) for each in got] == [(2, "2026-01-01")] and "bad.sql:1:" in got[0]["message"]
    (folder / "checks/bad.sql").write_text("SELECT 1 WHERE false\n")
    pf.pinflow("runs", "retry", 2, "--pipeline", folder, "--data", filled)
    assert runs(filled)[0]["state"] == "succeeded"
    assert "has succeeded" in pf.pinflow("runs", "retry", 2, "--pipeline", folder, "--data", filled, check=False).stderr


def test_a_run_that_hangs_is_ended_by_its_time_out(tmp_path, filled):
    folder = hanging(tmp_path, "  timeout: 2s\n")
    done = pf.pinflow("schedule", "backfill", "2026-01-01", "2026-01-01", "--pipeline", folder, "--data", filled, check=False)
    assert done.returncode == 1
    run = runs(filled)[0]
    assert run["state"] == "failed" and "time-out of 2 s" in run["message"] and run["step"] == "checks"


def test_cancel_ends_what_runs_and_what_waits(tmp_path, filled):
    folder = hanging(tmp_path)
    process = subprocess.Popen([pf.BIN, "schedule", "backfill", "2026-01-01", "2026-01-02", "--pipeline", folder, "--data", filled],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=pf.ROOT)
    running = wait_for_run(filled, "running")
    queued = wait_for_run(filled, "queued")
    refused = batch(folder, filled, "--date", "2026-03-03", check=False)
    assert f"pinflow runs cancel {running['id']}" in refused.stderr
    pf.pinflow("runs", "cancel", queued["id"], "--pipeline", folder, "--data", filled)
    pf.pinflow("runs", "cancel", running["id"], "--pipeline", folder, "--data", filled)
    assert process.wait(30) == 1
    assert [run["state"] for run in runs(filled)][1:] == ["cancelled", "cancelled"]
    assert "cancelled already" in pf.pinflow("runs", "cancel", running["id"], "--pipeline", folder, "--data", filled, check=False).stderr
    shown = pf.pinflow("runs", "show", running["id"], "--data", filled, "--pipeline", folder).stdout
    assert f"Run {running['id']} for 2026-01-01: cancelled" in shown


# ---- faults ---------------------------------------------------------------------------------------------------------

def test_two_schedulers_on_one_folder_run_each_date_once(tmp_path, filled):
    start = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=9)).date()
    folder = pipeline(tmp_path, f"  start: {start}\n  catchup: true\n")
    both = [subprocess.Popen([pf.BIN, "schedule", "--once", "--pipeline", folder, "--data", filled], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, cwd=pf.ROOT) for _ in range(2)]
    for process in both:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    found = runs(filled)
    assert len(found) == len({run["date"] for run in found}) == 10 and {run["state"] for run in found} == {"succeeded"}


def test_kill_9_at_any_moment_loses_and_repeats_nothing(tmp_path):
    """Schedulers and their runs are killed again and again over posts that are there; at the end all is there once."""
    data, lake = tmp_path / "data", tmp_path / "data/lake"
    pf.pinflow("run", "--posts", 20, "--data", data, "--pipeline", TINY)
    start = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3000)).date()
    folder = pipeline(tmp_path, f"  start: {start}\n  catchup: true\n  retry_delay: 0\n")
    (folder / "pipeline.yaml").write_text((folder / "pipeline.yaml").read_text().replace("retries: 0", "retries: 100"))
    seed = int(os.environ.get("PINFLOW_SEED", random.randrange(1 << 30)))
    print("PINFLOW_SEED", seed)
    dice = random.Random(seed)
    for round_ in range(max(5, pf.KILLS // 5)):
        process = subprocess.Popen([pf.BIN, "schedule", "--pipeline", folder, "--data", data], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=pf.ROOT)
        time.sleep(dice.uniform(0.1, 1.2))
        victims = [run["process"] for run in runs(data) if run["state"] == "running" and run["slot"]]
        if dice.random() < 0.5:
            process.kill()
        if victims and dice.random() < 0.7:
            try:
                os.kill(victims[0], signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.kill()
        process.wait()
        if round_ % 3 == 0:
            pf.pinflow("runs", "list", "--data", data)
    pf.pinflow("schedule", "pause", "--data", data)
    with sqlite3.connect(data / "state/schedule.db") as history:
        assert history.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        history.execute("UPDATE runs SET state = 'cancelled' WHERE state = 'queued'")  # the rest of the 1,000
    pf.wait_until(lambda: not [run for run in runs(data) if run["state"] == "running"], 60, "the last run's end")
    batch(folder, data)
    assert len(pf.rows(lake, "reading")) == len(set(pf.rows(lake, "reading")))
    found = runs(data)
    succeeded = [run["slot"] for run in found if run["state"] == "succeeded" and run["slot"]]
    assert len(succeeded) == len(set(succeeded)) > 0
    by_id = {run["id"]: run for run in found}
    for run in found:
        if run["state"] == "abandoned" and run["trigger"] != "manual":
            retries = [other for other in found if other["retry_of"] == run["id"]]
            assert len(retries) <= 1
        if run["retry_of"]:
            assert by_id[run["retry_of"]]["state"] in ("abandoned", "failed")


def test_a_killed_scheduler_is_taken_over_and_its_run_goes_on(tmp_path, filled):
    folder = hanging(tmp_path)
    first = subprocess.Popen([pf.BIN, "schedule", "backfill", "2026-01-01", "2026-01-01", "--pipeline", folder, "--data", filled],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=pf.ROOT)
    run = wait_for_run(filled, "running")
    first.kill()
    first.wait()
    with pf.running("schedule", "--pipeline", folder, "--data", filled) as second:
        time.sleep(1)
        assert [each["state"] for each in runs(filled)] == ["running"], "the run outlives its scheduler"
        os.kill(run["process"], signal.SIGKILL)
        abandoned = wait_for_run(filled, "abandoned")
        assert "killed" in abandoned["message"] and abandoned["id"] == run["id"]
        pf.wait_until(lambda: any("for good" in line for line in second.lines), what="being told")


def test_a_history_that_is_locked_or_broken_says_what_to_do(tmp_path, filled):
    batch(TINY, filled)
    state = filled / "state/schedule.db"
    other = sqlite3.connect(state, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = batch(TINY, filled, check=False)
    assert done.returncode == 1 and "another process holds it" in done.stderr
    other.execute("ROLLBACK")
    other.close()
    batch(TINY, filled)
    for extra in ("-wal", "-shm"):
        pathlib.Path(str(state) + extra).unlink(missing_ok=True)
    state.write_bytes(b"no database" * 1000)
    done = pf.pinflow("runs", "list", "--data", filled, check=False)
    assert done.returncode == 1 and "Move it and the files beside it" in done.stderr
    state.rename(filled / "state/old")
    rows = pf.rows(filled / "lake", "reading")
    batch(TINY, filled)
    assert pf.rows(filled / "lake", "reading") == rows
