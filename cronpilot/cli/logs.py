"""logs: what a run printed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.log_text import LogText
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import has_colour, on_terminal
from cronpilot.domain.text import clean
from cronpilot.errors import NotFound, UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import LogChunk, RunView

_PIECE = 1 << 18  # bytes read at once
_MOST_RUNS = 200  # how far back a run with output is looked for


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "logs")(logs)


def logs(
    session: Session,
    which: Annotated[
        str,
        typer.Argument(metavar="NAME|RUN", help="A task: its newest run; or a run's number."),
    ],
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on until the run has ended.")
    ] = False,
    lines: Annotated[
        int | None,
        typer.Option("-n", "--lines", metavar="LINES", min=0, help="Only the last LINES lines."),
    ] = None,
) -> None:
    """What a run printed, standard output and errors together.

    A name means the run that goes on now, else the newest that printed something. Into a file or a
    pipe the bytes go as they are; on a terminal colours are kept and all other control characters
    are made visible. ctrl+c ends -f and leaves the run alone. With --json the answer comes when all
    is said.
    """
    output = Gathered() if session.options.as_json else Printed()

    async def ask(client: Client) -> RunView:
        run = await _find(client, which)
        offset = 0 if lines is None else await _start_of_last(client, run.id, lines)
        async for chunk in _pieces(client, run.id, offset, follow):
            output.write(chunk.data)
        return await client.run(run.id) if follow else run

    try:
        run = session.ask(ask)
    finally:
        output.finish()
    if isinstance(output, Gathered):
        show_json({"run": run.model_dump(mode="json"), "text": output.text()})


async def _find(client: Client, which: str) -> RunView:
    if which.isascii() and which.isdigit():
        return await client.run(int(which))
    from cronpilot.client.messages import RunQuery
    from cronpilot.domain.run import Status

    task = await client.find_task(which)
    active = await client.runs(RunQuery(task_id=task.id, active=True))
    for run in reversed(active.rows):
        if run.status is not Status.QUEUED:
            return run
    page = await client.runs(RunQuery(task_id=task.id, limit=_MOST_RUNS))
    started = [run for run in page.rows if run.attempts and run.status.is_final]
    with_output = [run for run in started if run.log_size]
    if started:
        return (with_output or started)[0]
    failed = next((run for run in page.rows if run.status is Status.ERROR), None)
    if failed is not None:
        raise UsageProblem(
            f"Run {failed.id} of {clean(task.name)} printed nothing: it could not be started.",
            failed.detail,
        )
    raise NotFound("log", task.name)


def _pieces(client: Client, run_id: int, offset: int, follow: bool) -> AsyncIterator[LogChunk]:
    return client.follow_log(run_id, offset=offset) if follow else _read(client, run_id, offset)


async def _read(client: Client, run_id: int, offset: int) -> AsyncIterator[LogChunk]:
    """All there is now."""
    while True:
        chunk = await client.read_log(run_id, offset=offset, limit=_PIECE)
        yield chunk
        offset = chunk.end
        if not chunk.data or offset >= chunk.size:
            return


async def _start_of_last(client: Client, run_id: int, lines: int) -> int:
    """Where the last `lines` lines begin, found from the end backwards."""
    end = (await client.read_log(run_id, limit=1)).size
    if lines == 0:
        return end
    # The newline that ends the last line begins no further one.
    missing, upto = lines, max(end - 1, 0)
    while upto > 0:
        start = max(upto - _PIECE, 0)
        data = (await client.read_log(run_id, offset=start, limit=upto - start)).data
        found = data.count(b"\n")
        if found >= missing:
            place = len(data)
            for _ in range(missing):
                place = data.rindex(b"\n", 0, place)
            return start + place + 1
        missing -= found
        upto = start
    return 0


class Printed:
    """Straight to stdout, flushed piece by piece."""

    def __init__(self) -> None:
        self._text = LogText(colour=has_colour()) if on_terminal() else None

    def write(self, data: bytes) -> None:
        if self._text is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(self._text.feed(data))
            sys.stdout.flush()

    def finish(self) -> None:
        if self._text is not None:
            sys.stdout.write(self._text.finish())
            sys.stdout.flush()


class Gathered:
    """Kept until all is there."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        self._data += data

    def finish(self) -> None:
        """Nothing to do."""

    def text(self) -> str:
        return self._data.decode(errors="replace")
