"""restore, doctor: what is done to a state directory from outside an engine."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Cell, Column, Tinted, show_table
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, UsageProblem
from cronpilot.progress import say

if TYPE_CHECKING:
    from cronpilot.maintenance.doctor import Patient
    from cronpilot.maintenance.finding import Finding, Verdict
    from cronpilot.maintenance.restore import Restored

_WARNED, _ILL = 1, 2  # exit codes of `doctor`


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "restore")(restore)
    command(app, "doctor")(doctor)


# --- restore -------------------------------------------------------------------------------------


def restore(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` or a night made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Put a copy of the database in the place of the present one, while no engine runs.

    The present one is kept beside it. What is open in the copy may have run since and is not
    started again: such runs become `lost`, slots that passed since `missed`. Logs stay.
    """
    _refuse_connect(session)
    settings = session.settings
    if not yes:
        _make_sure(file, settings.database)
    from cronpilot.maintenance.restore import restore as replace

    done = replace(settings, file.absolute(), say)
    if session.options.as_json:
        show_json(
            {
                "database": str(done.database),
                "kept": str(done.kept) if done.kept else None,
                **asdict(done.settled),
            }
        )
    else:
        _tell_restored(file, done)
    return 0


def _make_sure(file: Path, database: Path) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem(
            "This replaces the database, and there is no terminal to ask on.", "Say it with --yes."
        )
    print(f"Replace {clean(str(database))} by {clean(str(file))}? The present one is kept.")
    typer.confirm("Go on?", abort=True)


def _tell_restored(file: Path, done: Restored) -> None:
    settled = done.settled
    print(f"Restored {clean(str(file))}: {_many(settled.tasks, 'task')}.")
    if done.kept is not None:
        print(f"The database of before is kept as {clean(str(done.kept))}.")
    if settled.lost_runs:
        print(f"Open in the copy, and lost: {_many(settled.lost_runs, 'run')}.")
    if settled.missed_tasks:
        tasks = _many(settled.missed_tasks, "task")
        print(f"Slots since then are missed, and not made up for: of {tasks}.")
    print("Start: cronpilot")


def _many(count: int, of: str) -> str:
    return f"{count:,} {of}{'' if count == 1 else 's'}"


def _refuse_connect(session: Session) -> None:
    if session.options.connect is not None:
        raise UsageProblem("--connect leads to an engine; this works on a state directory.")


# --- doctor --------------------------------------------------------------------------------------


def doctor(session: Session) -> int:
    """Look this machine and the state directory over; nothing is changed.

    Works with and without an engine. Exit code 0: all is good; 1: there are warnings; 2: there are
    problems.
    """
    _refuse_connect(session)
    from cronpilot.maintenance.doctor import examine

    findings = examine(_patient(session), os.environ)
    if session.options.as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        _tell(findings)
    verdicts = {finding.verdict for finding in findings}
    return _ILL if "problem" in verdicts else _WARNED if "warning" in verdicts else 0


def _patient(session: Session) -> Patient:
    from cronpilot.config.settings import settings_without_config
    from cronpilot.maintenance.doctor import Patient

    try:
        return Patient(session.settings)
    except CronPilotError as error:
        plain = settings_without_config(
            state_dir=session.options.state_dir, environ=os.environ, cwd=Path.cwd()
        )
        return Patient(plain, config_problem=error)


def _tell(findings: list[Finding]) -> None:
    show_table(
        [Column(""), Column("WHAT"), Column("FINDING", 20)],
        [[_mark(one.verdict), one.name, one.text] for one in findings],
    )
    for one in findings:
        if one.hint:
            text = clean(one.text).rstrip(".")
            print(f"{one.verdict}, {one.name}: {text}. {clean(one.hint)}")


def _mark(verdict: Verdict) -> Cell:
    """Mark and word: the colour only repeats them."""
    match verdict:
        case "good":
            return Tinted("✓ good", "green")
        case "warning":
            return Tinted("! warning", "yellow")
        case "problem":
            return Tinted("✗ problem", "red")
