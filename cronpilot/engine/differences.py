"""How the tasks differ from the tasks file in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cronpilot.client.messages import FileDifference
from cronpilot.domain.task import TaskSpec, spec_dict
from cronpilot.engine.history import field_changes
from cronpilot.engine.tasks_file import pair_up
from cronpilot.storage.tasks import spec_of

if TYPE_CHECKING:
    from cronpilot.config.tasks_file import TasksFile

NO_FILE = ("No tasks file is in use here.", "Name one: cronpilot --tasks FILE")


def differences(file: TasksFile, rows: Sequence[Mapping[Any, Any]]) -> list[FileDifference]:
    """In the order of the file, then what is only here by id; archived tasks count as gone."""
    live = {row["name"]: row for row in rows if row["archived_at"] is None}
    found, met = [], set()
    for entry, own in zip(file.entries, pair_up(file, rows), strict=True):
        task = own or live.get(entry.spec.name)
        if task is not None and task["archived_at"] is None:
            met.add(task["id"])
            if task["spec_hash"] != entry.spec.meaning():
                found.append(_differs(entry.spec, task))
        else:
            deleted = task is not None and task["tombstone"]
            kind = "deleted here" if deleted else "only in the file"
            found.append(_whole(kind, entry.spec, None))
    found += [
        _whole("only here", None, spec_of(row)) for row in live.values() if row["id"] not in met
    ]
    return found


def _differs(entry: TaskSpec, task: Mapping[Any, Any]) -> FileDifference:
    changes = field_changes(spec_dict(entry), spec_dict(spec_of(task)))
    return FileDifference(task_name=task["name"], kind="differs", changes=changes)


def _whole(kind: Any, entry: TaskSpec | None, task: TaskSpec | None) -> FileDifference:
    before = None if entry is None else spec_dict(entry)
    after = None if task is None else spec_dict(task)
    name = (before or after or {})["name"]
    return FileDifference(task_name=name, kind=kind, changes=field_changes(before, after))
