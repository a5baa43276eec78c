"""The engine as process 1 of a container: somebody has to bury the orphans.

The kernel hands process 1 every process whose parent has ended, and expects it to wait for them.
An engine that did so would take the ends of its own children from whoever waits for those. So
process 1 forks: it keeps that duty and passes signals on, and the engine is its child.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

_PASSED_ON = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


def is_first() -> bool:
    """Whether this is process 1, of a container or of a PID namespace."""
    return os.getpid() == 1


def stand_first(work: Callable[[], int]) -> int:
    """Do the work in a child; wait for it and for all that nobody else waits for.

    Call it while there is one thread. When this returns in process 1 and the program ends, the
    kernel kills what still runs in the container.

    Returns:
        The exit code of the work; 128 + the signal that killed it.
    """
    awaited = _PASSED_ON | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return work()
    while True:
        number = signal.sigwait(awaited)
        if number in _PASSED_ON:
            os.kill(child, number)
            continue
        code = _bury(child)
        if code is not None:
            return code


def _bury(child: int) -> int | None:
    """Wait for all that have ended; the exit code of `child` if it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended
