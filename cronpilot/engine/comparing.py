"""Compares a run with the last success, or any other run, of its task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cronpilot.client.comparing import MOST_BYTES, Output, Ran, choose, compare
from cronpilot.client.messages import FieldChange, RunQuery
from cronpilot.domain.run import Status
from cronpilot.domain.secrets import mask
from cronpilot.engine.history import field_changes
from cronpilot.errors import Refused
from cronpilot.runner.logs import read_slice
from cronpilot.runner.paths import log_path
from cronpilot.storage import details, history, revisions
from cronpilot.storage.database import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from cronpilot.client.comparison import Comparison
    from cronpilot.client.messages import RunView
    from cronpilot.engine.reading import Reader

_LOOKED_AT = 50
"""Successes among which one is chosen: most are no tests."""


class Comparer:
    """Answers how two runs differ."""

    def __init__(self, reader: Reader, state_dir: Path) -> None:
        self._reader, self._state_dir = reader, state_dir
        self._turn = asyncio.Lock()  # it takes a thread, and some of the processor

    async def compare(
        self, run_id: int, *, against: int | None = None, exact: bool = False
    ) -> Comparison:
        """Raises NotFound; Refused when there is nothing to compare it with."""
        run, other, chosen, ran, definition = await self._reader.read(
            lambda connection: self._read(connection, run_id, against)
        )

        def work() -> Comparison:
            this = Ran(run, ran[1]["task_version"], self._output(run))
            that = Ran(other, ran[0]["task_version"], self._output(other))
            return compare(this, that, chosen, definition, exact=exact)

        async with self._turn:
            return await asyncio.to_thread(work)

    def _read(self, connection: Connection, run_id: int, against: int | None) -> Any:
        run = self._run(connection, run_id)
        if against is None:
            query = RunQuery(task_id=run.task_id, status=[Status.SUCCESS], limit=_LOOKED_AT)
            rows, _ = history.page(connection, query)
            other, chosen = choose(run, self._reader.run_views(connection, rows))
            other = self._run(connection, other.id)
        else:
            other, chosen = self._run(connection, against), "named"
            _refuse_strangers(run, other)
        ran = [details.what_ran(connection, one.id) for one in (other, run)]
        return run, other, chosen, ran, _definition(connection, run.task_id, ran)

    def _run(self, connection: Connection, run_id: int) -> RunView:
        run = self._reader.run_in(connection, run_id)
        return run.model_copy(update={"environment": details.environment(connection, run_id)})

    def _output(self, run: RunView) -> Output:
        """The beginning of what it printed, and the end."""
        path, half = log_path(self._state_dir, run.task_id, run.id), MOST_BYTES // 2
        head = read_slice(path, 0, MOST_BYTES)
        if head.next_offset >= head.size:
            return Output(head.data)
        tail = read_slice(path, -half, half)
        return Output(head.data[:half], tail.data, head.size - 2 * half)


def _refuse_strangers(run: RunView, other: RunView) -> None:
    if other.id == run.id:
        raise Refused(f"Run {run.id} does not differ from itself.", "Name another run.")
    if other.task_id != run.task_id:
        raise Refused(
            f"Run {run.id} is of {run.task_name!r}, run {other.id} of {other.task_name!r}.",
            "Compare runs of one task.",
        )


def _definition(
    connection: Connection, task_id: int, ran: Sequence[Mapping[Any, Any]]
) -> list[FieldChange] | None:
    """What differs in what the two ran; None where that was not kept."""
    specs = []
    for one in ran:
        spec = one["spec"]
        if spec is None:
            spec = revisions.at_version(connection, task_id, one["task_version"])
        specs.append(spec)
    if specs[0] is None or specs[1] is None:
        return None
    return [_masked(change) for change in field_changes(specs[0], specs[1])]


def _masked(change: FieldChange) -> FieldChange:
    """Without the secrets among its variables; that one differs is still to be seen."""
    if change.field != "env":
        return change
    before, after = change.before or {}, change.after or {}
    shown, other = mask(before), mask(after)
    for name in shown.keys() & other.keys():
        if before[name] != after[name] and shown[name] == other[name]:
            other[name] += " (another one)"
    return FieldChange(field="env", before=shown, after=other)
