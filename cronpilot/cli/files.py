"""validate: check a tasks file before it is used."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Column, show_table
from cronpilot.domain.text import clean
from cronpilot.errors import Complaint, InvalidFile, UsageProblem

if TYPE_CHECKING:
    from cronpilot.config.tasks_file import TasksFile
    from cronpilot.domain.task import TaskSpec

_INVALID = 2


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "validate")(validate)


def validate(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Default: the tasks.yaml in use here.")
    ] = None,
) -> int:
    """Check a tasks file, and config.yaml with it; nothing is changed.

    Every mistake is named with file, line and key (exit code 2). Of a good file the schedule of
    each task is shown in words, with its next run.
    """
    named = str(file) if file is not None else None
    try:
        settings = session.settings
        path = file or settings.tasks_file
        if path is None:
            raise UsageProblem("There is no tasks.yaml here.", "Name one: cronpilot validate FILE")
        named = str(path)
        from cronpilot.config.tasks_file import read_tasks_file

        tasks = read_tasks_file(
            path, pools=settings.pools, quiet=settings.quiet,
            channels=settings.notifications.channels, timezone=settings.timezone,
        )  # fmt: skip
    except InvalidFile as error:
        _tell_mistakes(session, named, error.complaints)
        return _INVALID
    if session.options.as_json:
        _show_document(named, len(tasks.entries), [], tasks.warnings)
    else:
        _tell_good(named, tasks, settings.timezone)
    return 0


def _tell_mistakes(session: Session, named: str | None, errors: list[Complaint]) -> None:
    if session.options.as_json:
        _show_document(named, 0, errors, [])
    else:
        for complaint in errors:
            print(clean(str(complaint)))


def _show_document(
    file: str | None, tasks: int, errors: list[Complaint], warnings: list[Complaint]
) -> None:
    show_json(
        {
            "file": file,
            "valid": not errors,
            "tasks": tasks,
            "errors": [complaint._asdict() for complaint in errors],
            "warnings": [complaint._asdict() for complaint in warnings],
        }
    )


def _tell_good(named: str, tasks: TasksFile, timezone: str) -> None:
    count = len(tasks.entries)
    print(f"{clean(named)} is valid: {count:,} task{'' if count == 1 else 's'}")
    for warning in tasks.warnings:
        print(clean(f"warning: {warning}"))
    if not count:
        return
    now = datetime.now(UTC)
    show_table(
        [Column("NAME", 12), Column("SCHEDULE", 12), Column("NEXT RUN")],
        [_planned(entry.spec, timezone, now) for entry in tasks.entries],
    )


def _planned(spec: TaskSpec, timezone: str, now: datetime) -> list[str]:
    """Name, schedule in words and next run: as the engine would plan it, reading the file now."""
    from cronpilot.cli.words import when
    from cronpilot.domain.explain import explain
    from cronpilot.domain.plan import next_run_at, spread_offset
    from cronpilot.domain.schedule import fire_times, resolve

    zone = spec.zone(timezone)
    resolved = resolve(spec.schedule, zone=zone, set_at=now, seed=spec.name)
    times = fire_times(spec.schedule.type, resolved, zone)
    next_run = next_run_at(times, spread_offset(spec.name, spec.spread), now)
    words = explain(spec.schedule, resolved=resolved)
    return [spec.name, words, when(next_run) if spec.active else "not active"]
