from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.cli.log_text import LogText

SGR = re.compile(r"\x1b\[[0-9;:]*m")
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def text_of(*pieces: bytes, colour: bool = True) -> str:
    text = LogText(colour=colour)
    return "".join(text.feed(piece) for piece in pieces) + text.finish()


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param(b"plain\n\ttext\n", "plain\n\ttext\n", id="plain text is left alone"),
        pytest.param(b"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m", id="colours are kept"),
        pytest.param(b"\x1b[38:2::1:2:3mx", "\x1b[38:2::1:2:3mx\x1b[0m", id="and switched off"),
        pytest.param(b"\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H", id="the screen is not cleared"),
        pytest.param(b"\x1b]0;title\x07", "\\x1b]0;title\\x07", id="no title is set"),
        pytest.param(b"\x1b[>4;1m", "\\x1b[>4;1m", id="a private sequence that ends in m"),
        pytest.param("\x9b31m".encode(), "\\x9b31m", id="C1 controls"),
        pytest.param(b"10%\r50%\rdone\r\n", "10%\n50%\ndone\n", id="a progress bar"),
        pytest.param(b"\xff\xc3", "\ufffd\ufffd", id="what is not UTF-8"),
        pytest.param("grün\u202e".encode(), "grün\\u202e", id="bidi controls"),
        pytest.param(b"end\x1b[3", "end\\x1b[3", id="cut off within a sequence"),
        pytest.param(b"end\r", "end\n", id="cut off at a carriage return"),
        pytest.param(b"\x1b[" + b"1;" * 99 + b"m", "\\x1b[" + "1;" * 99 + "m", id="far too long"),
    ],
)
def test_what_a_terminal_gets(log: bytes, expected: str) -> None:
    assert text_of(log) == expected


def test_without_colour_the_text_alone_is_left() -> None:
    assert text_of(b"\x1b[31mred\x1b[0m\n", colour=False) == "red\n"


logs = st.lists(
    st.sampled_from([b"\x1b", b"[", b"31", b";", b"m", b"\r", b"\n", b"\xc2", b"\x9b", b"x", b"J"])
    | st.binary(max_size=4)
).map(b"".join)


@given(log=logs)
def test_nothing_but_colours_steers_the_terminal(log: bytes) -> None:
    assert STEERING.findall(SGR.sub("", text_of(log))) == []


@given(log=logs, place=st.integers(0, 99))
def test_it_does_not_matter_how_a_log_is_cut(log: bytes, place: int) -> None:
    assert text_of(log[:place], log[place:]) == text_of(log)
