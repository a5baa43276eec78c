"""Quiet times of config.yaml: days written there, holiday files, windows of the week."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from cronpilot.domain.quiet import Rule, Then, parse_day, parse_window
from cronpilot.domain.text import clean
from cronpilot.errors import Complaint, InvalidFile

_MOST_BYTES = 4_000_000
_LONGEST = 400  # days of one event
_FIELD = re.compile(r"([A-Za-z-]+)((?:;[^:]*)?):(.*)")


def _window(text: str) -> str:
    parse_window(text)
    return text


class QuietSettings(BaseModel):
    """One quiet time."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    days: list[Annotated[str, AfterValidator(parse_day)]] = Field(default_factory=list)
    file: Annotated[str, Field(min_length=1, strict=True)] | None = None
    windows: list[Annotated[str, AfterValidator(_window)]] = Field(default_factory=list)
    then: Then = Then.SKIP

    @model_validator(mode="after")
    def _says_when(self) -> QuietSettings:
        if not (self.days or self.file or self.windows):
            raise ValueError("says no time: give days, a file of holidays, or windows")
        return self


def quiet_rules(quiet: Mapping[str, QuietSettings], config_file: Path) -> dict[str, Rule]:
    """The rules, with the days of their files; those are relative to config.yaml.

    Raises:
        InvalidFile: a file of holidays cannot be read.
    """
    return {
        name: Rule(
            name,
            one.then,
            frozenset({*one.days, *(_days_of(config_file.parent / one.file) if one.file else ())}),
            tuple(parse_window(text) for text in one.windows),
        )
        for name, one in quiet.items()
    }


def _days_of(path: Path) -> frozenset[str]:
    return frozenset(read_ics(path) if path.suffix.lower() == ".ics" else _read_yaml(path))


def _read_yaml(path: Path) -> Iterator[str]:
    """A list of dates, or keys that are dates with whatever is said of them."""
    from cronpilot.config.strict_yaml import load  # most machines have no such file

    document = load(path)
    value = document.value
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, list):
        raise _bad(path, 0, "must be a list of dates.", "Such as - 2026-12-25")
    for index, one in enumerate(value):
        try:
            yield parse_day(one if isinstance(one, str) else str(document.text((index,)) or one))
        except ValueError as error:
            raise _bad(path, document.line((index,)), f"{error}.") from error


def read_ics(path: Path) -> Iterator[str]:
    """The days of all-day events of a calendar (RFC 5545): DTSTART up to, not including, DTEND.

    RRULE:FREQ=YEARLY makes a day of each year; events with other rules or with hours are refused,
    because leaving them out in silence would start what should rest.

    Raises:
        InvalidFile: the file cannot be read, or says what is not understood here.
    """
    event: dict[str, str] | None = None
    begun = 0
    for number, line in _unfolded(path):
        found = _FIELD.fullmatch(line)
        if found is None:
            continue
        key, value = found[1].upper(), found[3].strip()
        if (key, value.upper()) == ("BEGIN", "VEVENT"):
            event, begun = {}, number
        elif (key, value.upper()) == ("END", "VEVENT") and event is not None:
            yield from _days_of_event(path, begun, event)
            event = None
        elif event is not None and key in ("DTSTART", "DTEND", "RRULE", "RDATE", "STATUS"):
            event[key] = value


def _days_of_event(path: Path, line: int, event: Mapping[str, str]) -> Iterator[str]:
    if event.get("STATUS", "").upper() == "CANCELLED":
        return
    start = _day(path, line, event.get("DTSTART", ""))
    end = _day(path, line, event["DTEND"]) if "DTEND" in event else start + timedelta(days=1)
    length = max(1, (end - start).days)
    if length > _LONGEST:
        raise _bad(path, line, f"an event of {length} days is too long.", "Is it meant so?")
    rule = event.get("RRULE", "").upper()
    if "RDATE" in event or (rule and not re.fullmatch(r"FREQ=YEARLY(;INTERVAL=1)?", rule)):
        raise _bad(path, line, f"the repetition {rule or 'RDATE'} is not understood here.",
                   "Write its days out; only FREQ=YEARLY alone is.")  # fmt: skip
    for step in range(length):
        day = start + timedelta(days=step)
        yield f"{day:%m-%d}" if rule else day.isoformat()


def _day(path: Path, line: int, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  a day of any zone
    except ValueError:
        raise _bad(path, line, f"{text or 'an event without DTSTART'} is no whole day.",
                   "Windows of hours are written in config.yaml.") from None  # fmt: skip


def _unfolded(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line; a line that begins with a blank belongs to the one before."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _bad(path, 0, f"cannot be read: {reason}.") from error
    if len(content) > _MOST_BYTES or b"BEGIN:VCALENDAR" not in content.upper():
        raise _bad(path, 0, "is no calendar.", "It should begin with BEGIN:VCALENDAR.")
    held: tuple[int, str] | None = None
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if line[:1] in (" ", "\t") and held is not None:
            held = (held[0], held[1] + line[1:])
            continue
        if held is not None:
            yield held
        held = (number, line)
    if held is not None:
        yield held


def _bad(path: Path, line: int, problem: str, hint: str = "") -> InvalidFile:
    complaint: Any = Complaint(clean(str(path)), line, "", clean(problem), hint)
    return InvalidFile([complaint])
