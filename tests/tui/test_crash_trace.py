"""What is kept of a crash tells where it was, and none of the values that tasks hold."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel, ValidationError

from cronpilot.tui.crash_trace import crash_trace


class Figures(BaseModel):
    minute: int


def caught(function):
    with pytest.raises(BaseException) as found:
        function()
    return found.value


def test_it_names_the_place_and_the_error():
    trace = crash_trace(caught(lambda: "".index("x")))
    assert "test_crash_trace.py" in trace
    assert "ValueError: substring not found" in trace


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda: int("hunter2"), id="quoted by int"),
        pytest.param(lambda: {}["it's hunter2"], id="quoted with a quotation mark in it"),
        pytest.param(lambda: Figures(minute="hunter2"), id="quoted by pydantic"),
        pytest.param(lambda: exec("raise OSError('postgres://me:hunter2@host')"), id="in a URL"),
    ],
)
def test_values_in_the_words_of_an_error_are_hidden(broken):
    trace = crash_trace(caught(broken))
    words = [line for line in trace.splitlines() if not line.startswith("    ")]  # not our source
    assert "hunter2" not in "\n".join(words)
    assert "***" in trace


def test_what_led_to_it_and_the_parts_of_a_group_are_told():
    async def part():
        raise LookupError("inner")

    async def group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(part())

    def outer():
        try:
            asyncio.run(group())
        except ExceptionGroup as error:
            raise RuntimeError("outer") from error

    trace = crash_trace(caught(outer))
    assert trace.index("LookupError: inner") < trace.index("RuntimeError: outer")


def test_the_error_is_one_of_pydantic():
    assert isinstance(caught(lambda: Figures(minute="x")), ValidationError)
