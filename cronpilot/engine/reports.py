"""What the runner reports, written into rows: here runs that were started become final."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from cronpilot.domain.plan import Final, Outcome, Retry, RetryRules, after_attempt
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine import journal
from cronpilot.engine.planner import Changes
from cronpilot.engine.testing import with_definition_of
from cronpilot.runner.messages import AttemptKey, Ended, NeverStarted, Started
from cronpilot.storage import runs
from cronpilot.storage.database import Connection, after_commit

TAKEN_AWAY = Final(Status.STOPPED, Reason.ARCHIVED)  # of its task nothing is started any more
MOST_LAUNCHES = 50  # of starts that provably did not happen; then something is wrong for good

Report = Started | Ended | NeverStarted
LogSize = Callable[[int, int], int | None]


@dataclass(slots=True)
class Applied:
    """What a transaction of reports has done.

    Attributes:
        over: attempts whose record files may go once this is committed.
        not_started: runs that are back in the queue because nothing was started.
        exhausted: what the machine had not to spare for one of them; empty: it had all.
    """

    changes: Changes = field(default_factory=Changes)
    over: list[AttemptKey] = field(default_factory=list)
    not_started: list[int] = field(default_factory=list)
    exhausted: str = ""
    retries: bool = False


def apply_reports(
    connection: Connection, reports: Sequence[Report], log_size: LogSize, now: datetime
) -> Applied:
    """Write all of them. Each may come twice, or too late; final rows are left alone.

    Args:
        log_size: of a task's run, in bytes.
    """
    applied = Applied()
    for round_ in _rounds(reports):
        states = runs.states(connection, [report.key.run_id for report in round_])
        writes = _Writes()
        for report in round_:
            run = states.get(report.key.run_id)
            if run is None or run["launches"] != report.key.launch or not run["status"].holds_slot:
                applied.over += _forgettable(report)
                continue
            match report:
                case Started():
                    _started(connection, run, report, writes)
                case Ended():
                    size = log_size(run["task_id"], run["id"])
                    _ended(connection, run, report, size, now, applied, writes)
                case NeverStarted():
                    _never_started(connection, run, report, now, applied, writes)
            applied.changes.run_ids.append(run["id"])
            applied.changes.task_ids.add(run["task_id"])
        writes.flush(connection)
    return applied


def _forgettable(report: Report) -> list[AttemptKey]:
    """The launches whose records may go once this is committed.

    Not that of a launch which we revoked: its order may come late to the keeper, and nothing but
    the record would stop it then. With the end of a later launch it has been read, and refused.
    """
    match report:
        case Ended(key):
            return [AttemptKey(key.run_id, launch) for launch in range(1, key.launch + 1)]
        case NeverStarted(revoked=False):
            return [report.key]
    return []


def _rounds(reports: Sequence[Report]) -> Iterator[list[Report]]:
    """Reports in their order, no run twice in a round: what is decided about it is written by then.

    The start of a command whose end is reported with it needs no row of its own.
    """
    told = {report.key for report in reports if isinstance(report, Ended) and report.started_at}
    rest = [r for r in reports if not (isinstance(r, Started) and r.key in told)]
    while rest:
        first: dict[int, Report] = {}
        later: list[Report] = []
        for report in rest:
            if first.setdefault(report.key.run_id, report) is not report:
                later.append(report)
        yield list(first.values())
        rest = later


@dataclass(slots=True)
class _Writes:
    """What a round of reports comes to, written with one statement for each kind of row."""

    starts: list[runs.Start] = field(default_factory=list)
    attempts: list[runs.AttemptEnd] = field(default_factory=list)
    finals: list[runs.Finish] = field(default_factory=list)

    def flush(self, connection: Connection) -> None:
        runs.start(connection, self.starts)
        runs.end_attempts(connection, self.attempts)
        runs.finish(connection, self.finals)


def _started(
    connection: Connection, run: Mapping[Any, Any], report: Started, writes: _Writes
) -> None:
    if run["status"] is not Status.RUNNING:  # else a new engine hears it once more
        _say(connection, journal.run_started, run, attempt=run["attempts"] + 1, pid=report.pid)
    writes.starts.append(
        runs.Start(report.key.run_id, report.key.launch, report.pid, report.at)
    )  # fmt: skip


def _ended(
    connection: Connection,
    run: Mapping[Any, Any],
    report: Ended,
    size: int | None,
    now: datetime,
    applied: Applied,
    writes: _Writes,
) -> None:
    applied.over += _forgettable(report)
    attempts, started_at = _attempts(connection, run, report)
    decided = _decide(run, report, attempts)
    writes.attempts.append(_attempt_end(report, decided))
    reached = report.why != "setup"  # else the code is the wrapper's own
    told: dict[str, Any] = {
        "exit_code": report.exit_code if reached else None,
        "signal": report.signal if reached else None,
        "detail": report.detail,
        "attempts": attempts,
        "started_at": started_at,
        "cpu_ms": _sum(run["cpu_ms"], _in_ms(report.cpu_s)),
        "max_rss": max(report.max_rss or 0, run["max_rss"] or 0) or None,
    }
    if isinstance(decided, Retry):
        runs.move(connection, run["id"], Status.RETRYING, retry_at=now + decided.delay, **told)
        applied.retries = True
        _say(connection, journal.run_retries, run, decided, attempt=attempts)
        return
    writes.finals.append(
        runs.Finish(
            run_id=run["id"], task_id=run["task_id"], was=run["status"], status=decided.status,
            reason=decided.reason, finished_at=report.ended_at, log_size=size,
            counts=run["trigger"] is not Trigger.TEST, **told,
        )
    )  # fmt: skip
    took = runs.duration(started_at, report.ended_at)
    _say(connection, journal.run_ended, run, decided, exit_code=told["exit_code"], took=took)


def _decide(run: Mapping[Any, Any], report: Ended, attempts: int) -> Final | Retry:
    rules = with_definition_of(run, run)
    return after_attempt(
        Outcome(report.exit_code, report.why),
        attempts,
        success_codes=rules["success_codes"],
        retry=RetryRules(
            rules["max_retries"], rules["retry_delay"], rules["retry_backoff"],
            rules["retry_max_delay"],
        ),
        on_lost=rules["on_lost"],
    )  # fmt: skip


def _attempts(
    connection: Connection, run: Mapping[Any, Any], report: Ended
) -> tuple[int, datetime | None]:
    """How many attempts were really started, this one included, and when the first one was."""
    known = run["status"] is Status.RUNNING
    if report.why == "setup":  # the wrapper was started, which may be known as a start
        attempts = run["attempts"] - known
        return attempts, run["started_at"] if attempts else None
    if known or report.started_at is None:
        return run["attempts"], run["started_at"]
    # The start is told with the end, or the engine that heard of it died before it wrote that down.
    _say(connection, journal.run_started, run, attempt=run["attempts"] + 1, pid=report.pid)
    return run["attempts"] + 1, run["started_at"] or report.started_at


def _say(connection: Connection, line: Callable[..., None], *words: Any, **more: Any) -> None:
    """A line of the journal, once what it says is committed."""
    if journal.log.isEnabledFor(logging.INFO):
        after_commit(connection, partial(line, *words, **more))


def _sum(before: int | None, more: int | None) -> int | None:
    return before if more is None else more + (before or 0)


def _in_ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _attempt_end(report: Ended, decided: Final | Retry) -> runs.AttemptEnd:
    return runs.AttemptEnd(
        report.key.run_id, report.key.launch, at=report.ended_at, exit_code=report.exit_code,
        signal=report.signal,
        outcome=str(decided.outcome if isinstance(decided, Retry) else decided.status),
        started_at=report.started_at if report.why != "setup" else None, pid=report.pid,
    )  # fmt: skip


def finish(
    connection: Connection,
    run: Mapping[Any, Any],
    final: Final,
    *,
    finished_at: datetime | None,
    started_at: datetime | None = None,
    **also: Any,
) -> bool:
    """Make a run final that has no living command, and count it; False when it was final already.

    What its last attempt left in the row stays; `also` sets further columns.
    """
    moved = runs.move(
        connection, run["id"], final.status, reason=final.reason, finished_at=finished_at,
        retry_at=None, **also,
    )  # fmt: skip
    if moved:
        took = runs.duration(started_at, finished_at)
        if run["trigger"] is not Trigger.TEST:
            runs.count_results(connection, [runs.Result(run["task_id"], final.status, took)])
        _say(connection, journal.run_ended, run, final, took=took)
    return moved


def _never_started(
    connection: Connection,
    run: Mapping[Any, Any],
    report: NeverStarted,
    now: datetime,
    applied: Applied,
    writes: _Writes,
) -> None:
    writes.attempts.append(
        runs.AttemptEnd(
            run["id"], report.key.launch, at=now, exit_code=None, signal=None, outcome="never"
        )
    )
    applied.over += _forgettable(report)
    if report.retry and run["archived_at"] is not None:
        finish(connection, run, TAKEN_AWAY, finished_at=now, started_at=run["started_at"])
        return
    if report.retry and report.key.launch < MOST_LAUNCHES:
        runs.move(connection, run["id"], Status.QUEUED, detail=report.detail)
        applied.not_started.append(run["id"])
        if report.exhausted:
            applied.exhausted = report.detail
        return
    finish(
        connection, run, Final(Status.ERROR, Reason.SETUP), finished_at=now,
        detail=report.detail,
    )  # fmt: skip
