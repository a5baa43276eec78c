"""Tasks: what is due, what a decision needs to know, and every change of a definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    RowMapping,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from cronpilot.client.messages import TaskQuery
from cronpilot.domain.run import ACTIVE, BAD, Status
from cronpilot.domain.task import TaskSpec
from cronpilot.domain.text import composed, forms
from cronpilot.errors import NotFound
from cronpilot.storage import revisions
from cronpilot.storage.database import BY_OPEN, DIALECT, among, as_list
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import OPEN, PLANNED, WIDE, Origin, Run, Task

TASK = Task.__table__  # type: ignore[attr-defined]
RUN = Run.__table__  # type: ignore[attr-defined]

SPEC_FIELDS = tuple(TaskSpec.model_fields)
_LIVE = TASK.c.archived_at.is_(None)

_DUE = Prepared(
    select(
        TASK.c.id, TASK.c.name, TASK.c.next_run_at, TASK.c.schedule, TASK.c.resolved,
        TASK.c.zone_key, TASK.c.quiet_key, TASK.c.spread,
    )
    .where(text(PLANNED), TASK.c.next_run_at <= bindparam("now"))
    .order_by(TASK.c.next_run_at)
    .limit(bindparam("most"))
)  # fmt: skip
_EARLIEST = Prepared(
    select(TASK.c.next_run_at).where(text(PLANNED)).order_by(TASK.c.next_run_at).limit(1)
)
_FACTS = Prepared(
    select(
        TASK.c.id, TASK.c.name, TASK.c.schedule, TASK.c.resolved, TASK.c.zone_key,
        TASK.c.quiet_key, TASK.c.next_run_at, TASK.c.spread, TASK.c.overlap, TASK.c.missed,
        TASK.c.missed_limit, TASK.c.deadline, TASK.c.run_after_pause, TASK.c.paused_at,
        TASK.c.active, TASK.c.archived_at, TASK.c.priority, TASK.c.pool, TASK.c.version,
    ).where(among(TASK.c.id, "ids"))
)  # fmt: skip
_OPEN = Prepared(
    select(RUN.c.task_id, RUN.c.id, RUN.c.status)
    .with_hint(RUN, BY_OPEN, DIALECT)
    .where(text(OPEN), RUN.c.beside.is_(False), among(RUN.c.task_id, "ids"))
    .order_by(RUN.c.id)
)
_SET_NEXT = Prepared(update(TASK).where(TASK.c.id == bindparam("task")), ("next_run_at",))


def due(connection: Connection, now: datetime, most: int = 200) -> list[dict[str, Any]]:
    """What is due at `now`, soonest first: id, name, next_run_at and what its trigger needs.

    Served by the index `task_due`.
    """
    return _DUE.rows(connection, now=now, most=most)


def earliest(connection: Connection) -> datetime | None:
    """When the next task is due. Served by the index `task_due`."""
    at: datetime | None = _EARLIEST.scalar(connection)
    return at


class OpenRun(NamedTuple):
    """A run of a task that is not over."""

    id: int
    status: Status


def facts(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What `plan` needs to know of these tasks; the order is not defined."""
    return _FACTS.rows(connection, ids=as_list(ids))


def open_runs(connection: Connection, ids: Sequence[int]) -> dict[int, list[OpenRun]]:
    """The runs of these tasks that are not over, oldest first; without tests that run beside them.

    Served by the index `run_open`.
    """
    found: dict[int, list[OpenRun]] = {}
    for task_id, run_id, status in _OPEN.tuples(connection, ids=as_list(ids)):
        found.setdefault(task_id, []).append(OpenRun(run_id, status))
    return found


def set_next(connection: Connection, moves: Sequence[tuple[int, datetime | None]]) -> None:
    """Move `next_run_at` of these tasks."""
    _SET_NEXT.run_all(connection, ({"task": task, "next_run_at": at} for task, at in moves))


# --- reading for people --------------------------------------------------------------------------

_LAST = RUN.alias("last_run")
_COUNTS = (
    select(
        RUN.c.task_id,
        func.sum(case((RUN.c.status.in_(["starting", "running"]), 1), else_=0)).label("going"),
        func.sum(case((RUN.c.status == "queued", 1), else_=0)).label("waiting"),
        func.sum(case((RUN.c.status == "retrying", 1), else_=0)).label("again"),
    )
    .with_hint(RUN, BY_OPEN, DIALECT)
    .where(text(OPEN))
    .group_by(RUN.c.task_id)
    .subquery("open_counts")
)
_VIEW = (
    select(
        TASK,
        *(column.label(f"last_{column.name}") for column in _LAST.c if column.name not in WIDE),
        func.coalesce(_COUNTS.c.going, 0).label("going"),
        func.coalesce(_COUNTS.c.waiting, 0).label("waiting"),
        func.coalesce(_COUNTS.c.again, 0).label("again"),
    )
    .outerjoin(_LAST, _LAST.c.id == TASK.c.last_run_id)
    .outerjoin(_COUNTS, _COUNTS.c.task_id == TASK.c.id)
)
_NEWEST = RUN.alias("newest_run")
_STATUS = select(_NEWEST.c.status).where(_NEWEST.c.id == TASK.c.last_run_id).scalar_subquery()
_RANK = case(
    (TASK.c.paused_at.is_not(None), 3),
    (TASK.c.active.is_(False), 4),
    (TASK.c.last_run_id.is_(None), 5),
    (_STATUS.in_([str(status) for status in BAD]), 0),
    (_STATUS.in_([str(status) for status in ACTIVE]), 1),
    else_=2,
)  # the order of TaskSort "state"
_SORTS: dict[str, Any] = {
    "id": TASK.c.id,
    "name": func.lower(TASK.c.name),
    "next_run_at": TASK.c.next_run_at,
    "last_run": TASK.c.last_run_id,
    "duration": TASK.c.duration_ms * 1.0 / func.nullif(TASK.c.successes, 0),
    "success_rate": TASK.c.successes * 1.0 / func.nullif(TASK.c.runs, 0),
    "state": _RANK,
}


def page(connection: Connection, query: TaskQuery) -> tuple[list[RowMapping], int]:
    """The rows that a query asks for, for `engine.views.task_view`, and how many match."""
    conditions = [_LIVE, *_conditions(query)]
    total = connection.execute(
        select(func.count()).select_from(_matching(query)).where(*conditions)
    ).scalar_one()
    key = _SORTS[query.sort]
    order = (key.desc() if query.descending else key.asc()).nulls_last()
    if query.after is not None:
        conditions.append(_follows(connection, key, query))
    rows = connection.execute(
        _VIEW.where(*conditions).order_by(order, TASK.c.id).offset(query.offset).limit(query.limit)
    ).mappings()
    return list(rows), total


def _follows(connection: Connection, key: Any, query: TaskQuery) -> Any:
    """What stands behind the task of id `query.after` in the order of `key`, then of the ids.

    That task itself may be archived meanwhile: its place is known all the same.
    """
    seen = connection.execute(select(key).where(TASK.c.id == query.after)).one_or_none()
    if seen is None:
        raise NotFound("task", str(query.after))
    behind = TASK.c.id > query.after
    if seen[0] is None:
        return and_(key.is_(None), behind)
    further = key < seen[0] if query.descending else key > seen[0]
    return or_(further, key.is_(None), and_(key == seen[0], behind))


def _matching(query: TaskQuery) -> Any:
    joined = TASK
    if query.state == "failing":
        joined = joined.outerjoin(_LAST, _LAST.c.id == TASK.c.last_run_id)
    if query.state == "running":
        joined = joined.outerjoin(_COUNTS, _COUNTS.c.task_id == TASK.c.id)
    return joined


def _conditions(query: TaskQuery) -> Iterable[Any]:
    if query.name is not None:
        yield _named(query.name)
    for word in composed(query.text).lower().split():
        columns = [TASK.c.name, TASK.c.tags, *([TASK.c.command] if query.in_commands else [])]
        yield or_(
            *(func.lower(cast(column, String)).contains(word, autoescape=True)
              for column in columns)
        )  # fmt: skip
    match query.state:
        case "active":
            yield TASK.c.active
        case "failing":
            yield _LAST.c.status.in_([str(status) for status in BAD])
        case "running":
            yield _COUNTS.c.going > 0
        case "paused":
            yield TASK.c.paused_at.is_not(None)


def _named(name: str) -> Any:
    """In whichever form of Unicode it is typed, or was kept by an earlier version."""
    return TASK.c.name.in_(forms(name))


def views(connection: Connection, ids: Sequence[int]) -> list[RowMapping]:
    """The rows of these tasks (archived ones too), in the order of their ids."""
    return list(connection.execute(_VIEW.where(TASK.c.id.in_(ids)).order_by(TASK.c.id)).mappings())


def names(connection: Connection) -> list[str]:
    """Every name in use, for a hint about the nearest one."""
    return list(connection.execute(select(TASK.c.name).where(_LIVE)).scalars())


def id_of(connection: Connection, name: str, *, archived: bool = False) -> int | None:
    """The task of that name; `archived`: of those taken away, the last one."""
    live = TASK.c.archived_at.is_not(None) if archived else _LIVE
    return connection.execute(
        select(TASK.c.id).where(_named(name), live).order_by(TASK.c.id.desc()).limit(1)
    ).scalar_one_or_none()


def planned(connection: Connection, most: int) -> list[RowMapping]:
    """The tasks with the soonest next runs."""
    return list(
        connection.execute(
            select(TASK).where(text(PLANNED)).order_by(TASK.c.next_run_at).limit(most)
        ).mappings()
    )


class Totals(NamedTuple):
    """Figures over all tasks that are not archived."""

    tasks: int
    active: int
    scheduled: int
    failing: int
    next_run_at: datetime | None
    next_task: str | None


def totals(connection: Connection) -> Totals:
    """The figures of the status bar."""
    row = connection.execute(
        select(
            func.count().label("tasks"),
            func.coalesce(func.sum(case((TASK.c.active, 1), else_=0)), 0).label("active"),
            func.count(TASK.c.next_run_at).label("scheduled"),
            func.coalesce(
                func.sum(case((_LAST.c.status.in_([str(status) for status in BAD]), 1), else_=0)), 0
            ).label("failing"),
        )
        .select_from(TASK.outerjoin(_LAST, _LAST.c.id == TASK.c.last_run_id))
        .where(_LIVE)
    ).one()
    soonest = connection.execute(
        select(TASK.c.next_run_at, TASK.c.name)
        .where(text(PLANNED))
        .order_by(TASK.c.next_run_at)
        .limit(1)
    ).first()
    return Totals(
        row.tasks, row.active, row.scheduled, row.failing,
        soonest.next_run_at if soonest else None, soonest.name if soonest else None,
    )  # fmt: skip


# --- changing a definition -----------------------------------------------------------------------


class Plan(NamedTuple):
    """What is stored beside a definition: how its schedule was resolved, and when it fires next."""

    resolved: str
    zone: str
    next_run_at: datetime | None
    quiet: str = ""  # see domain.quiet.to_key


# The columns come from the parameters: `.values(...)` would make an expression of each, each time.
_ADD = insert(TASK).returning(TASK.c.id)
_CHANGE = update(TASK).where(TASK.c.id == bindparam("task"))


def _columns(spec: TaskSpec, plan: Plan) -> dict[str, Any]:
    """The columns that a definition and its plan fill."""
    return {
        **{field: getattr(spec, field) for field in SPEC_FIELDS},
        "resolved": plan.resolved,
        "zone_key": plan.zone,
        "quiet_key": plan.quiet,
        "next_run_at": plan.next_run_at,
    }


def with_quiet_times(connection: Connection) -> list[RowMapping]:
    """The live tasks for which a quiet time holds, in the order of their ids; at most 2,000."""
    found = select(TASK).where(_LIVE, TASK.c.quiet_key != "").order_by(TASK.c.id).limit(2000)
    return list(connection.execute(found).mappings())


def all_definitions(connection: Connection) -> list[RowMapping]:
    """Every task row, archived ones too, in the order of their ids."""
    return list(connection.execute(select(TASK).order_by(TASK.c.id)).mappings())


# Of each task the few columns that say whether there is anything to do with it: a whole row takes
# ten times as long to read, and at each start all are looked at.
_DECLARED = select(
    TASK.c.id, TASK.c.name, TASK.c.entry_file, TASK.c.entry_name, TASK.c.entry_hash,
    TASK.c.spec_hash, TASK.c.archived_at, TASK.c.tombstone,
).order_by(TASK.c.id)  # fmt: skip
_PLANNING = (
    TASK.c.timezone, TASK.c.zone_key, TASK.c.quiet, TASK.c.quiet_key,
    case((and_(TASK.c.next_run_at.is_(None), TASK.c.active), TASK.c.resolved), else_="")
    .label("unplanned"),
)  # fmt: skip
_PLANNED_BY = select(TASK.c.id, *_PLANNING).where(_LIVE).order_by(TASK.c.id)
_WAYS_OF_PLANNING = select(*_PLANNING).where(_LIVE).distinct()


def declared(connection: Connection) -> list[RowMapping]:
    """By which entry of which file each task was declared, archived ones too."""
    return list(connection.execute(_DECLARED).mappings())


def planned_by(connection: Connection) -> list[RowMapping]:
    """By which zone and quiet times each live task is planned, and by which it should be.

    `unplanned` is the resolved schedule of one that is active and has no next run; else empty.
    """
    return list(connection.execute(_PLANNED_BY).mappings())


def ways_of_planning(connection: Connection) -> list[RowMapping]:
    """What `planned_by` has without the tasks, each once: thousands of them share a few."""
    return list(connection.execute(_WAYS_OF_PLANNING).mappings())


def definition(connection: Connection, task_id: int) -> RowMapping:
    """The whole row of one task, archived or not."""
    return connection.execute(select(TASK).where(TASK.c.id == task_id)).mappings().one()


def add(
    connection: Connection,
    spec: TaskSpec,
    plan: Plan,
    *,
    origin: Origin,
    entry_file: str | None = None,
    actor: str,
    at: datetime,
) -> int:
    """Insert a task with its first revision; its id. `entry_file`: the tasks file it is from."""
    meaning = spec.meaning()
    entry_name, entry_hash = (None, None) if entry_file is None else (spec.name, meaning)
    values = {
        **_columns(spec, plan), "spec_hash": meaning, "version": 1, "origin": origin,
        "entry_file": entry_file, "entry_name": entry_name, "entry_hash": entry_hash,
        "created_at": at, "tombstone": False, "runs": 0, "successes": 0, "duration_ms": 0,
        "last_verdicts": [],
    }  # fmt: skip
    task_id = connection.execute(_ADD, values).scalar_one()
    revisions.add(
        connection, task_id, at=at, actor=actor, version=1, before=None, after=spec
    )  # fmt: skip
    return int(task_id)


def change(
    connection: Connection,
    row: Mapping[Any, Any],
    spec: TaskSpec,
    plan: Plan,
    *,
    actor: str,
    at: datetime,
    **also: Any,
) -> None:
    """Give the task of `row` a new definition, as a revision; `also` sets further columns.

    An archived task had none in force: its revision has no `before`.
    """
    version = row["version"] + 1
    values = {**_columns(spec, plan), "spec_hash": spec.meaning(), "version": version, **also}
    connection.execute(_CHANGE, {**values, "task": row["id"]})
    before = spec_of(row) if row["archived_at"] is None else None
    revisions.add(
        connection, row["id"], at=at, actor=actor, version=version, before=before, after=spec
    )  # fmt: skip


def archive(
    connection: Connection, row: Mapping[Any, Any], *, actor: str, at: datetime, by_hand: bool
) -> None:
    """Take the task of `row` away, as a revision; its history stays. `by_hand`: an unchanged entry
    of its tasks file does not bring it back."""
    version = row["version"] + 1
    set_columns(
        connection, row["id"], archived_at=at, next_run_at=None, version=version,
        tombstone=by_hand and row["entry_file"] is not None,
    )  # fmt: skip
    revisions.add(
        connection, row["id"], at=at, actor=actor, version=version, before=spec_of(row), after=None
    )  # fmt: skip


def hand_over(connection: Connection, file: str) -> None:
    """Let this tasks file declare what other files declared."""
    connection.execute(update(TASK).where(TASK.c.entry_file != file).values(entry_file=file))


def set_columns(connection: Connection, task_id: int, **values: Any) -> None:
    """Set columns that are no part of the definition (pause, archive, plan)."""
    connection.execute(update(TASK).where(TASK.c.id == task_id).values(**values))


def spec_of(row: Mapping[Any, Any]) -> TaskSpec:
    """The definition that a task row holds."""
    return TaskSpec.model_construct(**{field: row[field] for field in SPEC_FIELDS})
