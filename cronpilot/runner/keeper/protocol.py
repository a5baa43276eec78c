"""The lines between engine and keeper: one JSON object each, UTF-8. Version 1, frozen.

The keeper speaks first, with `hello`, to whoever connects; the newest connection is the engine, an
older one is closed unread. The verbs hello, ping, stop, adopt and reexec keep their form for ever,
so that any engine can take over, or replace, any keeper.
"""

from __future__ import annotations

import json
import os
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost the keeper 0.7 MB
    from collections.abc import Iterable
    from typing import Any

    Message = dict[str, Any]

VERSION = 1


_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time


def encode(message: Message) -> bytes:
    return _encode(message).encode() + b"\n"


class Lines:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes. Raises ValueError for what is no JSON object."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        messages = [json.loads(line) for line in lines]
        if not all(isinstance(message, dict) for message in messages):
            raise ValueError("a message must be a JSON object")
        return messages


def fingerprint(folder: str) -> int:
    """Tells two versions of the keeper's code apart, so that an upgrade is noticed."""
    total = 0
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                total = zlib.crc32(file.read(), total)
    return total


# --- the engine asks -----------------------------------------------------------------------------


def start(
    run: int,
    launch: int,
    *,
    task: int,
    argv: list[str],
    env: dict[str, str],
    cwd: str,
    timeout: float,
    grace: float,
    limit: int,
    cookie: str,
    limits: dict[str, int],
    user: str,
    group: int,
) -> Message:
    """Start a command. Seconds and bytes; 0 is none. `limits`: nice, memory, cpu, open_files."""
    return {
        "op": "start",
        "run": run,
        "launch": launch,
        "task": task,
        "argv": argv,
        "env": env,
        "cwd": cwd,
        "timeout": timeout,
        "grace": grace,
        "limit": limit,
        "cookie": cookie,
        "limits": limits,
        "user": user,
        "group": group,
    }


def stop(run: int, launch: int, *, why: str, sig: int) -> Message:
    return {"op": "stop", "run": run, "launch": launch, "why": why, "sig": sig}


def adopt(run: int, launch: int) -> Message:
    """Look after a run that an earlier keeper started; its record says the rest."""
    return {"op": "adopt", "run": run, "launch": launch}


def ping() -> Message:
    return {"op": "ping"}


def reexec(argv: list[str]) -> Message:
    """Become another program: interpreter, flags and folder of a newer (or older) keeper."""
    return {"op": "reexec", "argv": argv}


# --- the keeper answers --------------------------------------------------------------------------


def hello(
    pid: int, boot: str, code: int, live: Iterable[tuple[int, int, int, int]], problem: str
) -> Message:
    """`live`: run, launch, pid (0: not known yet), start in ns. `problem`: why nothing can be
    started on this machine, or empty."""
    return {
        "ev": "hello",
        "v": VERSION,
        "pid": pid,
        "boot": boot,
        "code": code,
        "live": [list(one) for one in live],
        "problem": problem,
    }


def started(run: int, launch: int, *, pid: int, at: int) -> Message:
    return {"ev": "started", "run": run, "launch": launch, "pid": pid, "at": at}


def done(run: int, launch: int, values: dict[str, Any], words: list[str]) -> Message:
    """`values` as `record.Outcome.values`; `words` are the shell's own."""
    return {"ev": "done", "run": run, "launch": launch, **values, "words": words}


def never(run: int, launch: int, *, error: str, retry: bool) -> Message:
    """The command certainly did not start; `retry`: a later try may succeed."""
    return {"ev": "never", "run": run, "launch": launch, "error": error, "retry": retry}


def pong() -> Message:
    return {"ev": "pong"}


def error(text: str) -> Message:
    """A request made no sense; nothing came of it."""
    return {"ev": "error", "error": text}
