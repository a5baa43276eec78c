"""`list`, `next`, `history` and `status` as they are mostly typed: read and answered at once.

Typer and the models of what crosses take three times as long to load as the question and its answer
take together. So these four are looked at first, in their usual words alone: any other option, any
answer that is not as expected, goes the whole way, which does the same and has the words for what
is wrong. Nothing is printed before the answer is there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronpilot.cli.pipe import PIPE_CLOSED, drop_output

if TYPE_CHECKING:
    from cronpilot.client.plain_client import PlainSource

NO_ENGINE = 3  # of `status` only; commands that need an engine exit with 5
_MOST = {"next": 1000, "history": sys.maxsize}  # of --limit
_VALUED = ("--state-dir", "--connect", "--limit")


@dataclass(slots=True)
class Asked:
    """What was typed."""

    command: str = ""
    name: str | None = None
    limit: int = 20
    as_json: bool = False
    state_dir: str | None = None
    connect: str | None = None


def answer(words: Sequence[str]) -> int | None:
    """Do what was typed, if it is one of the four; the exit code. None: go the whole way."""
    asked = understand(words)
    if asked is None:
        return None
    from cronpilot.bootstrap.plain import ask_plainly
    from cronpilot.client.plain_client import Unsure

    try:
        found = ask_plainly(
            lambda source: _ask(source, asked), documents=asked.as_json, connect=asked.connect,
            state_dir=Path(asked.state_dir) if asked.state_dir else None,
            environ=os.environ, cwd=Path.cwd(),
        )  # fmt: skip
    except Unsure:
        return None
    try:
        code = _show(asked, found)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        return PIPE_CLOSED
    return code


def understand(words: Sequence[str]) -> Asked | None:
    """The four commands in their usual words; None for everything else."""
    asked, rest = Asked(), iter(words)
    for word in rest:
        if word == "--json":
            asked.as_json = True
        elif word.startswith("-"):
            if not _take_option(asked, word, rest):
                return None
        elif not asked.command and word in ("list", "next", "history", "status"):
            asked.command = word
        elif asked.command in _MOST and asked.name is None:
            asked.name = word
        else:
            return None
    return asked if asked.command else None


def _take_option(asked: Asked, word: str, rest: Iterator[str]) -> bool:
    flag, joined, value = word.partition("=")
    if flag not in _VALUED:
        return False
    if not joined:
        value = next(rest, "")
    if not value or value.startswith("-"):
        return False
    match flag:
        case "--state-dir":
            asked.state_dir = value
        case "--connect":
            asked.connect = value
            return "://" not in value or value.startswith("unix://")
        case _:
            if not (asked.command in _MOST and value.isascii() and value.isdigit()):
                return False
            asked.limit = int(value)
            return len(value) < 10 and 1 <= asked.limit <= _MOST[asked.command]
    return True


def _ask(source: PlainSource, asked: Asked) -> Any:
    match asked.command:
        case "list":
            return source.tasks()
        case "next":
            return source.fire_times(asked.name, asked.limit)
        case "history":
            return source.runs(asked.name, asked.limit)
        case _:
            return source.status()


def _show(asked: Asked, found: Any) -> int:
    from cronpilot.cli import listing

    match asked.command:
        case "list":
            listing.show_tasks(found, as_json=asked.as_json)
        case "next":
            listing.show_starts(found, as_json=asked.as_json)
        case "history":
            listing.show_runs(found, as_json=asked.as_json)
        case _:
            listing.show_status(found, where=_where(asked), as_json=asked.as_json)
            return 0 if found.engine is not None else NO_ENGINE
    return 0


def _where(asked: Asked) -> str:
    from cronpilot.config.places import find_state_dir

    flag = Path(asked.state_dir) if asked.state_dir else None
    return asked.connect or str(find_state_dir(flag, os.environ, Path.cwd()))
