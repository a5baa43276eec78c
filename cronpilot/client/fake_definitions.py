"""The editing half of the fake client: definitions, and what they were before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from cronpilot.client.messages import FieldChange, FileDifference, RevisionView, TaskView
from cronpilot.domain.explain import explain
from cronpilot.domain.explain_briefly import explain_briefly
from cronpilot.domain.schedule import Schedule, fire_times, resolve
from cronpilot.domain.task import TaskSpec, spec_dict
from cronpilot.domain.zones import find_zone
from cronpilot.errors import ConfigError, Conflict, NotFound, Refused

if TYPE_CHECKING:
    from cronpilot.client.fake import FakeClient

Kind = Literal["created", "changed", "archived", "restored"]


class Definitions:
    """Edits the tasks of a FakeClient as an engine would, without a clock of its own.

    Attributes:
        in_file: what `differences` answers.
    """

    def __init__(self, fake: FakeClient, tasks: dict[int, TaskView], timezone: str) -> None:
        self.in_file: list[FileDifference] = []
        self._fake, self._tasks, self._timezone = fake, tasks, timezone
        self._archived: dict[int, TaskView] = {}
        self._revisions: list[RevisionView] = []
        self._before: dict[int, TaskView | None] = {}  # revision -> what it was before

    async def create_task(self, spec: dict[str, Any]) -> TaskView:
        self._fake.answer()
        self._refuse_taken(spec.get("name"), None)
        task_id = max([*self._tasks, *self._archived], default=0) + 1
        task = self._view(spec, {"id": task_id, "version": 1, "origin": "api"})
        self._fake.calls.append(("create_task", task.name))
        return self._keep("created", None, task)

    async def change_task(
        self, task_id: int, changes: dict[str, Any], *, if_version: int | None = None
    ) -> TaskView:
        task = await self._fake.task(task_id)
        refuse_version(task, if_version)
        self._refuse_taken(changes.get("name"), task_id)
        unset = {name for name, value in changes.items() if value is None}
        fields = {name: value for name, value in {**_fields(task), **changes}.items()
                  if name not in unset}  # fmt: skip
        row = {**task.model_dump(), "version": task.version + 1}
        changed = self._view(fields, row)
        if _fields(changed) == _fields(task):
            return task
        self._fake.calls.append(("change_task", task_id, changes))
        return self._keep("changed", task, changed)

    async def delete_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        task = await self._fake.task(task_id)
        refuse_version(task, if_version)
        self._fake.calls.append(("delete_task", task_id))
        return self._archive(task)

    async def revisions(self, task_id: int, *, limit: int = 50) -> list[RevisionView]:
        if task_id not in self._archived:
            await self._fake.task(task_id)
        mine = [revision for revision in self._revisions if revision.task_id == task_id]
        return mine[::-1][:limit]

    async def undo(
        self, task_id: int, *, revision_id: int | None = None, if_version: int | None = None
    ) -> TaskView:
        mine = {revision.id: revision for revision in await self.revisions(task_id, limit=10_000)}
        if revision_id is not None and revision_id not in mine:
            raise NotFound("revision", str(revision_id))
        now = self._archived.get(task_id) or self._tasks[task_id]
        refuse_version(now, if_version)
        chosen = mine[revision_id] if revision_id else next(iter(mine.values()), None)
        if chosen is None or chosen.kind == "created":
            raise Refused(f"There is nothing to undo of {now.name!r}.")
        self._fake.calls.append(("undo", task_id, chosen.id))
        before = self._before[chosen.id]
        if before is None:
            return self._archive(now)
        back = before.model_copy(update={"version": now.version + 1, "archived_at": None})
        if self._archived.pop(task_id, None) is not None:
            return self._keep("restored", None, back)
        return self._keep("changed", now, back)

    async def export(self) -> str:
        self._fake.answer()
        lines = [
            f"  - name: {json.dumps(task.name)}\n    command: {json.dumps(task.command)}\n"
            f"    schedule: {json.dumps(task.schedule)}\n"
            for task in self._tasks.values()
        ]
        return "".join(["tasks:\n", *lines]) if lines else "tasks: []\n"

    async def differences(self) -> list[FileDifference]:
        self._fake.answer()
        return self.in_file

    def archived(self, name: str) -> TaskView | None:
        """The task taken away last that had this name or number."""
        for task in reversed(self._archived.values()):
            if name in (task.name, str(task.id)):
                return task
        return None

    def _archive(self, task: TaskView) -> TaskView:
        gone = task.model_copy(
            update={"archived_at": self._fake.now(), "version": task.version + 1}
        )
        self._archived[task.id] = gone
        self._fake.remove_task(task.id)
        self._revise("archived", task, None, gone)
        return gone

    def _keep(self, kind: Kind, before: TaskView | None, task: TaskView) -> TaskView:
        self._revise(kind, before, task, task)
        self._fake.put_task(task)
        return task

    def _revise(
        self, kind: Kind, before: TaskView | None, after: TaskView | None, task: TaskView
    ) -> None:
        revision_id = len(self._revisions) + 1
        self._before[revision_id] = before
        old, new = _fields(before), _fields(after)
        changes = [
            FieldChange(field=name, before=old.get(name), after=new.get(name))
            for name in TaskSpec.model_fields
            if old.get(name) != new.get(name)
        ]
        self._revisions.append(
            RevisionView(
                id=revision_id, task_id=task.id, task_name=task.name, at=self._fake.now(),
                actor="api:1000", version=task.version, kind=kind, changes=changes,
            )
        )  # fmt: skip

    def _view(self, fields: Mapping[str, Any], row: Mapping[str, Any]) -> TaskView:
        spec = _checked(fields)
        told = spec_dict(spec)
        zone = find_zone(spec.timezone or self._timezone)
        resolved = resolve(spec.schedule, zone=zone, set_at=self._fake.now(), seed=spec.name)
        times = fire_times(spec.schedule.type, resolved, zone)
        planned = {
            "schedule": spec.schedule.shorthand,
            "schedule_type": spec.schedule.type,
            "schedule_config": spec.schedule.config,
            "schedule_words": explain(spec.schedule, resolved=resolved),
            "schedule_brief": explain_briefly(spec.schedule, resolved=resolved),
            "schedule_expression": resolved if spec.schedule.type.is_cron else None,
            "timezone": zone.key,
            "own_timezone": spec.timezone,
            "next_run_at": times.next_after(self._fake.now()) if spec.active else None,
        }
        return TaskView.model_validate({**row, **told, **planned})

    def _refuse_taken(self, name: Any, own_id: int | None) -> None:
        for task in self._tasks.values():
            if task.name == name and task.id != own_id:
                conflict = Conflict(f"The name {name!r} is used by task {task.id}.")
                conflict.field = "name"
                raise conflict


def _fields(task: TaskView | None) -> dict[str, Any]:
    if task is None:
        return {}
    fields = task.model_dump(mode="json", include=set(TaskSpec.model_fields))
    fields["timezone"] = task.own_timezone
    fields["limits"] = {name: most for name, most in task.limits.items() if most is not None}
    return fields


def _checked(fields: Mapping[str, Any]) -> TaskSpec:
    try:
        return TaskSpec.model_validate({**fields, "schedule": _schedule(fields.get("schedule"))})
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        wrong = ConfigError(f"{field}: {first['msg']}.")
        wrong.field = field
        raise wrong from None


def _schedule(value: Any) -> Any:
    try:
        return Schedule.model_validate(value)
    except ValidationError:
        return value


def refuse_version(task: TaskView, if_version: int | None) -> None:
    """Raises Conflict unless the task is at that version; None is any."""
    if if_version is not None and if_version != task.version:
        conflict = Conflict(
            f"{task.name!r} was changed meanwhile: it is at version {task.version},"
            f" not {if_version}."
        )
        conflict.version = task.version
        raise conflict
