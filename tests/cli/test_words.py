"""Verdicts as words: facts first, then the sentence that explains them."""

from __future__ import annotations

import pytest

from cronpilot.cli.words import why
from cronpilot.client.fake import make_run
from cronpilot.domain.run import Reason, Status


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"status": Status.SUCCESS}, "", id="a success needs none"),
        pytest.param(
            {"status": Status.ERROR, "reason": Reason.SETUP,
             "detail": "The working directory cannot be entered: can't cd to /nope."},
            "could not be set up: The working directory cannot be entered: can't cd to /nope",
            id="a setup that failed",
        ),
        pytest.param(
            {"status": Status.FAILED, "exit_code": 127,
             "detail": "Exit code 127: command not found. The log has the shell's words."},
            "exit 127: command not found. The log has the shell's words",
            id="an exit code is said once",
        ),
        pytest.param(
            {"status": Status.FAILED, "exit_code": 3, "attempts": 2, "max_attempts": 3},
            "exit 3, attempt 2 of 3",
            id="which attempt it was",
        ),
    ],
)  # fmt: skip
def test_why(fields: dict[str, object], words: str) -> None:
    assert why(make_run(5, **{"exit_code": None, **fields})) == words
