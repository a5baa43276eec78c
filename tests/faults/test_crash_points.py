"""The order of writes: whoever dies between two of them, nothing is lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .campaign import Campaign
from .product import until

TASKS = 4
ENGINE_POINTS = [
    "engine.planned",
    "engine.planned_committed",
    "engine.in_txn",
    "engine.committed",
    "engine.sent",
    "engine.got_started",
    "engine.got_done",
    "engine.after_final",
]
KEEPER_POINTS = ["keeper_claimed", "keeper_c", "keeper_spawned", "keeper_reaped", "keeper_k"]


@pytest.mark.parametrize(
    "nth", [pytest.param(1, id="the first time"), pytest.param(3, id="the third time")]
)
def test_one_engine_after_another_may_die_each_at_another_point(
    campaign: Callable[..., Campaign], nth: int
) -> None:
    dying = campaign(TASKS)
    for point in ENGINE_POINTS:
        dying.crash_engine_at(f"{point}:{nth}")
    dying.product.start()
    dying.drain()

    assert dying.verify().faults == []
    assert dying.report.kills == {"engine": len(ENGINE_POINTS)}


@pytest.mark.slow
@pytest.mark.parametrize("point", ENGINE_POINTS)
def test_an_engine_may_die_at_any_point(campaign: Callable[..., Campaign], point: str) -> None:
    dying = campaign(TASKS)
    for nth in (1, 3):
        dying.crash_engine_at(f"{point}:{nth}")
    dying.product.start()
    dying.drain()

    assert dying.verify().faults == []
    assert dying.report.kills == {"engine": 2}


def test_an_engine_may_die_when_it_has_revoked_a_start(campaign: Callable[..., Campaign]) -> None:
    """Only a start that was committed and not asked for is revoked: that takes two deaths."""
    dying = campaign(TASKS)
    for nth in (1, 3):
        dying.crash_engine_at("engine.committed")
        dying.crash_engine_at(f"engine.revoked:{nth}")
    dying.product.start()
    dying.drain()

    assert dying.verify().faults == []
    assert dying.report.figures["started by a later launch"] >= 2


def test_one_keeper_after_another_may_die_each_at_another_point(
    campaign: Callable[..., Campaign],
) -> None:
    dying = campaign(TASKS)
    for nth, point in enumerate(KEEPER_POINTS):
        dying.crash_keeper_at(f"{point}:{1 + nth % 2}")
    dying.drain()

    assert dying.verify().faults == []


@pytest.mark.slow
@pytest.mark.parametrize("point", KEEPER_POINTS)
def test_a_keeper_may_die_at_any_point_of_a_real_engine(
    campaign: Callable[..., Campaign], point: str
) -> None:
    dying = campaign(TASKS)
    for nth in (1, 2):
        dying.crash_keeper_at(f"{point}:{nth}")
    dying.drain()

    assert dying.verify().faults == []


def test_engine_and_keeper_may_die_in_the_same_start(campaign: Callable[..., Campaign]) -> None:
    dying = campaign(TASKS)
    for point in ("keeper_claimed", "keeper_spawned"):
        dying.crash_keeper_at(point)
        dying.product.kill_engine()
        dying.product.run_engine()
    dying.drain()

    assert dying.verify().faults == []


def test_a_wrapper_that_dies_before_it_writes_the_code_leaves_a_lost_run(
    campaign: Callable[..., Campaign],
) -> None:
    dying = campaign(TASKS)
    dying.report.kills["wrapper"] = 1
    dying.product.run_engine(CRONPILOT_CRASH_AT="wrapper_ended:2")
    until(
        lambda: [row for row in dying.product.rows() if row["status"] == "lost"],
        "the run whose wrapper died",
    )
    dying.drain()

    assert dying.verify().faults == []
    [lost] = [row for row in dying.product.rows() if row["status"] == "lost"]
    assert (lost["exit_code"], lost["signal"]) == (None, None)
