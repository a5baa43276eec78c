"""revisions, undo, export, diff: what the tasks are, were, and should be by tasks.yaml."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronpilot.cli.document import show_json, show_row, show_rows
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.tasks import TaskName
from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import FieldChange, RevisionView, TaskView

_DIFFERENT = 1
_LONGEST = 120  # characters of a value that are shown; --json has all of it


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "revisions")(revisions)
    command(app, "undo")(undo)
    command(app, "export")(export)
    command(app, "diff")(diff)


def revisions(
    session: Session,
    name: TaskName,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1000, help="How many at most.")
    ] = 20,
) -> None:
    """The changes of a task's definition, newest first; also of a deleted task.

    Each line begins with the number that undo takes.
    """

    async def ask(client: Client) -> list[RevisionView]:
        task = await client.find_task(name, archived=True)
        return await client.revisions(task.id, limit=limit)

    found = session.ask(ask)
    if session.options.as_json:
        show_rows(found)
        return
    from cronpilot.cli.words import when

    for revision in found:
        what = f"{revision.kind} by {clean(revision.actor)}, version {revision.version}"
        print(f"{revision.id}  {when(revision.at)}  {what}")
        for change in revision.changes:
            print(f"    {_change(revision, change)}")


def _change(revision: RevisionView, change: FieldChange) -> str:
    match revision.kind:
        case "changed":
            return f"{change.field}: {_value(change.before)} -> {_value(change.after)}"
        case "archived":
            return f"{change.field}: {_value(change.before)}"
        case _:
            return f"{change.field}: {_value(change.after)}"


def _value(value: Any) -> str:
    """A value in one line, as tasks.yaml could have it."""
    if value is None or value in ("", [], {}):
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = clean(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def undo(
    session: Session,
    name: TaskName,
    revision: Annotated[
        int | None,
        typer.Argument(metavar="REVISION", min=1, help="Its number; default: the newest."),
    ] = None,
) -> None:
    """Put a task back to what it was before a revision; a deleted task comes back.

    The undoing is a revision itself, so undo undoes it, too.
    """

    async def ask(client: Client) -> TaskView:
        task = await client.find_task(name, archived=True)
        return await client.undo(task.id, revision_id=revision, if_version=task.version)

    task = session.ask(ask, need_engine=True)
    if session.options.as_json:
        show_row(task)
    elif task.archived_at is not None:
        print(f"{clean(task.name)} is deleted again; its history is kept.")
    else:
        before = "the last revision" if revision is None else f"revision {revision}"
        print(f"{clean(task.name)} is as it was before {before}; this is version {task.version}.")


def export(
    session: Session,
    crontab: Annotated[
        bool, typer.Option("--crontab", help="As a crontab; what it cannot say is a comment.")
    ] = False,
    system: Annotated[
        bool, typer.Option("--system", help="With --crontab: with a user in each line.")
    ] = False,
) -> None:
    """All tasks as the text of a tasks.yaml, as they are now: edits of the screen included."""
    text = session.ask(lambda client: client.export())
    if crontab:
        text = _as_crontab(session, text, has_user=system)
        if session.options.as_json:
            show_json({"crontab": text})
        else:
            sys.stdout.write(text)
    elif session.options.as_json:
        show_json({"tasks_yaml": text})
    else:
        sys.stdout.write(text)


def _as_crontab(session: Session, tasks_yaml: str, *, has_user: bool) -> str:
    from cronpilot.adopt.backwards import crontab_text
    from cronpilot.config.places import machine_timezone
    from cronpilot.config.tasks_file import read_tasks

    entries = read_tasks(tasks_yaml.encode(), file="the export")
    timezone, expressions = session.ask(_as_set)
    return crontab_text(
        (entry.spec for entry in entries), timezone, has_user=has_user, resolved=expressions,
        machine_timezone=machine_timezone(os.environ, []),
    )  # fmt: skip


async def _as_set(client: Client) -> tuple[str, dict[str, str]]:
    """The scheduler's time zone; what the schedules came to when they were set, by task."""
    from cronpilot.client.messages import TaskQuery

    timezone = (await client.status()).timezone
    found: dict[str, str] = {}
    after: int | None = None
    while page := (await client.tasks(TaskQuery(after=after))).rows:
        found |= {task.name: task.schedule_expression or "" for task in page}
        after = page[-1].id
    return timezone, found


def diff(session: Session) -> int:
    """How the tasks differ from tasks.yaml: exit code 0 when they do not, 1 when they do."""
    found = session.ask(lambda client: client.differences())
    if session.options.as_json:
        show_rows(found)
    elif not found:
        print("The tasks are as tasks.yaml says.")
    for difference in [] if session.options.as_json else found:
        print(f"{clean(difference.task_name)}: {_WORDS[difference.kind]}")
        if difference.kind == "differs":
            for change in difference.changes:
                print(f"    {_both(change)}")
    return _DIFFERENT if found else 0


_WORDS: dict[str, str] = {
    "only in the file": "only in the file",
    "only here": "only here, not in the file",
    "differs": "differs",
    "deleted here": "deleted here, but in the file",
}


def _both(change: FieldChange) -> str:
    return f"{change.field}: {_value(change.before)} in the file, {_value(change.after)} here"
