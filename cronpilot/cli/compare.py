"""compare: how a run differs from the last success of its task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_row
from cronpilot.cli.numbers import is_number
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Cell, Column, Tinted, cell_width, has_colour, show_table
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.comparison_words import Row

_LABEL = 14
_COLOURS = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[2m"}


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "compare")(compare)


def compare(
    session: Session,
    run: Annotated[
        str, typer.Argument(metavar="RUN|NAME", help="A run's number; or a task: its newest run.")
    ],
    other: Annotated[
        int | None,
        typer.Argument(
            metavar="OTHER", min=1, help="The run to compare it with; default: the last success."
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Times, durations and process ids in the output count, too."),
    ] = False,
) -> None:
    """How a run differs from the last success of its task, or from another run of it.

    Verdict and times side by side; what was changed in the task between the two; variables, of
    which secrets are masked; and the difference between the outputs, in which lines that differ
    only by times, durations, process ids and addresses count as equal.
    """

    async def ask(client: Client) -> Comparison:
        return await client.compare(await _run_of(client, run), against=other, exact=exact)

    found = session.ask(ask)
    if session.options.as_json:
        show_row(found)
    else:
        _show(found)


async def _run_of(client: Client, which: str) -> int:
    if is_number(which):
        return int(which)
    from cronpilot.client.messages import RunQuery

    task = await client.find_task(which)
    page = await client.runs(RunQuery(task_id=task.id, limit=200))
    started = [run.id for run in page.rows if run.attempts and run.status.is_final]
    if not started:
        raise UsageProblem(f"{clean(task.name)} has no run that has ended.", "Name a run.")
    return started[0]


def _show(found: Comparison) -> None:
    from cronpilot.client import comparison_words as words

    print(words.heading(found))
    print()
    columns = [Column(""), Column(f"RUN {found.against.id}"), Column(f"RUN {found.run.id}")]
    show_table(columns, [_cells(row) for row in words.rows(found, None)])
    for note, rows in (
        (words.definition_note(found), words.definition(found)),
        (words.variables_note(found), words.variables(found)),
    ):
        print(f"\n{note}")
        for row in rows:
            print(_line(row))
    print()
    for sentence in (words.output_note(found), *found.output.not_compared):
        if sentence:
            print(sentence)
    _show_output(list(words.diff_lines(found.output.lines)))


def _cells(row: Row) -> Sequence[Cell]:
    return [row.label, row.before, Tinted(row.after, "yellow") if row.differs else row.after]


def _line(row: Row) -> str:
    padding = " " * max(1, _LABEL - cell_width(row.label))
    return f"  {row.label}{padding}{row.before} -> {row.after}"


def _show_output(lines: Sequence[tuple[str, str]]) -> None:
    if lines:
        print()
    colour = has_colour()
    for kind, text in lines:
        tint = _COLOURS.get(kind, "") if colour else ""
        print(f"{tint}{text}\x1b[0m" if tint else text)
