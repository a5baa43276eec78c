"""What is allowed in a task but hardly meant: a missing directory, a moment that is over."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cronpilot.config.document import KeyPath
from cronpilot.config.wording import nearest
from cronpilot.domain.schedule import ScheduleType, fire_times, resolve
from cronpilot.domain.task import TaskSpec

# What a run gets as PATH; `cronpilot` itself comes last.
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Notice(NamedTuple):
    """Something about one task that deserves a look; `key` is relative to the task."""

    key: KeyPath
    problem: str
    hint: str = ""


def notices(
    *,
    pools: Collection[str] | None,
    quiet: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    timezone: str,
    now: datetime,
) -> Callable[[TaskSpec], list[Notice]]:
    """A function that says what may be amiss with a task on this machine, now.

    Args:
        pools: those of config.yaml; None: say nothing of pools.
        quiet: the quiet times of config.yaml; None: say nothing of them.
        channels: those of its notifications; None: say nothing of them.
        timezone: for tasks that set none.
    """

    def tell(spec: TaskSpec) -> list[Notice]:
        return [
            *_directory(spec),
            *_program(spec),
            *_user(spec),
            *_open_quote(spec),
            *_over(spec, timezone, now),
            *(_pool(spec, pools) if pools is not None else ()),
            *(_quiet(spec, quiet) if quiet is not None else ()),
            *(_channels(spec, channels) if channels is not None else ()),
        ]

    return tell


def _directory(spec: TaskSpec) -> Iterator[Notice]:
    named = spec.working_dir
    if named and named.startswith("/") and not _is_directory(Path(named)):
        problem = f"There is no directory {named}."
        yield Notice(("working_dir",), problem, "Its runs end as errors until it exists.")


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # one of its parents is closed to us
        return False


def _program(spec: TaskSpec) -> Iterator[Notice]:
    if not isinstance(spec.command, list):
        return
    word = spec.command[0]
    if "/" in word and not word.startswith("/"):
        if not (spec.working_dir or "").startswith("/"):
            return  # relative to a home directory that is known only when it runs
        word = str(Path(spec.working_dir or "/") / word)
    path = spec.env.get("PATH", f"{_SEARCHED}:{Path(sys.executable).parent}")
    if shutil.which(word, path=path) is None:
        problem = f"There is no program {spec.command[0]!r} on this machine."
        yield Notice(("command",), problem, "A list of words runs without a shell.")


def _user(spec: TaskSpec) -> Iterator[Notice]:
    if spec.user is None:
        return
    try:
        uid = pwd.getpwnam(spec.user).pw_uid
    except KeyError:
        near = nearest(spec.user, [entry.pw_name for entry in pwd.getpwall()])
        hint = f"Did you mean {near!r}?" if near else "Its runs end as errors until there is one."
        yield Notice(("user",), f"There is no user {spec.user!r} on this machine.", hint)
        return
    if os.geteuid() not in (0, uid):
        problem = f"Only an engine of root can run it as {spec.user!r}."
        yield Notice(("user",), problem, "Its runs end as errors under an engine of yours.")


def _open_quote(spec: TaskSpec) -> Iterator[Notice]:
    """`command: echo "a #1"` without quotes of YAML's own: the rest is a comment there."""
    if not isinstance(spec.command, str) or "\n" in spec.command:
        return
    try:
        shlex.split(spec.command, comments=True)
    except ValueError:
        yield Notice(
            ("command",),
            "A quote in it is never closed.",
            "After a blank, # begins a comment in YAML; put such a command on a line after |.",
        )


def _over(spec: TaskSpec, timezone: str, now: datetime) -> Iterator[Notice]:
    if spec.schedule.type is not ScheduleType.ONCE or not spec.active:
        return
    zone = spec.zone(timezone)
    resolved = resolve(spec.schedule, zone=zone, set_at=now, seed=spec.name)
    if fire_times(ScheduleType.ONCE, resolved, zone).next_after(now) is None:
        problem = f"{spec.schedule.shorthand!r} is already over."
        yield Notice(("schedule",), problem, "It runs only when someone starts it.")


def _pool(spec: TaskSpec, pools: Collection[str]) -> Iterator[Notice]:
    if spec.pool is None or spec.pool in pools:
        return
    near = nearest(spec.pool, pools)
    hint = f"Did you mean {near!r}?" if near else f"Add it there: pools: {{{spec.pool}: 1}}."
    yield Notice(("pool",), f"config.yaml has no pool {spec.pool!r}.", hint)


def _channels(spec: TaskSpec, known: Collection[str]) -> Iterator[Notice]:
    for index, name in enumerate(spec.notify.channels or ()):
        if name not in known:
            near = nearest(name, known)
            hint = f"Did you mean {near!r}?" if near else "Until it has, nobody is told by it."
            problem = f"config.yaml has no channel {name!r} under notifications."
            yield Notice(("notify", "channels", index), problem, hint)


def _quiet(spec: TaskSpec, known: Collection[str]) -> Iterator[Notice]:
    for index, name in enumerate(spec.quiet):
        if name not in known:
            near = nearest(name, known)
            hint = f"Did you mean {near!r}?" if near else "Until it has, nothing is quiet for it."
            problem = f"config.yaml has no quiet time {name!r}."
            yield Notice(("quiet", index), problem, hint)
