"""run, stop, history."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_row, show_rows
from cronpilot.cli.numbers import is_number
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.tasks import MaybeTask, TaskName
from cronpilot.domain.text import clean
from cronpilot.errors import AlreadyRunning, NoEngine, Refused, UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client, StopSignal
    from cronpilot.client.messages import RunView

_FIRST_LOOK_S, _LATER_LOOKS_S = 0.02, 1.0  # how often we ask again: soon at first, then less
_START_S = 0.5  # a free slot is taken well within this; after it the run does wait for one


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "run")(run)
    command(app, "stop")(stop)
    command(app, "history")(history)


def run(
    session: Session,
    name: TaskName,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended.")] = False,
) -> int:
    """Start a task now, whatever its schedule.

    With --wait the exit code is 0 when the run was a success and 1 otherwise; ctrl+c leaves it
    running. A task that still runs and must not overlap is not started: exit code 4.
    """

    async def ask(client: Client) -> RunView:
        task = await client.find_task(name)
        started = await client.run_now(task.id, request_id=str(uuid.uuid4()))
        return await (_end_of if wait else _start_of)(client, started)

    started = session.ask(ask, need_engine=True)
    if session.options.as_json:
        show_row(started)
    return _tell_start(session, started, wait)


async def _end_of(client: Client, run: RunView) -> RunView:
    return await _later(client, run, lambda run: run.status.is_final)


async def _start_of(client: Client, run: RunView) -> RunView:
    """The run when it has left the queue; the one that still waits after `_START_S`."""
    from cronpilot.domain.run import Status

    try:
        async with asyncio.timeout(_START_S):
            return await _later(client, run, lambda run: run.status is not Status.QUEUED)
    except TimeoutError:
        return await client.run(run.id)


async def _later(client: Client, run: RunView, is_enough: Callable[[RunView], bool]) -> RunView:
    pause_s = _FIRST_LOOK_S
    while not is_enough(run):
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LATER_LOOKS_S)
        run = await client.run(run.id)
    return run


def _tell_start(session: Session, run: RunView, waited: bool) -> int:
    from cronpilot.cli.words import outcome, why
    from cronpilot.domain.run import Status

    name = clean(run.task_name)
    raise_if_refused(run)
    if not session.options.as_json:
        if run.status is Status.QUEUED:
            because = f" ({why(run)})" if why(run) else ""
            print(f"Run {run.id} of {name} waits for its turn{because}.")
        elif run.status.is_final:
            print(outcome(run))
        else:
            print(f"Run {run.id} of {name} has started.")
    failed = run.status.is_final and run.status is not Status.SUCCESS
    return 1 if failed and (waited or run.status is not Status.STOPPED) else 0


def raise_if_refused(run: RunView) -> None:
    """Raise AlreadyRunning for a run that its own task kept from starting."""
    from cronpilot.domain.run import Reason, Status

    if run.status is not Status.SKIPPED:
        return
    is_full = run.reason is Reason.QUEUE_FULL
    stands = "has a run waiting already" if is_full else "is already running"
    raise AlreadyRunning(
        f"{run.task_name!r} {stands}: not started (run {run.id} says so).",
        f"See: cronpilot {'history' if is_full else 'logs'} {run.task_name}",
    )


def stop(
    session: Session,
    which: Annotated[
        str | None,
        typer.Argument(metavar="RUN|NAME", help="A run's number, or a task: all its runs."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that runs.")] = False,
    signal: Annotated[
        str, typer.Option("--signal", metavar="TERM|INT|KILL", help="What is sent first.")
    ] = "TERM",
) -> None:
    """Stop a run, the runs of a task, or with --all every run.

    The signal goes to all processes of the run; what has not ended after its grace is killed. With
    --json: a number gives one row, a name and --all give a list. Works without an engine, too: the
    next one writes down how they ended.
    """
    if (which is None) != everything:
        raise UsageProblem("Name one run or one task, or say --all.")
    first = _signal(signal)

    async def ask(client: Client) -> list[RunView]:
        ids = await _active(client, which)
        return [await client.stop_run(run_id, signal=first) for run_id in ids]

    try:
        stopped = session.ask(ask, need_engine=True)
    except NoEngine:
        stopped = _stop_alone(session, which, first)
    if session.options.as_json:
        if which is not None and is_number(which):
            show_row(stopped[0])
        else:
            show_rows(stopped)
        return
    if not stopped:
        print("Nothing runs.")
    for run in stopped:
        _tell_stop(run)


def _stop_alone(session: Session, which: str | None, signal: StopSignal) -> list[RunView]:
    """Without an engine: by the process that holds the commands."""
    if session.options.connect is not None or not session.settings.database.exists():
        raise NoEngine(session.options.connect or str(session.settings.state_dir))

    async def find(client: Client) -> list[int]:
        return await _active(client, which)

    async def look(client: Client) -> list[RunView]:
        return [await client.run(run_id) for run_id in ids]

    ids = session.ask(find)
    from cronpilot.maintenance.stop import stop_without_engine

    over, strays = stop_without_engine(
        session.settings, ids, everything=which is None, signal=signal
    )  # fmt: skip
    for run_id in sorted(strays):
        _note(f"Run {run_id}, which the database does not know, is being stopped, too.")
    if over:
        _note("No engine runs: the next one writes down how they ended.")
    return session.ask(look)


def _note(sentence: str) -> None:
    print(f"cronpilot: {sentence}", file=sys.stderr)


def _tell_stop(run: RunView) -> None:
    from cronpilot.cli.words import outcome

    if run.status.is_final:
        print(outcome(run))
    else:
        print(f"Run {run.id} of {clean(run.task_name)} is being stopped.")


def _signal(text: str) -> StopSignal:
    match text.upper().removeprefix("SIG"):
        case "TERM":
            return "TERM"
        case "INT":
            return "INT"
        case "KILL":
            return "KILL"
    raise UsageProblem(f"{text!r} is no signal to stop a run with.", "Use TERM, INT or KILL.")


async def _active(client: Client, which: str | None) -> list[int]:
    from cronpilot.client.messages import RunQuery

    if which is not None and is_number(which):
        return [int(which)]
    task = None if which is None else await client.find_task(which)
    page = await client.runs(RunQuery(active=True, task_id=task.id if task else None))
    if task is not None and not page.rows:
        raise Refused(f"Nothing of {task.name!r} runs.")
    return [run.id for run in page.rows]


def history(
    session: Session,
    name: MaybeTask = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="How many runs at most.")
    ] = 20,
) -> None:
    """What ran, newest first: of all tasks, or of one. Slots that did not run are listed, too."""

    async def ask(client: Client) -> list[RunView]:
        task_id = None if name is None else (await client.find_task(name)).id
        return await newest_runs(client, task_id, limit)

    from cronpilot.cli.listing import show_runs

    show_runs(session.ask(ask), as_json=session.options.as_json)


async def newest_runs(client: Client, task_id: int | None, limit: int) -> list[RunView]:
    """At most `limit` runs, newest first, asked for page by page."""
    from cronpilot.client.messages import RunQuery

    runs: list[RunView] = []
    before: int | None = None
    while len(runs) < limit:
        size = min(limit - len(runs), 200)
        page = await client.runs(RunQuery(task_id=task_id, before=before, limit=size))
        runs += page.rows
        if len(page.rows) < size:
            break
        before = page.rows[-1].id
    return runs
