"""Pages of a history of any length: what is known, what is held, what has to be read."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import make_run
from cronpilot.tui.run_pages import PAGE, RunPages


def read(pages, number, newest, oldest=1):
    """Answer a page as an engine with the runs `oldest` to `newest` would."""
    before = pages.before(number)
    first = newest if before is None else before - 1
    ids = range(first, max(oldest - 1, first - PAGE), -1)
    pages.put(number, [make_run(one) for one in ids])


@pytest.fixture
def pages():
    """The first three pages of a thousand runs."""
    made = RunPages()
    for number in range(3):
        read(made, number, 1000)
    return made


def ids(pages, position):
    offset, rows = pages.around(position)
    return offset, [row.id for row in rows]


def test_before_anything_is_read_the_newest_page_is_lacking():
    assert RunPages().lacking(0, 50) == [0]


def test_a_full_page_means_that_there_may_be_more(pages):
    assert (pages.known, pages.complete) == (600, False)
    assert pages.lacking(0, 599) == []
    assert pages.lacking(550, 600) == [3]


def test_a_short_page_is_the_last_one(pages):
    for number in (3, 4, 5):
        read(pages, number, 1000)
    assert (pages.known, pages.complete) == (1000, True)
    assert pages.lacking(900, 1100) == []


def test_pages_far_from_what_is_seen_are_forgotten_and_can_be_read_again():
    pages = RunPages()
    for number in range(12):
        read(pages, number, 3000)
    pages.forget_all_but(2300, 2340)

    assert pages.known == 2400
    assert ids(pages, 2300)[0] == 1600
    assert pages.lacking(500, 700) == [2, 3]
    read(pages, 2, 3000)
    assert ids(pages, 450) == (400, list(range(2600, 2400, -1)))


def test_the_newest_page_is_always_held(pages):
    pages.forget_all_but(10_000, 10_100)
    assert ids(pages, 0) == (0, list(range(1000, 800, -1)))


def test_a_new_run_comes_first_and_moves_the_others_down(pages):
    assert pages.add(make_run(1001))
    assert ids(pages, 0)[1][:2] == [1001, 1000]
    assert pages.known == 601


def test_a_run_that_begins_to_match_takes_its_place_among_the_others(pages):
    pages = RunPages()
    pages.put(0, [make_run(one) for one in (9, 7, 3)])
    assert pages.add(make_run(5))
    assert ids(pages, 0) == (0, [9, 7, 5, 3])


def test_a_run_older_than_all_that_is_known_waits_until_it_is_read(pages):
    assert not pages.add(make_run(5))
    assert pages.known == 600


def test_a_run_that_is_held_is_replaced(pages):
    assert pages.replace(make_run(700, pid=77))
    assert next(row for row in pages.around(0)[1] if row.id == 700).pid == 77
    assert not pages.replace(make_run(5))


def test_the_newest_page_is_split_before_it_grows_without_end(pages):
    for one in range(1001, 1201):
        pages.add(make_run(one))
    pages.forget_all_but(5000, 5050)

    assert ids(pages, 0) == (0, list(range(1200, 1000, -1)))
    assert pages.lacking(0, 250) == [1]
    read(pages, 1, 1200)
    assert ids(pages, 0)[1] == list(range(1200, 800, -1))
    assert pages.known == 800


def test_a_page_that_reads_differently_now_ends_what_was_known_behind_it(pages):
    pages.put(1, [make_run(one) for one in range(800, 600, -1) if one != 650] + [make_run(600)])
    pages.put(1, [make_run(one) for one in range(799, 599, -1)])
    assert (pages.known, pages.complete) == (400, False)
    assert pages.before(2) == 600
