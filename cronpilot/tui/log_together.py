"""The output of several runs in one: whole lines as they come, each with the name of its task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NotFound
from cronpilot.tui.formatting import size

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
    from cronpilot.client.protocol import Client

TAIL = 4 << 10
"""Bytes of each run that are shown from before."""
TOO_FAR_BEHIND = 256 << 10
"""Bytes. Of a run that prints faster than is read, what lies between is passed over, and said."""
WAITING = 2000
"""Lines that wait to be painted; of more only the last ones are."""
_COLOURS = (36, 33, 35, 34, 32)
_WIDEST = 18  # cells of a name


class Together:
    """Follows runs until they end, and collects what they print.

    Args:
        say: told whenever there are lines to be taken.
    """

    def __init__(self, client: Client, say: Callable[[], None]) -> None:
        self._client, self._say = client, say
        self._lines: list[bytes] = []
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
        job = asyncio.ensure_future(self._follow(run, whole))
        self._following[run.id] = job
        job.add_done_callback(lambda _: self._following.pop(run.id, None))

    def take(self) -> list[bytes]:
        """The lines since the last call, oldest first."""
        lines, self._lines = self._lines, []
        return lines

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
        """From there on; where to go on when it fell too far behind, None at the end."""
        rest = b""
        if offset < 0:
            tail = await self._client.read_log(run.id, offset=offset, limit=-offset)
            data = tail.data.partition(b"\n")[2] if tail.offset else tail.data
            rest = self._take_lines(run, data)
            offset = tail.end
        async for more in self._client.follow_log(run.id, offset=offset):
            rest = self._take_lines(run, rest + more.data)
            if more.ended:
                break
            if more.size - more.end > TOO_FAR_BEHIND:
                passed = more.size - more.end - TAIL
                self._add(run, [f"[{size(passed)} passed over]".encode()])
                return -TAIL
        if rest:
            self._add(run, [rest])
        return None

    def _take_lines(self, run: RunView, data: bytes) -> bytes:
        """Take the whole lines; what is left of the last one."""
        *lines, rest = data.split(b"\n")
        self._add(run, lines)
        return rest[-(64 << 10) :]

    def _add(self, run: RunView, lines: list[bytes]) -> None:
        if not lines:
            return
        name = clean(run.task_name)[:_WIDEST]
        padded = name + " " * max(0, self._width - cell_len(name))
        before = f"\x1b[{self._tints[run.task_id]}m{padded}\x1b[0m │ ".encode("utf-8", "replace")
        self._lines += [before + line.rpartition(b"\r")[2] for line in lines[-WAITING:]]
        del self._lines[:-WAITING]
        self._say()
