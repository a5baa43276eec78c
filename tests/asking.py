"""The command line in this process: half a second of CPU less than a program of its own."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

from cronpilot.cli import main


def said(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main(list(words))
    return code, out.getvalue(), errors.getvalue()


def ask(*words: str) -> Any:
    """What a command answers as JSON; it has to be done (exit code 0)."""
    code, out, errors = said(*words, "--json")
    assert code == 0, errors
    return json.loads(out)
