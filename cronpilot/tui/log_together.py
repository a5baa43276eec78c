"""The output of several runs in one: whole lines as they come, each with the name of its task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.cells import cell_len

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NotFound
from cronpilot.tui.formatting import plural, size
from cronpilot.tui.inbox import BETWEEN

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
    from cronpilot.client.protocol import Client

TAIL = 4 << 10
"""Bytes of each run that are shown from before."""
FLOOD = 64 << 10
"""Bytes printed between two looks from which on only the last `TAIL` of them are read."""
BURST, STEADY = 200, 5
"""Lines of one run that are shown: at once after a pause, and at each look where it goes on so.
Those of the others would be gone before they are read. How many are left out is said."""
_COLOURS = (36, 33, 35, 34, 32)
_WIDEST = 18  # cells of a name


class Share:
    """What one run has printed since the last look, no more of it than it may take of the room."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, bytes]] = deque()
        self._allowed = BURST
        self._left_out, self._passed = 0, 0  # lines, and bytes that were never read

    def add(self, number: int, lines: list[bytes]) -> None:
        """These were printed; the first of them is line `number` of all runs."""
        self._lines.extend(enumerate(lines, number))
        self._drop(BURST)

    def pass_over(self, count: int) -> None:
        """So many bytes before the next line were not read."""
        self._passed += count

    def take(self) -> list[tuple[int, bytes]]:
        """What is to be shown, each line with its number; what is not is told in its first."""
        self._drop(self._allowed)
        taken = list(self._lines)
        self._allowed = min(BURST, self._allowed - len(taken) + STEADY)
        self._lines.clear()
        if not taken or not (self._left_out or self._passed):
            return taken
        parts = [plural(self._left_out, "line") if self._left_out else "",
                 size(self._passed) if self._passed else ""]  # fmt: skip
        self._left_out = self._passed = 0
        words = " and ".join(part for part in parts if part)
        return [(taken[0][0], f"[{words} left out]".encode()), *taken]

    def _drop(self, most: int) -> None:
        while len(self._lines) > most:
            self._lines.popleft()
            self._left_out += 1


class Together:
    """Follows runs until they end, and collects what they print.

    Args:
        say: told whenever there are lines to be taken.
    """

    def __init__(self, client: Client, say: Callable[[], None]) -> None:
        self._client, self._say = client, say
        self._shares: dict[int, Share] = {}  # by run
        self._runs: dict[int, RunView] = {}
        self._count = 0  # lines so far
        self._width = 0
        self._following: dict[int, asyncio.Task[None]] = {}
        self._tints: dict[int, int] = {}

    @property
    def count(self) -> int:
        """How many runs are followed now."""
        return len(self._following)

    def follow(self, run: RunView, *, whole: bool = False) -> None:
        """Show what this run prints, from its last lines on; `whole`: from its first."""
        if run.id in self._following:
            return
        self._width = min(_WIDEST, max(self._width, cell_len(clean(run.task_name))))
        self._tints.setdefault(run.task_id, _COLOURS[len(self._tints) % len(_COLOURS)])
        self._runs[run.id] = run
        self._shares.setdefault(run.id, Share())
        job = asyncio.ensure_future(self._follow(run, whole))
        self._following[run.id] = job
        job.add_done_callback(lambda _: self._following.pop(run.id, None))

    def take(self) -> list[bytes]:
        """The lines since the last call, oldest first."""
        found = []
        for run_id, share in list(self._shares.items()):
            before = self._before(self._runs[run_id])
            found += [(number, before + line.rpartition(b"\r")[2]) for number, line in share.take()]
            if run_id not in self._following:
                del self._shares[run_id], self._runs[run_id]
        return [line for _, line in sorted(found, key=itemgetter(0))]

    async def stop(self) -> None:
        """Follow nothing any more."""
        jobs = list(self._following.values())
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    async def _follow(self, run: RunView, whole: bool) -> None:
        try:
            offset: int | None = 0 if whole else -TAIL
            while offset is not None:
                offset = await self._read(run, offset)
            ended = await self._client.run(run.id)
            code = f", exit {ended.exit_code}" if ended.exit_code is not None else ""
            self._add(run, [f"[run {run.id} has ended: {ended.status}{code}]".encode()])
        except NotFound:
            return  # forgotten meanwhile
        except CronPilotError as error:
            self._add(run, [f"[{clean(error.problem)}]".encode()])

    async def _read(self, run: RunView, offset: int) -> int | None:
        """From there on; where to go on when it begins to flood, None at its end."""
        rest = b""
        if offset < 0:
            tail = await self._client.read_log(run.id, offset=offset, limit=-offset)
            data = tail.data.partition(b"\n")[2] if tail.offset else tail.data
            rest = self._take_lines(run, data)
            offset = tail.end
        async for more in self._client.follow_log(run.id, offset=offset):
            if more.size - offset > FLOOD:
                return await self._leap(run, offset)
            rest = self._take_lines(run, rest + more.data)
            offset = more.end
            if more.ended:
                break
            await asyncio.sleep(BETWEEN)
        if rest:
            self._add(run, [rest])
        return None

    async def _leap(self, run: RunView, offset: int) -> int | None:
        """Of a flood only the newest is read, until it is over: as `_read`."""
        while True:
            tail = await self._client.read_log(run.id, offset=-TAIL, limit=TAIL)
            if tail.offset <= offset:
                return offset
            data = tail.data.partition(b"\n")[2]
            self._shares[run.id].pass_over(tail.end - len(data) - offset)
            rest = self._take_lines(run, data)
            offset = tail.end - len(rest)
            if tail.ended:
                if rest:
                    self._add(run, [rest])
                return None
            await asyncio.sleep(BETWEEN)

    def _take_lines(self, run: RunView, data: bytes) -> bytes:
        """Take the whole lines; what is left of the last one."""
        *lines, rest = data.split(b"\n")
        self._add(run, lines)
        return rest[-(64 << 10) :]

    def _add(self, run: RunView, lines: list[bytes]) -> None:
        if lines:
            self._shares[run.id].add(self._count, lines)
            self._count += len(lines)
            self._say()

    def _before(self, run: RunView) -> bytes:
        """The name of its task, in the colour that tells them apart."""
        name = clean(run.task_name)[:_WIDEST]
        padded = name + " " * max(0, self._width - cell_len(name))
        tint = self._tints[run.task_id]
        return f"\x1b[{tint}m{padded}\x1b[0m │ ".encode("utf-8", "replace")
