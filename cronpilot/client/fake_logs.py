"""Looking for text in the logs of a fake, and comparing its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronpilot.client.comparing import MOST_BYTES, Output, Ran, choose, compare
from cronpilot.client.log_search import LogMatch, LogMatches, LogQuery
from cronpilot.client.messages import RunQuery
from cronpilot.domain.log_search import Pattern, compile_pattern, matching_lines
from cronpilot.domain.log_text import shown
from cronpilot.domain.run import Status

if TYPE_CHECKING:
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.fake import FakeClient


class FakeLogs:
    """Answers as an engine does; `most` is a limit that dictionaries do not need."""

    def __init__(self, fake: FakeClient) -> None:
        self._fake = fake

    async def search_log(self, run_id: int, query: LogQuery) -> LogMatches:
        pattern = Pattern(query.pattern, query.regex, query.case)
        compile_pattern(pattern)
        whole = await self._fake.read_log(run_id, limit=1 << 40)
        at = min(query.offset, whole.size)
        first, last = (0, at) if query.backwards else (at, whole.size)
        hits = [(first + start, end - start)
                for start, end in matching_lines(whole.data[first:last], pattern)]  # fmt: skip
        kept = hits[-query.limit :] if query.backwards else hits[: query.limit]
        full = len(hits) > len(kept)
        if query.backwards:
            first = kept[0][0] if full else 0
        else:
            last = sum(kept[-1]) + 1 if full else whole.size
        wanted = kept if query.text else []
        return LogMatches(
            run_id=run_id, start=first, end=last, size=whole.size, done=not full,
            ended=whole.ended, offsets=[offset for offset, _ in kept],
            lines=[self._line(whole.data, hit, pattern, query) for hit in wanted],
        )  # fmt: skip

    async def compare(
        self, run_id: int, *, against: int | None = None, exact: bool = False
    ) -> Comparison:
        """As an engine, but that it remembers no former definitions."""
        run = await self._fake.run(run_id)
        if against is None:
            query = RunQuery(task_id=run.task_id, status=[Status.SUCCESS], limit=50)
            other, chosen = choose(run, (await self._fake.runs(query)).rows)
            other = await self._fake.run(other.id)
        else:
            other, chosen = await self._fake.run(against), "named"
        sides = [
            Ran(one, 1, Output((await self._fake.read_log(one.id, limit=MOST_BYTES)).data))
            for one in (run, other)
        ]
        return compare(sides[0], sides[1], chosen, [], exact=exact)

    @staticmethod
    def _line(
        data: bytes, hit: tuple[int, int], pattern: Pattern, query: LogQuery
    ) -> LogMatch:  # fmt: skip
        line = data[hit[0] : sum(hit)]
        if query.raw:
            return LogMatch(offset=hit[0], length=hit[1], text=line.decode(errors="replace"))
        text = shown(line)
        return LogMatch(offset=hit[0], length=hit[1], text=text, spans=pattern.spans(text))
