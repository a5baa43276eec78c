"""A comparison in words, for the screen and for the command line alike. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.messages import FieldChange, RunView

NOTHING = "-"


class Row(NamedTuple):
    """One thing of both runs."""

    label: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        """Whether it is worth a mark: when two runs started never is the same."""
        return self.before != self.after and self.label not in ("started", "slot")


def heading(found: Comparison) -> str:
    """Which run with which, and why that one."""
    run, other = found.run, found.against
    why = {
        "last success": "the last success",
        "success before": "the success before it",
        "named": "as you chose",
    }[found.chosen]
    return f"Run {run.id} of {clean(run.task_name)} beside run {other.id}, {why}."


def rows(found: Comparison, zone: tzinfo | None) -> list[Row]:
    """Verdict, times and cost, side by side: always, whether they differ or not."""
    return [
        Row(label, told(found.against), told(found.run))
        for label, told in (
            ("verdict", _verdict),
            ("started", lambda run: _moment(run.started_at, zone)),
            ("by", _by),
            ("slot", lambda run: _moment(run.scheduled_for, zone)),
            ("took", lambda run: _length(run.duration_s)),
            ("CPU", lambda run: _length(run.cpu_s)),
            ("memory", lambda run: _bytes(run.max_rss)),
            ("output", lambda run: _bytes(run.log_size)),
            ("attempts", lambda run: str(run.attempts)),
        )
    ]  # fmt: skip


def definition(found: Comparison) -> list[Row]:
    """What was changed in the task between the two."""
    return [row for change in found.definition for row in _parted(change)]


def definition_note(found: Comparison) -> str:
    """Where the definition stands, as a sentence."""
    one, other = found.versions
    if not found.definition_known:
        return "What one of them ran was not kept."
    if not found.definition:
        same = f"version {other}" if one == other else f"versions {one} and {other}"
        return f"Both ran the same definition ({same})."
    return (f"Run {found.against.id} ran version {one} of the task, "
            f"run {found.run.id} version {other}:")  # fmt: skip


def variables(found: Comparison) -> list[Row]:
    """The variables that differ; secrets are masked."""
    return [Row(clean(one.field), _value(one.before, "not set"), _value(one.after, "not set"))
            for one in found.environment]  # fmt: skip


def variables_note(found: Comparison) -> str:
    """Where the variables stand, as a sentence."""
    if not found.environment_known:
        return "One of them has kept no variables."
    if not found.environment:
        return "The same variables, as far as their masked values tell."
    return "Variables that differ, secrets masked:"


def output_note(found: Comparison) -> str:
    """Where the outputs stand, as a sentence."""
    out = found.output
    if out.removed or out.added:
        more = "; further differences are left out" if out.cut else ""
        lines = "line" if out.removed == 1 else "lines"
        return (f"Output: {out.removed:,} {lines} only of run {found.against.id} (-), "
                f"{out.added:,} only of run {found.run.id} (+){more}.")  # fmt: skip
    return "" if any("removed" in note for note in out.not_compared) else "The same output."


def diff_lines(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The kind of each line and the line as it is to be read."""
    for line in lines:
        if line.startswith("@"):
            count = int(line[1:])
            yield "@", f"... {count:,} equal line{'s' * (count != 1)} ..."
        else:
            yield line[0], clean(line)


# --- values --------------------------------------------------------------------------------------


def _verdict(run: RunView) -> str:
    parts = [str(run.status)]
    if run.exit_code is not None:
        parts.append(f"exit {run.exit_code}")
    if run.signal:
        parts.append(_signal(run.signal))
    if run.reason is not None:
        parts.append(str(run.reason).replace("_", " "))
    return ", ".join(parts)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _by(run: RunView) -> str:
    word = str(run.trigger).replace("manual", "hand").replace("_", " ")
    return f"{word} ({clean(run.actor)})" if run.actor else word


def _moment(at: datetime | None, zone: tzinfo | None) -> str:
    return NOTHING if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _length(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def _bytes(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,} bytes"


def _parted(change: FieldChange) -> Iterator[Row]:
    """A change; of variables and the like one row for each that differs."""
    if isinstance(change.before, dict) or isinstance(change.after, dict):
        before, after = change.before or {}, change.after or {}
        if isinstance(before, dict) and isinstance(after, dict):
            for key in dict.fromkeys([*before, *after]):
                if before.get(key) != after.get(key):
                    yield Row(f"{change.field}.{clean(str(key))}", _value(before.get(key)),
                              _value(after.get(key)))  # fmt: skip
            return
    yield Row(change.field, _value(change.before), _value(change.after))


def _value(value: Any, nothing: str = "default") -> str:
    if value is None:
        return nothing
    if isinstance(value, list):
        return clean(" ".join(map(str, value))) or "none"
    return clean(str(value)) or "empty"
