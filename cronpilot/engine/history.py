"""What a change of a definition was, in the words of tasks.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cronpilot.client.messages import FieldChange, RevisionView
from cronpilot.domain.schedule import Schedule
from cronpilot.domain.task import TaskSpec, spec_dict
from cronpilot.errors import NotFound
from cronpilot.storage import revisions
from cronpilot.storage.database import Connection

_NEEDED = ("name", "command", "schedule")

Fields = Mapping[str, Any]
"""A definition as `spec_dict` has it, also one that a version with fewer fields has written."""


def field_changes(before: Fields | None, after: Fields | None) -> list[FieldChange]:
    """What differs, in the order of TaskSpec; of a whole definition, what it says itself."""
    found = []
    for name in TaskSpec.model_fields:
        one, other = _value(before, name), _value(after, name)
        if before is None or after is None:
            if (other if before is None else one) == _value({}, name):
                continue
        elif one == other:
            continue
        found.append(FieldChange(field=name, before=one, after=other))
    return found


def _value(fields: Fields | None, name: str) -> Any:
    if fields is None:
        return None
    value = fields.get(name, _defaults().get(name))
    if name == "schedule" and value is not None:
        return Schedule.model_validate(value).shorthand
    if name == "limits":
        return {limit: most for limit, most in value.items() if most is not None}
    return value


@cache
def _defaults() -> dict[str, Any]:
    """What a field is where a task says nothing."""
    probe = TaskSpec(name="probe", command="true", schedule=Schedule.model_validate("manual"))
    return {name: value for name, value in spec_dict(probe).items() if name not in _NEEDED}


def revision_views(connection: Connection, task_id: int, limit: int) -> list[RevisionView]:
    """The revisions of a task, archived or not, newest first. Raises NotFound."""
    rows = revisions.newest(connection, task_id, limit=limit)
    if not rows:  # every task has at least the one that made it
        raise NotFound("task", str(task_id))
    return [revision_view(row) for row in rows]


def revision_view(row: Mapping[Any, Any]) -> RevisionView:
    """A row of `storage.revisions`."""
    before, after = row["before"], row["after"]
    return RevisionView(
        id=row["id"],
        task_id=row["task_id"],
        task_name=(after or before)["name"],
        at=row["at"],
        actor=row["actor"],
        version=row["version"],
        kind=kind_of(row),
        changes=field_changes(before, after),
    )


def kind_of(row: Mapping[Any, Any]) -> Any:
    """`created`, `changed`, `archived` or `restored`."""
    if row["before"] is not None:
        return "changed" if row["after"] is not None else "archived"
    return "created" if row["version"] == 1 else "restored"
