"""What a run's row says: what became of it, by which rule, and the details worth a sentence."""

from __future__ import annotations

from datetime import datetime, timedelta

from cronpilot.domain.duration import format_duration
from cronpilot.domain.quiet import WithQuiet
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import FireTimes
from cronpilot.domain.why_facts import Around, Planned, Row, Task
from cronpilot.domain.why_words import Teller

SAME = timedelta(minutes=1)  # a slot is the one asked about within the minute that was named
_LOST_BY: dict[Reason | None, str] = {
    Reason.HOST_RESTART: "the machine restarted",
    Reason.RESTORED: "the database was restored",
}


def predicate(row: Row, task: Task, around: Around, tell: Teller) -> tuple[str, str]:
    """What became of a run, as the words after "it", and the rule behind it."""
    after = f" after {row.attempts} attempts" if row.attempts > 1 else ""
    match row.status:
        case Status.SUCCESS:
            return f"ran and succeeded{after}", "schedule" if row.slot else "by hand"
        case Status.FAILED:
            codes = ", ".join(map(str, task.success_codes))
            return f"ran and failed{after} with {tell.ending(row.exit_code, row.signal)}", (
                f"max_retries: {task.max_retries}"
                if task.max_retries
                else f"success_codes: {codes}"
            )
        case Status.TIMEOUT:
            limit = f" of {format_duration(task.timeout)}" if task.timeout else ""
            return f"ran longer than its timeout{limit} and was stopped{after}", "timeout"
        case Status.STOPPED:
            return _stopped(row, around)
        case Status.SKIPPED:
            return _skipped(row, task, around)
        case Status.MISSED if row.reason is Reason.DEADLINE:
            limit = f" of {format_duration(task.deadline)}" if task.deadline else ""
            return f"was missed: it could not start within its deadline{limit}", "deadline"
        case Status.MISSED if row.reason is Reason.RESTORED:
            return (
                "has no verdict: it lies between a copy of the database and its restoration, and"
                " whether it ran cannot be known",
                "restored",
            )
        case Status.MISSED:
            moved = f"the clock was moved ({around.stepped})" if around.stepped else "no engine ran"
            return f"was missed: {moved}", f"missed: {task.missed}"
        case Status.LOST:
            cause = _LOST_BY.get(row.reason, "nobody was left who saw it")
            return (
                f"was started, and how it ended cannot be known: {cause}",
                f"on_lost: {task.on_lost}",
            )
        case Status.ERROR:
            return f"could not be started: {row.detail.rstrip('.') or 'its setup failed'}", "setup"
        case Status.RETRYING:
            when = f" at {tell.at(row.retry_at)}" if row.retry_at else ""
            return (
                f"failed with {tell.ending(row.exit_code, row.signal)} and tries again{when}:"
                f" attempt {row.attempts + 1} of {row.max_attempts}",
                f"max_retries: {task.max_retries}",
            )
        case Status.QUEUED:
            waits = row.waits or "is about to start"
            ahead = f", {row.ahead} ahead" if row.ahead and " ahead" not in waits else ""
            return f"is queued since {tell.at(row.queued_at)}: it {waits}{ahead}", "queued"
        case Status.STARTING | Status.RUNNING:
            since = tell.at(row.started_at or row.queued_at)
            return f"is running since {since}", "schedule" if row.slot else "by hand"


def _stopped(row: Row, around: Around) -> tuple[str, str]:
    if row.reason is Reason.REPLACED:
        by = f"run {around.other.id}" if around.other else "a newer run"
        return f"was stopped: {by} took its place", "overlap: replace"
    if row.reason is Reason.ARCHIVED:
        said = "was not tried again" if row.attempts else "was not started"
        return f"{said}: its task was taken away", "archived"
    if row.reason is Reason.LOG_LIMIT:
        return "was stopped: it printed more than its log_limit", "log_limit"
    return f"was stopped by {around.stopped_by or 'a user'}", "stopped"


def _skipped(row: Row, task: Task, around: Around) -> tuple[str, str]:
    if row.reason is Reason.PAUSED:
        return "was skipped: it was paused", "paused"
    if row.reason is Reason.QUIET:
        name = quiet_name(task.plan.times, row.slot)
        return f"was skipped: it lay in the quiet time{f' {name!r}' if name else ''}", "quiet"
    other = f"run {around.other.id}" if around.other else "another run of it"
    if row.reason is Reason.QUEUE_FULL:
        return f"was skipped: {other} was waiting already", "overlap: queue"
    return f"was skipped: {other} was still going", "overlap: skip"


def quiet_name(times: FireTimes, slot: datetime | None) -> str:
    """The quiet time that holds for a slot by the rules of now."""
    if slot is None or not isinstance(times, WithQuiet):
        return ""
    found = times.quiet(slot)
    return found.rule.name if found is not None else ""


def details(row: Row, task: Task, around: Around, plan: Planned, tell: Teller) -> list[str]:
    """More about the row, the most telling first."""
    found: list[str] = []
    if around.other is not None and row.status is Status.SKIPPED:
        found.append(_other(around.other, tell))
    if row.status is Status.MISSED and row.reason is Reason.DOWN and not around.stepped:
        found.append(_absence(around, tell))
    if row.count > 1 and row.slot and row.until:
        many = f"{row.count} or more" if row.count >= 1000 else str(row.count)
        found.append(
            f"One row stands for {many} slots, from {tell.at(row.slot)} to {tell.at(row.until)}."
        )
    found += [tell.attempt(one.number, one) for one in around.tries] if row.attempts > 1 else []
    if row.detail and row.status not in (Status.QUEUED, Status.ERROR):
        found.append(f"It says: {row.detail}")
    if row.trigger is Trigger.CATCH_UP:
        found.append(f"It is a catch-up for a slot that had passed (missed: {task.missed}).")
    late = _late(row, plan)
    if late is not None and row.started_at is not None:
        found.append(f"It started {format_duration(late)} late, at {tell.at(row.started_at)}.")
    if row.started_at and row.finished_at:
        took = max(timedelta(), row.finished_at - row.started_at)
        found.append(f"It took {tell.length(took)}, until {tell.at(row.finished_at)}.")
    return found


def _other(other: Row, tell: Teller) -> str:
    began = tell.at(other.started_at or other.queued_at)
    if other.finished_at is None:
        return f"Run {other.id} began at {began} and is not over: {other.status}."
    return f"Run {other.id} began at {began} and ended at {tell.at(other.finished_at)}."


def _absence(around: Around, tell: Teller) -> str:
    back = "" if around.back_at is None else f" The next one began at {tell.at(around.back_at)}."
    if around.gone_at is None:
        return f"When the engine before it ended is not known: it had no time to say so.{back}"
    return f"The engine stopped at {tell.at(around.gone_at)}.{back}"


def _late(row: Row, plan: Planned) -> timedelta | None:
    """How late it started, in whole seconds, if that is worth a word."""
    if row.slot is None or row.started_at is None:
        return None
    late = row.started_at - row.slot - plan.offset
    return timedelta(seconds=int(late.total_seconds())) if late >= SAME else None
