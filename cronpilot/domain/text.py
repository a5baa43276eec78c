"""Text from outside (names, commands, output) made harmless for a terminal."""

from __future__ import annotations

import re

# C0 without tab, DEL, C1, lone surrogates, line separators, and the bidi controls that can reorder
# what is read.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x0A:
        return "␤"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def clean(text: str) -> str:
    """One line of text in which every control character is visible and none is obeyed.

    A newline becomes ␤, a tab one blank, other controls their escape (``\\x1b``).
    """
    return _UNSAFE.sub(_shown, text.replace("\t", " "))


def composed(text: str) -> str:
    """The text in Unicode's form NFC: what looks the same compares the same."""
    return text if text.isascii() else forms(text)[0]


def forms(text: str) -> list[str]:
    """The text composed (NFC), and as else it may have been typed or kept."""
    if text.isascii():
        return [text]
    import unicodedata  # nearly all names need none of it

    return [unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), text]
