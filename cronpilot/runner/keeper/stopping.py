"""Ending a run with all that belongs to it: TERM, patience, KILL.

The wrapper is spared as long as possible, because it records the true exit code. A run that is
being stopped is over only when nobody of it is left: whoever asked for the stop can rely on that.
"""

from __future__ import annotations

import os
import signal
import time

from . import crash, proc, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .process import Keeper
    from .run import Run

_ROUND = 0.05  # seconds between two rounds of KILL
_SPARES_WRAPPER = 4  # rounds
_GIVES_UP = 40  # rounds; who is still there hangs in the kernel
_PATIENT_LOOK = 0.1  # seconds


def stop(keeper: Keeper, run: Run, why: str, sig: int) -> None:
    """Begin, or, with KILL, make an end of the patience of a stop that has begun."""
    if run.over:
        return
    if run.wrapper is None:  # adopted, and its S is about to come
        keeper.later(run, 0.02, lambda: stop(keeper, run, why, sig))
    elif not run.why:
        _begin(keeper, run, why, sig)
    elif sig == signal.SIGKILL and not run.kill_rounds:
        kill_round(keeper, run)


def _begin(keeper: Keeper, run: Run, why: str, sig: int) -> None:
    run.why = why
    try:  # intent first: a later unknown end is still "timeout", and not "lost"
        record.put(run.fd, "T", why=why, t=time.time_ns())
    except OSError as problem:
        keeper.log(f"run {run.run}: the stop could not be noted: {problem}")
    crash.here("keeper_t")
    for pid, start in run.members():
        if pid != run.wrapper and sig != signal.SIGKILL:
            proc.send(pid, start, sig)
        proc.send(pid, start, signal.SIGCONT)
    grace = run.claim.grace if run.claim and sig != signal.SIGKILL else 0
    keeper.later(run, grace, lambda: kill_round(keeper, run))


def resume(keeper: Keeper, run: Run) -> None:
    """Go on with a stop that an earlier keeper, or an earlier program, began: TERM was sent."""
    grace = run.claim.grace if run.claim else 0
    keeper.later(run, grace, lambda: kill_round(keeper, run))


def kill_round(keeper: Keeper, run: Run) -> None:
    """KILL all that is left, again and again: a dying tree may still fork."""
    if run.over:
        return
    run.kill_rounds += 1
    alive = run.members()
    if run.outcome is not None and (not alive or run.kill_rounds > _GIVES_UP):
        keeper.end(run, run.outcome)
        return
    for pid, start in alive:
        if pid != run.wrapper or run.kill_rounds > _SPARES_WRAPPER:
            proc.send(pid, start, signal.SIGKILL)
    if run.kill_rounds > _SPARES_WRAPPER and run.wrapper in [pid for pid, _ in alive]:
        try:
            os.killpg(run.wrapper, signal.SIGKILL)
        except ProcessLookupError:
            pass
    pause = _ROUND if run.kill_rounds <= _GIVES_UP else 1.0
    keeper.later(run, pause, lambda: kill_round(keeper, run))


def wait_for_rest(keeper: Keeper, run: Run) -> None:
    """The command has ended; its run is over when the others have, or were killed."""
    if run.over or run.outcome is None:
        return
    if not run.members():
        keeper.end(run, run.outcome)
    elif not run.kill_rounds:
        keeper.later(run, _PATIENT_LOOK, lambda: wait_for_rest(keeper, run))
