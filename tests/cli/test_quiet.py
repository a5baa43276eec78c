"""quiet: what is kept still, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cronpilot.client.messages import FireTime
from cronpilot.client.quiet import QuietTime
from cronpilot.domain.quiet import Then

from .conftest import Cronpilot, Running


@pytest.fixture
def xmas(engine: Running) -> Running:
    """A quiet time that skips one slot of a task."""
    start = datetime(2026, 12, 25, tzinfo=UTC)
    engine.fake.quiet = (
        QuietTime(
            name="xmas", then=Then.SKIP, key="", starts_at=start, task_count=1, tasks=["backup-db"],
            ends_at=start.replace(day=27),
            skips=[FireTime(task_id=1, task_name="backup-db", timezone="UTC", quiet="xmas",
                            scheduled_for=start.replace(hour=2), starts_at=start.replace(hour=2))],
        ),
    )  # fmt: skip
    return engine


def test_quiet_names_the_rule_and_what_it_skips(xmas: Running, cronpilot: Cronpilot):
    said = cronpilot("quiet").out

    assert "xmas" in said
    assert "skips backup-db at" in said
    [row] = cronpilot("quiet", "--json").json
    assert (row["name"], row["task_count"], row["skips"][0]["quiet"]) == ("xmas", 1, "xmas")


def test_without_any_it_says_how_to_write_one(cronpilot: Cronpilot):
    assert "config.yaml has no quiet times." in cronpilot("quiet").out
