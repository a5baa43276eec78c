"""CronPilot as it is, noting what kept the loop of its screen busy:

    python tests/bench/in_watched.py NOTES [the words of cronpilot]

A line of NOTES for each turn of the loop that took longer than WORTH_NOTING: when it ended, how
long it took, how much of that was its own CPU (both in ms), and whose turn it was. On a busy
machine the first counts waiting for a core, too; the second does not.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from asyncio.events import Handle

from cronpilot.cli import main

WORTH_NOTING = 0.005  # seconds


def watch(path: str) -> None:
    """Note the turns of the main thread's loop from now on."""
    notes = open(path, "w", buffering=1)  # noqa: SIM115 - as long as the process
    run, screen = Handle._run, threading.main_thread()

    def timed(handle: Handle) -> None:
        if threading.current_thread() is not screen:
            run(handle)
            return
        began, cpu = time.perf_counter(), time.thread_time()
        run(handle)
        took = time.perf_counter() - began
        if took > WORTH_NOTING:
            own = time.thread_time() - cpu
            notes.write(f"{time.time():.3f} {took * 1e3:.1f} {own * 1e3:.1f} {_whose(handle)}\n")

    Handle._run = timed  # type: ignore[assignment]


def _whose(handle: Handle) -> str:
    callback = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    return task.get_name() if isinstance(task, asyncio.Task) else repr(callback)[:80]


if __name__ == "__main__":
    watch(sys.argv[1])
    sys.argv[1:] = sys.argv[2:]  # given to `main`, it would not take the process for its own
    sys.exit(main())
