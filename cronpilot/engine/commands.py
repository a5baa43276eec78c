"""What people ask for, each as one transaction: start, stop (pause, resume: see `pausing`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cronpilot.config.validation import validated
from cronpilot.domain.plan import Final, refuse_overlap
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.task import Overlap, TaskSpec, spec_dict
from cronpilot.domain.text import clean
from cronpilot.engine.definitions import plan_from_now
from cronpilot.engine.planner import Changes, refusal
from cronpilot.engine.reports import finish
from cronpilot.errors import Conflict, NotFound, Refused
from cronpilot.runner.messages import AttemptKey
from cronpilot.storage import meta, runs, tasks
from cronpilot.storage.database import Connection


def live_task(
    connection: Connection, task_id: int, if_version: int | None = None
) -> Mapping[Any, Any]:
    """The row of a task that is not archived. Raises NotFound; Conflict: it is at another version
    than whoever asks has seen."""
    for row in tasks.facts(connection, [task_id]):
        if row["archived_at"] is None:
            refuse_version(row, if_version)
            return row
    raise NotFound("task", str(task_id))


def refuse_version(row: Mapping[Any, Any], if_version: int | None) -> None:
    """Raises Conflict unless the task is at that version; None is any."""
    if if_version is None or row["version"] == if_version:
        return
    conflict = Conflict(
        f"{clean(row['name'])!r} was changed meanwhile: it is at version {row['version']},"
        f" not {if_version}.",
        "Read it again first.",
    )
    conflict.version = row["version"]
    raise conflict


def start_by_hand(
    connection: Connection,
    task_id: int,
    *,
    request_id: str,
    actor: str,
    now: datetime,
    if_version: int | None = None,
) -> tuple[int, Changes]:
    """Record a start whatever the schedule says; overlap and limits hold as for every start."""
    known = runs.by_request(connection, request_id)
    if known is not None:
        return known, Changes()
    task = live_task(connection, task_id, if_version)
    start = Start(task, Trigger.MANUAL, request_id, actor, now)
    run_id, changes, refused = _start(connection, start)
    if refused is not None:
        runs.count_results(connection, [runs.Result(task_id, Status.SKIPPED)])
    return run_id, changes


def start_test(
    connection: Connection,
    task_id: int,
    *,
    fields: Mapping[str, Any],
    as_scheduled: bool,
    request_id: str,
    actor: str,
    now: datetime,
    if_version: int | None = None,
) -> tuple[int, Changes]:
    """Record a start that counts for nothing; only `as_scheduled` heeds other runs of its task.

    Args:
        fields: of the definition, in place of the task's own; None is the default.
    Raises:
        NotFound, ConfigError: there is no such task; the fields make no definition.
    """
    known = runs.by_request(connection, request_id)
    if known is not None:
        return known, Changes()
    live_task(connection, task_id, if_version)
    row = tasks.views(connection, [task_id])[0]
    spec = _changed_spec(row, fields) if fields else None
    task = {**row, **({} if spec is None else {name: getattr(spec, name) for name in _QUEUED_BY})}
    also = {"spec": None if spec is None else spec_dict(spec), "beside": not as_scheduled}
    if not as_scheduled:
        task["pool"] = None
    start = Start(task, Trigger.TEST, request_id, actor, now, also)
    run_id, changes, _ = _start(connection, start)
    return run_id, changes


_QUEUED_BY = ("overlap", "pool", "priority")


def _changed_spec(row: Mapping[Any, Any], fields: Mapping[str, Any]) -> TaskSpec:
    whole = {**spec_dict(tasks.spec_of(row)), **fields}
    return validated({name: value for name, value in whole.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Start:
    """A start that somebody asked for; `also` are further columns of its run."""

    task: Mapping[Any, Any]
    trigger: Trigger
    request_id: str
    actor: str
    now: datetime
    also: Mapping[str, Any] = field(default_factory=dict)


def _start(connection: Connection, start: Start) -> tuple[int, Changes, Reason | None]:
    """Record it, with why it is not started if overlap forbids it."""
    task, task_id = start.task, start.task["id"]
    heeds = not start.also.get("beside")
    still_open = tasks.open_runs(connection, [task_id]).get(task_id, []) if heeds else []
    waiting = sum(run.status is Status.QUEUED for run in still_open)
    refused = refuse_overlap(task["overlap"], len(still_open) - waiting, waiting)
    run_id = runs.add_manual(
        connection, task, request_id=start.request_id, actor=start.actor, at=start.now,
        refused=refused, trigger=start.trigger, **start.also,
    )  # fmt: skip
    changes = Changes({task_id}, [run_id])
    if task["overlap"] is Overlap.REPLACE:
        changes.to_stop = [run.id for run in still_open]
    if refused is not None:
        changes.warnings = refusal(task["name"], refused)
    meta.note(
        connection, at=start.now, actor=start.actor, task_id=task_id, run_id=run_id,
        action="test" if start.trigger is Trigger.TEST else "run", detail=refused or "",
    )  # fmt: skip
    return run_id, changes, refused


def end_run(
    connection: Connection, run_id: int, *, reason: Reason, actor: str, now: datetime
) -> AttemptKey | None:
    """End a run that has no living command; the key of the attempt to stop when it has one.

    Raises:
        NotFound, Refused: there is no such run, or it is over.
    """
    run = runs.state(connection, run_id)
    if run is None:
        raise NotFound("run", str(run_id))
    if run["status"].is_final:
        raise Refused(f"Run {run_id} is over already: {run['status']}.")
    meta.note(
        connection, at=now, actor=actor, action="stop", task_id=run["task_id"], run_id=run_id,
        detail=reason,
    )  # fmt: skip
    if run["status"] in (Status.QUEUED, Status.RETRYING):
        finish(
            connection, run, Final(Status.STOPPED, reason), finished_at=now,
            started_at=run["started_at"],
        )  # fmt: skip
        return None
    return AttemptKey(run_id, run["launches"])


def replace_runs(
    connection: Connection, run_ids: Sequence[int], now: datetime
) -> tuple[list[AttemptKey], Changes]:
    """End runs for a newer one of their task; the attempts that have to be stopped."""
    keys: list[AttemptKey] = []
    changes = Changes(run_ids=list(run_ids))
    for run_id in run_ids:
        run = runs.state(connection, run_id)
        if run is None or run["status"].is_final:
            continue
        changes.task_ids.add(run["task_id"])
        key = end_run(connection, run_id, reason=Reason.REPLACED, actor="engine", now=now)
        if key is not None:
            keys.append(key)
    return keys, changes


def plan_all_from_now(connection: Connection, now: datetime) -> Changes:
    """Plan every task anew, as after the clock was set back; recorded slots do not repeat."""
    changes = Changes()
    for row in tasks.all_definitions(connection):
        if row["archived_at"] is None and row["next_run_at"] is not None:
            plan_from_now(connection, row, now)
            changes.task_ids.add(row["id"])
    return changes
