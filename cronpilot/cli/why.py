"""why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_row
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.tasks import TaskName
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import Explanation

_EPILOG = """\
\b
Examples:
  cronpilot why backup                        what it does now, and what next
  cronpilot why backup 02:30                  today, in the time zone of the task
  cronpilot why backup "2026-11-22 02:30"     that day
  cronpilot why backup 2026-11-22T02:30Z      with an offset of its own
"""


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "why", epilog=_EPILOG)(why)


def why(
    session: Session,
    name: TaskName,
    time: Annotated[
        str | None,
        typer.Argument(metavar="TIME", help="02:30, or 2026-11-22 02:30, in the task's zone."),
    ] = None,
) -> None:
    """Why a task did, or did not, start at a time; without one: what it does now and next.

    It tells of the slot of its schedule at or last before that time: what became of it, and by
    which rule. A time to come is told as it is planned now.
    """

    async def ask(client: Client) -> Explanation:
        task = await client.find_task(name)
        at = None if time is None else _moment(time, task.timezone)
        return await client.why(task.id, at=at)

    answer = session.ask(ask)
    if session.options.as_json:
        show_row(answer)
        return
    print(clean(answer.verdict))
    print(f"  rule: {clean(answer.rule)}")
    for sentence in answer.because:
        print(f"  {clean(sentence)}")


def _moment(text: str, timezone: str) -> datetime:
    from cronpilot.domain.moments import FORMS, read_moment
    from cronpilot.domain.zones import find_zone

    try:
        return read_moment(text, find_zone(timezone), datetime.now(UTC))
    except ValueError as error:
        raise UsageProblem(str(error), FORMS) from None
