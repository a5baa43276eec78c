"""test: a start that counts for nothing, watched to its end."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.log_output import Gathered, Printed
from cronpilot.cli.options import command
from cronpilot.cli.runs import raise_if_refused
from cronpilot.cli.session import Session
from cronpilot.cli.tasks import TaskName

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import RunView


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "test")(test)


def test(
    session: Session,
    name: TaskName,
    as_scheduled: Annotated[
        bool,
        typer.Option(
            "--as-scheduled", help="Overlap, pool, deadline and retries hold as for a slot."
        ),
    ] = False,
) -> int:
    """Start a task as a test, and show what it prints until it has ended.

    It runs exactly as scheduled runs do, but once, beside whatever goes on, and counts for nothing:
    neither the task's figures nor its last result know of it. The output goes to stdout, how it
    ended to stderr. The exit code is 0 when it was a success and 1 otherwise; ctrl+c leaves it
    running.
    """
    output = Gathered() if session.options.as_json else Printed()

    async def ask(client: Client) -> RunView:
        task = await client.find_task(name)
        run = await client.test_task(
            task.id, as_scheduled=as_scheduled, request_id=str(uuid.uuid4())
        )
        if run.status.is_final:
            return run
        async for chunk in client.follow_log(run.id):
            output.write(chunk.data)
        return await client.run(run.id)

    try:
        run = session.ask(ask, need_engine=True)
    finally:
        output.finish()
    if isinstance(output, Gathered):
        show_json(output.document(run))
    return _tell_end(session, run)


def _tell_end(session: Session, run: RunView) -> int:
    from cronpilot.cli.words import outcome
    from cronpilot.domain.run import Status

    raise_if_refused(run)
    if not session.options.as_json:
        print(outcome(run), file=sys.stderr)
    return 0 if run.status is Status.SUCCESS else 1
