"""A made-up engine for `demo_screen.py`: tasks as somebody might have them, in every state."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.client.messages import LastRun, RunView, TaskView
from cronpilot.domain.run import ACTIVE, Reason, Status, Trigger
from cronpilot.domain.schedule import Schedule

HOSTILE = ("[/]", "[@click=app.quit]x[/]", "\x1b]0;owned\x07bell\x07", "a\x9b2Jb",
           "x\u202egnp.exe", "../../etc/x", "line\nbreak", "[red]red[/red]",
           "\x1b[2J\x1b[Hhome", "界" * 30)  # fmt: skip
HOSTILE_LOG = (
    b"\x1b]0;owned\x07title\n\x1b[2J\x1b[10;10Hmoved\n\x1b]52;c;aGFjaw==\x07clip\n"
    b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n\xc2\x9b31mC1\n\x1bPq#0\x1b\\sixel\n"
    b"\x1b[?1049l\x1b[?25hmodes\n\x1b[5mblink\x1b[8mconceal\x1b[0m\n\x05\x07\x08\x0e\n"
)


def demo_tasks(now: datetime) -> list[TaskView]:
    """Tasks as somebody might have them, in every state."""
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    ok, bad = [Status.SUCCESS] * 20, [Status.FAILED] * 3

    def last(run_id: int, ago: timedelta, took: float, **more: object) -> LastRun:
        given = {"status": Status.SUCCESS, "exit_code": 0, **more}
        return LastRun(id=run_id, started_at=now - ago - timedelta(seconds=took),
                       finished_at=now - ago, duration_s=took, **given)  # fmt: skip

    tasks = [
        make_task(1, "heartbeat", schedule="every 1m",
                  schedule_words="every minute", next_run_at=now + timedelta(seconds=34),
                  last_run=last(101, 26 * timedelta(seconds=1), 0.02), success_rate=1.0,
                  average_duration_s=0.02, last_verdicts=ok),
        make_task(2, "disk-space", schedule="hourly :15",
                  schedule_words="every hour, at minute 15",
                  next_run_at=now + 15 * minute, last_run=last(102, 45 * minute, 0.4),
                  success_rate=1.0, last_verdicts=ok),
        make_task(3, "backup-db", schedule_words="every day at 02:30",
                  next_run_at=now + 14.5 * hour, last_run=last(103, 9.5 * hour, 184.2),
                  success_rate=0.981, average_duration_s=171, last_verdicts=ok,
                  tags=["nightly", "db"]),
        make_task(4, "clean-logs", schedule="weekly sun 04:00",
                  schedule_words="every Sunday at 04:00",
                  next_run_at=now + timedelta(days=3, hours=16),
                  last_run=last(104, timedelta(days=3, hours=8), 12.9), success_rate=1.0,
                  last_verdicts=ok),
        make_task(5, "check-certificates", schedule="0 */2 * * *",
                  schedule_words="every 2 hours",
                  next_run_at=now + 2 * hour,
                  last_run=last(105, 4 * minute, 3.1, status=Status.FAILED, exit_code=2),
                  success_rate=0.62, last_verdicts=bad, max_retries=3),
        make_task(6, "probe", schedule="every 90s",
                  schedule_words="every 90 s", next_run_at=now + timedelta(seconds=71),
                  success_rate=0.99, average_duration_s=95, last_verdicts=ok),
        make_task(7, "report", schedule="manual",
                  schedule_words="only by hand", next_run_at=None),
        make_task(8, "sync-mirror", schedule="daily 05:10",
                  schedule_words="every day at 05:10",
                  next_run_at=now + 17 * hour,
                  last_run=last(108, 7 * hour, 3600, status=Status.TIMEOUT, exit_code=None),
                  success_rate=0.9, last_verdicts=[*ok, Status.TIMEOUT]),
        make_task(9, "old-import", schedule="0 6 * * mon-fri",
                  schedule_words="every weekday at 06:00", active=False,
                  next_run_at=None, last_run=last(109, timedelta(days=41), 7.0), success_rate=0.97,
                  last_verdicts=ok),
        make_task(10, "rotate-keys", schedule="0 0 1 * *",
                  schedule_words="on day 1 of every month at 00:00",
                  next_run_at=now + timedelta(days=28), paused_at=now - hour,
                  last_run=last(110, timedelta(days=3), 1.2), success_rate=1.0, last_verdicts=ok),
        make_task(11, "mail-digest", schedule="0 8 * * mon-fri",
                  schedule_words="every weekday at 08:00",
                  next_run_at=now + 20 * hour,
                  last_run=last(111, 4 * hour, 0.0, status=Status.SKIPPED, exit_code=None,
                                reason=Reason.ALREADY_RUNNING), success_rate=0.95,
                  last_verdicts=[*ok, Status.SKIPPED]),
        make_task(12, "reindex-search", schedule="daily 01:00",
                  schedule_words="every day at 01:00",
                  next_run_at=now + 13 * hour, success_rate=0.88, average_duration_s=600,
                  last_verdicts=ok),
    ]  # fmt: skip
    return [as_scheduled(task) for task in tasks]


def as_scheduled(task: TaskView) -> TaskView:
    """The task with the type and the config of its shorthand, as an engine would tell them."""
    schedule = Schedule.model_validate(task.schedule)
    update = {"schedule_type": schedule.type, "schedule_config": schedule.config}
    return task.model_copy(update=update)


def demo_runs(now: datetime) -> list[RunView]:
    """What runs and waits, and the runs whose logs one might read."""
    second = timedelta(seconds=1)
    finished = [
        make_run(task.last_run.id, task_id=task.id, task_name=task.name,
                 **task.last_run.model_dump(exclude={"id"}), pid=None)
        for task in demo_tasks(now)
        if task.last_run
    ]  # fmt: skip
    return [
        *finished,
        make_run(201, task_id=12, task_name="reindex-search", started_at=now - 437 * second,
                 usual_s=600.0, pid=31337, queued_at=now - 437 * second),
        make_run(202, task_id=6, task_name="probe", started_at=now - 12 * second, usual_s=5.5,
                 trigger=Trigger.MANUAL, pid=31402, queued_at=now - 12 * second),
        make_run(203, task_id=5, task_name="check-certificates", status=Status.RETRYING, attempts=2,
                 max_attempts=4, retry_at=now + 44 * second, pid=None,
                 started_at=now - 244 * second),
        make_run(204, task_id=3, task_name="backup-db", status=Status.QUEUED, attempts=0, pid=None,
                 started_at=None, detail="waits for pool db (2 of 2 taken), 3 ahead",
                 trigger=Trigger.CATCH_UP),
    ]  # fmt: skip


def demo_log(lines: int = 400) -> bytes:
    """Output with colours, progress and a long line."""
    out = []
    for number in range(lines):
        level = ("\x1b[32mINFO\x1b[0m", "\x1b[33mWARN\x1b[0m", "\x1b[36mDEBUG\x1b[0m")[
            number % 7 % 3
        ]
        out.append(f"12:{number // 60 % 60:02}:{number % 60:02} {level} shard {number}: "
                   f"{number * 97 % 5000} documents\n")  # fmt: skip
    out.append("\x1b[1mlong\x1b[0m " + "abcdefghij" * 30 + "\n")
    return "".join(out).encode()


def make_client(options: argparse.Namespace) -> FakeClient:
    now = datetime.now(UTC).replace(microsecond=0)
    tasks, runs = demo_tasks(now), demo_runs(now)
    logs = {run.id: demo_log(12) for run in runs if run.started_at}
    logs[201] = demo_log()
    if options.hostile:
        tasks = [make_task(i, name, schedule_words=name, tags=[name], command=name,
                           next_run_at=now + timedelta(seconds=50 + i))
                 for i, name in enumerate(HOSTILE, 1)]  # fmt: skip
        runs = [make_run(i, task_id=i, task_name=name, started_at=now, detail=name)
                for i, name in enumerate(HOSTILE, 1)]  # fmt: skip
        logs = {run.id: HOSTILE_LOG for run in runs}
    elif options.tasks:
        rng = random.Random(1)
        tasks = [
            tasks[i % 12].model_copy(update={
                "id": i + 1, "name": f"{tasks[i % 12].name}-{i + 1:05}",
                "next_run_at": now + timedelta(seconds=options.due + rng.randrange(86_400)),
                "last_run": None if options.ticking else tasks[i % 12].last_run})
            for i in range(options.tasks)
        ]  # fmt: skip
        runs = []
    elif options.quiet:
        tasks = [task for task in tasks if task.next_run_at and task.next_run_at > now + timedelta(
            minutes=10)]  # fmt: skip
        runs = []
    if options.ticking:
        tasks = [task.model_copy(update={"next_run_at": now + timedelta(seconds=60 + i % 50)})
                 for i, task in enumerate(tasks)]  # fmt: skip
    return FakeClient([with_active(task, runs) for task in tasks], runs, logs)


def with_active(task: TaskView, runs: list[RunView]) -> TaskView:
    """The task as it is while these runs go on."""
    mine = [run for run in runs if run.task_id == task.id and run.status in ACTIVE]
    if not mine:
        return task
    counts = {
        "running": sum(run.status is Status.RUNNING for run in mine),
        "queued": sum(run.status is Status.QUEUED for run in mine),
        "retrying": sum(run.status is Status.RETRYING for run in mine),
        "last_run": LastRun.model_validate(mine[-1].model_dump(include=set(LastRun.model_fields))),
    }
    return task.model_copy(update=counts)


async def live(client: FakeClient) -> None:
    """The long run goes on printing."""
    for number in itertools.count(400):
        await asyncio.sleep(0.7)
        line = (
            f"12:{number // 60 % 60:02}:{number % 60:02} \x1b[32mINFO\x1b[0m shard {number} done\n"
        )
        client.append_log(201, line.encode())
