"""run, stop, history."""

from __future__ import annotations

import threading
import time

import pytest

from cronpilot.client.fake import make_run
from cronpilot.client.messages import RunView
from cronpilot.domain.run import Reason, Status, Trigger

from ..patience import PATIENCE_S
from .conftest import HOSTILE, Cronpilot, Running


def test_run_starts_a_task(cronpilot: Cronpilot, engine: Running) -> None:
    said = cronpilot("run", "report")

    assert (said.code, said.out) == (0, "Run 3 of report has started.\n")
    assert engine.fake.calls == [("run_now", 2)]


def test_a_run_that_waits_for_a_slot_says_so(
    cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = make_run(9, task_id=2, task_name="report", status=Status.QUEUED, attempts=0,
                       started_at=None, detail="pool db 2/2, 3 ahead")  # fmt: skip

    async def queue(task_id: int, **_: object) -> RunView:
        return engine.fake.put_run(waiting)

    monkeypatch.setattr(engine.fake, "run_now", queue)

    assert cronpilot("run", "report").out == (
        "Run 9 of report waits for its turn (pool db 2/2, 3 ahead).\n"
    )


def test_run_as_json_is_the_row(cronpilot: Cronpilot) -> None:
    row = cronpilot("run", "report", "--json").json

    assert (row["id"], row["task_name"], row["status"], row["trigger"]) == (
        3, "report", "running", "manual",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "exit_code", "code", "sentence"),
    [
        pytest.param(Status.SUCCESS, 0, 0, "Run 3 of report: success after 2.0s.", id="success"),
        pytest.param(Status.FAILED, 3, 1, "Run 3 of report: failed after 2.0s (exit 3).",
                     id="failure"),
        pytest.param(Status.TIMEOUT, None, 1, "Run 3 of report: timeout after 2.0s.", id="timeout"),
    ],
)  # fmt: skip
def test_run_and_wait_ends_with_the_run(
    cronpilot: Cronpilot,
    engine: Running,
    status: Status,
    exit_code: int | None,
    code: int,
    sentence: str,
) -> None:
    def end_it() -> None:
        deadline = time.monotonic() + PATIENCE_S
        while 3 not in engine.fake._runs and time.monotonic() < deadline:
            time.sleep(0.01)
        engine.do(lambda: engine.fake.finish(3, status, exit_code=exit_code, duration_s=2.0))

    ender = threading.Thread(target=end_it)
    ender.start()
    said = cronpilot("run", "report", "--wait")
    ender.join()

    assert (said.code, said.out) == (code, sentence + "\n")


@pytest.mark.parametrize("words", [["--wait"], []])
def test_a_task_that_still_runs_is_not_started(cronpilot: Cronpilot, words: list[str]) -> None:
    cronpilot("run", "report")
    said = cronpilot("run", "report", *words)

    assert said.code == 4
    assert said.err == (
        "cronpilot: 'report' is already running: not started (run 4 says so)."
        " See: cronpilot logs report\n"
    )
    assert said.out == ""


def test_a_task_that_has_one_waiting_already_takes_no_further_one(
    cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = make_run(9, task_id=2, task_name="report", status=Status.SKIPPED, attempts=0,
                    started_at=None, reason=Reason.QUEUE_FULL)  # fmt: skip

    async def refuse(task_id: int, **_: object) -> RunView:
        return engine.fake.put_run(full)

    monkeypatch.setattr(engine.fake, "run_now", refuse)
    said = cronpilot("run", "report", "--wait")

    assert said.code == 4
    assert said.err == (
        "cronpilot: 'report' has a run waiting already: not started (run 9 says so)."
        " See: cronpilot history report\n"
    )


def test_a_refused_start_as_json_is_the_row_of_the_verdict(cronpilot: Cronpilot) -> None:
    cronpilot("run", "report")
    said = cronpilot("run", "report", "--json")

    assert said.code == 4
    assert (said.json["status"], said.json["reason"]) == ("skipped", "already_running")
    assert "already running" in said.err


def test_stop_a_run_by_its_number(cronpilot: Cronpilot, engine: Running) -> None:
    said = cronpilot("stop", "1", "--signal", "sigkill")

    assert said.code == 0
    assert said.out.startswith("Run 1 of backup-db: stopped after ")
    assert said.out.endswith("(signal 9, by a user).\n")
    assert engine.fake.calls == [("stop_run", 1, "KILL")]


def test_stop_the_runs_of_a_task(cronpilot: Cronpilot, engine: Running) -> None:
    engine.do(lambda: engine.fake.put_run(make_run(5)))

    stopped = cronpilot("stop", "backup-db", "--json").json

    assert [(run["id"], run["status"]) for run in stopped] == [(1, "stopped"), (5, "stopped")]


def test_stop_everything(cronpilot: Cronpilot) -> None:
    assert len(cronpilot("stop", "--all", "--json").json) == 1
    assert cronpilot("stop", "--all").out == "Nothing runs.\n"
    assert cronpilot("stop", "--all", "--json").json == []


def test_stop_a_number_as_json_is_one_row(cronpilot: Cronpilot) -> None:
    assert cronpilot("--json", "stop", "1").json["status"] == "stopped"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["report"], 4, "Nothing of 'report' runs."),
        (["nope"], 2, "There is no task 'nope'. See: cronpilot list"),
        (["99"], 2, "There is no run '99'. See: cronpilot history"),
        ([], 2, "Name one run or one task, or say --all."),
        (["1", "--all"], 2, "Name one run or one task, or say --all."),
        (["1", "--signal", "HUP"], 2,
         "'HUP' is no signal to stop a run with. Use TERM, INT or KILL."),
    ],
)  # fmt: skip
def test_what_cannot_be_stopped_is_said(
    cronpilot: Cronpilot, words: list[str], code: int, sentence: str
) -> None:
    said = cronpilot("stop", *words)

    assert (said.code, said.err) == (code, f"cronpilot: {sentence}\n")


def test_history_is_newest_first_with_the_reasons(cronpilot: Cronpilot, engine: Running) -> None:
    folded = make_run(
        3, status=Status.MISSED, reason=Reason.DOWN, folded_count=14, attempts=0, started_at=None
    )
    engine.do(lambda: engine.fake.put_run(folded))

    said = cronpilot("history", "backup-db")

    assert said.out == (
        "RUN  TASK       WHEN                  STATUS   TOOK  WHY\n"
        "  3  backup-db  2026-03-04 13:00 CET  missed      -  no engine ran, 14 slots\n"
        "  1  backup-db  2026-03-04 13:00 CET  running     -\n"
    )


def test_history_shows_no_control_characters(cronpilot: Cronpilot) -> None:
    line = cronpilot("history", "--limit", "1").out.splitlines()[1]

    assert line == (
        "  2  ../../etc/x [/] \\x1b[31m\\x9b2J␤\\u202e  2026-03-04 13:00 CET  failed  1h02m"
        "  exit 3: sh: \\x1b]0;x\\x07: not found"
    )


def test_history_as_json_has_the_documented_fields(cronpilot: Cronpilot) -> None:
    [row] = cronpilot("history", "3", "--limit", "1", "--json").json

    assert {
        "id", "task_id", "task_name", "trigger", "scheduled_for", "status", "reason", "exit_code",
        "signal", "attempts", "queued_at", "started_at", "finished_at", "duration_s", "log_path",
    } <= set(row)  # fmt: skip
    assert (row["task_name"], row["exit_code"], row["scheduled_for"]) == (
        HOSTILE, 3, "2026-03-04T12:00:00Z",
    )  # fmt: skip


def test_history_goes_beyond_one_page(cronpilot: Cronpilot, engine: Running) -> None:
    for number in range(3, 260):
        run = make_run(number, status=Status.SUCCESS, trigger=Trigger.MANUAL)
        engine.do(lambda run=run: engine.fake._runs.update({run.id: run}))

    rows = cronpilot("history", "--limit", "250", "--json").json

    assert [row["id"] for row in rows] == list(range(259, 9, -1))


def test_history_of_a_task_that_never_ran(cronpilot: Cronpilot) -> None:
    assert cronpilot("history", "report").out == "Nothing has run yet.\n"
    assert cronpilot("history", "report", "--json").json == []
