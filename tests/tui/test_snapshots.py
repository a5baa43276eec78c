"""Whole screens, as pictures. Look at them when they change; `--snapshot-update` renews them."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_textual_snapshot import normalize_svg

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.live import Downtime
from cronpilot.client.messages import Banner, LastRun
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.tui import themes
from cronpilot.tui.app import CronPilotApp

from ..patience import PATIENCE_S

WIDE, SMALL = (120, 36), (80, 24)
REST_S = 15.0
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ended(run_id, ago, took, **fields):
    given = {"status": Status.SUCCESS, "exit_code": 0, **fields}
    return LastRun(id=run_id, started_at=NOON - ago - timedelta(seconds=took),
                   finished_at=NOON - ago, duration_s=took, **given)  # fmt: skip


def going(run_id, since, **fields):
    given = {"status": Status.RUNNING, **fields}
    return LastRun(id=run_id, started_at=NOON - since, **given)


OK = [Status.SUCCESS] * 20
MIXED = [*OK[:6], Status.FAILED, *OK[:4], Status.SKIPPED, Status.FAILED, Status.FAILED]
TASKS = [
    make_task(1, "heartbeat", schedule_words="every minute", schedule="every 1m",
              average_duration_s=0.04, last_verdicts=OK, next_run_at=NOON + MINUTE / 2,
              last_run=ended(101, MINUTE / 2, 0.04), success_rate=1.0),
    make_task(2, "backup-db", schedule_words="every day at 02:30", schedule="daily 02:30",
              average_duration_s=171.0, last_verdicts=OK, tags=["nightly", "db"],
              success_rate=0.981,
              next_run_at=NOON + 14.5 * HOUR, last_run=ended(102, 9.5 * HOUR, 184.2)),
    make_task(3, "check-certificates", schedule_words="every 2 hours", schedule="0 */2 * * *",
              last_verdicts=MIXED, retrying=1,
              next_run_at=NOON + 2 * HOUR, success_rate=0.62,
              last_run=going(103, 4 * MINUTE, status=Status.RETRYING)),
    make_task(4, "probe", schedule_words="every 90 s", schedule="every 90s",
              average_duration_s=95.0, last_verdicts=OK, next_run_at=NOON + timedelta(seconds=71),
              success_rate=0.99, running=1, last_run=going(104, timedelta(seconds=12))),
    make_task(5, "report", schedule_words="only by hand", schedule="manual", last_verdicts=[],
              next_run_at=None),
    make_task(6, "sync-mirror", schedule_words="every day at 05:10", schedule="daily 05:10",
              average_duration_s=1900.0, last_verdicts=[*OK[3:], Status.TIMEOUT],
              next_run_at=NOON + 17 * HOUR, success_rate=0.9,
              last_run=ended(106, 7 * HOUR, 3600, status=Status.TIMEOUT, exit_code=None)),
    make_task(7, "old-import", schedule_words="every weekday at 06:00", schedule="0 6 * * mon-fri",
              average_duration_s=7.1, active=False,
              next_run_at=None, last_run=ended(107, 41 * DAY, 7.0), success_rate=0.97),
    make_task(8, "rotate-keys", schedule_words="on day 1 of every month at 00:00",
              schedule="0 0 1 * *", average_duration_s=1.2, last_verdicts=OK[:6],
              next_run_at=NOON + 28 * DAY, paused_at=NOON, last_run=ended(108, 3 * DAY, 1.2),
              success_rate=1.0),
    make_task(9, "mail-digest", schedule_words="every weekday at 08:00",
              schedule="0 8 * * mon-fri", average_duration_s=41.0, last_verdicts=MIXED[4:],
              next_run_at=NOON + 20 * HOUR, success_rate=0.95,
              last_run=ended(109, 4 * HOUR, 0.0, status=Status.SKIPPED, exit_code=None,
                             reason=Reason.ALREADY_RUNNING)),
    make_task(10, "disk-space", schedule_words="every hour", schedule="hourly :00",
              average_duration_s=0.3, last_verdicts=[*OK[:9], Status.FAILED],
              next_run_at=NOON + HOUR,
              success_rate=1.0, last_run=ended(110, 50 * MINUTE, 0.4, status=Status.FAILED,
                                               exit_code=2)),
]  # fmt: skip
RUNS = [
    make_run(101, task_name="heartbeat", **ended(101, MINUTE / 2, 0.04).model_dump(exclude={"id"}),
             pid=None),
    make_run(103, task_id=3, task_name="check-certificates", status=Status.RETRYING, attempts=2,
             max_attempts=4, retry_at=NOON + timedelta(seconds=44), pid=None,
             started_at=NOON - 4 * MINUTE),
    make_run(104, task_id=4, task_name="probe", started_at=NOON - timedelta(seconds=12),
             usual_s=95.0, trigger=Trigger.MANUAL, pid=31402),
    make_run(105, task_id=2, task_name="backup-db", status=Status.QUEUED, attempts=0, pid=None,
             started_at=None, detail="waits for pool db: 2 of 2 taken", trigger=Trigger.CATCH_UP),
]  # fmt: skip
RUNS += [
    make_run(number, task_id=1, task_name="heartbeat", scheduled_for=at, started_at=at,
             queued_at=at, finished_at=at + timedelta(seconds=0.04), duration_s=0.04, pid=None,
             status=Status.SUCCESS, exit_code=0, usual_s=0.04)
    for number in range(20, 90) for at in [NOON - (101 - number) * MINUTE]
] + [
    make_run(90, task_id=2, task_name="backup-db", status=Status.MISSED, reason=Reason.DOWN,
             started_at=None, scheduled_for=NOON - 9.8 * HOUR, folded_until=NOON - 7.7 * HOUR,
             folded_count=14, finished_at=NOON - 2 * HOUR, pid=None, attempts=0),
    make_run(91, task_id=6, task_name="sync-mirror", status=Status.TIMEOUT, signal=15, pid=None,
             started_at=NOON - 70 * MINUTE, finished_at=NOON - 10 * MINUTE, duration_s=3600.0,
             scheduled_for=NOON - 72 * MINUTE, usual_s=1900.0),
    make_run(92, task_id=9, task_name="mail-digest", status=Status.SKIPPED, started_at=None,
             reason=Reason.ALREADY_RUNNING, finished_at=NOON, pid=None, attempts=0),
    make_run(93, task_id=10, task_name="disk-space", status=Status.FAILED, exit_code=2, pid=None,
             finished_at=NOON, started_at=NOON - timedelta(seconds=0.4), duration_s=0.4,
             usual_s=0.3, max_attempts=4, attempts=4, cpu_s=0.11, max_rss=9_400_000,
             log_size=2_208, pool="db", trigger=Trigger.MANUAL, actor="tui:1000",
             scheduled_for=None, environment={"HOME": "/root", "API_TOKEN": "***",
                                              "PATH": "/usr/local/bin:/usr/bin:/bin"}),
]  # fmt: skip
LOG = b"".join(
    b"12:00:%02d \x1b[3%dm%s\x1b[0m shard %d: %d documents\n"
    % (n, 2 + n % 2, b"INFO" if n % 2 == 0 else b"WARN", n, n * 97)
    for n in range(60)
)


@pytest.fixture(scope="session", autouse=True)
def report_directory():
    """Where the plug-in collects its report. It passes that in the environment, from which every
    test takes away what begins with TEXTUAL; this is read before."""
    return os.environ["TEXTUAL_SNAPSHOT_TEMPDIR"]


@pytest.fixture
def picture(clock, snap_compare, monkeypatch, report_directory, request):
    """Compares the screen, once at rest after some keys, with the picture that is kept of it."""
    kept = Path(__file__).parent / "__snapshots__" / "test_snapshots" / f"{request.node.name}.svg"
    monkeypatch.setenv("TEXTUAL_SNAPSHOT_TEMPDIR", report_directory)
    monkeypatch.setattr("cronpilot.tui.connection.RETRY", 3600)

    def compare(*keys, size=WIDE, theme=themes.DARK, until="", then=(), last="",
                lose=False, banners=(), missed=None):  # fmt: skip
        client = FakeClient(
            TASKS, RUNS, {93: LOG, 101: LOG, 103: LOG, 104: LOG}, clock, banners=banners,
            max_workers=3, pools={"db": 2},
        )  # fmt: skip
        client.missed = missed

        async def connect():
            return client

        app = CronPilotApp(connect, role="owner", host="example", clock=clock, theme=theme,
                           state_dir="/var/lib/cronpilot")  # fmt: skip

        async def act(pilot):
            await wait(pilot, app, "10 in all", "shard 59")
            for key in keys:
                await pilot.press(key)
            if lose:
                client.lose()
            await wait(pilot, app, until)
            await rest(pilot, app)
            for key in then:
                await pilot.press(key)
            await wait(pilot, app, last)
            await rest(pilot, app, kept)

        return snap_compare(app, terminal_size=size, run_before=act)

    return compare


async def wait(pilot, app, *words):
    """Until all these words can be read; at most ten seconds."""
    end = time.monotonic() + PATIENCE_S
    while True:
        strips = app.screen._compositor.render_strips()
        text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
        if all(word in text for word in words):
            break
        assert time.monotonic() < end, f"{words} not in\n{text}"
        await asyncio.sleep(0.01)
    await pilot.pause()


async def rest(pilot, app, kept=None):
    """Until nothing changes any more; a picture that is kept is given some seconds to come: rows,
    and what lies below a question, may be a moment later than the words that were waited for."""
    end = time.monotonic() + REST_S
    before = ""
    while time.monotonic() < end:
        await pilot.pause(0.05)
        now = normalize_svg(app.export_screenshot(title=app.title, simplify=True))
        wanted = before if kept is None else kept.read_text() if kept.exists() else before
        if now == wanted:
            return
        before = now


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT])
@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_tasks(picture, size, theme):
    assert picture("j", "k", size=size, theme=theme)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_running(picture, size):
    assert picture("2", "j", size=size, until="run 104")


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_upcoming(picture, size):
    last = " in all" if size == WIDE else "12:00:30"  # a narrow one has no room for the count
    assert picture("3", size=size, until="12:00:30", then=["j"], last=last)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_timeline(picture, size):
    assert picture("3", "t", size=size, until="sync-mirror", then=["j"], last="10 in all")


def test_marked_tasks_by_state_and_a_question(picture):
    assert picture("s", "s", until="STATE↑", then=["space", "j", "space", "p"],
                   last="Pause or resume 2 tasks?")  # fmt: skip


def test_what_passed_without_an_engine(picture):
    banner = Banner(key="downtime", text="The engine was down 2 h: 14 slots missed, 1 made up for.",
                    hint="m lists them on the screen.", severity="information")  # fmt: skip
    by_id = {run.id: run for run in RUNS}
    missed = Downtime(since=NOON - 9.9 * HOUR, until=NOON - 7.7 * HOUR, missed_slots=14, made_up=1,
                      missed=[by_id[90]], runs=[by_id[105]])  # fmt: skip
    assert picture("m", size=SMALL, banners=[banner], missed=missed, until="MISSED FOR GOOD")


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_history(picture, size):
    assert picture("4", "j", "k", size=size, until="#104" if size == WIDE else "14 slots missed")


def test_failures_only(picture):
    assert picture("4", "f", theme=themes.LIGHT, until="2 found")


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_run_page(picture, size):
    assert picture("4", "f", "enter", size=size, until="API_TOKEN")


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_health(picture, size):
    banner = Banner(key="disk", text="The disk is nearly full: no run starts.", hint="Make room.",
                    severity="error")  # fmt: skip
    assert picture("5", size=size, banners=[banner], until="14 slots missed")


def test_whole_log(picture):
    assert picture("enter", size=SMALL, until="shard 41")


def test_find_in_a_log(picture):
    assert picture("enter", "slash", size=SMALL, until="text in this log",
                   then=[*"warn", "enter"], last="30 of 30")  # fmt: skip


def test_comparison(picture):
    assert picture("C", until="only of run 101")


def test_help(picture):
    assert picture("question_mark", until="Esc closes")


def test_palette(picture):
    assert picture("colon", *"run", until="Start this task now")


def test_quit_question(picture):
    assert picture("q", size=SMALL, until="Leave CronPilot?")


def test_stop_question(picture):
    assert picture("2", "j", "x", theme=themes.LIGHT, until="Stop run 104 of probe?")


def test_filter(picture):
    assert picture("slash", *"back", until="1 found")


def test_engine_lost(picture):
    assert picture(lose=True, until="ENGINE NOT ANSWERING")


def test_banner_in_plain_colours(picture):
    banner = Banner(key="disk", text="The disk is full: no run starts.", hint="Make room.",
                    severity="error")  # fmt: skip
    assert picture(size=SMALL, theme=themes.SIXTEEN, banners=[banner], until="The disk is full")


def test_schedule_form(picture):
    assert picture("j", "e", size=SMALL, until="No other task starts")


def test_schedule_form_with_an_error_and_a_zone_to_complete(picture):
    cron = ["c", "tab", "ctrl+u", *"61 2", "tab", *"europe/b"]
    assert picture("j", "e", until="No other task starts", then=cron, last="Europe/Belgrade")


def test_schedule_form_by_days_in_light(picture):
    days = ["w", "tab", "3", "5", "right"]
    assert picture("j", "e", theme=themes.LIGHT, until="No other task starts", then=days,
                   last="Monday, Wednesday and Friday")  # fmt: skip


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["120x36", "80x24"])
def test_task_form(picture, size):
    assert picture("j", "E", size=size, until="BASICS")


def test_change_to_be_saved(picture):
    assert picture("j", "e", size=SMALL, until="No other task starts",
                   then=["tab", *"0315", "ctrl+o"], last="daily 02:30 → daily 03:15")  # fmt: skip


def test_delete_question(picture):
    assert picture("j", "D", size=SMALL, until="Type its name")
