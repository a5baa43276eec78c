"""`cronpilot --headless`, started without what reads all other commands: a sixteenth of a start.

In its usual words alone; all else goes the whole way, by `app`, which does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cronpilot.cli.telling import guarded

_VALUED = ("--config", "--tasks", "--state-dir", "--log-level")


def run_engine(words: Sequence[str]) -> int | None:
    """Run it until it is told to end; the exit code. None: go the whole way."""
    given = understand(words)
    if given is None:
        return None
    from cronpilot.cli.session import Options, Session

    log_level = given.pop("--log-level", "info")
    files = {flag: Path(value) for flag, value in given.items()}
    session = Session()
    session.options = Options(
        config=files.get("--config"), tasks=files.get("--tasks"), state_dir=files.get("--state-dir")
    )
    return guarded(
        lambda: session.run_engine(log_level=log_level), lambda: session.known_state_dir
    )  # fmt: skip


def understand(words: Sequence[str]) -> dict[str, str] | None:
    """The values that were given with --headless; None when there is more than these."""
    given: dict[str, str] = {}
    rest, asked = iter(words), False
    for word in rest:
        flag, joined, value = word.partition("=")
        if word == "--headless":
            asked = True
        elif flag in _VALUED:
            given[flag] = value if joined else next(rest, "")
            if not given[flag] or given[flag].startswith("-"):
                return None
        else:
            return None
    known = given.get("--log-level", "info") in ("info", "warning")
    return given if asked and known else None
