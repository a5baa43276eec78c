"""What crosses between an engine and its executor: orders in, reports out."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cronpilot.runner.keeper.protocol import Message


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class AttemptKey(NamedTuple):
    """One launch of one run. `launch` counts every try, also those that never started."""

    run_id: int
    launch: int

    @classmethod
    def of(cls, message: Message) -> AttemptKey:
        return cls(message["run"], message["launch"])


class ResourceLimits(NamedTuple):
    """What one run may use; None is no limit of ours. `memory` in bytes, `cpu` in seconds."""

    nice: int | None = None
    memory: int | None = None
    cpu: int | None = None
    open_files: int | None = None


class StartOrder(NamedTuple):
    """A command, ready to run: see `environment` for how a task becomes one.

    `working_dir` is absolute, `log_limit` in bytes, `user` is for root alone.
    """

    key: AttemptKey
    task_id: int
    argv: list[str]
    env: dict[str, str]
    working_dir: str
    timeout: timedelta | None = None
    stop_grace: timedelta = timedelta(seconds=10)
    log_limit: int = 50_000_000
    user: str | None = None
    limits: ResourceLimits = ResourceLimits()


class Linked(NamedTuple):
    """Orders can be given. `live` is all that runs; every other open run must be settled now.

    A `Started` follows for each of them.
    """

    live: tuple[AttemptKey, ...]


@dataclass(frozen=True, slots=True)
class Unlinked:
    """No orders now. What runs goes on."""


class Trouble(NamedTuple):
    """Nothing can be started, and why. Over with the next `Linked`."""

    problem: str
    hint: str = ""


class Started(NamedTuple):
    """The command was started. May come again for the same key, after an adoption."""

    key: AttemptKey
    pid: int  # of the wrapper: the session and group of the run
    at: datetime


class Ended(NamedTuple):
    """An attempt is over. May come again for the same key.

    `exit_code` is as a shell says it, 128+n after signal n; None: nobody can know, the run is lost.
    `why` is empty for an end of its own, else the word of the stop (`stop`, `timeout`, `replaced`
    ...), `log_limit`, `setup` (the command was not reached) or `host_restart`.
    """

    key: AttemptKey
    exit_code: int | None
    signal: int | None
    why: str
    pid: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cpu_s: float | None = None
    max_rss: int | None = None  # bytes
    left: bool = False  # a process of it was left behind: a daemon
    detail: str = ""  # a sentence, where code and why do not say it all


class NeverStarted(NamedTuple):
    """The command was certainly not started; `retry`: the next launch may be.

    `revoked`: by us, and by nothing but its record. A keeper that is slow may have the order in its
    pipe still, so the record stays until a later launch has ended, or another link is made.
    """

    key: AttemptKey
    detail: str
    retry: bool
    exhausted: bool = False  # the machine had no process, memory or room to spare
    revoked: bool = False


Report = Linked | Unlinked | Trouble | Started | Ended | NeverStarted


def started_report(message: Message) -> Started:
    return Started(AttemptKey.of(message), message["pid"], _instant(message["at"]))


def ended_report(message: Message) -> Ended:
    """From the keeper's `done`, or the same made from a record."""
    words = [str(word) for word in message["words"]]
    return Ended(
        key=AttemptKey.of(message),
        exit_code=message["code"],
        signal=message["sig"] or None,
        why=message["why"],
        pid=message["pid"],
        started_at=_instant_or_none(message["started"]),
        ended_at=_instant_or_none(message["ended"]),
        cpu_s=message["cpu"],
        max_rss=message["rss"],
        left=bool(message["left"]),
        detail=_detail(message["code"], message["why"], words),
    )


_EXHAUSTED = {
    "Cannot fork": "no process could be started: the process limit or the memory is used up",
    os.strerror(errno.EAGAIN): "no process could be started: the process limit is used up",
    os.strerror(errno.ENOMEM): "no process could be started: the memory is used up",
    os.strerror(errno.EMFILE): "the keeper has no file descriptor left",
    os.strerror(errno.ENFILE): "the machine has no file descriptor left",
    os.strerror(errno.ENOSPC): "the disk is full",
    os.strerror(errno.EDQUOT): "the disk quota is used up",
}


def never_report(message: Message) -> NeverStarted:
    """From the keeper's `never`, which quotes the kernel or the shell."""
    said = str(message["error"])
    words = next((words for sign, words in _EXHAUSTED.items() if sign in said), "")
    detail = f"waits: {words}" if words else said
    return NeverStarted(
        AttemptKey.of(message), detail, message["retry"], exhausted=bool(words and message["retry"])
    )


def _detail(code: int | None, why: str, words: list[str]) -> str:
    """What the shell said about the setup, in our words; what its code 126 or 127 means."""
    said = "; ".join(words)
    if why == "setup" and "cd: " in said:
        return f"The working directory cannot be entered: {said.partition('cd: ')[2]}."
    if why == "setup":
        return f"A limit cannot be set: {said.partition('ulimit: ')[2] or said}."
    if why == "log_limit":
        return "Its output passed log_limit, and this file system cannot drop the middle of a file."
    if code == 127:
        return "Exit code 127: command not found. The log has the shell's words."
    if code == 126:
        return "Exit code 126: the command cannot be executed. The log has the shell's words."
    return ""


def _instant(ns: int) -> datetime:
    """To the microsecond, exactly: a float of seconds would round."""
    return _EPOCH + (ns // 1000) * _MICROSECOND


def _instant_or_none(ns: Any) -> datetime | None:
    return None if ns is None else _instant(ns)
