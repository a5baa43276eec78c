"""The pure decisions: what becomes of due slots, and what follows after an attempt has ended.

Nothing here reads a clock or a row. Every rule is a row of the table in the design: overlap,
missed, deadline, spread, retry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cronpilot.domain.quiet import WithQuiet
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import FireTimes
from cronpilot.domain.task import Missed, OnLost, Overlap

COUNT_CAP = 1000  # a folded row says "1000" for that many missed slots and for more


class DueTask(NamedTuple):
    """What a decision about a task's due slots depends on.

    Attributes:
        next_run_at: as planned: the first due slot plus `offset`.
        offset: the task's own spread, the same for every slot.
        going: runs of it that were started, or wait for a retry.
        waiting: runs of it that are queued.
        watched_since: from when on somebody has been watching the clock without a break (start of
            the engine, last step of the clock, last suspend).
    """

    times: FireTimes
    next_run_at: datetime
    offset: timedelta = timedelta()
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.ONCE
    missed_limit: int = 10
    deadline: timedelta | None = None
    going: int = 0
    waiting: int = 0
    watched_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlotVerdict:
    """What becomes of one slot, or of several folded into one row (`until`, `count`)."""

    slot: datetime
    status: Status  # QUEUED, SKIPPED or MISSED
    trigger: Trigger = Trigger.SCHEDULE
    reason: Reason | None = None
    until: datetime | None = None
    count: int = 1


class Plan(NamedTuple):
    """Verdicts in the order of their slots, and when the task is due next (None: never again)."""

    verdicts: tuple[SlotVerdict, ...]
    next_run_at: datetime | None
    replaces: bool = False  # what still goes is to be stopped for the new run


def spread_offset(name: str, spread: timedelta) -> timedelta:
    """The task's fixed offset below `spread`, in whole seconds: the same every day, no dice."""
    seconds = int(spread.total_seconds())
    if seconds < 1:
        return timedelta()
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % seconds)


def next_run_at(times: FireTimes, offset: timedelta, now: datetime) -> datetime | None:
    """When a task is due next after `now`, spread included."""
    slot = times.next_after(now - offset)
    return None if slot is None else slot + offset


def plan(task: DueTask, now: datetime) -> Plan:
    """Give every slot that is due at `now` exactly one verdict.

    Due are the slots from `next_run_at` on whose start (slot + offset) is not after `now`.
    """
    first = task.next_run_at - task.offset
    until = now - task.offset
    if first > until:
        return Plan((), task.next_run_at)
    latest, upcoming = _latest_and_upcoming(task.times, first, until)
    quiet, loud = _quiet_end(task.times, first, latest)
    if loud is None:
        return Plan(quiet, None if upcoming is None else upcoming + task.offset)
    latest = loud
    seen = task.watched_since is None or latest + task.offset >= task.watched_since
    ready = _slots_to_run(task, first, latest, seen=seen)
    folded = _missed(task, first, ready[0] if ready else None, latest)
    verdicts = [*folded]
    going, waiting, replaces = task.going, task.waiting, False
    for slot in ready:
        on_time = seen and slot == latest and not quiet
        verdict = _verdict(task, slot, now, going, waiting, on_time=on_time)
        verdicts.append(verdict)
        if verdict.status is Status.QUEUED:
            replaces = replaces or (task.overlap is Overlap.REPLACE and going + waiting > 0)
            waiting += 1
    verdicts += quiet
    return Plan(tuple(verdicts), None if upcoming is None else upcoming + task.offset, replaces)


def _quiet_end(
    times: FireTimes, first: datetime, latest: datetime
) -> tuple[tuple[SlotVerdict, ...], datetime | None]:
    """What quiet times make of the last slots, and the last slot before those, if there is one.

    Looks back at no more than `COUNT_CAP` slots; what is quiet before them is taken for missed.
    """
    if not isinstance(times, WithQuiet) or times.quiet(latest) is None:
        return (), latest
    begin: datetime = latest
    loud: datetime | None = None
    for _ in range(COUNT_CAP):
        loud = times.latest(begin - timedelta(microseconds=1)) if begin > first else None
        if loud is None or loud < first or times.quiet(loud) is None:
            break
        begin = loud
    if loud is not None and (loud < first or times.quiet(loud) is not None):
        loud = None
        begin = first
    count = 1 + times.count(begin, latest, COUNT_CAP - 1)
    verdict = SlotVerdict(
        begin, Status.SKIPPED, reason=Reason.QUIET,
        until=latest if latest > begin else None, count=count,
    )  # fmt: skip
    return (verdict,), loud


def _latest_and_upcoming(
    times: FireTimes, first: datetime, until: datetime
) -> tuple[datetime, datetime | None]:
    """The last slot from `first` to `until`, and the first one after `until`."""
    second = times.next_after(first)
    if second is None or second > until:  # nearly always: one slot is due
        return first, second
    latest = times.latest(until)
    # If not: the schedule was edited below us, and the planned slot stands.
    return max(first, latest) if latest is not None else first, times.next_after(until)


def _slots_to_run(
    task: DueTask, first: datetime, latest: datetime, *, seen: bool
) -> list[datetime]:
    """The slots that ask for a run, oldest first; those before them are folded."""
    if task.missed is Missed.SKIP:
        return [latest] if seen else []
    if task.missed is Missed.ONCE:
        return [latest]
    slots: list[datetime] = [latest]
    while len(slots) < task.missed_limit and slots[0] > first:
        earlier = task.times.latest(slots[0] - timedelta(microseconds=1))
        if earlier is None or earlier < first:
            break
        slots.insert(0, earlier)
    return slots


def _missed(
    task: DueTask, first: datetime, ready: datetime | None, latest: datetime
) -> list[SlotVerdict]:
    """One row for all slots that passed and are not made up for."""
    if ready is not None and ready <= first:
        return []
    end = latest if ready is None else task.times.latest(ready - timedelta(microseconds=1))
    if end is None or end < first:
        return []
    count = 1 + task.times.count(first, end, COUNT_CAP - 1)
    return [
        SlotVerdict(
            first, Status.MISSED, reason=Reason.DOWN, until=end if count > 1 else None, count=count
        )
    ]


def _verdict(
    task: DueTask, slot: datetime, now: datetime, going: int, waiting: int, *, on_time: bool
) -> SlotVerdict:
    trigger = Trigger.SCHEDULE if on_time else Trigger.CATCH_UP
    if isinstance(task.times, WithQuiet) and task.times.quiet(slot) is not None:
        return SlotVerdict(slot, Status.SKIPPED, trigger, Reason.QUIET)
    if task.deadline is not None and now - (slot + task.offset) > task.deadline:
        return SlotVerdict(slot, Status.MISSED, trigger, Reason.DEADLINE)
    refused = refuse_overlap(task.overlap, going, waiting) if on_time or not _in_row(task) else None
    if refused is not None:
        return SlotVerdict(slot, Status.SKIPPED, trigger, refused)
    return SlotVerdict(slot, Status.QUEUED, trigger)


def _in_row(task: DueTask) -> bool:
    """Slots that are made up for wait for each other, whatever the overlap policy says."""
    return task.missed is Missed.ALL


def refuse_overlap(overlap: Overlap, going: int, waiting: int) -> Reason | None:
    """Why a start is refused while `going` runs of its task go on and `waiting` ones are queued.

    A queued run counts as still going: two that wait would start back to back.
    """
    if overlap is Overlap.SKIP and going + waiting:
        return Reason.ALREADY_RUNNING
    if overlap is Overlap.QUEUE and waiting:
        return Reason.QUEUE_FULL
    return None


def fold_paused(
    times: FireTimes, offset: timedelta, due: datetime, now: datetime, *, make_up: bool = False
) -> Plan:
    """What a resumed task's passed slots become: one row, and no catch-up.

    Args:
        make_up: the pause was to be followed by a run: the latest slot gets one.
    """
    first, until = due - offset, now - offset
    upcoming = next_run_at(times, offset, now)
    if first > until:
        return Plan((), due)
    end = times.latest(until)
    end = first if end is None or end < first else end
    made_up: tuple[SlotVerdict, ...] = ()
    if make_up and not (isinstance(times, WithQuiet) and times.quiet(end)):
        made_up = (SlotVerdict(end, Status.QUEUED, Trigger.CATCH_UP),)
        earlier = times.latest(end - timedelta(microseconds=1)) if end > first else None
        if earlier is None or earlier < first:
            return Plan(made_up, upcoming)
        end = earlier
    count = 1 + times.count(first, end, COUNT_CAP - 1)
    verdict = SlotVerdict(
        first, Status.SKIPPED, reason=Reason.PAUSED, until=end if count > 1 else None, count=count
    )
    return Plan((verdict, *made_up), upcoming)


# --- after an attempt ----------------------------------------------------------------------------


class Outcome(NamedTuple):
    """How a command ended, as far as it can be known.

    Attributes:
        exit_code: None when it cannot be known.
        why: who ended it: empty (itself), `timeout`, `setup`, `host_restart`, `log_limit`, or the
            word with which it was stopped (`user`, `replaced`).
    """

    exit_code: int | None
    why: str = ""


class RetryRules(NamedTuple):
    """How often and how late a failed attempt is followed by another."""

    max_retries: int = 0
    delay: timedelta = timedelta(seconds=60)
    backoff: float = 2.0
    max_delay: timedelta | None = None


class Final(NamedTuple):
    """The run is over."""

    status: Status
    reason: Reason | None = None


class Retry(NamedTuple):
    """Another attempt follows after `delay`."""

    outcome: Status  # of the attempt that has ended
    delay: timedelta


def verdict_of(outcome: Outcome, success_codes: Sequence[int]) -> Final:
    """What an attempt's end means. Unknown is never success."""
    match outcome.why:
        case "setup":
            return Final(Status.ERROR, Reason.SETUP)
        case "timeout":
            return Final(Status.TIMEOUT)
        case "user" | "replaced" | "log_limit" as word:
            return Final(Status.STOPPED, Reason(word))
        case "host_restart":
            return Final(Status.LOST, Reason.HOST_RESTART)
    if outcome.exit_code is None:
        return Final(Status.LOST, Reason.ENGINE_RESTART)
    return Final(Status.SUCCESS if outcome.exit_code in success_codes else Status.FAILED)


def after_attempt(
    outcome: Outcome,
    attempts: int,
    *,
    success_codes: Sequence[int] = (0,),
    retry: RetryRules | None = None,
    on_lost: OnLost = OnLost.MARK,
) -> Final | Retry:
    """Whether the run is over, or tries again.

    Args:
        attempts: how many were really started, this one included.
    """
    rules = retry or RetryRules()
    final = verdict_of(outcome, success_codes)
    if final.status is Status.LOST and final.reason is Reason.HOST_RESTART:
        if on_lost is OnLost.RERUN:
            return Retry(Status.LOST, timedelta())
        return final
    if final.status in (Status.FAILED, Status.TIMEOUT) and attempts <= rules.max_retries:
        return Retry(final.status, retry_delay(rules, attempts))
    return final


def retry_delay(rules: RetryRules, attempts: int) -> timedelta:
    """The pause after the `attempts`-th attempt: delay, delay x backoff, delay x backoff^2 ..."""
    longest = rules.max_delay or timedelta(days=30)
    if rules.delay <= timedelta():
        return timedelta()
    factor = rules.backoff ** min(attempts - 1, 64)
    if factor >= longest / rules.delay:
        return longest
    return rules.delay * factor
