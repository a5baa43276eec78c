"""quiet: holidays and maintenance windows, and what they keep from being started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cronpilot.cli.document import show_rows
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Column, show_table
from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from cronpilot.client.quiet import QuietTime


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "quiet")(quiet)


def quiet(session: Session) -> None:
    """The quiet times of config.yaml: when each holds next, and which slots it will skip."""
    found = session.ask(lambda client: client.quiet_times())
    if session.options.as_json:
        show_rows(found)
        return
    if not found:
        print("config.yaml has no quiet times. Such as: quiet: {xmas: {days: [12-25, 12-26]}}")
        return
    from cronpilot.cli.words import when

    show_table(
        [Column("QUIET TIME", 12), Column("NEXT FROM"), Column("UNTIL"), Column("THEN"),
         Column("TASKS", right=True)],
        [
            [one.name, when(one.starts_at), when(one.ends_at), _THEN[one.then.value],
             str(one.task_count)]
            for one in found
        ],
    )  # fmt: skip
    for one in found:
        _show_skips(one)


_THEN = {"skip": "skips", "after": "runs after it"}


def _show_skips(one: QuietTime) -> None:
    from cronpilot.cli.words import when

    for slot in one.skips:
        print(f"{clean(one.name)} skips {clean(slot.task_name)} at {when(slot.scheduled_for)}")
