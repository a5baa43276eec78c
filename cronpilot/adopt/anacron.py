"""anacrontab(5): so many days between two runs, on a machine that is not always up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cronpilot.adopt import crontab
from cronpilot.adopt.crontab import Line, Source
from cronpilot.adopt.entries import Entry, Kind, make, without_equal

# Debian starts anacron at half past each hour from 7 on (/etc/cron.d/anacron), or by its timer.
_HOUR, _MINUTE = 7, 30
_ENTRY = re.compile(r"\s*(\d+|@\w+)\s+(\d+)\s+(\S+)\s+(.*)$")
_PERIODS = {"1": 1, "@daily": 1, "7": 7, "@weekly": 7, "30": 30, "31": 30, "@monthly": 30}
NOTICE = (
    "anacron runs it so many days after the last time; here it has a fixed time, and is made up for"
    " once when the machine was off."
)


def entries(path: Path, text: str, me: str) -> tuple[list[Entry], list[tuple[Line, Path]]]:
    """What each line becomes; and the lines that walk through a directory with run-parts."""
    found: list[Entry] = []
    directories: list[tuple[Line, Path]] = []
    settings: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parsed = _ENTRY.match(line)
        if parsed is None:
            name, _, value = line.partition("=")
            settings = settings | {name.strip(): value.strip()}
            continue
        period, delay, label, command = parsed.groups()
        when = _when(period, int(delay))
        if when is None:
            notice = f"A run each {period} days has no equal: choose a day of the month."
            found.append(without_equal(Kind.CRONTAB, path, label, notice, line=number, text=line))
            continue
        read = Line(number, line, when, None, command, dict(settings), "")
        if parts := re.search(r"\brun-parts\b[^|;&]*?\s(/[\w./-]+)", command):
            directories.append((read, Path(parts[1])))
            continue
        source = Source(path, text, None, me)
        fields, notices = crontab.surroundings(source, read)
        fields = _without(fields, "START_HOURS_RANGE")
        fields |= {"name": label, "command": command, "schedule": when, "missed": "once"}
        found.append(
            make(Kind.CRONTAB, path, fields, line=number, text=line, notices=[*notices, NOTICE])
        )
    return found, directories


def _when(period: str, delay: int) -> str | None:
    minutes = _HOUR * 60 + _MINUTE + delay
    clock = f"{minutes % 60} {minutes // 60 % 24}"
    match _PERIODS.get(period.lower()):
        case 1:
            return f"{clock} * * *"
        case 7:
            return f"{clock} * * 1"
        case 30:
            return f"{clock} 1 * *"
    return None


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    env = {key: value for key, value in fields.get("env", {}).items() if key != name}
    return {key: value for key, value in fields.items() if key != "env"} | (
        {"env": env} if env else {}
    )
