"""Applies tasks.yaml to the database: an entry is applied when its meaning has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cronpilot.client.messages import ReloadResult
from cronpilot.domain.task import TaskSpec
from cronpilot.domain.text import clean, composed
from cronpilot.domain.zones import is_known
from cronpilot.engine import lost_zones
from cronpilot.engine.definitions import Ground, archive, change_definition, first_plan
from cronpilot.engine.planner import Changes
from cronpilot.errors import Complaint, InvalidFile
from cronpilot.storage import meta, tasks
from cronpilot.storage.database import Connection
from cronpilot.storage.tables import Origin

if TYPE_CHECKING:
    from cronpilot.config.tasks_file import Entry, TasksFile

ACTOR = "tasks.yaml"


class Applied(NamedTuple):
    """What one reading of the file did."""

    result: ReloadResult
    changes: Changes  # the tasks that have changed, those archived included, and their runs
    others: Mapping[str, int]  # other tasks files -> how many tasks of theirs are still here


def apply_tasks_file(
    connection: Connection,
    file: TasksFile,
    *,
    ground: Ground,
    now: datetime,
    watched_since: datetime | None = None,
    take_over: bool = False,
) -> Applied:
    """Add, change, bring back and archive, all in the writer's one transaction.

    Only tasks that this very file declared are archived when their entry is gone; their history
    stays, and the same id comes back with the entry.

    Args:
        watched_since: from when on the clock has been watched; None: nobody did.
        take_over: what other files declared is this file's from now on.
    Raises:
        InvalidFile: it is blank, and would archive everything: more likely cut off than meant.
    """
    if take_over:
        tasks.hand_over(connection, str(file.path))
    rows = tasks.declared(connection)
    _refuse_blank(file, rows)
    pass_ = _Pass(connection, file, rows, ground, now, watched_since)
    for entry in file.entries:
        pass_.entry(entry)
    pass_.archive_the_rest()
    meta.put(connection, meta.TASKS_FILE, str(file.path))
    if pass_.changes.task_ids:
        detail = ", ".join(
            f"{word} {len(names)}"
            for word, names in (("added", pass_.added), ("changed", pass_.changed),
                                ("archived", pass_.archived))
        )  # fmt: skip
        meta.note(connection, at=now, actor=ACTOR, action="apply", detail=detail)
    result = ReloadResult(
        file=str(file.path), added=pass_.added, changed=pass_.changed,
        archived=pass_.archived, refused=pass_.refused, overridden=pass_.overridden,
    )  # fmt: skip
    return Applied(result, pass_.changes, _of_others(rows, file))


def pair_up(file: TasksFile, rows: Iterable[Mapping[Any, Any]]) -> list[Mapping[Any, Any] | None]:
    """The task (archived ones too) that each entry declares, None where it has none yet.

    By what its entry was called, else by `was`; else by its name of now, so that a task that was
    renamed on the screen is known again when the file follows.
    """
    ours: dict[str, Mapping[Any, Any]] = {}
    of_now: dict[str, Mapping[Any, Any]] = {}
    entry_names = {entry.spec.name for entry in file.entries}
    for row in rows:
        if row["entry_file"] != str(file.path):
            continue
        # Of several with one name the one that is not archived, else the one archived last.
        entry_name = composed(row["entry_name"])  # an earlier version kept it as it was typed
        known = ours.get(entry_name)
        if known is None or known["archived_at"] is not None:
            ours[entry_name] = row
        if row["archived_at"] is None and entry_name not in entry_names:
            of_now[composed(row["name"])] = row
    return [_own_row(entry, ours, of_now) for entry in file.entries]


def _own_row(
    entry: Entry, ours: Mapping[str, Mapping[Any, Any]], of_now: Mapping[str, Mapping[Any, Any]]
) -> Mapping[Any, Any] | None:
    own = ours.get(entry.spec.name)
    if own is not None and own["archived_at"] is None:
        return own
    renamed = ours.get(entry.was) if entry.was is not None else None
    return renamed or of_now.get(entry.spec.name) or own


class _Pass:
    """One application of one file."""

    def __init__(
        self,
        connection: Connection,
        file: TasksFile,
        rows: Sequence[Mapping[Any, Any]],
        ground: Ground,
        now: datetime,
        watched_since: datetime | None,
    ) -> None:
        self._connection, self._file = connection, file
        self._ground, self._now, self._watched_since = ground, now, watched_since
        self._rows = rows
        self._own = dict(zip((e.spec.name for e in file.entries), pair_up(file, rows), strict=True))
        self._live = {composed(row["name"]): row for row in rows if row["archived_at"] is None}
        self.changes = Changes()
        self.added: list[str] = []
        self.changed: list[str] = []
        self.archived: list[str] = []
        self.refused: list[str] = []
        self.overridden: list[str] = []

    def entry(self, entry: Entry) -> None:
        spec, own, holder = entry.spec, self._own[entry.spec.name], self._live.get(entry.spec.name)
        if own is not None and own["entry_hash"] == spec.meaning() and not _must_come_back(own):
            return
        if holder is not None and (own is None or holder["id"] != own["id"]):
            if _says_the_same(holder, spec):
                self._adopt(holder, spec)
            else:
                self._refuse(entry)
        elif own is None:
            self._add(spec)
        else:
            self._change(own, spec)

    def _refuse(self, entry: Entry) -> None:
        self.refused.append(
            f"{self._file.path}:{entry.line}: the name {clean(entry.spec.name)!r} is used by a task"
            " that was not made by this file. Rename one of them."
        )

    def _adopt(self, holder: Mapping[Any, Any], spec: TaskSpec) -> None:
        """A task made by hand that was written into the file, as by `cronpilot export`."""
        tasks.set_columns(
            self._connection, holder["id"], entry_file=str(self._file.path), entry_name=spec.name,
            entry_hash=spec.meaning(),
        )  # fmt: skip

    def _add(self, spec: TaskSpec) -> None:
        task_id = tasks.add(
            self._connection, spec, first_plan(spec, self._ground, self._now),
            origin=Origin.FILE, entry_file=str(self._file.path), actor=ACTOR, at=self._now,
        )  # fmt: skip
        self.changes.task_ids.add(task_id)
        self.added.append(spec.name)

    def _change(self, own: Mapping[Any, Any], spec: TaskSpec) -> None:
        meaning = spec.meaning()
        row = tasks.definition(self._connection, own["id"])
        self.changes.task_ids.add(row["id"])
        if row["archived_at"] is None and row["spec_hash"] == meaning:
            # The file has followed an edit that was made on the screen.
            tasks.set_columns(
                self._connection, row["id"], entry_hash=meaning, entry_name=spec.name
            )  # fmt: skip
            return
        changes = change_definition(
            self._connection, row, spec, ground=self._ground, actor=ACTOR,
            now=self._now, watched_since=self._watched_since, entry_hash=meaning,
            entry_name=spec.name, archived_at=None, tombstone=False,
        )  # fmt: skip
        self.changes.add(changes)
        if row["archived_at"] is not None:
            self.added.append(spec.name)
        else:
            self.changed.append(spec.name)
            if row["spec_hash"] != row["entry_hash"]:
                self.overridden.append(spec.name)
        former = composed(own["name"])
        if self._live.get(former) is own:
            del self._live[former]
        self._live[spec.name] = own

    def archive_the_rest(self) -> None:
        kept = {row["id"] for row in self._own.values() if row is not None}
        for row in self._rows:
            ours = row["entry_file"] == str(self._file.path) and row["id"] not in kept
            if ours and row["archived_at"] is None:
                changes = archive(
                    self._connection, tasks.definition(self._connection, row["id"]), actor=ACTOR,
                    now=self._now, by_hand=False, watched_since=self._watched_since,
                )  # fmt: skip
                self.changes.add(changes)
                self.archived.append(row["name"])


def _must_come_back(row: Mapping[Any, Any]) -> bool:
    """Archived because its entry was gone; one deleted by hand stays so until it changes."""
    return row["archived_at"] is not None and not row["tombstone"]


def _says_the_same(holder: Mapping[Any, Any], spec: TaskSpec) -> bool:
    return holder["entry_file"] is None and holder["spec_hash"] == spec.meaning()


def _refuse_blank(file: TasksFile, rows: Iterable[Mapping[Any, Any]]) -> None:
    if file.blank and any(
        row["entry_file"] == str(file.path) and row["archived_at"] is None for row in rows
    ):
        raise InvalidFile(
            [Complaint(clean(str(file.path)), 0, "", "is empty, which archives nothing.",
                       "If no tasks are meant, write tasks: []")]
        )  # fmt: skip


def _of_others(rows: Iterable[Mapping[Any, Any]], file: TasksFile) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        other = row["entry_file"]
        if row["archived_at"] is None and other not in (None, str(file.path)):
            found[other] = found.get(other, 0) + 1
    return found


def plan_for_settings(
    connection: Connection, ground: Ground, now: datetime
) -> list[tuple[str, str]]:
    """Plan tasks anew that follow scheduler.timezone or a quiet time, after that has changed.

    Returns:
        (task, zone) of those that cannot be planned, because the machine does not know the zone.
    """
    lost: list[tuple[str, str]] = []
    if all(_stays(keys, ground, now) for keys in tasks.ways_of_planning(connection)):
        return lost
    for keys in tasks.planned_by(connection):
        if _stays(keys, ground, now):
            continue
        zone = keys["timezone"] or ground.timezone
        was_aside = lost_zones.is_aside(keys, now)
        row = tasks.definition(connection, keys["id"])
        planned = lost_zones.set_aside(connection, row, zone, now, before=was_aside)
        if not is_known(zone):
            lost.append((row["name"], zone))
        elif planned is not row or not _is_planned_so(planned, zone, ground):
            change_definition(
                connection, planned, tasks.spec_of(row), ground=ground, actor="config.yaml", now=now
            )
    return lost


def _stays(keys: Mapping[Any, Any], ground: Ground, now: datetime) -> bool:
    zone = keys["timezone"] or ground.timezone
    return _is_planned_so(keys, zone, ground) and not lost_zones.is_aside(keys, now)


def _is_planned_so(row: Mapping[Any, Any], zone: str, ground: Ground) -> bool:
    if not (is_known(zone) and is_known(row["zone_key"])):
        return False
    return (row["zone_key"], row["quiet_key"]) == (zone, ground.quiet_key(row["quiet"]))
