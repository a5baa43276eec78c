"""A run that the machine refused to start is tried again later and later."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cronpilot.engine.back_off import BackOff


class StillClock:
    """Time stands still, but by hand."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 4, 12, tzinfo=UTC)

    def elapsed(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def back_off(clock):
    return BackOff(clock)


def test_each_refusal_makes_it_wait_longer_up_to_a_minute(back_off):
    assert [back_off.refused(7) for _ in range(9)] == [1, 2, 4, 8, 15, 30, 60, 60, 60]


def test_it_waits_so_long_and_no_longer(back_off, clock):
    back_off.refused(7)

    clock.seconds = 0.99
    assert back_off.waiting() == [7]
    clock.seconds = 1.0
    assert back_off.waiting() == []


def test_after_a_start_the_next_refusal_is_the_first_again(back_off):
    back_off.refused(7)
    back_off.refused(7)
    back_off.refused(8)

    back_off.forget(7)

    assert (back_off.refused(7), back_off.refused(8)) == (1, 2)
