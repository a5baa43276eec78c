"""The part of a log that is held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cronpilot.client.fake import NOON
from cronpilot.domain.log_text import LONGEST
from cronpilot.tui.log_window import KEPT_LINES, LogWindow
from cronpilot.tui.open_line import CUT, LONGEST_LINE, OpenLine


def lines_of(window):
    return [window[index] for index in range(len(window))]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\r", b"")), max_size=20))
def test_pieces_of_any_size_make_the_same_lines(pieces):
    whole = b"".join(pieces)
    window = LogWindow()
    for piece in pieces:
        window.append(piece, len(whole))

    expected = whole.split(b"\n")
    assert lines_of(window) == (expected[:-1] if expected[-1] == b"" else expected)
    assert window.end == len(whole)


@given(st.lists(st.from_regex(rb"[ab]{0,9}", fullmatch=True), min_size=1, max_size=40), st.data())
def test_reading_upwards_gives_the_file_back(lines, data):
    file = b"".join(line + b"\n" for line in lines)
    step = data.draw(st.integers(1, len(file)))
    tail = max(0, len(file) - step)
    window = LogWindow.holding(tail, file[tail:], len(file))
    while window.start > 0:
        before, start = window.start, max(0, window.start - step)
        window.prepend(start, file[start : window.start])
        assert window.start < before

    if max(map(len, lines)) + 1 < step:  # longer lines than a piece are shown in pieces
        assert lines_of(window) == lines
    else:
        assert b"".join(lines_of(window)) == b"".join(lines)


def test_a_tail_begins_with_a_whole_line():
    window = LogWindow.holding(3, b"lf of one\ntwo\nthree", 22)
    assert lines_of(window) == [b"two", b"three"]
    assert window.start == 13


def test_a_line_goes_on_in_the_next_piece():
    window = LogWindow.holding(0, b"one\ntw", 6)
    assert window.append(b"o\nthree", 13) == 1
    assert lines_of(window) == [b"one", b"two", b"three"]


def test_a_progress_bar_is_what_is_left_of_it():
    window = LogWindow()
    for percent in range(100):
        window.append(b"%d%%\r" % percent, 1000)
    window.append(b"100%\r\ndone\r\n", 1000)
    assert lines_of(window) == [b"100%", b"done"]


def test_output_without_line_ends_stays_small_and_shows_what_is_newest():
    window = LogWindow()
    for number in range(40):
        window.append(b"x" * LONGEST_LINE + b"<%d>" % number, 1 << 30)
    assert len(window) == 1
    assert window[0].startswith(CUT)
    assert window[0].endswith(b"xx<39>")
    assert len(window[0]) == LONGEST // 4


def test_a_long_line_that_has_its_end_shows_its_beginning_again():
    window = LogWindow()
    window.append(b"a" * LONGEST_LINE, 1 << 30)
    window.append(b"b" * 100, 1 << 30)
    assert window.is_open
    assert window[0].endswith(b"ab" + 99 * b"b")
    window.append(b"\nnext", 1 << 30)
    assert lines_of(window) == [b"a" * LONGEST_LINE, b"next"]
    assert window.is_open
    window.finish()
    assert not window.is_open
    assert lines_of(window)[1] == b"next"


def test_a_tail_in_the_middle_of_a_line_says_that_its_beginning_is_missing():
    window = LogWindow.holding(7, "…half a line".encode()[1:], 1 << 30)
    assert lines_of(window) == [CUT + b"half a line"]
    window.append(b", whole now\n", 1 << 30)
    assert lines_of(window) == [CUT + b"half a line, whole now"]


def test_a_carriage_return_begins_a_long_line_anew():
    window = LogWindow()
    window.append(b"x" * 3 * LONGEST_LINE, 1 << 30)
    window.append(b"\r 12 %", 1 << 30)
    assert lines_of(window) == [b" 12 %"]
    window.append(b"\r", 1 << 30)
    window.append(b" 13 %\n", 1 << 30)
    assert lines_of(window) == [b" 13 %"]


@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=6))
def test_what_is_seen_of_a_line_does_not_depend_on_its_pieces(pieces):
    pieces = [piece.replace(b"\n", b"") for piece in pieces]
    line, whole = OpenLine(), OpenLine()
    for piece in pieces:
        line.add(piece)
    whole.add(b"".join(pieces))
    assert line.so_far.rstrip(b"\r") == whole.so_far.rstrip(b"\r")
    assert line.ended.rstrip(b"\r") == whole.ended.rstrip(b"\r")


def test_what_a_limit_dropped_is_passed_over():
    window = LogWindow.holding(0, b"head\n", 1000)
    window.append(b"[900 bytes dropped]\ntail\n", 1000, end=1000)
    assert lines_of(window) == [b"head", b"[900 bytes dropped]", b"tail"]
    assert (window.end, window.size) == (1000, 1000)


def test_lines_behind_what_was_dropped_keep_their_place_in_the_file():
    data = b"head\nhe\n[... 900 bytes dropped ...]\nil\ntail\n"
    window = LogWindow.holding(0, data, 7 + 900 + 8, end=7 + 900 + 8)

    assert [window.offset_of(index) for index in range(5)] == [0, 5, 8, 907, 910]
    assert window.index_at(912) == 4


def test_a_full_window_forgets_what_lies_below():
    file = b"".join(b"%03d\n" % number for number in range(100))
    window = LogWindow.holding(0, file, len(file))
    window.attached = True
    window.trim_end()

    assert len(window) == 50
    assert (window.end, window.attached) == (200, False)
    assert window.append(file[200:204], 400) == 1
    assert window[50] == b"050"


def test_lines_that_match_are_held_with_their_places():
    window = LogWindow.of_lines([(40, b"b"), (80, b"c")], 30, 100, 100)
    window.prepend_lines([(4, b"a")], 0)
    window.append_lines([(120, b"d")], 150, 200, at=NOON)

    assert lines_of(window) == [b"a", b"b", b"c", b"d"]
    assert (window.start, window.end, window.size) == (0, 150, 200)
    assert [window.index_at(offset) for offset in (0, 41, 500)] == [0, 1, 3]
    assert (window.seen_at(0), window.seen_at(3)) == (None, NOON)


def test_trimming_forgets_the_oldest_and_knows_where_it_begins():
    file = b"".join(b"%d\n" % number for number in range(KEPT_LINES + 10))
    window = LogWindow.holding(0, file, len(file))

    assert window.trim() == 10
    assert window[0] == b"10"
    assert window.start == 20
