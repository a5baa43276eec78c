"""Numbers as people type them: those that nothing can have are refused in a sentence."""

from __future__ import annotations

import pytest

from cronpilot.cli.numbers import LARGEST, is_number

from .conftest import Cronpilot

HUGE = "9" * 23


@pytest.mark.parametrize(
    ("text", "known"),
    [("1", True), (str(LARGEST - 1), True), (str(LARGEST), False), (HUGE, False), ("", False),
     ("-1", False), ("1.0", False), ("٣", False), ("x", False)],
)  # fmt: skip
def test_what_is_the_number_of_something(text: str, known: bool) -> None:
    assert is_number(text) is known


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["show", HUGE], f"'{HUGE}' is no number of a run. See: cronpilot history",
                     id="show"),
        pytest.param(["logs", HUGE], f"There is no task '{HUGE}'. See: cronpilot list", id="logs"),
        pytest.param(["stop", HUGE], f"There is no task '{HUGE}'. See: cronpilot list", id="stop"),
        pytest.param(["compare", HUGE], f"There is no task '{HUGE}'. See: cronpilot list",
                     id="compare"),
        pytest.param(["ack", HUGE], "Invalid value for 'INCIDENT...': it must be at most"
                     " 1000000000000000. See: cronpilot --help", id="ack"),
        pytest.param(["history", "--limit", "0"], "Invalid value for '--limit': it must be at"
                     " least 1. See: cronpilot --help", id="nothing of it"),
        pytest.param(["history", "--limit", "many"], "Invalid value for '--limit': it must be a"
                     " whole number. See: cronpilot --help", id="no number"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_number_is_said(
    cronpilot: Cronpilot, words: list[str], sentence: str
) -> None:
    said = cronpilot(*words)

    assert (said.code, said.err) == (2, f"cronpilot: {sentence}\n")
