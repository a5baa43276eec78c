"""Runs of a keeper that died. Their wrappers are not our children, but their records tell all.

The lock says whether the wrapper lives. While it does, we wait for it by pidfd; when it is gone, X
says how the command ended. Without X the command itself is followed, its status may be unknowable.
"""

from __future__ import annotations

import os

from . import proc, record, stopping
from .record import Outcome
from .run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .process import Keeper
    from .record import Command, Record

_SOON = 0.01  # seconds


def adopt(keeper: Keeper, run_id: int, launch: int) -> None:
    if (run_id, launch) in keeper.runs:
        return
    fd = record.reopen(record.record_path(".", run_id, launch))
    run = Run(run_id, launch, fd, adopted=True)
    keeper.runs[run.key] = run
    keeper.log(f"adopting run {run_id}, launch {launch}")
    look(keeper, run)


def look(keeper: Keeper, run: Run) -> None:
    """Find out where it stands; comes back until that is clear."""
    if run.over:
        return
    alone = record.lock(run.fd)
    seen = run.record()
    if run.claim is None and seen.claim is not None:
        run.claim = seen.claim
        keeper.watch_limits(run)
        if seen.why and not seen.ended:
            run.why = seen.why
            stopping.resume(keeper, run)
    if alone:
        _wrapper_is_gone(keeper, run, seen)
    elif seen.command is None or not _watch(keeper, run, seen.command):
        keeper.later(run, _SOON, lambda: look(keeper, run))


def _watch(keeper: Keeper, run: Run, command: Command) -> bool:
    """Wait for the wrapper. False when wrapper or command has gone just now."""
    try:
        run.watched.append(os.pidfd_open(command.parent))
        run.watched.append(os.pidfd_open(command.pid))
    except ProcessLookupError:
        keeper.unwatch(run)
        return False
    stat = proc.is_same(command.pid, command.start)  # after the open, or it proves nothing
    if stat is None or stat.parent != command.parent:
        keeper.unwatch(run)
        return False
    run.wrapper = command.parent
    keeper.loop.watch(run.watched[0], lambda: _wrapper_ended(keeper, run))
    keeper.tell_started(run)
    return True


def _wrapper_ended(keeper: Keeper, run: Run) -> None:
    keeper.loop.unwatch(run.watched[0])
    os.close(run.watched.pop(0))
    look(keeper, run)


def _wrapper_is_gone(keeper: Keeper, run: Run, seen: Record) -> None:
    ended_at = os.fstat(run.fd).st_mtime_ns  # X is the last line so far: its time is the end's
    run.wrapper_gone = True
    final = seen.final()
    if final is not None:
        keeper.already_ended(run, final)
    elif seen.ended:
        outcome = seen.seen()
        outcome.ended = ended_at
        keeper.finish(run, outcome)
    elif seen.command is None:
        keeper.never(run, seen.words)
    else:
        _follow(keeper, run, seen.command)


def _follow(keeper: Keeper, run: Run, command: Command) -> None:
    """S, no X, and the wrapper is dead and not our child: watch the command itself."""
    run.wrapper = command.parent
    if not run.watched:
        try:
            run.watched.append(os.pidfd_open(command.pid))
        except ProcessLookupError:
            keeper.finish(run, Outcome())
            return
        if proc.is_same(command.pid, command.start) is None:
            keeper.finish(run, Outcome())
            return
    run.command = command.pid
    keeper.loop.watch(run.watched[0], lambda: _command_ended(keeper, run, command))
    keeper.tell_started(run)


def _command_ended(keeper: Keeper, run: Run, command: Command) -> None:
    pidfd = run.watched.pop(0)
    keeper.loop.unwatch(pidfd)
    status = proc.status_of_stranger(pidfd, command.pid, command.start)
    os.close(pidfd)
    keeper.finish_by_status(run, status)
