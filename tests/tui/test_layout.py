"""What fits."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cronpilot.tui.formatting import Cell, Marks
from cronpilot.tui.layout import (
    Column,
    Piece,
    changed_cells,
    cut,
    fit_columns,
    fit_line,
    pad,
    thumb,
    wrap_words,
    wrapped,
)
from cronpilot.tui.widgets.run_table import RunTable
from cronpilot.tui.widgets.task_table import TaskTable

MARKS = Marks()


def keys(columns, width):
    return [place.column.key for place in fit_columns(columns, width)]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (119, ["state", "name", "schedule", "next", "in", "last", "verdicts", "usual", "rate"]),
        (79, ["state", "name", "schedule", "next", "in", "last"]),
        (59, ["state", "name", "next", "in", "last"]),
        (44, ["state", "name", "in", "last"]),
    ],
)
def test_the_task_table_leaves_out_what_matters_least(width, expected):
    assert keys(TaskTable.COLUMNS, width) == expected


@pytest.mark.parametrize(
    ("width", "keys"),
    [(79, "state name schedule next in last"), (39, "state name in"), (29, "state name")],
)
def test_a_column_of_a_cell_or_two_is_left_out(width, keys):
    placed = fit_columns(TaskTable.COLUMNS, width)
    assert " ".join(place.column.key for place in placed) == keys


@given(st.sampled_from([TaskTable.COLUMNS, RunTable.COLUMNS]), st.integers(3, 300))
def test_columns_never_overlap_nor_leave_the_screen(columns, width):
    placed = fit_columns(columns, width)
    assert placed
    for left, right in itertools.pairwise(placed):
        assert left.x + left.width + right.column.gap <= right.x
    assert placed[-1].x + placed[-1].width <= width


@given(st.integers(40, 300))
def test_more_room_never_hides_a_column(width):
    assert set(keys(TaskTable.COLUMNS, width)) <= set(keys(TaskTable.COLUMNS, width + 1))


def test_spare_room_goes_where_it_is_lacking():
    columns = (Column.fixed("a", "", 4), Column("b", "", 4, 20))
    assert [place.width for place in fit_columns(columns, 60)] == [4, 20]


@pytest.mark.parametrize(
    ("width", "widths"),
    [(20, [6, 4, 4]), (24, [10, 4, 4]), (27, [10, 7, 4]), (40, [10, 7, 12])],
)
def test_room_goes_first_to_those_that_claim_it(width, widths):
    columns = [Column(key, "", 4, most) for key, most in (("a", 10), ("b", 7), ("c", 12))]
    placed = fit_columns(columns, width - 1, [("a", 30), ("gone", 9), ("b", 7), ("a", 5)])
    assert [place.width for place in placed] == widths


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("backup", 6, "backup"), ("backup", 5, "back…"), ("backup", 1, "…"), ("backup", 0, ""),
     ("界界界", 5, "界界…"), ("界界界", 4, "界…")],
)  # fmt: skip
def test_cutting_shows_that_something_is_missing(text, width, expected):
    assert cut(text, width, MARKS) == expected


@given(st.text(st.characters(categories=["L", "N", "P"])), st.integers(0, 40), st.booleans())
def test_padded_text_has_exactly_its_width(text, width, right):
    assert cell_len(pad(text, width, MARKS, right=right)) == width


@given(
    st.lists(st.tuples(st.text("ab界", max_size=9), st.integers(0, 3)), max_size=5),
    st.lists(st.tuples(st.text("ab界", max_size=9), st.integers(0, 3)), max_size=5),
    st.integers(1, 80),
)
def test_a_line_has_exactly_the_width_of_the_screen(left, right, width):
    cells = fit_line([Piece(t, "", r) for t, r in left], [Piece(t, "", r) for t, r in right],
                     width, MARKS)  # fmt: skip
    assert sum(cell_len(cell.text) for cell in cells) == width


def test_what_matters_least_leaves_a_line_first():
    left = [Piece("host"), Piece("/var/lib", "", 2), Piece("2 running", "", 1)]
    shown = fit_line(left, [Piece("12:00", "", 3)], 24, MARKS)
    assert "".join(cell.text for cell in shown).split() == ["host", "2", "running"]


@given(st.lists(st.text("ab 日本", max_size=40), min_size=1, max_size=3), st.integers(8, 60))
def test_a_wrapped_line_keeps_every_sign_within_its_width(texts, width):
    rows = wrapped([Cell(text) for text in texts], width)
    assert all(sum(cell_len(cell.text) for cell in row) <= width for row in rows)
    assert "".join(cell.text for row in rows for cell in row).replace(" ", "") == "".join(
        texts
    ).replace(" ", "")


def test_a_wrapped_line_goes_on_below_its_words():
    line = [Cell(" result    "), Cell("It failed with exit code 127: not found.")]
    rows = ["".join(cell.text for cell in row) for row in wrapped(line, 36)]
    assert rows == [" result    It failed with exit code", "           127: not found."]


def test_words_are_wrapped_by_the_cells_they_take():
    assert wrap_words("毎晩のバックアップ, fails-always", 20) == [
        "毎晩のバックアップ,",
        "fails-always",
    ]


@given(st.integers(0, 20_000), st.integers(0, 20_000), st.integers(1, 60))
def test_the_thumb_stays_within_its_bar(total, top, height):
    bar = thumb(total, min(top, max(0, total - height)), height)
    assert len(bar) == 0 if total <= height else len(bar) >= 1
    assert all(0 <= row < height for row in bar)


def test_the_thumb_touches_both_ends():
    assert thumb(1000, 0, 10).start == 0
    assert thumb(1000, 990, 10).stop == 10


@pytest.mark.parametrize(
    ("before", "after", "columns"),
    [
        ("1m 04s ", "1m 05s ", (4, 5)),
        ("     9s", "    10s", (4, 6)),
        ("日本 1", "日本 2", (0, 6)),
        ("aaaa", "aaab", (3, 4)),
        ("abab", "baba", (0, 4)),
    ],
)
def test_of_a_cell_only_what_differs_is_painted(before, after, columns):
    assert changed_cells(before, after) == columns
