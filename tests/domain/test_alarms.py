"""Alarms that set themselves are few and certain."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.alarms import FEWEST, FLOOR, Alarms, Auto, bound, skip_bound, usual

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LENGTHS = st.lists(
    st.integers(0, 10**8).map(lambda ms: timedelta(milliseconds=ms)), min_size=FEWEST, max_size=50
)


def seconds(*values: float) -> list[timedelta]:
    return [timedelta(seconds=value) for value in values]


@given(LENGTHS, st.randoms())
def test_the_alarm_is_beyond_what_is_usual_and_never_below_the_floor(samples, shuffler):
    found = usual(samples)
    again = samples.copy()
    shuffler.shuffle(again)

    assert found is not None
    assert found.low <= found.typical <= found.high
    assert found.alarm >= max(FLOOR, found.high, 2 * found.typical)
    assert usual(again) == found
    assert {found.low, found.high} <= set(samples)


@given(st.integers(1, 10**6), st.integers(20, 50))
def test_a_single_outlier_among_many_does_not_move_the_alarm_far(length_ms, count):
    steady = [timedelta(milliseconds=length_ms)] * (count - 1)
    without, beside = usual(steady), usual([*steady, timedelta(days=30)])

    assert without is not None
    assert beside is not None
    assert beside.alarm == without.alarm


@pytest.mark.parametrize(("samples", "alarm"), [
    pytest.param(seconds(1, 1, 1, 1), None, id="four are too few to know"),
    pytest.param(seconds(1, 1, 1, 1, 1), FLOOR, id="a second more or less is nothing"),
    pytest.param(seconds(*[600] * 20), 20 * MINUTE, id="twice as long as ever"),
    pytest.param(seconds(*[60] * 6, 7200) * 7, timedelta(hours=3), id="a weekly long one is usual"),
])  # fmt: skip
def test_from_when_on_a_run_is_too_long(samples, alarm):
    found = usual(samples)

    assert (found.alarm if found else None) == alarm


def test_work_that_varies_as_work_does_raises_few_alarms():
    """Log-normal lengths, half as long to twice as long two times in three: under 1 % of them."""
    made = random.Random(4)
    alarms = runs = 0
    history: list[timedelta] = []
    for _ in range(20_000):
        length = timedelta(seconds=made.lognormvariate(7, 0.5))
        found = usual(history[-50:])
        if found is not None:
            runs += 1
            alarms += length > found.alarm
        history.append(length)

    assert alarms / runs < 0.01


@pytest.mark.parametrize(("setting", "expected"), [
    (HOUR, HOUR), (Auto.OFF, None), (Auto.AUTO, 20 * MINUTE),
])  # fmt: skip
def test_a_task_may_set_its_own(setting, expected):
    assert bound(setting, usual(seconds(*[600] * 20))) == expected


def test_without_a_history_nothing_is_unusual():
    assert bound(Auto.AUTO, None) is None
    assert bound(MINUTE, None) == MINUTE


@pytest.mark.parametrize(("setting", "length", "between", "expected"), [
    pytest.param(5, None, None, 5, id="set"),
    pytest.param(Auto.OFF, HOUR, MINUTE, None, id="off"),
    pytest.param(Auto.AUTO, None, MINUTE, 10, id="nothing is known"),
    pytest.param(Auto.AUTO, timedelta(minutes=5), MINUTE, 10, id="runs that cover slots may"),
    pytest.param(Auto.AUTO, MINUTE, HOUR, 3, id="never fewer than three"),
])  # fmt: skip
def test_how_many_skips_in_a_row(setting, length, between, expected):
    assert skip_bound(setting, length, between) == expected


@pytest.mark.parametrize(("given", "told"), [
    ("off", "off"), ("auto", "auto"), ({}, "auto"), ({"late": "300s"}, {"late": "5m"}),
    ({"late": "off", "long": "off", "skipped": "off"}, "off"),
    ({"long": "2h", "silent": "2d", "skipped": 3}, {"long": "2h", "silent": "2d", "skipped": 3}),
])  # fmt: skip
def test_it_is_written_as_short_as_it_can_be(given, told):
    alarms = Alarms.model_validate(given)

    assert alarms.model_dump(mode="json") == told
    assert Alarms.model_validate(told) == alarms


@pytest.mark.parametrize(("given", "said"), [
    ({"late": 5}, "must be a duration such as 5m, or auto, or off"),
    ({"late": "5"}, "write 5s; or auto, or off"),
    ({"late": "0s"}, "must be a second"),
    ({"skipped": 0}, "must be a whole number from 1 to 10000"),
    ("on", "must be off, auto, or keys"),
])  # fmt: skip
def test_a_mistake_is_named(given, said):
    with pytest.raises(ValueError, match=said):
        Alarms.model_validate(given)
