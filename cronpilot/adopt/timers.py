"""systemd's timers (systemd.timer(5), systemd.time(7)), as far as a schedule here says the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cronpilot.adopt.entries import Entry, Kind, Notice, make, without_equal
from cronpilot.domain.schedule import find_zone

# Where units lie; the first that has a name hides the others.
_UNITS = ("etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system",
          "usr/lib/systemd/system", "lib/systemd/system")  # fmt: skip
_SHORT = {
    "minutely": "* * * * *", "hourly": "0 * * * *", "daily": "0 0 * * *", "monthly": "0 0 1 * *",
    "weekly": "0 0 * * 1", "yearly": "0 0 1 1 *", "annually": "0 0 1 1 *",
    "quarterly": "0 0 1 1,4,7,10 *", "semiannually": "0 0 1 1,7 *",
}  # fmt: skip
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNIT_S = {
    "": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 0.001, "msec": 0.001,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0,
    "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "w": 604800.0, "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip
_BY_SYSTEMCTL = "Its output stays in the journal: see journalctl -u with its unit."


@dataclass(slots=True)
class _Timer:
    path: Path
    settings: dict[str, list[str]] = field(default_factory=dict)

    def last(self, key: str) -> str | None:
        values = self.settings.get(key)
        return values[-1] if values else None


def entries(root: Path, me: str) -> list[Entry]:
    """The timers that are enabled, by name."""
    found: dict[str, Path] = {}
    for folder in reversed(_UNITS):
        for path in _glob(root / folder, "*.timer"):
            found[path.name] = path
    enabled = _enabled(root)
    return [_entry(root, found[name], me) for name in sorted(found) if name in enabled]


def _enabled(root: Path) -> set[str]:
    return {
        path.name for folder in _UNITS for path in _glob(root / folder, "*.wants/*.timer")
    }  # fmt: skip


def _entry(root: Path, path: Path, me: str) -> Entry:
    timer = _read(root, path)
    name = path.stem
    unit = timer.last("Unit") or f"{name}.service"
    fields: dict[str, Any] = {"name": f"timer: {name}", "command": _start(unit)}
    notices: list[Notice] = [_BY_SYSTEMCTL]
    if me != "root":
        notices.append("Only root may start it.")
    why = _schedule(timer, fields, notices)
    if why is not None:
        return without_equal(Kind.TIMER, path, f"timer: {name}", why)
    if delay := timer.last("RandomizedDelaySec"):
        seconds = seconds_of(delay)
        if seconds:
            fields["spread"] = f"{round(seconds)}s"
            notices.append(
                "RandomizedDelaySec becomes a fixed offset below it, each time the same."
            )
    fields["missed"] = "once" if _is_yes(timer.last("Persistent")) else "skip"
    description = timer.last("Description")
    if description:
        fields["description"] = description[:200]
    return make(Kind.TIMER, path, fields, notices=notices)


def _start(unit: str) -> list[str]:
    return ["systemctl", "start", "--wait", unit]


def _schedule(timer: _Timer, fields: dict[str, Any], notices: list[Notice]) -> str | None:
    """Put a schedule into the fields; or say why there is none."""
    calendars = timer.settings.get("OnCalendar", [])
    every = timer.last("OnUnitActiveSec") or timer.last("OnUnitInactiveSec")
    if len(calendars) > 1 or (calendars and every):
        return "More than one rule says when: make a task of each."
    if calendars:
        expression, zone = to_cron(calendars[0])
        if expression is None:
            return f"OnCalendar={calendars[0]} has no equal among cron expressions."
        fields["schedule"] = expression
        if zone:
            fields["timezone"] = zone
        return None
    if every:
        seconds = seconds_of(every)
        if not seconds or seconds < 1:
            return f"{every} is no time between two runs that is understood here."
        fields["schedule"] = f"every {round(seconds)}s"
        notices.append("Counted from when it is taken over, not from when the machine started.")
        return None
    return "It starts once after the machine or systemd does, which has no equal here."


def to_cron(calendar: str) -> tuple[str | None, str | None]:
    """A calendar event as five fields and a time zone; None when no expression says the same."""
    words = calendar.split()
    zone = None
    if len(words) > 1 and _is_zone(words[-1]):
        zone = words.pop()
    if len(words) == 1 and words[0].lower() in _SHORT:
        return _SHORT[words[0].lower()], zone
    weekdays = "*"
    if words and re.match(r"(?i)(mon|tue|wed|thu|fri|sat|sun)", words[0]):
        found = _weekdays(words.pop(0))
        if found is None:
            return None, None
        weekdays = found
    date = words.pop(0) if words and ("-" in words[0] or "~" in words[0]) else "*-*-*"
    clock = words.pop(0) if words else "00:00:00"
    fields = [*_clock(clock), *_date(date)]
    if words or None in fields or (weekdays != "*" and fields[2] != "*"):
        return None, None  # cron joins day and weekday by or, systemd by and
    return " ".join([*(str(part) for part in fields), weekdays]), zone


def _clock(text: str) -> list[str | None]:
    """Minute and hour."""
    parts = text.split(":")
    if len(parts) == 3 and parts[2].strip("0") == "":
        parts.pop()
    if len(parts) != 2:
        return [None, None]
    return [_field(parts[1], 59), _field(parts[0], 23)]


def _date(text: str) -> list[str | None]:
    """Day of month and month; the year has to be any."""
    parts = text.split("-")
    if len(parts) == 3 and parts[0] == "*":
        parts.pop(0)
    if len(parts) != 2:
        return [None, None]
    return [_field(parts[1], 31), _field(parts[0], 12)]


def _field(text: str, most: int) -> str | None:
    """`*`, numbers, ranges with `..`, repetitions with `/`, in lists."""
    items = []
    for item in text.split(","):
        found = re.fullmatch(r"(\*|\d+)(?:\.\.(\d+))?(?:/(\d+))?", item)
        if found is None:
            return None
        start, end, step = found.groups()
        if start == "*":
            items.append("*" if step is None else f"*/{int(step)}")
        elif step is None:
            items.append(str(int(start)) + (f"-{int(end)}" if end else ""))
        else:
            items.append(f"{int(start)}-{int(end) if end else most}/{int(step)}")
    return ",".join(items)


def _weekdays(text: str) -> str | None:
    items = []
    for item in text.lower().rstrip(",").split(","):
        ends = [part[:3] for part in item.split("..")]
        if len(ends) > 2 or any(end not in _DAYS for end in ends):
            return None
        if len(ends) == 2 and _DAYS.index(ends[0]) > _DAYS.index(ends[1]):
            first, last = (_DAYS.index(end) for end in ends)
            items += [*_DAYS[first:], *_DAYS[: last + 1]]
        else:
            items.append("-".join(ends))
    return ",".join(items)


def seconds_of(text: str) -> float | None:
    """`1h 30min` in seconds; None when it is no time span of systemd.time(7)."""
    total = 0.0
    rest = text.strip().lower()
    if not rest:
        return None
    while rest:
        found = re.match(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*", rest)
        if found is None or found[2] not in _UNIT_S:
            return None
        total += float(found[1]) * _UNIT_S[found[2]]
        rest = rest[found.end() :]
    return total


def _is_zone(word: str) -> bool:
    if not re.match(r"[A-Za-z]", word) or word.lower() in _SHORT:
        return False
    try:
        find_zone(word)
    except ValueError:
        return False
    return True


def _is_yes(text: str | None) -> bool:
    return (text or "").lower() in ("1", "yes", "true", "on")


def _read(root: Path, path: Path) -> _Timer:
    """The unit and its drop-ins, by name; an empty value forgets those before it."""
    timer = _Timer(path)
    drop_ins = [
        found for folder in _UNITS for found in _glob(root / folder, f"{path.name}.d/*.conf")
    ]
    for file in [path, *sorted(drop_ins, key=lambda found: found.name)]:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.replace("\\\n", " ").split("\n"):
            key, is_setting, value = line.strip().partition("=")
            if not is_setting or key.startswith(("#", ";")):
                continue
            values = timer.settings.setdefault(key.strip(), [])
            values[:] = [*values, value.strip()] if value.strip() else []
    return timer


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
