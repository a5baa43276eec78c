"""show: everything of one run, in words and as JSON."""

from __future__ import annotations

from datetime import timedelta

from cronpilot.client.fake import NOON, make_run
from cronpilot.domain.run import Status

from .conftest import HOSTILE, Cronpilot, Running


def test_a_run_in_words(cronpilot: Cronpilot, engine: Running) -> None:
    run = make_run(
        5, status=Status.FAILED, exit_code=3, finished_at=NOON + timedelta(seconds=65),
        duration_s=65.0, cpu_s=2.5, max_rss=12_300_000, log_size=1234, pid=None, pool="db",
        log_path="/srv/logs/1/5.log", environment={"HOME": "/root", "DB_PASSWORD": "***"},
    )  # fmt: skip
    engine.do(lambda: engine.fake.put_run(run))

    assert cronpilot("show", "5").out == (
        "Run 5 of backup-db: failed after 1m05s (exit 3).\n"
        "Started by:  its schedule\n"
        "Slot:        2026-03-04 13:00 CET\n"
        "Queued:      2026-03-04 13:00 CET\n"
        "Started:     2026-03-04 13:00 CET\n"
        "Ended:       2026-03-04 13:01:05 CET\n"
        "Pool:        db\n"
        "CPU:         2.5s\n"
        "Memory:      12.3 MB at most\n"
        "Output:      /srv/logs/1/5.log (1,234 bytes)\n"
        "\n"
        "ATTEMPT  STARTED                TOOK  PID  EXIT  SIGNAL  OUTCOME\n"
        "      1  2026-03-04 13:00 CET  1m05s    -     3       -  failed\n"
        "\n"
        "Variables (secrets masked):\n"
        "  DB_PASSWORD=***\n"
        "  HOME=/root\n"
    )


def test_a_run_that_never_started_says_no_more_than_that(
    cronpilot: Cronpilot, engine: Running
) -> None:
    run = make_run(5, status=Status.QUEUED, attempts=0, started_at=None, pid=None)
    engine.do(lambda: engine.fake.put_run(run))

    said = cronpilot("show", "5").out

    assert "ATTEMPT" not in said
    assert "Variables" not in said


def test_what_is_shown_is_harmless(cronpilot: Cronpilot, engine: Running) -> None:
    run = make_run(5, task_name=HOSTILE, actor="\x1b[2J", environment={"A": "\x1b]0;x\x07"})
    engine.do(lambda: engine.fake.put_run(run))

    said = cronpilot("show", "5").out

    assert not any(ord(char) < 32 and char != "\n" for char in said)


def test_a_run_as_json_has_its_attempts_beside_its_fields(cronpilot: Cronpilot) -> None:
    shown = cronpilot("show", "1", "--json").json

    assert (shown["id"], shown["attempts"], shown["environment"]) == (1, 1, None)
    assert [attempt["pid"] for attempt in shown["attempts_made"]] == [4242]


def test_only_a_number_names_a_run(cronpilot: Cronpilot) -> None:
    unknown, word = cronpilot("show", "99"), cronpilot("show", "backup-db")

    assert (unknown.code, word.code) == (2, 2)
    assert unknown.err == "cronpilot: There is no run '99'. See: cronpilot history\n"
    assert word.err == "cronpilot: 'backup-db' is no number of a run. See: cronpilot history\n"
