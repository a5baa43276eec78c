"""Text from outside on its way to a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.text import clean


@pytest.mark.parametrize(("text", "shown"), [
    pytest.param("backup-db", "backup-db", id="plain"),
    pytest.param("Sicherung für Zoë ✓ 日本", "Sicherung für Zoë ✓ 日本", id="any language"),
    pytest.param("\x1b[31mred", "\\x1b[31mred", id="an escape sequence"),
    pytest.param("\x9b31mred", "\\x9b31mred", id="an escape in one byte"),
    pytest.param("\x1b]0;title\x07", "\\x1b]0;title\\x07", id="a window title"),
    pytest.param("a\nb\tc\rd", "a␤b c\\x0dd", id="line ends and tabs"),
    pytest.param("nul\x00del\x7f", "nul\\x00del\\x7f", id="NUL and DEL"),
    pytest.param("abc\u202ecba", "abc\\u202ecba", id="text turned round"),
    pytest.param("one\u2028two", "one\\u2028two", id="a line separator"),
    pytest.param("\ud800", "\\ud800", id="half a character"),
    pytest.param("[bold]x[/]", "[bold]x[/]", id="markup is text"),
])  # fmt: skip
def test_cleaned(text, shown):
    assert clean(text) == shown


@given(st.text(st.characters(), max_size=50))
def test_what_is_cleaned_is_one_printable_line_and_stays_as_it_is(text):
    shown = clean(text)

    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    assert len(shown.splitlines()) <= 1
    assert clean(shown) == shown
    shown.encode()
