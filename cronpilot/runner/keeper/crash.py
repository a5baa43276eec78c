"""Crash points, for the tests of the order of writes. They do nothing unless asked for.

`CRONPILOT_CRASH_AT=point[:nth]` in the environment of an engine or a keeper: whichever reaches that
point for the nth time (default: the first) sends itself SIGKILL.

Of the engine, planning: engine.planned (before the commit), engine.planned_committed; claiming:
engine.in_txn, engine.committed, engine.sent (once for each start); heard and not written yet:
engine.got_started, engine.got_done, engine.revoked; before records are removed: engine.after_final.
Of the keeper: keeper_accept, keeper_claimed, keeper_c, keeper_spawned, keeper_told, keeper_reaped,
keeper_t, keeper_k, keeper_reexec. Of the wrapper, of the nth start: wrapper_start,
wrapper_subshell, wrapper_started, wrapper_ended. And `spawn_refused`: the nth start meets EAGAIN.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_POINT, _, _NTH = os.environ.get("CRONPILOT_CRASH_AT", "").partition(":")
_hits = 0


def hit(point: str) -> bool:
    """Whether this passage is the one that was asked for."""
    global _hits
    if point != _POINT:
        return False
    _hits += 1
    return _hits == int(_NTH or 1)


def here(point: str, after: Callable[[], object] | None = None) -> None:
    """`after`: what has to be done by then, if it is put off as a rule."""
    if hit(point):
        if after is not None:
            after()
        os.kill(os.getpid(), signal.SIGKILL)
