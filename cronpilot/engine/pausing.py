"""Pausing tasks and the scheduler, and what becomes of the slots that passed meanwhile."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from cronpilot.domain.text import clean
from cronpilot.engine.commands import live_task
from cronpilot.engine.planner import Changes, fold_while_paused
from cronpilot.errors import UsageProblem
from cronpilot.storage import meta, pauses, tasks
from cronpilot.storage.database import Connection

log = logging.getLogger("cronpilot.pausing")

_JUST_BEFORE = timedelta(microseconds=-1)


def pause(
    connection: Connection,
    task_id: int,
    *,
    actor: str,
    now: datetime,
    until: datetime | None = None,
    run_after: bool = False,
    if_version: int | None = None,
) -> Changes:
    """Plan nothing more of a task; its next run stays where it is until it is resumed.

    Of a task that is paused already, only the end is set anew.

    Args:
        run_after: if a slot passes meanwhile, one run follows when it is resumed.

    Raises:
        NotFound; UsageProblem: `until` has passed; Conflict: it is at another version.
    """
    task = live_task(connection, task_id, if_version)
    _refuse_past(until, now)
    tasks.set_columns(
        connection, task_id, paused_at=task["paused_at"] or now, paused_until=until,
        run_after_pause=run_after,
    )  # fmt: skip
    detail = _until(until) + (", then one run" if run_after else "")
    meta.note(connection, at=now, actor=actor, action="pause", task_id=task_id, detail=detail)
    return Changes({task_id})


def resume(
    connection: Connection,
    task_id: int,
    *,
    actor: str,
    now: datetime,
    if_version: int | None = None,
) -> Changes:
    """Go on; what passed meanwhile becomes one row `skipped: paused`, and is not made up for unless
    the pause was made so."""
    task = live_task(connection, task_id, if_version)
    if task["paused_at"] is None:
        return Changes({task_id})
    return _resume(connection, task_id, actor=actor, now=now, paused_until=now)


def _resume(
    connection: Connection, task_id: int, *, actor: str, now: datetime, paused_until: datetime
) -> Changes:
    changes = fold_while_paused(connection, [task_id], now, paused_until)
    tasks.set_columns(connection, task_id, paused_at=None, paused_until=None,
                      run_after_pause=False)  # fmt: skip
    meta.note(connection, at=now, actor=actor, action="resume", task_id=task_id)
    changes.task_ids.add(task_id)
    return changes


def end_pauses(connection: Connection, now: datetime) -> Changes:
    """Resume the tasks whose `paused_until` has come, as if by hand.

    What was due before that moment is folded as in every resume; what was due from it on is not:
    it starts now, or is late because nobody was there.
    """
    changes = Changes()
    for task in pauses.ended(connection, now):
        last = task["paused_until"] + _JUST_BEFORE
        changes.add(
            _resume(connection, task["id"], actor="engine", now=now, paused_until=last)
        )  # fmt: skip
        log.info("Task %s is no longer paused", clean(task["name"]))
    return changes


def pause_all(
    connection: Connection, *, actor: str, now: datetime, until: datetime | None = None
) -> None:
    """Pause the whole scheduler. Of one that is paused already, only the end is set anew.

    Raises:
        UsageProblem: `until` has passed.
    """
    _refuse_past(until, now)
    end = None if until is None else until.isoformat()
    if meta.get(connection, meta.PAUSED_AT) is None:
        meta.put(connection, meta.PAUSED_AT, now.isoformat())
    elif meta.get(connection, meta.PAUSED_UNTIL) == end:
        return
    meta.put(connection, meta.PAUSED_UNTIL, end)
    detail = _until(until)
    meta.note(connection, at=now, actor=actor, action="pause scheduler", detail=detail)


def resume_all(
    connection: Connection, *, actor: str, now: datetime, paused_until: datetime | None = None
) -> Changes:
    """Resume the scheduler; what passed meanwhile is folded as for a paused task.

    Args:
        paused_until: the last instant of the pause, if that was before `now`.
    """
    if meta.get(connection, meta.PAUSED_AT) is None:
        return Changes()
    due = tasks.due(connection, now, most=-1)
    changes = fold_while_paused(connection, [row["id"] for row in due], now, paused_until)
    meta.put(connection, meta.PAUSED_AT, None)
    meta.put(connection, meta.PAUSED_UNTIL, None)
    meta.note(connection, at=now, actor=actor, action="resume scheduler")
    return changes


def end_pause_of_all(connection: Connection, now: datetime) -> Changes | None:
    """Resume the scheduler if its pause was to end by now, as if by hand; None where it was not."""
    until = meta.get_time(connection, meta.PAUSED_UNTIL)
    if until is None or until > now:
        return None
    log.info("The scheduler is no longer paused")
    return resume_all(connection, actor="engine", now=now, paused_until=until + _JUST_BEFORE)


def _refuse_past(until: datetime | None, now: datetime) -> None:
    if until is not None and until <= now:
        raise UsageProblem(
            f"{until:%Y-%m-%d %H:%M:%S %Z} has passed.", "Name a time to come, or 2h."
        )


def _until(until: datetime | None) -> str:
    return f"until {until:%Y-%m-%d %H:%M:%S %Z}" if until else ""
