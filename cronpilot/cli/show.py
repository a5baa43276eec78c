"""show: everything that is known of one run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.numbers import is_number
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Column, show_table
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import AttemptView, RunView

_STARTED_BY = {
    "schedule": "its schedule",
    "manual": "hand",
    "catch_up": "catching up with a slot that was missed",
    "test": "hand, as a test",
}


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "show")(show)


def show(
    session: Session,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's number.")],
) -> None:
    """Everything about one run: why it started, its attempts, its variables, where its output is.

    Variables that look like secrets are masked; they were never written down. With --json the
    attempts stand beside the fields of the run.
    """
    if not is_number(run):
        raise UsageProblem(f"{run!r} is no number of a run.", "See: cronpilot history")

    async def ask(client: Client) -> tuple[RunView, list[AttemptView]]:
        return await client.run(int(run)), await client.attempts(int(run))

    found, attempts = session.ask(ask)
    if session.options.as_json:
        rows = [attempt.model_dump(mode="json") for attempt in attempts]
        show_json({**found.model_dump(mode="json"), "attempts_made": rows})
        return
    from cronpilot.cli.words import outcome

    print(outcome(found))
    for name, value in _facts(found):
        print(f"{name + ':':13}{clean(value)}")
    _show_attempts(attempts)
    _show_environment(found)


def _facts(run: RunView) -> Iterator[tuple[str, str]]:
    from cronpilot.cli.words import NOTHING, how_long, when

    by = _STARTED_BY[run.trigger]
    yield "Started by", f"{by}, {run.actor}" if run.actor else by
    if run.scheduled_for is not None:
        until = f" until {when(run.folded_until)}" if run.folded_until else ""
        yield "Slot", when(run.scheduled_for) + until
    yield "Queued", when(run.queued_at)
    yield "Started", when(run.started_at)
    yield "Ended", when(run.finished_at)
    if run.retry_at is not None:
        yield "Retry", when(run.retry_at)
    if run.pool is not None:
        yield "Pool", run.pool
    yield "CPU", how_long(run.cpu_s)
    yield "Memory", NOTHING if run.max_rss is None else f"{run.max_rss / 1e6:.1f} MB at most"
    size = "" if run.log_size is None else f" ({run.log_size:,} bytes)"
    yield "Output", NOTHING if run.log_path is None else run.log_path + size


def _show_attempts(attempts: list[AttemptView]) -> None:
    if not attempts:
        return
    print()
    columns = [
        Column("ATTEMPT", right=True), Column("STARTED"), Column("TOOK", right=True),
        Column("PID", right=True), Column("EXIT", right=True), Column("SIGNAL", right=True),
        Column("OUTCOME"),
    ]  # fmt: skip
    show_table(columns, [_attempt(attempt) for attempt in attempts])


def _attempt(attempt: AttemptView) -> list[str]:
    from cronpilot.cli.words import NOTHING, how_long, when

    outcome = "goes on" if attempt.outcome is None else str(attempt.outcome)
    numbers = [attempt.pid, attempt.exit_code, attempt.signal]
    return [
        str(attempt.number), when(attempt.started_at), how_long(attempt.duration_s),
        *(NOTHING if number is None else str(number) for number in numbers),
        "not started" if outcome == "never" else outcome,
    ]  # fmt: skip


def _show_environment(run: RunView) -> None:
    if run.environment is None:
        return
    print("\nVariables (secrets masked):")
    for name, value in sorted(run.environment.items()):
        print(f"  {clean(name)}={clean(value)}")
