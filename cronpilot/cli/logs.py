"""logs: what a run printed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.log_grep import Wanted, matches
from cronpilot.cli.log_output import Gathered, Prefix, Printed
from cronpilot.cli.log_tail import start_of_last
from cronpilot.cli.numbers import is_number
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import cell_width
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
        list[str],
        typer.Argument(
            metavar="NAME|RUN", help="A task: its newest run; or a run's number. Or several."
        ),
    ],
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on until the run has ended.")
    ] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "-n", "--tail", "--lines", metavar="LINES", min=0, help="Only the last LINES lines."
        ),
    ] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="TEXT", help="Only lines with this text.")
    ] = None,
    regex: Annotated[
        bool, typer.Option("-E", "--regex", help="TEXT is a regular expression.")
    ] = False,
    case: Annotated[bool, typer.Option("--case", help="Capital letters of TEXT matter.")] = False,
) -> None:
    """What a run printed, standard output and errors together.

    A name means the run that goes on now, else the newest that printed something. Into a file or a
    pipe the bytes go as they are; on a terminal colours are kept and all other control characters
    are made visible. ctrl+c ends -f and leaves the run alone. Of several, each line begins with the
    name of its task. --grep finds what a reader sees, whatever colours stand between; --tail with
    it means the last lines that match. With --json the answer comes when all is said.
    """
    if grep is None and (regex or case):
        raise UsageProblem("--regex and --case say how to read TEXT of --grep.", "Add --grep TEXT.")
    wanted = None if grep is None else Wanted(grep, regex, case, lines)
    asked = _Asked(which, follow, lines, wanted, session.options.as_json)
    said = session.ask(asked.say)
    if session.options.as_json:
        documents = [output.document(run) for run, output in said if isinstance(output, Gathered)]
        show_json(documents[0] if len(which) == 1 else documents)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which logs, how much of each, and where to."""

    which: Sequence[str]
    follow: bool
    lines: int | None
    wanted: Wanted | None
    gathered: bool  # for a document; else printed as it comes

    async def say(self, client: Client) -> list[tuple[RunView, Gathered | Printed]]:
        """Put out all of them; the runs as they are then, each with what took its output."""
        runs = [await _find(client, one) for one in self.which]
        outputs = self._outputs(runs)
        reading = [
            self._show(client, run, output) for run, output in zip(runs, outputs, strict=True)
        ]
        try:
            ended = await _in_turn(reading, at_once=self.follow)
        finally:
            for output in outputs:
                output.finish()
        return list(zip(ended, outputs, strict=True))

    def _outputs(self, runs: Sequence[RunView]) -> list[Gathered | Printed]:
        if self.gathered:
            return [Gathered() for _ in runs]
        prefix = Prefix() if len(runs) > 1 else None
        if prefix is not None:
            prefix.width = max(cell_width(clean(run.task_name)) for run in runs)
        return [Printed(prefix) for _ in runs]

    async def _show(self, client: Client, run: RunView, output: Gathered | Printed) -> RunView:
        output.begin(run)
        if self.wanted is not None:
            async for found in matches(client, run.id, self.wanted, follow=self.follow):
                await output.write_matches(client, run.id, found)
        else:
            offset = 0 if self.lines is None else await start_of_last(client, run.id, self.lines)
            async for chunk in _pieces(client, run.id, offset, self.follow):
                output.write(chunk.data)
        return await client.run(run.id) if self.follow else run


async def _in_turn(
    reading: Sequence[Coroutine[Any, Any, RunView]], *, at_once: bool
) -> list[RunView]:
    """What they return, one after the other; or all beside each other."""
    if at_once:
        return list(await asyncio.gather(*reading))
    return [await one for one in reading]


async def _find(client: Client, which: str) -> RunView:
    if is_number(which):
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
