"""Which rows of a fake a query means, and in which order: the rules of an engine's SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cronpilot.client.fake_rows import NOON
from cronpilot.client.messages import RunPage, RunQuery, RunView, TaskPage, TaskQuery, TaskView
from cronpilot.domain.run import ACTIVE, BAD, COUNTED
from cronpilot.errors import NotFound


def page_of_tasks(tasks: Iterable[TaskView], query: TaskQuery) -> TaskPage:
    """Raises NotFound: `after` is not among them."""
    rows = [task for task in tasks if _matches(task, query)]
    rows.sort(key=_sort_key(query), reverse=query.descending)
    rows.sort(key=lambda task: _has_no_key(task, query))
    total = len(rows)
    if query.after is not None:
        ids = [task.id for task in rows]
        if query.after not in ids:
            raise NotFound("task", str(query.after))
        rows = rows[ids.index(query.after) + 1 :]
    return TaskPage(rows=rows[query.offset : query.offset + query.limit], total=total)


def page_of_runs(runs: Iterable[RunView], query: RunQuery) -> RunPage:
    """Without their environments, as in every list."""
    rows = [
        run
        for run in runs
        if query.task_id in (None, run.task_id)
        and (not query.status or run.status in query.status)
        and (not query.bad or run.status in BAD)
        and all(word in run.task_name.casefold() for word in query.text.casefold().split())
        and (query.since is None or run.queued_at >= query.since)
        and (query.until is None or run.queued_at < query.until)
        and not (query.active and run.status.is_final)
        and (query.before is None or run.id < query.before)
        and (query.after is None or run.id > query.after)
    ]
    rows.sort(key=lambda run: run.id, reverse=not query.active)
    page = rows if query.active else rows[: query.limit]
    if query.after is not None:
        page = rows[-query.limit :]
    listed = [run.model_copy(update={"environment": None}) for run in page]
    return RunPage(rows=listed, total=len(rows))


def is_failing(task: TaskView) -> bool:
    """Whether its last verdict was bad."""
    counted = [status for status in task.last_verdicts if status in COUNTED]
    if counted:
        return counted[-1] in BAD
    return task.last_run is not None and task.last_run.status in BAD


def _matches(task: TaskView, query: TaskQuery) -> bool:
    if query.text and query.text.casefold() not in _text(task, query.in_commands):
        return False
    states = {
        "all": True,
        "active": task.active,
        "failing": is_failing(task),
        "running": task.running > 0,
        "paused": task.paused_at is not None,
    }
    return query.name in (None, task.name) and states[query.state]


def _text(task: TaskView, in_commands: bool) -> str:
    words = [task.command] if isinstance(task.command, str) else task.command
    command = " ".join(words) if in_commands else ""
    return "\n".join([task.name, *task.tags, command]).casefold()


def _has_no_key(task: TaskView, query: TaskQuery) -> bool:
    """Such tasks come last, whichever way the others are sorted."""
    keys = {"next_run_at": task.next_run_at, "duration": task.average_duration_s,
            "success_rate": task.success_rate}  # fmt: skip
    return query.sort in keys and keys[query.sort] is None


def _rank(task: TaskView) -> int:
    if task.paused_at is not None:
        return 3
    if not task.active:
        return 4
    if task.last_run is None:
        return 5
    return 0 if task.last_run.status in BAD else 1 if task.last_run.status in ACTIVE else 2


def _sort_key(query: TaskQuery) -> Callable[[TaskView], Any]:
    def key(task: TaskView) -> Any:
        match query.sort:
            case "name":
                return (task.name.casefold(), task.id)
            case "next_run_at":
                return (task.next_run_at is None, task.next_run_at or NOON, task.id)
            case "last_run":
                return (task.last_run.id if task.last_run else 0, task.id)
            case "duration":
                return (task.average_duration_s is None, task.average_duration_s, task.id)
            case "success_rate":
                return (task.success_rate is None, task.success_rate, task.id)
            case "state":
                return (_rank(task), task.id)
            case _:
                return task.id

    return key
