"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cronpilot.domain.duration import LONGEST, Duration, format_duration, parse_duration


@pytest.mark.parametrize(("text", "seconds"), [
    ("90s", 90), ("1h30m", 5400), ("1h 30m", 5400), ("2d", 172_800), ("1w", 604_800),
    ("1.5h", 5400), ("250ms", 0.25), ("0", 0), ("0s", 0), ("10M", 600), ("3660d", 316_224_000),
])  # fmt: skip
def test_read(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("text", "hint"), [
    ("90", "write 90s"), ("1.5", "write 1.5s"), ("", "write 90s or 1h30m"),
    ("-5s", "write 90s or 1h30m"), ("5 years", "write 90s"), ("s", "write 90s"),
    ("1h30", "write 90s"), ("1e3s", "write 90s"), ("\u0665s", "write 90s"),
    ("3661d", "longer than ten years"), ("9" * 500 + "d", "longer than ten years"),
])  # fmt: skip
def test_refused(text, hint):
    with pytest.raises(ValueError, match=hint):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0s"), (90, "1m30s"), (5400, "1h30m"), (86_400, "1d"), (604_800, "7d"), (0.25, "250ms"),
])  # fmt: skip
def test_written(seconds, text):
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, LONGEST // timedelta(milliseconds=1)))
def test_every_duration_is_read_back(milliseconds):
    value = timedelta(milliseconds=milliseconds)

    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize("value", [90, 1.5, True, None, [], timedelta(seconds=-1)])
def test_a_field_takes_no_bare_number(value):
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


def test_a_field_is_a_timedelta_inside_and_text_outside():
    field = TypeAdapter(Duration)

    assert field.validate_python("90s") == timedelta(seconds=90)
    assert field.validate_python(timedelta(seconds=90)) == timedelta(seconds=90)
    assert field.dump_python(timedelta(seconds=90), mode="json") == "1m30s"
