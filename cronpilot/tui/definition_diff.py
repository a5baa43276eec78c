"""What saving a form would change, and how it is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cronpilot.domain.schedule import Schedule
from cronpilot.domain.task import TaskSpec, told_dict
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Marks

MISSING = "default"
"""What is said where a field is not set."""


class Changed(NamedTuple):
    """One field before and after; None where it has its default."""

    name: str
    before: Any
    after: Any


def changed_fields(before: TaskSpec | None, after: TaskSpec) -> list[Changed]:
    """The fields in which two definitions differ, in the order of TaskSpec."""
    old, new = told_dict(before) if before else {}, told_dict(after)
    return [
        Changed(name, old.get(name), new.get(name))
        for name in TaskSpec.model_fields
        if old.get(name) != new.get(name)
    ]


def as_changes(changed: Sequence[Changed]) -> dict[str, Any]:
    """For `Client.change_task`: None sets a field back to its default."""
    return {one.name: one.after for one in changed}


_PARTED = ("env", "limits", "notify", "alarms")


def diff_lines(changed: Sequence[Changed], *, new: bool = False, to: str = Marks().to) -> list[str]:
    """`schedule: daily 02:30 → daily 03:00`, one line a change; of variables and limits one each.
    Of a new task only what it has: `schedule: daily 03:00`."""
    if new:
        return [f"{name}: {_told(name, after)}" for name, _, after in changed]
    lines = []
    for name, before, after in changed:
        if name in _PARTED and not isinstance(before, str) and not isinstance(after, str):
            old, now = before or {}, after or {}
            keys = [key for key in {**old, **now} if old.get(key) != now.get(key)]
            lines += [_line(f"{name}.{key}", old.get(key), now.get(key), to) for key in keys]
        else:
            lines.append(_line(name, before, after, to))
    return lines


def _line(name: str, before: Any, after: Any, to: str) -> str:
    return f"{clean(name)}: {_told(name, before)} {to} {_told(name, after)}"


def _told(name: str, value: Any) -> str:
    if value is None:
        return MISSING
    if name == "schedule":
        return clean(Schedule.model_validate(value).shorthand)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{clean(key)} {_told(key, one)}" for key, one in value.items())
    if isinstance(value, list):
        return clean(", ".join(map(str, value))) or "none"
    return clean(str(value)) or "empty"
