from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.cli.table import Column, Tinted, cell_width, lay_out
from cronpilot.cli.words import how_long


def test_columns_are_aligned_by_the_cells_that_characters_take() -> None:
    lines = lay_out(
        [Column("N", right=True), Column("NAME"), Column("X")],
        [["1", "日本", "a"], ["10", "e\u0301", "b"]],
    )

    assert list(lines) == [" N  NAME  X", " 1  日本  a", "10  e\u0301     b"]


def test_the_widest_column_that_may_is_cut_first() -> None:
    lines = lay_out(
        [Column("A", 4), Column("B", 4), Column("C")],
        [["a" * 10, "b" * 20, "c" * 5]],
        width=29,
    )

    assert list(lines)[1] == "aaaaaaaaaa  bbbbbbbbb…  ccccc"


def test_nothing_is_cut_below_its_least_width() -> None:
    lines = lay_out([Column("A", 4), Column("B")], [["a" * 10, "b" * 20]], width=10)

    assert list(lines)[1] == "aaa…  " + "b" * 20


def test_colours_take_no_room() -> None:
    columns, row = [Column("S"), Column("X")], [Tinted("ok", "green"), "x"]

    assert list(lay_out(columns, [row], colour=True))[1] == "\x1b[32mok\x1b[0m  x"
    assert list(lay_out(columns, [row]))[1] == "ok  x"


@given(
    rows=st.lists(st.lists(st.text(max_size=40), min_size=3, max_size=3), max_size=4),
    width=st.integers(30, 120),
)
def test_no_line_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    columns = [Column("A", 5), Column("B", 5), Column("C", 5)]

    assert all(cell_width(line) <= width for line in lay_out(columns, rows, width=width))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"), (0.04, "0.0s"), (9.94, "9.9s"), (42.4, "42s"), (65, "1m05s"),
        (3599.6, "1h00m"), (7380, "2h03m"), (273_600, "3d04h"),
    ],
)  # fmt: skip
def test_durations_in_few_characters(seconds: float | None, expected: str) -> None:
    assert how_long(seconds) == expected
