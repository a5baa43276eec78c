"""What comes: the order of starts, who meets whom, how many an hour, what a cell shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from cronpilot.domain.agenda import (
    Going,
    Item,
    Occupancy,
    Place,
    Scale,
    Span,
    fold_spans,
    going_at,
    starts_behind,
    starts_by_cell,
    starts_by_hour,
)
from cronpilot.domain.run import Status
from cronpilot.domain.schedule import ScheduleType, fire_times
from cronpilot.domain.zones import find_zone

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def item(id, expression, **fields):  # noqa: A002
    times = fire_times(ScheduleType.CUSTOM, expression, find_zone("UTC"))
    offset = fields.get("offset", timedelta())
    upcoming = times.next_after(NOON - offset) + offset
    return Item(**{"id": id, "name": f"task {id}", "zone": "UTC", "next_run_at": upcoming,
                   "times": times, **fields})  # fmt: skip


def told(starts, count):
    return [(f"{at:%H:%M}", item.id) for at, item in islice(starts, count)]


def test_starts_come_in_order_and_at_the_same_moment_by_id():
    items = [item(2, "*/30 * * * *"), item(1, "0 * * * *")]

    assert told(starts_behind(items, Place(NOON, 0)), 5) == [
        ("12:30", 2), ("13:00", 1), ("13:00", 2), ("13:30", 2), ("14:00", 1)]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "first"),
    [
        pytest.param(Place(NOON + HOUR, 1), ("13:00", 2), id="at one moment, behind the first"),
        pytest.param(Place(NOON + HOUR, 2), ("13:30", 2), id="behind the last"),
        pytest.param(Place(NOON + 5.2 * HOUR, 0), ("17:30", 2), id="hours later"),
    ],
)
def test_one_goes_on_behind_any_start(place, first):
    items = [item(1, "0 * * * *"), item(2, "*/30 * * * *")]

    assert told(starts_behind(items, place), 1) == [first]


def test_a_start_is_its_slot_and_its_spread():
    late = item(1, "0 * * * *", offset=timedelta(minutes=7))

    assert told(starts_behind([late], Place(NOON, 0)), 2) == [("12:07", 1), ("13:07", 1)]


@pytest.mark.parametrize(
    ("fields", "met"),
    [
        pytest.param({}, [(1, ""), (2, ""), (3, "slots")], id="two slots"),
        pytest.param({"pool": "db"}, [(1, ""), (2, "pool"), (3, "pool")], id="a pool of one"),
        pytest.param({"paused": True}, [(0, ""), (0, ""), (0, "")], id="paused"),
    ],
)
def test_starts_that_meet_take_slots_for_as_long_as_usual(fields, met):
    slots = Occupancy(2, {"db": 1})
    items = [item(id_, "0 * * * *", usual=HOUR, **fields) for id_ in (1, 2, 3)]

    assert [tuple(slots.start(one, NOON)) for one in items] == met
    assert slots.start(item(4, "0 * * * *"), NOON + 2 * HOUR) == (1, "")


@pytest.mark.parametrize(("overlaps", "waits"), [(False, "itself"), (True, "")])
def test_a_start_while_its_own_last_run_goes(overlaps, waits):
    slots = Occupancy(9, {})
    slots.add(Going(NOON + MINUTE, 1, None))

    assert slots.start(item(1, "* * * * *", overlaps=overlaps), NOON).waits == waits
    assert slots.start(item(1, "* * * * *"), NOON + 2 * MINUTE).waits == ""


def test_what_will_still_be_going_hours_from_now():
    long, short = item(1, "0 13 * * *", usual=3 * HOUR), item(2, "0 13 * * *", usual=MINUTE)

    assert list(going_at([long, short], NOON + 2 * HOUR)) == [Going(NOON + 4 * HOUR, 1, None)]
    assert list(going_at([long], NOON + MINUTE)) == []


def test_starts_are_counted_by_the_hour():
    items = [item(1, "*/20 * * * *"), item(2, "0 14 * * *"), item(3, "*/20 * * * *"),
             item(4, "* * * * *", paused=True)]  # fmt: skip
    edges = [NOON + 5 * MINUTE, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]

    assert starts_by_hour(items, edges) == [4, 6, 7]


def test_a_picture_shows_the_first_start_of_each_cell():
    scale = Scale(NOON - HOUR, NOON + HOUR, 4)

    assert starts_by_cell(item(1, "*/10 * * * *"), scale, NOON) == [
        NOON + 10 * MINUTE, NOON + 30 * MINUTE]  # fmt: skip


def test_what_begins_in_one_cell_is_one_bar_with_the_gravest_verdict():
    scale = Scale(NOON, NOON + HOUR, 6)

    def at(minute, took, status, run_id, many=1):
        begun = NOON + minute * MINUTE
        end = None if took is None else begun + took * MINUTE
        return Span(run_id, begun, end, status, many)

    folded = fold_spans(
        [
            at(-30, 10, Status.FAILED, 1),
            at(-30, 35, Status.SUCCESS, 2),
            at(11, 1, Status.SUCCESS, 3),
            at(15, 30, Status.FAILED, 4),
            at(31, 0, Status.MISSED, 5, many=14),
            at(35, None, Status.RUNNING, 6),
        ],
        scale,
    )

    assert folded == [
        at(-30, 35, Status.SUCCESS, 2),
        Span(4, NOON + 11 * MINUTE, NOON + 45 * MINUTE, Status.FAILED, 2),
        Span(6, NOON + 31 * MINUTE, None, Status.RUNNING, 15),
    ]
