"""Output of tasks: colours are kept, nothing else of it is obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cronpilot.tui.ansi import LONGEST, parse_line


def text_of(data: bytes) -> str:
    return "".join(text for text, _ in parse_line(data))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"\x1b]0;owned\x07title", "title", id="window title"),
        pytest.param(b"\x1b]0;owned\x1b\\title", "title", id="window title, other end"),
        pytest.param(b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link", id="hyperlink"),
        pytest.param(b"\x1b]52;c;aGFjaw==\x07clip", "clip", id="clipboard"),
        pytest.param(b"\x1b[2J\x1b[10;10Hmoved", "moved", id="cursor and erase"),
        pytest.param(b"\x1b[?1049lmodes", "modes", id="modes"),
        pytest.param(b"\x1bPq#0\x1b\\sixel", "sixel", id="DCS"),
        pytest.param("\x9b2J\x9d0;t\x9cC1".encode(), "C1", id="C1 forms"),
        pytest.param(b"\x1bc\x1b(Breset", "reset", id="short sequences"),
        pytest.param(b"a\x07\x08\x0e", "a\\x07\\x08\\x0e", id="single controls are shown"),
        pytest.param(b"cut \x1b[", "cut ", id="a sequence without its end"),
        pytest.param(b"cut \x1b]0;never ends", "cut ", id="a string without its end"),
        pytest.param(b"\xff\xfe", "\ufffd\ufffd", id="not UTF-8"),
        pytest.param("\u202egnp.exe".encode(), "\\u202egnp.exe", id="reordering is shown"),
        pytest.param(b"a\tb", "a       b", id="tabs"),
    ],
)
def test_what_a_terminal_would_obey_is_gone(data, text):
    assert text_of(data) == text


@given(st.binary(max_size=200))
@example(b"\x1b[31m\x1b")
def test_no_output_contains_a_control_character(data):
    assert not any(unicodedata.category(char) == "Cc" for char in text_of(data))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("31", "color(1)"),
        ("1;32", "bold color(2)"),
        ("93", "color(11)"),
        ("38;5;208", "color(208)"),
        ("38;2;1;2;3", "#010203"),
        ("48;5;1", "on color(1)"),
        ("31;0", "none"),
        ("", "none"),
        ("38;2;1", "none"),
        ("99999999999999999999", "none"),
    ],
)
def test_colours_are_kept(codes, expected):
    (_, style), *_ = parse_line(f"\x1b[{codes}mx".encode())
    assert str(style) == expected


def test_blinking_and_concealed_text_is_plain():
    (text, style), *_ = parse_line(b"\x1b[5m\x1b[8mhidden")
    assert text == "hidden"
    assert not style.conceal
    assert not style.blink


def test_a_colour_ends_where_it_is_reset():
    parts = [(text, str(style)) for text, style in parse_line(b"\x1b[31mred\x1b[0m plain")]
    assert parts == [("red", "color(1)"), (" plain", "none")]


def test_an_overlong_line_is_cut():
    assert len(text_of(b"x" * 100_000)) == LONGEST
    assert len(text_of(b"\x1b[31m" + b"x" * 100_000)) == LONGEST
