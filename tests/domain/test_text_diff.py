"""Differences between two texts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.text_diff import blocks, unified, without_passing

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", "same", ""]), max_size=25)


@given(TEXTS, TEXTS)
def test_the_blocks_are_both_texts_in_turn_equal_and_different(a, b):
    found = blocks(a, b)

    assert [line for block in found for line in a[block.a : block.a_end]] == a
    assert [line for block in found for line in b[block.b : block.b_end]] == b
    for block in found:
        same = a[block.a : block.a_end] == b[block.b : block.b_end]
        assert same if block.equal else not same
    assert all(one.equal != two.equal for one, two in pairwise(found))


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text):
    assert all(line[0] in " @" for line in unified(text, text))


def test_equal_lines_far_from_a_difference_are_counted_only():
    a = [f"line {n}" for n in range(100)]
    b = [*a[:50], "other", *a[51:]]

    assert list(unified(a, b)) == [
        "@47", " line 47", " line 48", " line 49", "-line 50", "+other", " line 51", " line 52",
        " line 53", "@46"]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-03-04T12:00:00Z start", "2026-03-05T03:00:01.25+01:00 start"),
        ("2026-03-04 12:00:00,123 INFO x", "2026-03-05 01:02:03,004 INFO x"),
        ("Mar  4 12:00:01 host cron[123]: x", "Mar 15 02:30:00 host cron[98765]: x"),
        ("[04/Mar/2026:12:00:00 +0000] GET", "[15/Mar/2026:01:00:00 +0000] GET"),
        ("12:00:01 done in 1.25s", "03:00:02 done in 384 ms"),
        ("took 3 seconds, pid 17", "took 12 seconds, pid 4242"),
        ("<obj at 0x7f00deadbeef>", "<obj at 0x7f11cafe0000>"),
        ("at 1772625600", "at 1772712000.5"),
    ],
)
def test_what_differs_each_time_can_be_left_out(one, other):
    assert without_passing(one) == without_passing(other)
    assert list(unified([one], [other], passing=False)) == [" " + other]
    assert list(unified([one], [other])) == ["-" + one, "+" + other]


@pytest.mark.parametrize(
    ("one", "other"),
    [("3 rows", "4 rows"), ("exit 1", "exit 2"), ("v1.2.3", "v1.2.4"), ("port 80", "port 81")],
)
def test_other_figures_count(one, other):
    assert without_passing(one) != without_passing(other)


def test_long_texts_with_nothing_to_hold_on_to_are_not_compared_by_the_square():
    found = blocks(["x", "y"] * 20_000, ["z", "y"] * 20_000)  # hours, if they were

    assert not found[0].equal
