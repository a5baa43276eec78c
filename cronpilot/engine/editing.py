"""Editing definitions by hand: create, change, delete, undo; each a revision and an audit line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from cronpilot.client.actor import FRONT
from cronpilot.client.messages import TaskView
from cronpilot.config.validation import validated
from cronpilot.domain.task import TaskSpec, spec_dict
from cronpilot.domain.text import clean
from cronpilot.engine import commands
from cronpilot.engine.definitions import Ground, archive, change_definition, first_plan
from cronpilot.engine.following import Write
from cronpilot.engine.history import field_changes, kind_of
from cronpilot.engine.planner import Changes
from cronpilot.engine.views import task_view
from cronpilot.errors import Conflict, NotFound, Refused
from cronpilot.storage import meta, revisions, tasks
from cronpilot.storage.database import Connection
from cronpilot.storage.tables import Origin

T = TypeVar("T")


class Editor:
    """The editing half of `Client`."""

    def __init__(
        self,
        *,
        ground: Callable[[], Ground],
        now: Callable[[], datetime],
        watched_since: Callable[[], datetime],
        actor: Callable[[], str],
        write: Write,
        changed: Callable[[Changes], None],
    ) -> None:
        self._ground, self._now, self._actor = ground, now, actor
        self._watched_since = watched_since
        self._write, self._changed = write, changed

    async def create_task(self, spec: dict[str, Any]) -> TaskView:
        checked = validated(spec)
        origin = Origin.SCREEN if FRONT.get() == "tui" else Origin.API
        return await self._edit(lambda c, by: by.create(c, checked, origin))

    async def change_task(
        self, task_id: int, changes: dict[str, Any], *, if_version: int | None = None
    ) -> TaskView:
        return await self._edit(lambda c, by: by.change(c, task_id, changes, if_version))

    async def delete_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        return await self._edit(lambda c, by: by.delete(c, task_id, if_version))

    async def undo(
        self, task_id: int, *, revision_id: int | None = None, if_version: int | None = None
    ) -> TaskView:
        return await self._edit(lambda c, by: by.undo(c, task_id, revision_id, if_version))

    async def _edit(self, work: Callable[[Connection, Edit], Changes]) -> TaskView:
        by = Edit(self._ground(), self._actor(), self._now(), self._watched_since())

        def write(connection: Connection) -> tuple[Changes, TaskView]:
            changes = work(connection, by)
            (task_id,) = changes.task_ids
            return changes, task_view(tasks.views(connection, [task_id])[0])

        changes, view = await self._write(write)
        self._changed(changes)
        return view


class Edit:
    """One edit: who makes it, and when. Each method is the work of one transaction."""

    def __init__(self, ground: Ground, actor: str, now: datetime, watched_since: datetime) -> None:
        self._ground, self._actor, self._now = ground, actor, now
        self._watched_since = watched_since

    def create(self, connection: Connection, spec: TaskSpec, origin: Origin) -> Changes:
        """Add a task. Raises Conflict when its name is taken."""
        _refuse_taken_name(connection, spec.name, None)
        task_id = tasks.add(
            connection, spec, first_plan(spec, self._ground, self._now), origin=origin,
            actor=self._actor, at=self._now,
        )  # fmt: skip
        return self._done(connection, "create", task_id)

    def change(
        self,
        connection: Connection,
        task_id: int,
        changes: Mapping[str, Any],
        if_version: int | None,
    ) -> Changes:
        """Set fields; None sets one back to its default. What changes nothing is no revision.

        Raises:
            NotFound, ConfigError; Conflict: another version, or the new name is taken.
        """
        row = _live_row(connection, task_id)
        commands.refuse_version(row, if_version)
        fields = {**spec_dict(tasks.spec_of(row)), **changes}
        unset = {name for name, value in changes.items() if value is None}
        spec = validated({name: v for name, v in fields.items() if name not in unset})
        if spec.meaning() == row["spec_hash"]:
            return Changes({task_id})
        return self._set(connection, row, spec, "edit")

    def delete(self, connection: Connection, task_id: int, if_version: int | None) -> Changes:
        """Archive a task; its runs that wait are ended, what runs goes on."""
        row = _live_row(connection, task_id)
        commands.refuse_version(row, if_version)
        done = archive(
            connection, row, actor=self._actor, now=self._now, by_hand=True,
            watched_since=self._watched_since,
        )  # fmt: skip
        done.add(self._done(connection, "delete", task_id))
        return done

    def undo(
        self,
        connection: Connection,
        task_id: int,
        revision_id: int | None,
        if_version: int | None,
    ) -> Changes:
        """Put back what was before that revision, by default the newest one.

        Raises:
            NotFound; Refused: there was nothing before; Conflict: see `change`.
        """
        revision = _revision(connection, task_id, revision_id)
        row = _any_row(connection, task_id)
        commands.refuse_version(row, if_version)
        if kind_of(revision) == "created":
            raise Refused(
                f"Before revision {revision['id']} there was no {clean(row['name'])!r}.",
                "Delete the task if it is not wanted.",
            )
        if revision["before"] is None:
            return self._put_back_nothing(connection, row)
        spec = validated(revision["before"])
        if row["archived_at"] is None and spec.meaning() == row["spec_hash"]:
            raise Refused(
                f"{clean(row['name'])!r} is as it was before revision {revision['id']}.",
                "Others: cronpilot revisions NAME",
            )
        return self._set(connection, row, spec, "undo", f"revision {revision['id']}")

    def _put_back_nothing(self, connection: Connection, row: Mapping[Any, Any]) -> Changes:
        if row["archived_at"] is not None:
            raise Refused(f"{clean(row['name'])!r} is archived already.")
        return self.delete(connection, row["id"], None)

    def _set(
        self,
        connection: Connection,
        row: Mapping[Any, Any],
        spec: TaskSpec,
        action: str,
        detail: str | None = None,
    ) -> Changes:
        _refuse_taken_name(connection, spec.name, row["id"])
        before = None if row["archived_at"] is not None else spec_dict(tasks.spec_of(row))
        names = [change.field for change in field_changes(before, spec_dict(spec))]
        changes = change_definition(
            connection, row, spec, ground=self._ground, actor=self._actor,
            now=self._now, watched_since=self._watched_since, archived_at=None, tombstone=False,
        )  # fmt: skip
        changes.add(self._done(connection, action, row["id"], detail or ", ".join(names)))
        return changes

    def _done(self, connection: Connection, action: str, task_id: int, detail: str = "") -> Changes:
        meta.note(
            connection, at=self._now, actor=self._actor, action=action, task_id=task_id,
            detail=detail,
        )  # fmt: skip
        return Changes({task_id})


def _any_row(connection: Connection, task_id: int) -> Mapping[Any, Any]:
    for row in tasks.views(connection, [task_id]):
        return row
    raise NotFound("task", str(task_id))


def _live_row(connection: Connection, task_id: int) -> Mapping[Any, Any]:
    row = _any_row(connection, task_id)
    if row["archived_at"] is not None:
        raise NotFound("task", str(task_id))
    return row


def _revision(connection: Connection, task_id: int, revision_id: int | None) -> Mapping[Any, Any]:
    if revision_id is None:
        _any_row(connection, task_id)
        return revisions.newest(connection, task_id, limit=1)[0]
    found = revisions.one(connection, task_id, revision_id)
    if found is None:
        raise NotFound("revision", str(revision_id))
    return found


def _refuse_taken_name(connection: Connection, name: str, own_id: int | None) -> None:
    holder = tasks.id_of(connection, name)
    if holder is not None and holder != own_id:
        conflict = Conflict(
            f"The name {clean(name)!r} is used by task {holder}.", "Choose another."
        )
        conflict.field = "name"
        raise conflict
