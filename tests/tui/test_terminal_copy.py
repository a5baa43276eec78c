"""Whatever comes one after the other: a terminal shows what a whole repaint would show."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from cronpilot.tui.painting import tight
from cronpilot.tui.terminal_copy import TerminalCopy

CONSOLE = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)
STYLES = [None, Style(color="red"), Style(bgcolor="#123456"), Style(reverse=True, bold=True)]
TEXTS = [
    "",
    "an ordinary line",
    "11:02 another line of it",
    "▸ running ┃ 12 %",
    "all of it, to the very last of the cells",
    "界 is two wide",
    "e\u0301 is two signs",
]


class Glass:
    """What is to be seen, and a terminal that is told of it bit by bit."""

    def __init__(self, width, height):
        self.copy = TerminalCopy()
        self.written = 0
        self.resize(width, height)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.terminal = pyte.Screen(width, height)
        self.rows = [self.row("", 0)] * height
        self.paint_all()

    def row(self, text, style):
        cut = Strip([Segment(text, STYLES[style])]).adjust_cell_length(self.width, STYLES[style])
        return Strip([*cut])

    def paint_all(self):
        update = LayoutUpdate([[row] for row in self.rows], Region(0, 0, self.width, self.height))
        self.write(tight(update, self.copy))

    def paint(self, spans):
        """Of these rows the cells between."""
        cuts = [{0: row} for row in self.rows]
        self.write(tight(ChopsUpdate(cuts, spans, [[self.width]] * self.height), self.copy))

    def write(self, update):
        text = update.render_segments(CONSOLE)
        self.written += len(text)
        pyte.Stream(self.terminal).feed(text)

    def scroll(self, first, last, by, fresh):
        """Rows move up, or down; those that come in are `fresh`."""
        bare = [fresh] * min(abs(by), last - first)
        rows = self.rows[first:last]
        moved = rows[by:] + bare if by > 0 else bare + rows[:by]
        self.rows[first:last] = moved[: last - first]
        self.paint([(y, 0, self.width) for y in range(first, last)])

    def cells(self):
        return shown(self.terminal)

    def cells_of_a_whole_repaint(self):
        other = Glass(self.width, self.height)
        other.rows = self.rows
        other.paint_all()
        return other.cells()


def shown(terminal):
    return [[terminal.buffer[y][x] for x in range(terminal.columns)] for y in range(terminal.lines)]


def is_plain(row):
    return all(len(part.text) == part.cell_length and part.text.isascii() for part in row)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_scrolled_covered_resized_or_coloured_it_is_as_painted_at_once(data):
    glass = Glass(30, 12)
    row = st.builds(glass.row, st.sampled_from(TEXTS), st.integers(0, len(STYLES) - 1))
    for y in range(glass.height):
        glass.rows[y] = glass.row(f"line {y} of what was there", data.draw(st.integers(0, 3)))
    glass.paint_all()
    for _ in range(data.draw(st.integers(1, 12))):
        first = data.draw(st.integers(0, glass.height - 2))
        last = data.draw(st.integers(first + 1, glass.height))
        match data.draw(st.sampled_from(["scroll", "rows", "cover", "resize", "again"])):
            case "scroll":
                by = data.draw(st.integers(-4, 4).filter(bool))
                glass.scroll(first, last, by, data.draw(row))
            case "rows":
                for y in range(first, last):
                    glass.rows[y] = data.draw(row)
                glass.paint([(y, 0, glass.width) for y in range(first, last)])
            case "cover":  # a dialog, a notice: some cells of some rows
                x1 = data.draw(st.integers(0, glass.width - 2))
                x2 = data.draw(st.integers(x1 + 1, glass.width))
                over = glass.row("a notice over it, in its box", 2)
                spans = []
                for y in filter(lambda y: is_plain(glass.rows[y]), range(first, last)):
                    parts = glass.rows[y].crop(0, x1), over.crop(0, x2 - x1)
                    glass.rows[y] = Strip.join([*parts, glass.rows[y].crop(x2)])
                    spans.append((y, x1, x2))
                if spans:
                    glass.paint(spans)
            case "resize":
                size = data.draw(st.integers(20, 40)), data.draw(st.integers(8, 16))
                glass.resize(*size)
            case "again":
                glass.copy.forget()
        assert glass.cells() == glass.cells_of_a_whole_repaint()


@pytest.fixture
def glass():
    """Twenty rows of 80 cells: a title, a log below it, a key bar."""
    one = Glass(80, 20)
    one.rows = [one.row("title", 1), *(one.row(f"line {y} of a log", 0) for y in range(18)),
                one.row("keys", 2)]  # fmt: skip
    one.paint_all()
    one.written = 0
    return one


def test_a_log_that_grows_by_a_line_costs_that_line(glass):
    glass.scroll(1, 19, 1, glass.row("a new line", 0))
    assert glass.written < 80 + 40


def test_what_is_shown_already_costs_nothing(glass):
    glass.paint([(y, 0, 80) for y in range(20)])
    assert glass.written == 0


def test_a_word_that_changed_costs_that_word(glass):
    glass.rows[5] = glass.row("line 4 of a dog", 0)
    glass.paint([(5, 0, 80)])
    assert glass.written < 12


def test_what_another_program_may_have_written_over_is_written_whole(glass):
    glass.copy.forget()
    glass.scroll(1, 19, 1, glass.row("a new line", 0))
    assert glass.written > 18 * 80


def test_signs_that_a_terminal_may_find_wider_are_written_with_the_row_below(glass):
    for _ in range(2):
        glass.rows[4] = glass.row("界 and e\u0301", 0)
        glass.written = 0
        glass.paint([(y, 0, 80) for y in range(20)])
    assert 2 * 78 < glass.written < 2 * 80 + 40
    assert glass.cells() == glass.cells_of_a_whole_repaint()


def test_a_margin_never_stays_behind(glass):
    glass.scroll(1, 19, -3, glass.row("an older line", 0))
    assert glass.terminal.margins is None
    assert glass.cells() == glass.cells_of_a_whole_repaint()
