"""list, next, pause, resume."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_row
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import EngineStatus, FireTime, TaskView

TaskName = Annotated[str, typer.Argument(metavar="NAME", help="A task's name or number.")]
MaybeTask = Annotated[str | None, typer.Argument(metavar="NAME", help="A task's name or number.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "list")(list_tasks)
    command(app, "next")(next_starts)
    command(app, "pause")(pause)
    command(app, "resume")(resume)


def list_tasks(session: Session) -> None:
    """All tasks: schedule, next run, last result."""
    from cronpilot.cli.listing import show_tasks

    show_tasks(session.ask(every_task), as_json=session.options.as_json)


async def every_task(client: Client) -> list[TaskView]:
    """All of them, by id, asked for page by page."""
    from cronpilot.client.messages import TaskQuery

    tasks: list[TaskView] = []
    while True:
        page = await client.tasks(TaskQuery(offset=len(tasks)))
        tasks += page.rows
        if not page.rows or len(tasks) >= page.total:
            return tasks


def next_starts(
    session: Session,
    name: MaybeTask = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1000, help="How many starts at most.")
    ] = 20,
) -> None:
    """What starts next: of all tasks, or the next times of one."""

    async def ask(client: Client) -> list[FireTime]:
        task_id = None if name is None else (await client.find_task(name)).id
        return await client.fire_times(task_id=task_id, limit=limit)

    from cronpilot.cli.listing import show_starts

    show_starts(session.ask(ask), as_json=session.options.as_json)


def pause(
    session: Session,
    name: MaybeTask = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole scheduler.")] = False,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Resume by itself: 2h, 18:00, or a date too."),
    ] = None,
    run_after: Annotated[
        bool, typer.Option("--run-after", help="If a slot passes meanwhile, run once at the end.")
    ] = False,
) -> None:
    """Pause a task or the scheduler.

    What is paused is not started by schedule until it is resumed; what runs goes on. A task can
    still be started by hand. TIME is read in the time zone of the task, or of the scheduler.
    """
    if _is_for_all(name, everything):
        if run_after:
            raise UsageProblem("--run-after is for a task.", "Name one, or drop it.")
        _show_scheduler(session, session.ask(lambda c: _pause_all(c, until), need_engine=True))
    else:
        task = session.ask(lambda c: _pause(c, str(name), until, run_after), need_engine=True)
        _show_task(session, task)


def resume(
    session: Session,
    name: MaybeTask = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole scheduler.")] = False,
) -> None:
    """Resume a paused task or the scheduler.

    It starts again from its next run on; what passed meanwhile is not caught up with.
    """
    if _is_for_all(name, everything):
        status = session.ask(lambda client: client.resume_scheduler(), need_engine=True)
        _show_scheduler(session, status)
    else:
        _show_task(
            session, session.ask(lambda client: _resume(client, str(name)), need_engine=True)
        )


async def _pause(client: Client, name: str, until: str | None, run_after: bool) -> TaskView:
    task = await client.find_task(name)
    end = _end_of_pause(until, task.timezone)
    return await client.pause_task(task.id, until=end, run_after=run_after)


async def _pause_all(client: Client, until: str | None) -> EngineStatus:
    zone = (await client.status()).timezone
    return await client.pause_scheduler(until=_end_of_pause(until, zone))


def _end_of_pause(text: str | None, timezone: str) -> datetime | None:
    from cronpilot.domain.moments import read_end
    from cronpilot.domain.zones import find_zone

    try:
        return None if text is None else read_end(text, find_zone(timezone), datetime.now(UTC))
    except ValueError as error:
        raise UsageProblem(str(error), "Write 2h, 18:00 or 2026-11-22 18:00.") from None


async def _resume(client: Client, name: str) -> TaskView:
    return await client.resume_task((await client.find_task(name)).id)


def _is_for_all(name: str | None, everything: bool) -> bool:
    if (name is None) != everything:
        raise UsageProblem("Name one task, or say --all.")
    return everything


def _show_task(session: Session, task: TaskView) -> None:
    if session.options.as_json:
        show_row(task)
        return
    from cronpilot.cli.words import when

    if task.paused_at is not None:
        until = f" until {when(task.paused_until)}" if task.paused_until else ""
        print(f"{clean(task.name)} is paused{until}. What runs goes on.")
    elif task.next_run_at is not None:
        print(f"{clean(task.name)} starts next at {when(task.next_run_at)}.")
    else:
        print(f"{clean(task.name)} is not paused; nothing is planned for it.")


def _show_scheduler(session: Session, status: EngineStatus) -> None:
    if session.options.as_json:
        show_row(status)
        return
    from cronpilot.cli.words import when

    if status.paused:
        until = f" until {when(status.paused_until)}" if status.paused_until else ""
        print(f"The scheduler is paused{until}: nothing starts by schedule. What runs goes on.")
    else:
        print("The scheduler is not paused.")
