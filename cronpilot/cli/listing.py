"""The tables of tasks, starts and runs, and the status: what the commands that read print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cronpilot.cli.document import show_row, show_rows
from cronpilot.cli.table import Column, show_table
from cronpilot.cli.words import how_long, last_result, next_run, verdict, when, why
from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineInfo, EngineStatus, FireTime, RunView, TaskView


def show_tasks(tasks: Sequence[TaskView], *, as_json: bool) -> None:
    """All tasks: schedule, next run, last result."""
    if as_json:
        show_rows(tasks)
        return
    if not tasks:
        print("There are no tasks yet. Write some into tasks.yaml: see the README.")
        return
    columns = [Column("ID", right=True), Column("NAME", 12), Column("SCHEDULE", 12),
               Column("NEXT RUN"), Column("LAST")]  # fmt: skip
    show_table(
        columns,
        [[str(t.id), t.name, t.schedule_words, next_run(t), last_result(t)] for t in tasks],
    )


def show_starts(starts: Sequence[FireTime], *, as_json: bool) -> None:
    """What starts next."""
    if as_json:
        show_rows(starts)
        return
    if not starts:
        print("Nothing is planned.")
        return
    show_table(
        [Column("STARTS"), Column("TASK", 12), Column("TIME ZONE OF THE TASK"), Column("")],
        [
            [
                when(start.starts_at),
                start.task_name,
                start.timezone,
                f"skipped: quiet time {clean(start.quiet)}" if start.quiet else "",
            ]
            for start in starts
        ],
    )


def show_runs(runs: Sequence[RunView], *, as_json: bool) -> None:
    """What ran, and what did not."""
    if as_json:
        show_rows(runs)
        return
    if not runs:
        print("Nothing has run yet.")
        return
    show_table(
        [Column("RUN", right=True), Column("TASK", 12), Column("WHEN"), Column("STATUS"),
         Column("TOOK", right=True), Column("WHY", 10)],
        [[str(run.id), run.task_name, when(run.started_at or run.scheduled_for or run.queued_at),
          verdict(run.status), how_long(run.duration_s), why(run)] for run in runs],
    )  # fmt: skip


def show_status(answer: EngineStatus, *, where: str, as_json: bool) -> None:
    """The engine and its figures. `where`: what no engine runs on."""
    if as_json:
        show_row(answer)
        return
    if answer.engine is None:
        print(f"No engine runs on {clean(where)}. Start one: cronpilot --headless")
    else:
        _tell_engine(answer.engine)
    print(
        f"Tasks: {answer.total_tasks:,}, {answer.active_tasks:,} active,"
        f" {answer.scheduled_tasks:,} scheduled, {answer.failing_tasks:,} failing"
    )
    print(
        f"Runs: {answer.running:,} running of at most {answer.max_workers:,},"
        f" {answer.queued:,} waiting, {answer.retrying:,} to be retried"
    )
    if answer.paused:
        until = f" until {when(answer.paused_until)}" if answer.paused_until else ""
        print(f"The scheduler is paused{until}. Go on: cronpilot resume --all")
    elif answer.next_run_at is not None:
        print(f"Next: {clean(answer.next_task or '')} at {when(answer.next_run_at)}")
    for banner in answer.banners:
        print(clean(f"{banner.severity}: {banner.text} {banner.hint}".rstrip()))


def _tell_engine(engine: EngineInfo) -> None:
    kind = "beside a screen" if engine.role == "screen" else "headless"
    print(
        f"CronPilot {clean(engine.version)} on {clean(engine.host)}, pid {engine.pid}, {kind},"
        f" since {when(engine.started_at)}"
    )
    print(f"State directory: {clean(engine.state_dir)}")
    print(f"Tasks file: {clean(engine.tasks_file or 'none')}")
    if engine.api is not None:
        print(f"API: {clean(engine.api)}")
