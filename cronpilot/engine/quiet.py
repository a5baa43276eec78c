"""What the quiet times of config.yaml keep still, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronpilot.client.messages import FireTime
from cronpilot.client.quiet import QuietTime
from cronpilot.domain.quiet import Quiet, Rule, WithQuiet, following_quiet, from_key, to_key
from cronpilot.engine.planner import offset_of_row, times_of_row
from cronpilot.engine.reading import Reader
from cronpilot.engine.views import fire_time
from cronpilot.storage import tasks
from cronpilot.storage.database import Connection

_NAMED = 50  # tasks
_TOLD = 50  # slots of one quiet time
_PER_TASK = 5
_STRETCHES = 3  # that are looked through for each task


class QuietTimes:
    """The part of `Client` that answers for quiet times."""

    def __init__(
        self,
        reader: Reader,
        rules: Callable[[], Mapping[str, Rule]],
        zone: Callable[[], ZoneInfo],
        now: Callable[[], datetime],
    ) -> None:
        self._reader, self._rules, self._zone, self._now = reader, rules, zone, now

    async def quiet_times(self) -> list[QuietTime]:
        """Those of config.yaml, by name."""
        rules, now, zone = self._rules(), self._now(), self._zone()

        def read(connection: Connection) -> list[QuietTime]:  # off the loop: it may take a while
            rows = tasks.with_quiet_times(connection) if rules else []
            return [_told(rule, rows, zone, now) for _, rule in sorted(rules.items())]

        return await self._reader.read(read)


def _told(
    rule: Rule, rows: Sequence[Mapping[Any, Any]], zone: ZoneInfo, now: datetime
) -> QuietTime:
    held = [row for row in rows if rule in from_key(row["quiet_key"])]
    stretch = following_quiet(rule, now, zone)
    skips = sorted((slot for row in held for slot in _skips(rule, row, now)),
                   key=lambda slot: (slot.starts_at, slot.task_id))  # fmt: skip
    return QuietTime(
        name=rule.name, then=rule.then, key=to_key([rule]),
        starts_at=stretch.start if stretch else None, ends_at=stretch.end if stretch else None,
        tasks=[row["name"] for row in held[:_NAMED]], task_count=len(held), skips=skips[:_TOLD],
    )  # fmt: skip


def _skips(rule: Rule, row: Mapping[Any, Any], now: datetime) -> Iterator[FireTime]:
    """The next slots of a task that this rule will skip."""
    times, offset = times_of_row(row), offset_of_row(row)
    if not isinstance(times, WithQuiet) or row["next_run_at"] is None:
        return
    told = 0
    for stretch in _stretches(rule, now, times.zone):
        slot = times.base.next_after(max(stretch.start - timedelta(microseconds=1), now - offset))
        while slot is not None and slot < stretch.end:
            yield fire_time(row, slot, slot + offset)
            told += 1
            if told >= _PER_TASK:
                return
            slot = times.base.next_after(slot)


def _stretches(rule: Rule, now: datetime, zone: ZoneInfo) -> Iterator[Quiet]:
    moment = now
    for _ in range(_STRETCHES):
        stretch = following_quiet(rule, moment, zone)
        if stretch is None:
            return
        yield stretch
        moment = stretch.end
