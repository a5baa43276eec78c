"""The reading half of `Client`, over read-only connections: with an engine and without one."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cronpilot.client.messages import (
    AttemptView,
    FireTime,
    LogChunk,
    RunPage,
    RunQuery,
    RunView,
    TaskPage,
    TaskQuery,
    TaskView,
)
from cronpilot.domain.run import Status, Trigger
from cronpilot.engine.planner import offset_of_row, times_of_row
from cronpilot.engine.usual import Usuals
from cronpilot.engine.views import Congestion, attempt_view, band, fire_time, run_view, task_view
from cronpilot.errors import NotFound
from cronpilot.runner.logs import read_slice
from cronpilot.runner.paths import log_path
from cronpilot.storage import agenda, details, history, runs, tasks
from cronpilot.storage.database import Connection, Database

if TYPE_CHECKING:
    from cronpilot.client.log_search import LogMatches, LogQuery
    from cronpilot.client.messages import Explanation, RevisionView
    from cronpilot.engine.log_search import LogSearch

T = TypeVar("T")

FOLLOW_S = 0.15  # how often a followed log is looked at
PIECE = 1 << 18  # bytes handed on at once


class Reader:
    """Answers questions. SQLite is waited for in a thread, never in the loop."""

    def __init__(
        self,
        database: Database,
        state_dir: Path,
        now: Callable[[], datetime],
        congestion: Callable[[Connection], Congestion],
    ) -> None:
        self._database, self._state_dir = database, state_dir
        self._now, self._congestion = now, congestion
        self._log_search: LogSearch | None = None
        self.usuals = Usuals()

    async def read(self, closure: Callable[[Connection], T]) -> T:
        """Run a closure on a read-only snapshot, in a thread."""
        return await asyncio.to_thread(self._database.read, closure)

    # --- tasks ---

    async def tasks(self, query: TaskQuery) -> TaskPage:
        def read(connection: Connection) -> TaskPage:
            rows, total = tasks.page(connection, query)
            return TaskPage(rows=[task_view(row) for row in rows], total=total)

        return await self.read(read)

    async def task(self, task_id: int) -> TaskView:
        return task_view(await self.read(lambda connection: self.live_row(connection, task_id)))

    @staticmethod
    def live_row(connection: Connection, task_id: int) -> Any:
        """The row of a task that is not archived. Raises NotFound."""
        for row in tasks.views(connection, [task_id]):
            if row["archived_at"] is None:
                return row
        raise NotFound("task", str(task_id))

    async def find_task(self, name: str, *, archived: bool = False) -> TaskView:
        page = await self.tasks(TaskQuery(name=name, limit=1))
        if page.rows:
            return page.rows[0]
        if archived:
            row = await self.read(lambda connection: _archived_row(connection, name))
            if row is not None:
                return task_view(row)
        if name.isascii() and name.isdigit() and len(name) < 16:
            return await self.task(int(name))
        import difflib  # only where nothing was found

        known = await self.read(tasks.names)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise NotFound("task", name, near[0] if near else None)

    async def revisions(self, task_id: int, *, limit: int = 50) -> list[RevisionView]:
        from cronpilot.engine.history import revision_views  # lists need none of it

        return await self.read(lambda connection: revision_views(connection, task_id, limit))

    async def export(self) -> str:
        from cronpilot.config.export import export_text  # YAML: most questions need none

        def read(connection: Connection) -> str:
            rows = tasks.all_definitions(connection)
            return export_text([tasks.spec_of(row) for row in rows if row["archived_at"] is None])

        return await self.read(read)

    async def fire_times(self, *, task_id: int | None = None, limit: int = 20) -> list[FireTime]:
        def read(connection: Connection) -> list[FireTime]:
            if task_id is None:
                return _soonest(tasks.planned(connection, limit), limit)
            return _soonest([self.live_row(connection, task_id)], limit)

        return await self.read(read)

    async def why(self, task_id: int, at: datetime | None, *, engine_runs: bool) -> Explanation:
        from cronpilot.engine.why import Asked, explain  # lists need none of it

        asked = Asked(self._now(), engine_runs, self.run_views)
        return await self.read(lambda connection: explain(connection, task_id, at, asked))

    # --- runs ---

    async def runs(self, query: RunQuery) -> RunPage:
        def read(connection: Connection) -> RunPage:
            rows, total = history.page(connection, query)
            return RunPage(rows=self.run_views(connection, rows), total=total)

        return await self.read(read)

    async def run(self, run_id: int) -> RunView:
        def read(connection: Connection) -> RunView:
            run = self.run_in(connection, run_id)
            return run.model_copy(update={"environment": details.environment(connection, run_id)})

        return await self.read(read)

    async def attempts(self, run_id: int) -> list[AttemptView]:
        def read(connection: Connection) -> list[AttemptView]:
            self.run_in(connection, run_id)  # raises when there is no such run
            return [attempt_view(row) for row in details.attempts(connection, run_id)]

        return await self.read(read)

    def run_in(self, connection: Connection, run_id: int) -> RunView:
        """One run, as this connection sees it. Raises NotFound."""
        rows = runs.views(connection, [run_id])
        if not rows:
            raise NotFound("run", str(run_id))
        return self.run_views(connection, rows)[0]

    def run_views(self, connection: Connection, rows: list[Any]) -> list[RunView]:
        """Rows as front ends see them; why one waits is looked up only if one does."""
        waiting = any(row["status"] is Status.QUEUED for row in rows)
        congestion = self._congestion(connection) if waiting else Congestion(max_workers=1)
        line = agenda.places_in_line(connection) if waiting else {}
        caught_up = _catch_ups(connection, rows)
        views = [
            run_view(
                row, self._state_dir, congestion, line.get(row["id"]), caught_up.get(row["id"])
            )
            for row in rows
        ]
        return [
            view if view.status.is_final else self._with_band(connection, row, view)
            for row, view in zip(rows, views, strict=True)
        ]

    def _with_band(self, connection: Connection, row: Any, view: RunView) -> RunView:
        """What goes on, beside how long it usually takes."""
        length = self.usuals.of(connection, view.task_id, row["successes"]).length
        return view.model_copy(update=band(row["alarms"], length))

    # --- logs ---

    async def read_log(self, run_id: int, *, offset: int = 0, limit: int = PIECE) -> LogChunk:
        run = await self.read(lambda connection: self.run_in(connection, run_id))
        return await asyncio.to_thread(self._piece, run, offset, limit)

    def _piece(self, run: RunView, offset: int, limit: int) -> LogChunk:
        piece = read_slice(log_path(self._state_dir, run.task_id, run.id), offset, limit)
        return LogChunk(
            run_id=run.id,
            offset=piece.offset,
            end=piece.next_offset,
            size=piece.size,
            data=piece.data,
            ended=run.status.is_final and piece.next_offset >= piece.size,
        )

    async def search_log(self, run_id: int, query: LogQuery) -> LogMatches:
        from cronpilot.engine.log_search import LogSearch  # a log alone needs none of it

        if self._log_search is None:
            self._log_search = LogSearch(self._state_dir)
        run = await self.read(lambda connection: self.run_in(connection, run_id))
        return await self._log_search.search(run, query)

    async def follow_log(self, run_id: int, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        chunk = await self.read_log(run_id, offset=offset, limit=PIECE)
        yield chunk
        while not chunk.ended:
            if chunk.end >= chunk.size:
                await asyncio.sleep(FOLLOW_S)
            chunk = await self.read_log(run_id, offset=chunk.end, limit=PIECE)
            if chunk.data or chunk.ended:
                yield chunk


class ByReader:
    """The questions that a `Reader` alone answers."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.tasks, self.task, self.find_task = reader.tasks, reader.task, reader.find_task
        self.runs, self.run, self.attempts = reader.runs, reader.run, reader.attempts
        self.read_log, self.follow_log = reader.read_log, reader.follow_log
        self.search_log = reader.search_log
        self.fire_times = reader.fire_times
        self.revisions, self.export = reader.revisions, reader.export


def _catch_ups(connection: Connection, rows: list[Any]) -> dict[int, tuple[int, int]]:
    """Of the runs that wait for the one before them to make up for a slot: which of how many."""
    tasks_of = {
        row["task_id"] for row in rows
        if row["status"] is Status.QUEUED and row["trigger"] is Trigger.CATCH_UP
    }  # fmt: skip
    found: dict[int, tuple[int, int]] = {}
    for task_id in tasks_of:
        found |= agenda.places_in_catch_up(connection, task_id)
    return found


def _archived_row(connection: Connection, name: str) -> Any | None:
    """The task taken away last that had this name, or (all digits) the one of this id."""
    task_id = tasks.id_of(connection, name, archived=True)
    if task_id is None and name.isascii() and name.isdigit() and len(name) < 16:
        task_id = int(name)
    rows = [] if task_id is None else tasks.views(connection, [task_id])
    return rows[0] if rows else None


def _soonest(rows: list[Any], limit: int) -> list[FireTime]:
    """The next `limit` starts over these task rows, soonest first."""
    heap = [
        (row["next_run_at"], row["id"], row)
        for row in rows
        if row["next_run_at"] is not None
    ]  # fmt: skip
    heapq.heapify(heap)
    found: list[FireTime] = []
    while heap and len(found) < limit:
        at, task_id, row = heapq.heappop(heap)
        offset = offset_of_row(row)
        found.append(fire_time(row, at - offset, at))
        following = times_of_row(row).next_after(at - offset)
        if following is not None:
            heapq.heappush(heap, (following + offset, task_id, row))
    return found
