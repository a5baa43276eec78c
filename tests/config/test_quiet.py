"""Quiet times of config.yaml, and the files of holidays that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot.config.quiet import read_ics
from cronpilot.config.settings import load_settings
from cronpilot.domain.quiet import Then
from cronpilot.errors import InvalidFile

ICS = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
SUMMARY:Christmas: a long
  name
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260501
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260101
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
"""


def settings(tmp_path: Path, text: str):
    config = tmp_path / "config.yaml"
    config.write_text(text)
    return load_settings(config=config, state_dir=tmp_path, environ={"TZ": "UTC"}, cwd=tmp_path)


def test_days_windows_and_files_are_one_rule(tmp_path: Path):
    (tmp_path / "holidays.ics").write_text(ICS.replace("\n", "\r\n"))
    (tmp_path / "more.yaml").write_text("- 2026-10-03\n- 12-31\n")
    quiet = settings(
        tmp_path,
        "quiet:\n  holidays: {file: holidays.ics, days: [2026-06-04]}\n"
        "  more: {file: more.yaml}\n"
        "  night: {windows: [mon-fri 22:00-06:00], then: after}\n",
    ).quiet

    assert quiet["holidays"].days == {"2026-12-25", "2026-12-26", "05-01", "2026-06-04"}
    assert quiet["more"].days == {"2026-10-03", "12-31"}
    assert (quiet["night"].then, quiet["night"].windows[0].minutes) == (Then.AFTER, 480)


@pytest.mark.parametrize(("text", "sentence"), [
    ("quiet: {a: {}}", "says no time"),
    ("quiet: {a: {windows: [sunday]}}", "is no window"),
    ("quiet: {a: {days: [yesterday]}}", "is no date"),
    ("quiet: {a: {days: [12-25], then: run}}", "skip"),
    ("quiet: {a: {day: [12-25]}}", "days"),
    ("quiet: {a: {file: nowhere.ics}}", "there is no such file|no such file"),
    ("quiet: {a: {file: config.yaml}}", "is no date"),
])  # fmt: skip
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(InvalidFile, match=sentence):
        settings(tmp_path, text)


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("FREQ=YEARLY", "FREQ=WEEKLY", "repetition FREQ=WEEKLY is not understood"),
    ("DATE:20261225", "DATE-TIME:20261225T090000", "no whole day"),
    ("BEGIN:VCALENDAR", "hello", "is no calendar"),
    ("DATE:20261227", "DATE:20291227", "too long"),
])  # fmt: skip
def test_a_calendar_that_would_be_misread_is_refused(
    tmp_path: Path, old: str, new: str, sentence: str
):
    path = tmp_path / "x.ics"
    path.write_text(ICS.replace(old, new))

    with pytest.raises(InvalidFile, match=sentence):
        list(read_ics(path))
