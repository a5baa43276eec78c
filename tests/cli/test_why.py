from __future__ import annotations

import pytest

from cronpilot.client.fake import make_run, make_task
from cronpilot.domain.run import Reason, Status

from .conftest import HOSTILE, Cronpilot, Running


def test_what_it_does_now_and_next(cronpilot: Cronpilot) -> None:
    said = cronpilot("why", "backup-db")

    assert said.code == 0
    assert "  Run 1 is running since 2026-03-04 12:00 UTC." in said.out.splitlines()


def test_a_time_is_read_in_the_zone_of_the_task(cronpilot: Cronpilot, engine: Running) -> None:
    skipped = make_run(
        9, task_id=7, task_name="night", status=Status.SKIPPED, reason=Reason.ALREADY_RUNNING,
        started_at=None, attempts=0,
    )  # fmt: skip
    night = make_task(7, "night", schedule="daily 21:00", timezone="Asia/Tokyo")
    engine.do(lambda: (engine.fake.put_task(night), engine.fake.put_run(skipped)))

    said = cronpilot("why", "night", "2026-03-04 21:00")

    assert said.out.splitlines()[:2] == [
        "It was skipped: another run of it was still going.",
        "  rule: overlap: skip",
    ]


def test_as_json_it_is_the_explanation(cronpilot: Cronpilot) -> None:
    said = cronpilot("--json", "why", "backup-db", "2026-03-04T13:00+01:00")

    assert said.json["slot"] == "2026-03-04T12:00:00Z"
    assert [run["id"] for run in said.json["runs"]] == [1]


@pytest.mark.parametrize("time", ["noon", "25:00", "2026-11-22", "9999-01-01 00:00"])
def test_a_time_that_cannot_be_read_is_a_sentence(cronpilot: Cronpilot, time: str) -> None:
    said = cronpilot("why", "backup-db", time)

    assert said.code == 2
    assert repr(time) in said.err
    assert "Write 02:30" in said.err


def test_names_and_details_are_harmless(cronpilot: Cronpilot) -> None:
    said = cronpilot("why", HOSTILE, "2026-03-04 12:00")

    assert said.code == 0
    assert "\x1b" not in said.out


def test_pause_until_says_until_when(cronpilot: Cronpilot) -> None:
    said = cronpilot("pause", "report", "--until", "2100-01-01 18:00")

    assert said.out == "report is paused until 2100-01-01 19:00 CET. What runs goes on.\n"
    assert "paused until 2100-01-01 19:00 CET" in cronpilot("list").out


def test_the_whole_scheduler_is_paused_until_a_time(cronpilot: Cronpilot) -> None:
    said = cronpilot("pause", "--all", "--until", "2100-01-01 18:00")

    assert said.out == (
        "The scheduler is paused until 2100-01-01 19:00 CET: nothing starts by schedule."
        " What runs goes on.\n"
    )
    assert "is paused until 2100-01-01 19:00 CET. Go on" in cronpilot("status").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["report", "--until", "2001-01-01 18:00"], "has passed", id="passed"),
        pytest.param(["report", "--until", "soon"], "is not a time", id="unreadable"),
        pytest.param(["--all", "--until", "2001-01-01"], "is not a date", id="the scheduler"),
    ],
)
def test_an_end_that_cannot_be_meant_is_refused(
    cronpilot: Cronpilot, words: list[str], message: str
) -> None:
    said = cronpilot("pause", *words)

    assert said.code == 2
    assert message in said.err
