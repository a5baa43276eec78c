"""How much room tasks take in their table. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from cronpilot.domain.text import clean
from cronpilot.tui.task_words import place

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView


class Widest(NamedTuple):
    """The most cells that any of some tasks takes: its name, its schedule in words, and in as few
    words as there are for it."""

    name: int = 0
    schedule: int = 0
    brief: int = 0


def widest(tasks: Iterable[TaskView], before: Widest, zone: tzinfo) -> Widest:
    """Of these and of those before them, as they are told where the clock is `zone`'s."""
    name, schedule, brief = before
    for task in tasks:
        words, fewest = _schedule(task.schedule_words, task.schedule_brief or task.schedule)
        more = _cells(place(task, zone))
        name = max(name, _cells(task.name))
        schedule = max(schedule, words + more)
        brief = max(brief, fewest + more)
    return Widest(name, schedule, brief)


@lru_cache(1024)  # many tasks have the schedule of others, and each page of rows asks
def _schedule(words: str, brief: str) -> tuple[int, int]:
    cells = _cells(words)
    return cells, min(cells, _cells(brief))


def _cells(text: str) -> int:
    if text.isascii() and text.isprintable():  # nearly all
        return len(text)
    return cell_len(clean(text))
