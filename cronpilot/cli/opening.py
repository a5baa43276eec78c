"""`cronpilot` alone: the screen, painted before what reads commands and settings is loaded.

In its usual words and without a config.yaml alone; all else goes the whole way, by `app`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.cli.telling import guarded
from cronpilot.errors import ConfigError

if TYPE_CHECKING:
    from cronpilot.client.remote import Remote

_OF_CONNECT = {"--user", "--password-file", "--ca-file"}  # of no use without it
_VALUED = {"--state-dir", "--tasks", "--connect"} | _OF_CONNECT


def open_screen(words: Sequence[str]) -> int | None:
    """Show it until it is left; the exit code. None: go the whole way."""
    given = understand(words)
    if given is None:
        return None
    from cronpilot.config.places import PlainLooks, places_without_config

    named = {flag: Path(value) for flag, value in given.items() if value}
    try:
        places = places_without_config(
            tasks=named.get("--tasks"), state_dir=named.get("--state-dir"),
            looks=PlainLooks(
                ascii=True if "--ascii" in given else None, mouse="--no-mouse" not in given
            ),
            environ=os.environ, cwd=Path.cwd(),
        )  # fmt: skip
    except ConfigError:
        return None
    if places is None:
        return None
    from cronpilot.bootstrap.screen import run_screen

    remote = _remote(given)
    return guarded(lambda: run_screen(places, remote), lambda: places.state_dir)


def _remote(given: Mapping[str, str]) -> Remote | None:
    """The engine that --connect names."""
    if "--connect" not in given:
        return None
    from cronpilot.client.remote import Remote

    files = {flag: Path(given[flag]) for flag in ("--password-file", "--ca-file") if flag in given}
    return Remote(
        given["--connect"], given.get("--user"), files.get("--password-file"),
        files.get("--ca-file"),
    )  # fmt: skip


def understand(words: Sequence[str]) -> dict[str, str] | None:
    """The options that were given, with their values; None when there is more than these."""
    given: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        flag, joined, value = word.partition("=")
        if flag in _VALUED:
            given[flag] = value if joined else next(rest, "")
            if not given[flag] or given[flag].startswith("-"):
                return None
        elif word in ("--ascii", "--no-mouse"):
            given[word] = ""
        else:
            return None
    return given if "--connect" in given or not given.keys() & _OF_CONNECT else None
