"""Gathers what explains a verdict; the sentences are made in `domain.why`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronpilot.client.messages import Explanation, RunView
from cronpilot.domain.duration import parse_duration
from cronpilot.domain.plan import spread_offset
from cronpilot.domain.run import Reason, Status
from cronpilot.domain.schedule import Schedule, ScheduleType, fire_times, resolve
from cronpilot.domain.text import clean
from cronpilot.domain.why import Why, covers, slot_of, why_at, why_now
from cronpilot.domain.why_facts import Around, Change, Engine, Planned, Row, Task, Try
from cronpilot.domain.zones import find_zone, is_known
from cronpilot.engine.planner import offset_of_row, times_of_row
from cronpilot.errors import NotFound, UsageProblem
from cronpilot.storage import evidence, meta, revisions, runs, tasks
from cronpilot.storage.database import Connection

_LOCAL = frozenset(
    {ScheduleType.HOURLY, ScheduleType.DAILY, ScheduleType.WEEKLY, ScheduleType.CUSTOM}
)
_YEARS = range(1970, 2200)
_FAR_BACK = 1000  # revisions
_LIFE = ("engine start", "engine stop", "clock step")
_STOP_TAKES = timedelta(minutes=10)  # from the word to the end, by far


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and those who can answer parts of it."""

    now: datetime
    engine_runs: bool
    views: Callable[[Connection, list[Any]], list[RunView]]


def explain(connection: Connection, task_id: int, at: datetime | None, asked: Asked) -> Explanation:
    """Why a task did what it did at `at`, or does what it does now; archived tasks too.

    Raises:
        NotFound; UsageProblem: `at` lies outside the years that can be planned.
    """
    found = tasks.views(connection, [task_id])
    if not found:
        raise NotFound("task", str(task_id))
    if at is not None and at.astimezone(UTC).year not in _YEARS:
        raise UsageProblem("That year cannot be meant.", "Use 1970 to 2199.")
    inquiry = _Inquiry(connection, found[0], asked)
    why = inquiry.now() if at is None else inquiry.at(at)
    rows = runs.views(connection, list(why.runs))
    return Explanation(
        task_id=task_id, task_name=found[0]["name"], at=at, verdict=why.verdict, rule=why.rule,
        because=list(why.because), runs=asked.views(connection, rows), slot=why.slot,
        next_run_at=found[0]["next_run_at"],
    )  # fmt: skip


class _Inquiry:
    """One question about one task, on one snapshot."""

    def __init__(self, connection: Connection, task: Mapping[Any, Any], asked: Asked) -> None:
        self._connection, self._task, self._asked = connection, task, asked
        paused = meta.get(connection, meta.PAUSED_AT)
        self._engine = Engine(
            asked.engine_runs, datetime.fromisoformat(paused) if paused else None
        )  # fmt: skip

    def now(self) -> Why:
        row = self._task
        open_ids = [
            run.id for run in tasks.open_runs(self._connection, [row["id"]]).get(row["id"], [])
        ]
        last = self._row(row["last_run_id"]) if row["last_run_id"] else None
        open_rows = tuple(found for found in map(self._row, open_ids) if found)
        around = Around() if last is None else self._around_row(last)
        return why_now(self._facts(), self._engine, self._asked.now, open_rows, around)

    def at(self, at: datetime) -> Why:
        history = revisions.newest(self._connection, self._task["id"], limit=_FAR_BACK)
        then = self._plan_at(at, history)
        near = evidence.newest_slot(self._connection, self._task["id"], at)
        row = self._row(near["id"]) if near else None
        plan = then or self._plan_now()
        slot = slot_of(plan, at, row)
        return why_at(
            self._facts(), then, self._engine, self._around(row, slot, at, history), at,
            self._asked.now,
        )  # fmt: skip

    # --- the task ---

    def _facts(self) -> Task:
        row = self._task
        return Task(
            name=row["name"], plan=self._plan_now(), next_run_at=row["next_run_at"],
            overlap=row["overlap"], missed=row["missed"], deadline=row["deadline"],
            timeout=row["timeout"], max_retries=row["max_retries"],
            success_codes=tuple(row["success_codes"]), on_lost=row["on_lost"], pool=row["pool"],
            archived_at=row["archived_at"], paused_at=row["paused_at"],
            paused_until=row["paused_until"], paused_by=self._paused_by(),
        )  # fmt: skip

    def _paused_by(self) -> str:
        since = self._task["paused_at"]
        if since is None:
            return ""
        said = evidence.notes_between(self._connection, since, self._asked.now, ["pause"])
        mine = [note["actor"] for note in said if note["task_id"] == self._task["id"]]
        return mine[0] if mine else ""

    def _plan_now(self) -> Planned:
        row = self._task
        zone = find_zone(row["zone_key"])
        own = row["timezone"] or row["zone_key"]
        return Planned(
            times_of_row(row), _calendar(row["schedule"].type, row["resolved"]),
            row["schedule"].type, row["schedule"].shorthand, zone, offset_of_row(row),
            row["active"], lost_zone="" if is_known(own) else own,
        )  # fmt: skip

    def _plan_at(self, at: datetime, history: Sequence[Mapping[Any, Any]]) -> Planned | None:
        """The plan that was in force then; `history` is newest first. None: no task then."""
        place = next((n for n, revision in enumerate(history) if revision["at"] <= at), None)
        if place is None:
            complete = len(history) < _FAR_BACK
            return None if complete and at < self._task["created_at"] else self._plan_now()
        definition = history[place]["after"]
        if definition is None:
            return None
        if all(_plans_alike(definition, one["after"]) for one in history[:place]):
            return self._plan_now()
        began = place
        while began + 1 < len(history) and _plans_alike(definition, history[began + 1]["after"]):
            began += 1
        return self._plan_of(definition, history[began]["at"])

    def _plan_of(self, definition: Mapping[str, Any], set_at: datetime) -> Planned:
        """A plan of long ago, resolved again as it was when it was set."""
        zone = find_zone(definition["timezone"] or self._default_zone())
        schedule = Schedule.model_validate(definition["schedule"])
        name = definition["name"]
        resolved = resolve(schedule, zone=zone, set_at=set_at, seed=name)
        return Planned(
            fire_times(schedule.type, resolved, zone), _calendar(schedule.type, resolved),
            schedule.type, schedule.shorthand, zone,
            spread_offset(name, parse_duration(definition["spread"])), definition["active"],
        )  # fmt: skip

    def _default_zone(self) -> str:
        return "UTC" if self._task["timezone"] else str(self._task["zone_key"])

    # --- the runs ---

    def _row(self, run_id: int) -> Row | None:
        rows = runs.views(self._connection, [run_id])
        if not rows:
            return None
        view = self._asked.views(self._connection, rows)[0]
        queued = view.status is Status.QUEUED
        return Row(
            id=view.id, status=view.status, trigger=view.trigger, queued_at=view.queued_at,
            slot=view.scheduled_for, until=view.folded_until, count=view.folded_count,
            reason=view.reason, exit_code=view.exit_code, signal=view.signal,
            attempts=view.attempts, max_attempts=view.max_attempts, started_at=view.started_at,
            finished_at=view.finished_at, retry_at=view.retry_at,
            detail="" if queued else clean(view.detail), waits=view.detail if queued else "",
            ahead=evidence.ahead(self._connection, run_id) if queued else 0, actor=view.actor,
        )  # fmt: skip

    def _around(
        self, row: Row | None, slot: datetime | None, at: datetime,
        history: Sequence[Mapping[Any, Any]],
    ) -> Around:  # fmt: skip
        connection, task_id = self._connection, self._task["id"]
        by_hand = evidence.by_hand_around(connection, task_id, at)
        changes = _plan_changes(history, since=slot or at)
        covered = row is not None and slot is not None and covers(row, slot)
        if row is None or not covered:
            stepped = self._step(slot, self._asked.now) if slot else ""
            return Around(
                row=row, by_hand=self._rows(by_hand), changes=changes, stepped=stepped,
                kept_since=evidence.oldest_slot(connection, task_id),
            )  # fmt: skip
        others = self._rows(run_id for run_id in by_hand if run_id != row.id)
        return replace(self._around_row(row), by_hand=others, changes=changes)

    def _around_row(self, row: Row) -> Around:
        gone, back, stepped = self._absence(row)
        return Around(
            row=row, other=self._other(row), tries=self._tries(row),
            stopped_by=self._stopped_by(row), gone_at=gone, back_at=back, stepped=stepped,
        )  # fmt: skip

    def _rows(self, ids: Any) -> tuple[Row, ...]:
        return tuple(found for found in map(self._row, ids) if found)

    def _other(self, row: Row) -> Row | None:
        """The run that was in its way, or took its place."""
        connection, task_id = self._connection, self._task["id"]
        if row.reason in (Reason.ALREADY_RUNNING, Reason.QUEUE_FULL):
            other = evidence.going_at(connection, task_id, row.id, row.queued_at)
        elif row.reason is Reason.REPLACED:
            other = evidence.run_after(connection, task_id, row.id)
        else:
            return None
        return None if other is None else self._row(other)

    def _tries(self, row: Row) -> tuple[Try, ...]:
        return tuple(
            Try(
                one["number"], one["started_at"], one["finished_at"], one["outcome"],
                one["exit_code"], one["signal"],
            )
            for one in evidence.attempts(self._connection, row.id)
        )  # fmt: skip

    def _stopped_by(self, row: Row) -> str:
        if row.status is not Status.STOPPED or row.finished_at is None:
            return ""
        since = max(row.queued_at, row.finished_at - _STOP_TAKES)
        said = evidence.notes_between(self._connection, since, row.finished_at, ["stop"])
        mine = [note["actor"] for note in said if note["run_id"] == row.id]
        return mine[0] if mine else ""

    def _absence(self, row: Row) -> tuple[datetime | None, datetime | None, str]:
        """When nobody was there, for a slot that was missed: gone, back, or a step of the clock."""
        if row.reason is not Reason.DOWN:
            return None, None, ""
        notes = evidence.notes_before(self._connection, row.queued_at, _LIFE, most=3)
        if not notes:
            return None, None, ""
        newest, *before = notes
        if newest["action"] == "clock step":
            return None, None, newest["detail"]
        stopped = before[0]["at"] if before and before[0]["action"] == "engine stop" else None
        return stopped, newest["at"], ""

    def _step(self, since: datetime, until: datetime) -> str:
        """The first step of the clock that was noticed after a slot."""
        if since > until:
            return ""
        steps = evidence.notes_between(
            self._connection, since, min(until, since + timedelta(days=1)), ["clock step"]
        )
        return str(steps[0]["detail"]) if steps else ""


def _calendar(type_: ScheduleType, resolved: str) -> Any:
    return fire_times(type_, resolved, ZoneInfo("UTC")) if type_ in _LOCAL else None


_PLANNED_BY = ("schedule", "timezone", "spread", "active", "name")


def _plans_alike(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(one[field] == other[field] for field in _PLANNED_BY)


def _plan_changes(
    history: Sequence[Mapping[Any, Any]], *, since: datetime
) -> tuple[Change, ...]:  # fmt: skip
    """Revisions from `since` on that changed when the task starts, oldest first."""
    return tuple(
        Change(one["at"], one["actor"], _words(one["before"]), _words(one["after"]))
        for one in reversed(history)
        if one["at"] >= since and not _plans_alike(one["before"], one["after"])
    )


def _words(definition: Mapping[str, Any] | None) -> str | None:
    if definition is None:
        return None
    words = Schedule.model_validate(definition["schedule"]).shorthand
    zone = f" {definition['timezone']}" if definition["timezone"] else ""
    return f"'{words}{zone}'" + ("" if definition["active"] else " (inactive)")
