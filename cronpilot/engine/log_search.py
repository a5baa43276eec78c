"""Looking for text in a run's output, for those who ask the engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cronpilot.client.log_search import LogMatch, LogMatches, LogQuery
from cronpilot.domain.log_search import Pattern
from cronpilot.runner.log_search import Found, Step, search
from cronpilot.runner.paths import log_path

if TYPE_CHECKING:
    from pathlib import Path

    from cronpilot.client.messages import RunView


AT_ONCE = 2
"""Searches that go on beside each other; others wait. The threads are needed for questions, too."""


class LogSearch:
    """Looks through logs, a step at a time."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def search(self, run: RunView, query: LogQuery) -> LogMatches:
        """One step, in a thread."""
        step = Step(
            Pattern(query.pattern, query.regex, query.case), query.offset, query.backwards,
            query.text, query.raw, query.limit, query.most,
        )  # fmt: skip
        async with self._turns:
            path = log_path(self._state_dir, run.task_id, run.id)
            return _answer(run, query, await asyncio.to_thread(search, path, step))


def _answer(run: RunView, query: LogQuery, found: Found) -> LogMatches:
    end = found.end
    if not run.status.is_final and end == found.size and found.unfinished is not None:
        end = found.unfinished  # what is still being printed may match when it is complete
    return LogMatches(
        run_id=run.id, start=found.start, end=end, size=found.size,
        done=found.start == 0 if query.backwards else found.end >= found.size,
        ended=run.status.is_final, offsets=found.offsets,
        lines=[LogMatch(offset=offset, length=length, text=text, spans=spans)
               for offset, length, text, spans in found.lines],
    )  # fmt: skip
