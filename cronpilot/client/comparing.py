"""Puts two runs side by side. Pure: whoever asks has read them, and what they printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cronpilot.client.comparison import Comparison, OutputDifference
from cronpilot.client.messages import FieldChange, RunView
from cronpilot.domain.log_text import shown
from cronpilot.domain.run import Status, Trigger
from cronpilot.domain.text_diff import unified
from cronpilot.errors import Refused

MOST_BYTES = 1 << 20
"""Of each output that is compared: half of it from its beginning, half from its end."""
MOST_LINES = 2000
"""Lines of differences that are told."""

_FACTS = (
    "status", "exit_code", "signal", "reason", "trigger", "actor", "attempts", "scheduled_for",
    "started_at", "late_s", "duration_s", "cpu_s", "max_rss", "log_size", "pool", "priority",
)  # fmt: skip
# Variables that are the run's own name, so to speak.
_ITS_OWN = frozenset(
    f"CRONPILOT_{name}" for name in ("RUN", "RUN_ID", "ATTEMPT", "SCHEDULED_FOR", "TASK")
)


class Output(NamedTuple):
    """What is compared of one output: its beginning, and its end where the middle is left out."""

    head: bytes
    tail: bytes = b""
    left_out: int = 0  # bytes


class Ran(NamedTuple):
    """A run with all that is compared of it."""

    run: RunView  # with its environment
    version: int  # of its task
    output: Output


def choose(run: RunView, successes: Sequence[RunView]) -> tuple[RunView, Any]:
    """The success to compare with, and which it is: of a run that went well the one before it, of
    any other the newest. `successes` are the newest ones of its task, newest first.

    Raises:
        Refused: there is none.
    """
    others = [one for one in successes if one.id != run.id and one.trigger is not Trigger.TEST]
    before = next((one for one in others if one.id < run.id), None)
    if run.status is Status.SUCCESS and before is not None:
        return before, "success before"
    if not others:
        raise Refused(
            f"No other run of {run.task_name!r} ended well, so run {run.id} has no match.",
            "Name a run to compare it with.",
        )
    return others[0], "last success"


def compare(
    this: Ran,
    other: Ran,
    chosen: Any,
    definition: Sequence[FieldChange] | None,
    *,
    exact: bool,
) -> Comparison:
    """All that differs. `definition` is what differs in what they ran; None: it is not known."""
    run, against = this.run, other.run
    return Comparison(
        run=run, against=against, chosen=chosen, facts=_facts(run, against),
        definition=list(definition or ()), definition_known=definition is not None,
        versions=(other.version, this.version),
        environment=_environment(run, against, exact=exact),
        environment_known=run.environment is not None and against.environment is not None,
        output=_output(this, other, exact=exact),
    )  # fmt: skip


def _facts(run: RunView, against: RunView) -> list[FieldChange]:
    found = []
    one, other = _fields(against), _fields(run)
    for name in _FACTS:
        if one[name] != other[name]:
            found.append(FieldChange(field=name, before=one[name], after=other[name]))
    return found


def _fields(run: RunView) -> dict[str, Any]:
    fields = run.model_dump(mode="json", include=set(_FACTS))
    late = None
    if run.scheduled_for is not None and run.started_at is not None:
        late = max(0.0, (run.started_at - run.scheduled_for).total_seconds())
    return {**fields, "late_s": late}


def _environment(run: RunView, against: RunView, *, exact: bool) -> list[FieldChange]:
    before, after = against.environment, run.environment
    if before is None or after is None:
        return []
    names = sorted(before.keys() | after.keys())
    return [
        FieldChange(field=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name) and (exact or name not in _ITS_OWN)
    ]


def _output(this: Ran, other: Ran, *, exact: bool) -> OutputDifference:
    notes = [note for ran in (other, this) if (note := _note(ran))]
    if any(ran.run.log_removed for ran in (this, other)):
        return OutputDifference(not_compared=notes)
    lines = list(unified(_lines(other.output), _lines(this.output), passing=exact))
    kinds = [line[0] for line in lines]
    if not {"+", "-"} & set(kinds):
        lines = []
    return OutputDifference(
        lines=lines[:MOST_LINES], cut=len(lines) > MOST_LINES, not_compared=notes,
        removed=kinds.count("-"), added=kinds.count("+"),
    )  # fmt: skip


def _note(ran: Ran) -> str:
    if ran.run.log_removed:
        return f"The output of run {ran.run.id} was removed to save space."
    if ran.output.left_out:
        return f"{ran.output.left_out:,} bytes in the middle of run {ran.run.id} are left out."
    return ""


def _lines(output: Output) -> list[str]:
    parts = [output.head, output.tail] if output.left_out else [output.head]
    if output.left_out:
        # Their cut ends: the last line of the one, the first of the other.
        parts = [output.head.rpartition(b"\n")[0], output.tail.partition(b"\n")[2]]
    return [shown(line) for part in parts for line in part.removesuffix(b"\n").split(b"\n") if part]
