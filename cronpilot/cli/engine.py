"""status, reload, backup, shutdown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json, show_row
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.shortcut import NO_ENGINE
from cronpilot.domain.text import clean
from cronpilot.errors import NoEngine

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import EngineStatus, ReloadResult

_END_S, _LOOK_S = 30.0, 0.1  # how long `shutdown` waits for the end, and how often it looks


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "status")(status)
    command(app, "reload")(reload)
    command(app, "backup")(backup)
    command(app, "shutdown")(shutdown)


def status(session: Session) -> int:
    """The engine and its figures. Exit code 3 when no engine runs."""
    try:
        answer = session.ask(lambda client: client.status())
    except NoEngine:
        answer = _nothing()
    from cronpilot.cli.listing import show_status

    runs = answer.engine is not None
    where = "" if runs else session.options.connect or str(session.settings.state_dir)
    show_status(answer, where=where, as_json=session.options.as_json)
    return 0 if runs else NO_ENGINE


def _nothing() -> EngineStatus:
    """No engine, and no database either."""
    from cronpilot.client.messages import EngineStatus

    return EngineStatus(
        total_tasks=0, active_tasks=0, scheduled_tasks=0, running=0, queued=0, max_workers=0,
        engine=None,
    )  # fmt: skip


def reload(session: Session) -> None:
    """Read tasks.yaml again; a file with a mistake changes nothing."""
    result = session.ask(lambda client: client.reload(), need_engine=True)
    if session.options.as_json:
        show_row(result)
    else:
        _tell_reload(result)


def _tell_reload(result: ReloadResult) -> None:
    print(f"Read {clean(result.file)}." if result.file else "There is no tasks file.")
    groups = {"Added": result.added, "Changed": result.changed, "Archived": result.archived}
    for word, names in groups.items():
        if names:
            print(f"{word}: {', '.join(clean(name) for name in names)}")
    for sentence in result.refused:
        print(f"Refused: {clean(sentence)}")
    if result.file and not any([*groups.values(), result.refused]):
        print("Nothing has changed.")


def backup(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, on the same machine.")],
) -> None:
    """Copy the database, consistent, while the engine works on."""
    target = str(file.absolute())
    path = session.ask(lambda client: client.backup(target), need_engine=True)
    if session.options.as_json:
        show_json({"path": path})
    else:
        print(f"The database is saved in {clean(path)}.")


def shutdown(
    session: Session,
    with_tasks: Annotated[bool, typer.Option("--with-tasks", help="Stop what runs, too.")] = False,
) -> None:
    """End the engine. What runs goes on, and is taken up by the next engine."""

    async def ask(client: Client) -> tuple[EngineStatus, bool]:
        before = await client.status()
        await client.shutdown(with_tasks=with_tasks)
        return before, await _has_ended(client)

    before, ended = session.ask(ask, need_engine=True)
    if session.options.as_json:
        info = before.engine.model_dump(mode="json") if before.engine else None
        show_json({"engine": info, "with_tasks": with_tasks, "ended": ended})
        return
    going = "" if with_tasks or not before.running else f" {before.running} running tasks go on."
    print(("The engine has ended." if ended else "The engine is ending.") + going)


async def _has_ended(client: Client) -> bool:
    """Wait until nobody answers; False when somebody still does after `_END_S`."""
    try:
        async with asyncio.timeout(_END_S):
            while True:
                await client.status()
                await asyncio.sleep(_LOOK_S)
    except NoEngine:
        return True
    except TimeoutError:
        return False
