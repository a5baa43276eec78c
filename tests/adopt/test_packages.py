"""The cron files of Debian's own packages: each line becomes a task with the same fire times.

Needs a directory into which packages were unpacked: `.ci/run` fetches them, and names it in
CRONPILOT_CRON_TREE.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cronpilot.adopt import Kind, Machine, look
from cronpilot.domain.schedule import fire_times, resolve

from ..domain.debian_cron import Job, starts, wake_ups

ZONE = ZoneInfo("Europe/Berlin")
WINDOWS = [  # a change of the clocks each way, and a month between
    (datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC)),
    (datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)),
]
LINE = re.compile(r"((?:[\d*/,a-zA-Z-]+\s+){5})(\S+)\s+(.+)")

tree = os.environ.get("CRONPILOT_CRON_TREE", "")
pytestmark = pytest.mark.skipif(
    not tree, reason="CRONPILOT_CRON_TREE names no directory of unpacked packages (.ci/run does)"
)


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine(Path(tree), "root")


def written(path: Path) -> list[tuple[int, str, str]]:
    """Number, five fields and user of each line of a file, read without any of our code."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if match := LINE.match(line):
            found.append((number, " ".join(match[1].split()), match[2]))
    return found


def test_each_line_of_ten_packages_fires_when_cron_would(machine: Machine):
    entries = {(entry.where, entry.line): entry for entry in look(machine)}
    files = sorted(Path(tree, "etc/cron.d").iterdir())
    turns = [turn for window in WINDOWS for turn in wake_ups(ZONE, *window)]

    compared = set()
    for path in files:
        for number, fields, user in written(path):
            entry = entries[path, number]
            assert entry.spec is not None, entry
            spec = entry.spec
            times = fire_times(
                spec.schedule.type,
                resolve(spec.schedule, zone=ZONE, set_at=WINDOWS[0][0], seed=spec.name),
                ZONE,
            )
            ours = []
            for start, end in WINDOWS:
                at = times.next_after(start)
                while at is not None and at <= end:
                    ours.append(at)
                    at = times.next_after(at)
            assert ours == starts(Job(fields), turns), f"{path}:{number} {fields}"
            assert spec.user == (None if user == "root" else user)
            compared.add(path.name)

    assert len(compared) >= 10


def test_every_script_that_run_parts_starts_becomes_a_task_at_the_time_of_its_line(
    machine: Machine,
):
    scripts = {
        path
        for name in ("cron.hourly", "cron.daily", "cron.weekly", "cron.monthly")
        for path in Path(tree, "etc", name).iterdir()
        if re.fullmatch(r"[A-Za-z0-9_-]+", path.name) and os.access(path, os.X_OK)
    }
    entries = {entry.where: entry for entry in look(machine) if entry.kind is Kind.SCRIPT}

    assert set(entries) == scripts
    assert len(scripts) >= 10
    times = {entry.where.parent.name: entry.spec.schedule.shorthand for entry in entries.values()
             if entry.spec is not None}  # fmt: skip
    assert times["cron.daily"] == "25 6 * * *"
    assert timedelta() == max(entry.spec.spread for entry in entries.values() if entry.spec)
