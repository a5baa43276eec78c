"""Random kills: no slot is lost, none is started twice, every code is true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .campaign import TASKS, Campaign

MIXED = {"engine": 3, "keeper": 3, "both": 2, "wrapper": 3, "wrapper+keeper": 1}


def test_six_engine_kills_lose_nothing_and_double_nothing(
    campaign: Callable[..., Campaign],
) -> None:
    killing = campaign(TASKS)
    killing.kill(6, {"engine": 1}, seed=20261122)

    assert killing.verify().faults == []
    assert killing.report.kills == {"engine": 6}


def test_eight_mixed_kills_lose_nothing_and_double_nothing(
    campaign: Callable[..., Campaign],
) -> None:
    killing = campaign(TASKS)
    killing.kill(8, MIXED, seed=14)  # of every kind at least one

    assert killing.verify().faults == []
    assert set(killing.report.kills) == {"engine", "keeper", "wrapper"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weights", "seed"),
    [
        pytest.param({"engine": 1}, 1, id="engine"),
        pytest.param({"keeper": 1}, 2, id="keeper"),
        pytest.param({"both": 1}, 3, id="engine and keeper at once"),
        pytest.param({"wrapper": 1}, 4, id="wrapper"),
        pytest.param(MIXED, 5, id="mixed"),
    ],
)
def test_a_long_campaign_of_kills(
    campaign: Callable[..., Campaign], is_short: bool, weights: dict[str, float], seed: int
) -> None:
    kills = 20 if is_short else 120
    killing = campaign(TASKS)
    killing.kill(kills, weights, seed)

    assert killing.verify().faults == []
    assert sum(killing.report.kills.values()) >= 0.9 * kills  # a wrapper may end by itself
