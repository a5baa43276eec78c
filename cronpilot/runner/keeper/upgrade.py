"""The same process with newer code: same pid, same children, no moment without a keeper.

What cannot be read from the records again crosses in a memory file as JSON: descriptors, pids, and
how far a stop has come. If the new program does not start, the keeper is simply dead: the engine
starts another, which adopts everything.
"""

from __future__ import annotations

import json
import os
import socket

from . import crash
from .run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .process import Keeper


def become(keeper: Keeper, argv: list[str]) -> None:
    """Replace this program by `argv` (interpreter, flags, folder). Raises ValueError if missing."""
    if not argv or not os.access(argv[0], os.X_OK):
        raise ValueError(f"no such program: {argv[:1]}")
    keeper.log(f"becoming {' '.join(argv)}")
    connection = keeper.link.whole()
    state = {
        "lock": keeper.lock,
        "listener": keeper.link.listener.fileno(),
        "connection": connection.fileno() if connection else None,
        "soft_files": keeper.soft_files,
        "problem": keeper.problem,
        "runs": [_saved(run) for run in keeper.runs.values()],
    }
    memory = os.memfd_create("cronpilot-keeper", 0)
    os.write(memory, json.dumps(state).encode())
    kept = [memory, keeper.lock, keeper.link.listener.fileno()]
    kept += [run.fd for run in keeper.runs.values()]
    for fd in [*kept, *([connection.fileno()] if connection else [])]:
        os.set_inheritable(fd, True)
    crash.here("keeper_reexec")
    os.execv(argv[0], [*argv, keeper.state_dir, str(memory)])


def _saved(run: Run) -> dict[str, Any]:
    return {
        "run": run.run,
        "launch": run.launch,
        "fd": run.fd,
        "adopted": run.adopted,
        "wrapper": run.wrapper,
        "wrapper_gone": run.wrapper_gone,
        "command": run.command,
        "why": run.why,
    }


def read_state(memory: int) -> dict[str, Any]:
    """What the program before us left; its descriptors are ours alone again."""
    state: dict[str, Any] = json.loads(os.pread(memory, 1 << 26, 0))
    os.close(memory)
    for fd in (state["lock"], state["listener"], *(one["fd"] for one in state["runs"])):
        os.set_inheritable(fd, False)
    if state["connection"] is not None:
        os.set_inheritable(state["connection"], False)
    return state


def restored(saved: dict[str, Any]) -> Run:
    run = Run(saved["run"], saved["launch"], saved["fd"], adopted=saved["adopted"])
    run.wrapper, run.wrapper_gone = saved["wrapper"], saved["wrapper_gone"]
    run.command, run.why = saved["command"], saved["why"]
    run.claim = run.record().claim
    return run


def connection_of(state: dict[str, Any]) -> socket.socket | None:
    fd = state["connection"]
    return None if fd is None else socket.socket(fileno=fd)
