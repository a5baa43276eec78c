"""Tasks whose time zone this machine does not know (any more): kept, told, and not planned.

Zones go where the system's zone data is split or trimmed (`US/Eastern` moved to tzdata-legacy), or
a database comes to a machine with less of it. Nobody can say then when such a task is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cronpilot.client.messages import Banner
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.text import clean
from cronpilot.domain.zones import is_known
from cronpilot.engine.planner import offset_of_row, times_of_resolved
from cronpilot.storage import runs, tasks
from cronpilot.storage.database import Connection

KEY = "zones"
STAND_IN = "UTC"  # what its plan says it is read in, until its own zone is known again
_NONE = ""  # no zone: a row that is planned in it has to be planned anew


def set_aside(
    connection: Connection, row: Mapping[Any, Any], zone: str, now: datetime, *, before: bool
) -> Mapping[Any, Any]:
    """Plan nothing of a task if its zone, or the one it was planned in, is lost; its row then, with
    no zone. The same row for one that was set aside `before`. Of all others nothing changes.

    What was due by now is missed: of how many slots nobody can know more than the first.
    """
    aside = {**row, "zone_key": _NONE, "next_run_at": None}
    if is_known(zone) and is_known(row["zone_key"]):
        return aside if before else row
    if (row["zone_key"], row["next_run_at"]) == (STAND_IN, None):
        return aside
    tasks.set_columns(connection, row["id"], zone_key=STAND_IN, next_run_at=None)
    due = row["next_run_at"]
    if due is not None and due <= now:
        slot = runs.Slot(
            task_id=row["id"], task_version=row["version"], trigger=Trigger.SCHEDULE,
            status=Status.MISSED, reason=Reason.DOWN, scheduled_for=due - offset_of_row(row),
            queued_at=now, priority=row["priority"], pool=row["pool"],
        )  # fmt: skip
        runs.record(connection, [slot])
    return aside


def is_aside(keys: Mapping[Any, Any], now: datetime) -> bool:
    """Whether a task of `tasks.planned_by` has no plan though its schedule goes on."""
    if not keys["unplanned"] or keys["zone_key"] != STAND_IN:
        return False
    try:
        times = times_of_resolved(keys["unplanned"], keys["zone_key"], keys["quiet_key"])
    except ValueError:  # damaged; told by the pass over due tasks
        return False
    return times.next_after(now) is not None


def banner(lost: Iterable[tuple[str, str]]) -> Banner | None:
    """What is told of these (task, zone); None where there are none."""
    names = [f"{clean(name)!r} ({clean(zone)})" for name, zone in lost]
    if not names:
        return None
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Banner(
        key=KEY, severity="error",
        text=f"This machine does not know the time zone of {', '.join(names[:3])}{more}:"
        " not planned.",
        hint="Install the system's zone data (tzdata, tzdata-legacy) and start again,"
        " or give them another zone.",
    )  # fmt: skip
