"""Tasks as the text of a crontab; what a crontab cannot say stands above its line, in words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from cronpilot.domain.schedule import Schedule, ScheduleType, resolve
from cronpilot.domain.task import TaskSpec, told_dict
from cronpilot.domain.text import clean

_TAKEN_ALONG = {"name", "description", "command", "schedule", "env", "working_dir", "user",
                "shell", "tags", "active"}  # fmt: skip
# a/step, L, LW, 5L, fri#2: what our evaluator knows and Debian's cron does not
_BEYOND_DEBIAN = re.compile(r"#|\bL|\dL|(?:^|[ ,])\d+/", re.IGNORECASE)
_DAY = timedelta(days=1)
# Before a % cron takes backslashes in pairs, so that an odd number of them cannot be said.
_UNSAYABLE = re.compile(r"(?<!\\)\\(?:\\\\)*%")


def crontab_text(
    specs: Iterable[TaskSpec],
    timezone: str,
    *,
    has_user: bool = False,
    resolved: Mapping[str, str] | None = None,
    machine_timezone: str | None = None,
) -> str:
    """A crontab with these tasks, in their order.

    Args:
        timezone: scheduler.timezone, for tasks that set none.
        has_user: with a user in each line, as in /etc/cron.d.
        resolved: of tasks by name what their schedule came to when it was set, such as the minute
            of `hourly`; others are set now.
        machine_timezone: the one a crontab has; it is said where `timezone` is another.
    """
    lines = ["# From CronPilot. What a crontab cannot say stands above each line."]
    if machine_timezone not in (None, timezone):
        lines += [f"# The times are those of {timezone}; cron takes them in {machine_timezone}."]
    lines += ["SHELL=/bin/sh"]
    for spec in specs:
        lines += ["", *_task(spec, timezone, has_user, (resolved or {}).get(spec.name))]
    return "\n".join(lines) + "\n"


def _task(spec: TaskSpec, timezone: str, has_user: bool, resolved: str | None) -> Iterator[str]:
    yield f"# {_one_line(spec.name)}" + (
        f": {_one_line(spec.description)}" if spec.description else ""
    )
    lost = [name for name in told_dict(spec) if name not in _TAKEN_ALONG]
    if lost:
        yield f"# without {', '.join(lost)}"
    if spec.user and not has_user:
        yield f"# belongs into the crontab of {spec.user}"
    when = expression(spec, timezone, resolved)
    command = _command(spec)
    why = f"schedule: {spec.schedule.shorthand}" if when is None else _unsayable(command)
    if why:
        yield f"# has no equal in a crontab: {_one_line(why)}"
        return
    command = command.replace("%", "\\%")
    user = f" {spec.user or 'root'}" if has_user else ""
    line = f"{when}{user} {command}"
    yield line if spec.active else f"#{line}"


def expression(spec: TaskSpec, timezone: str, resolved: str | None = None) -> str | None:
    """Its schedule as five fields; None when no crontab says the same."""
    schedule = spec.schedule
    match schedule.type:
        case ScheduleType.HOURLY | ScheduleType.DAILY | ScheduleType.WEEKLY | ScheduleType.CUSTOM:
            zone = spec.zone(timezone)
            found = resolved or resolve(
                schedule, zone=zone, set_at=datetime.now(UTC), seed=spec.name
            )
            return None if _BEYOND_DEBIAN.search(found) else found
        case ScheduleType.INTERVAL:
            return _interval(schedule)
    return None


def _interval(schedule: Schedule) -> str | None:
    """Only what divides an hour or a day evenly; in step with the clock, not with its anchor."""
    from cronpilot.domain.duration import parse_duration

    every = parse_duration(str(schedule.config["every"]))
    minutes, seconds = divmod(int(every.total_seconds()), 60)
    if seconds or not minutes:
        return None
    if minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *" if minutes > 1 else "* * * * *"
    hours, rest = divmod(minutes, 60)
    if rest == 0 and every <= _DAY and 24 % hours == 0:
        return (
            f"0 */{hours} * * *" if 1 < hours < 24 else ("0 * * * *" if hours == 1 else "0 0 * * *")
        )
    return None


def _command(spec: TaskSpec) -> str:
    words = spec.command if isinstance(spec.command, str) else shlex.join(spec.command)
    if spec.shell != "/bin/sh" and isinstance(spec.command, str):
        words = f"{shlex.quote(spec.shell)} -c {shlex.quote(words)}"
    exports = "".join(f"export {name}={shlex.quote(value)}; " for name, value in spec.env.items())
    folder = f"cd {shlex.quote(spec.working_dir)} && " if spec.working_dir else ""
    return f"{exports}{folder}{words}".strip()


def _unsayable(command: str) -> str:
    """Why a crontab cannot have it; empty when it can."""
    if "\n" in command or "\r" in command:
        return "a command of several lines"
    return "a backslash before a %" if _UNSAYABLE.search(command) else ""


def _one_line(text: str) -> str:
    """As part of a comment, which may end up on a terminal."""
    return clean(" ".join(text.split()))
