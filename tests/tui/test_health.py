"""View 5: what it says, and where its lines lead."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import (
    Banner,
    ClockStep,
    EngineInfo,
    FailingTask,
    Health,
    LastRun,
    PassedSlots,
    QuietStretch,
)
from cronpilot.domain.run import Reason, Status
from cronpilot.tui.formatting import ASCII_MARKS
from cronpilot.tui.health_lines import folded, health_lines
from cronpilot.tui.screens.run_page import RunPage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOM = {"disk_free": 42_000_000_000, "disk_size": 100_000_000_000, "database_size": 12_300_000,
        "logs_size": 345_000_000, "engine": None}  # fmt: skip


def said(**fields):
    """The lines of a Health, each as its three columns."""
    lines = health_lines(Health(at=NOON, **ROOM | fields), NOON, UTC, ASCII_MARKS)
    return [(line.state.text, line.subject.text, line.words.text) for line in lines]


# --- what it says --------------------------------------------------------------------------------


def test_when_all_is_well_it_says_so():
    assert said()[0] == ("v fine", "the last 24 hours", "Nothing fails, nothing was missed.")


def test_a_quiet_time_of_one_day_names_the_day_once():
    window = QuietStretch(name="maintenance", then="after", starts_at=NOON + DAY,
                          ends_at=NOON + DAY + 2 * HOUR, task_count=2, skips=8)  # fmt: skip
    assert (
        "", "quiet times",
        "maintenance: from 5 Mar 12:00 until 14:00; skips 8 starts of 2 tasks, then one run",
    ) in said(quiet=[window])  # fmt: skip


def test_the_gravest_comes_first():
    failed = LastRun(id=9, status=Status.FAILED, exit_code=2)
    lines = said(
        banners=[Banner(key="a", text="Note.", severity="information"),
                 Banner(key="disk", text="Full.", hint="Make room.", severity="error")],
        failing=[FailingTask(task_id=1, task_name="backup", last_run=failed, failures=4,
                             since=NOON - 30 * HOUR, last_success_at=NOON - 2 * DAY)],
        failing_tasks=3,
        retrying=[make_run(8, task_name="probe", status=Status.RETRYING, max_attempts=4,
                           retry_at=NOON + timedelta(seconds=40))],
        passed=[PassedSlots(task_id=2, task_name="sync", missed=14, skipped=2, newest=NOON - HOUR),
                PassedSlots(task_id=3, task_name="mail", missed=0, skipped=1, newest=NOON)],
        late=[make_run(7, task_name="report", scheduled_for=NOON - 2 * HOUR)],
    )  # fmt: skip
    assert lines[:8] == [
        ("! error", "disk", "Full. Make room."),
        ("! note", "a", "Note. "),
        ("x fail", "backup",
         "fails since 3 Mar 06:00, 4 in a row; exit 2; last success 2d ago"),
        ("", "and 2 more", ""),
        ("~ retry", "probe", "attempt 1/4 failed; next attempt in 40s"),
        ("! missed", "sync", "14 slots missed, 2 skipped in 24 h, 60m ago"),
        ("! late", "report", "the slot of 10:00:00 began 2h 00m late"),
        ("o skipped", "mail", "1 slot skipped in 24 h, just now"),
    ]  # fmt: skip


def test_a_task_that_never_succeeded_says_so():
    lost = LastRun(id=9, status=Status.LOST, reason=Reason.HOST_RESTART)
    failing = FailingTask(task_id=1, task_name="a", last_run=lost, failures=1)
    assert said(failing=[failing], failing_tasks=1)[0] == (
        "? lost", "a", "fails; the machine restarted; no success known"
    )  # fmt: skip


def test_the_engine_and_its_machine():
    engine = EngineInfo(id="e", pid=77, version="0.1", host="h", started_at=NOON - HOUR,
                        state_dir="/var/lib/cronpilot", database="d")  # fmt: skip
    lines = said(engine=engine, keeper_pid=78, copied_at=NOON - 8 * HOUR, logs_measured=False,
                 clock_steps=[ClockStep(at=NOON - HOUR, detail="+3600 s")],
                 engine_log=["first", '2026-03-04T11:59:07.120Z ERROR msg="a \\"b\\" c"',
                             "last\x1b[2J"])  # fmt: skip
    assert [(what, words) for _, what, words in lines[2:]] == [
        ("engine", "version 0.1, pid 77, since 11:00:00"),
        ("state", "/var/lib/cronpilot"),
        ("keeper", "pid 78"),
        ("disk", "42.0 GB free of 100 GB"),
        ("database", "12.3 MB, copied 8h ago"),
        ("logs", "more than 345 MB"),
        ("clock", "moved +3600 s at 11:00:00"),
        ("", ""),
        ("engine.log", "last\\x1b[2J"),
        ("", '11:59:07 error: a "b" c'),
        ("", "first"),
    ]


def test_little_room_is_told_in_another_tone():
    lines = health_lines(
        Health(at=NOON, **ROOM | {"disk_free": 4_000_000_000}), NOON, UTC, ASCII_MARKS
    )
    assert next(line for line in lines if line.subject.text == "disk").words.tone == "warn"


def test_a_steady_clock_and_a_log_without_lines_are_told_as_well():
    words = {
        line.subject.text: line.words.text
        for line in health_lines(Health(at=NOON, **ROOM), NOON, UTC, ASCII_MARKS)
    }
    assert words["clock"] == "not moved in 7 days"
    assert words["engine.log"].startswith("empty")


def test_what_nothing_else_shows_is_folded_and_not_cut_off():
    banner = Banner(key="disk", text="The disk is full: " + "no run starts " * 5, hint="Make room.")
    health = Health(at=NOON, **ROOM, banners=[banner], engine_log=["tick " * 30])

    lines = folded(health_lines(health, NOON, UTC, ASCII_MARKS), 40)

    assert max(len(line.words.text) for line in lines) <= 40
    said = " ".join(line.words.text for line in lines)
    assert "Make room." in said
    assert said.count("tick") == 30
    assert len({line.id for line in lines}) == len(lines)


def test_every_line_is_known_by_a_number_of_its_own():
    lines = health_lines(Health(at=NOON, **ROOM, engine_log=["a", "a"]), NOON, UTC, ASCII_MARKS)
    assert len({line.id for line in lines}) == len(lines)


# --- on the screen -------------------------------------------------------------------------------


@pytest.fixture
def client(clock):
    """backup-db has failed, probe retries, report is well and was skipped once."""
    failed = {"status": Status.FAILED, "exit_code": 2, "finished_at": NOON - HOUR}
    tasks = [
        make_task(1, "backup-db", last_run=LastRun(id=10, **failed)),
        make_task(2, "probe", retrying=1),
        make_task(3, "report"),
    ]
    runs = [
        make_run(10, pid=None, **failed),
        make_run(11, task_id=2, task_name="probe", status=Status.RETRYING, pid=None,
                 retry_at=NOON + timedelta(minutes=3), max_attempts=3),
        make_run(12, task_id=3, task_name="report", status=Status.SKIPPED, started_at=None,
                 finished_at=NOON, reason=Reason.ALREADY_RUNNING, pid=None),
    ]  # fmt: skip
    return FakeClient(tasks, runs, {10: b"no space\n"}, clock)


async def health(screen):
    await screen.press("5")
    await screen.until(lambda: screen.dashboard.health.table.total)
    return screen.dashboard.health


async def test_view_5_shows_what_needs_attention_and_no_log(show, client):
    async with show(client) as screen:
        await health(screen)
        assert "[5 Health 1]" in screen.text
        assert not screen.dashboard.panel.display
        for words in ("fails since 11:00:00; exit 2; no success known", "next attempt in 3m",
                      "1 slot skipped", "42.0 GB free of 100 GB", "engine.log"):  # fmt: skip
            assert words in screen.text
        await screen.press("1")
        assert screen.dashboard.panel.display


async def test_enter_on_a_failing_task_leads_to_its_failures(show, client):
    async with show(client) as screen:
        await health(screen)
        await screen.press("enter")
        await screen.until(lambda: "filter backup-db, failed only" in screen.text)
        await screen.until(lambda: [row.id for row in screen.dashboard.history.table.rows] == [10])


async def test_out_of_the_history_of_a_line_esc_leads_back_to_it(show, client):
    async with show(client) as screen:
        shown = (await health(screen)).table
        await screen.press("enter")
        await screen.until(lambda: "filter backup-db, failed only" in screen.text)
        assert "Esc back" in screen.dashboard.key_bar.text
        await screen.press("escape")
        await screen.until(lambda: screen.dashboard.current is screen.dashboard.health)
        assert shown.row.task == (1, "backup-db")
        assert not screen.dashboard.history.filters


async def test_keys_that_need_a_task_are_not_offered_on_a_fact(show, client):
    async with show(client) as screen:
        await health(screen)
        await screen.until(lambda: "r run" in screen.dashboard.key_bar.text)
        await screen.press("G")
        await screen.until(lambda: "r run" not in screen.dashboard.key_bar.text)


async def test_enter_on_a_retry_leads_to_the_run(show, client):
    async with show(client) as screen:
        await health(screen)
        await screen.press("j", "enter")
        assert isinstance(screen.app.screen, RunPage)
        assert screen.app.screen.run_shown.id == 11


async def test_enter_on_a_fact_does_nothing(show, client):
    async with show(client) as screen:
        await health(screen)
        await screen.press("G", "enter")
        assert screen.app.screen is screen.dashboard
        assert screen.dashboard.current is screen.dashboard.health


async def test_keys_act_on_the_task_of_the_line(show, client):
    async with show(client) as screen:
        await health(screen)
        await screen.press("r")
        await screen.until(lambda: client.calls == [("run_now", 1)])


async def test_keys_for_what_is_not_there_are_not_offered(show, client):
    async with show(client) as screen:
        await health(screen)
        await screen.press("slash", "l", "L", "tab")
        assert not screen.dashboard.panel.display
        assert screen.dashboard.health.table.has_focus
        assert "filter" not in screen.text


async def test_it_is_read_anew_while_somebody_looks_and_the_cursor_stays(show, client):
    async with show(client) as screen:
        view = await health(screen)
        await screen.press("j")
        client.put_run(make_run(9, task_id=3, task_name="report", status=Status.MISSED,
                                folded_count=5, started_at=None, pid=None))  # fmt: skip
        client.set_banners(Banner(key="disk", text="The disk is full.", severity="error"))
        await screen.pass_time(seconds=6)
        await screen.until(lambda: "5 slots missed, 1 skipped" in screen.text)
        assert view.chosen.run.id == 11


async def test_it_is_not_read_while_nobody_looks(show, client, monkeypatch):
    asked = []
    real = client.health

    async def counted():
        asked.append(1)
        return await real()

    monkeypatch.setattr(client, "health", counted)
    async with show(client) as screen:
        await screen.pass_time(seconds=60)
        assert not asked
        await health(screen)
        assert len(asked) == 1
        await screen.pass_time(seconds=3)
        assert len(asked) == 1


async def test_the_tab_counts_what_needs_attention(show, client):
    async with show(client) as screen:
        assert "5 Health 1" in screen.text


async def test_its_lines_are_folded_anew_when_there_is_less_room(show, clock):
    words = "The disk is nearly full: no run starts. " + "Make room. " * 6
    banner = Banner(key="disk", text=words, hint="", severity="error")
    client = FakeClient([make_task(1, "report")], [], {}, clock, banners=[banner])
    async with show(client) as screen:
        view = await health(screen)
        before = view.table.total
        await screen.pilot.resize_terminal(70, 24)
        await screen.until(lambda: view.table.total > before)
