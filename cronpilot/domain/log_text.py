"""A run's output as a reader sees it: what a terminal would obey is left out. Pure.

Two readers share these rules: the screen, which shows lines, and the search, which must find what
the screen shows and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cronpilot.domain.text import clean

LONGEST = 4096
"""Characters of one line that are shown."""

# Each begins with the characters it can begin with: that is what makes looking for it quick.
_SEQUENCE = re.compile(
    r"""
    (?= [\x1b\x90\x98\x9b\x9d-\x9f] ) (?:
    \x1b\[ (?P<colour> [0-9;:]* ) m
    | (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]                     # CSI: cursor, erase, modes
    | (?: \x1b[\]PX^_] | [\x90\x98\x9d-\x9f] )                    # OSC, DCS, SOS, PM, APC ...
      [^\x07\x1b\x9c]* (?: \x07 | \x1b\\ | \x9c | $ )             # ... up to their end
    | \x1b [ -/]* [0-~]                                           # two-character sequences
    )
    """,
    re.VERBOSE,
)
# The same in bytes of UTF-8, many lines at once: no part of it goes over the end of a line.
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
_IN_BYTES = re.compile(
    rb"""
    [\x1b\xc2] (?:
    (?: (?<=\x1b)\[ | (?<=\xc2)\x9b ) [0-?]* [ -/]* [@-~]
    | (?: (?<=\x1b)[\]PX^_] | (?<=\xc2)[\x90\x98\x9d-\x9f] )
      [^\x07\x1b\n]*? (?: \x07 | \x1b\\ | \xc2\x9c | (?=\n) | \Z )
    | (?<=\x1b) [ -/]* [0-~]
    )
    """,
    re.VERBOSE,
)
_OVERWRITTEN = re.compile(rb"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)


def overwritten(line: bytes) -> bytes:
    """What is left to see of a line that carriage returns went over, as progress bars do."""
    shown = line.rstrip(b"\r")
    start = shown.rfind(b"\r") + 1
    return line[start:] if start else line


def visible(block: bytes) -> bytes:
    """What can be read of whole lines: without colours, titles, and what was written over.

    It has as many lines as before. The very same object where there is nothing to leave out.
    """
    if b"\r" in block:
        block = _OVERWRITTEN.sub(b"", block)
    if b"\x1b" in block:
        block = _COLOUR.sub(b"", block)
    if b"\x1b" in block or b"\xc2" in block:
        found, count = _IN_BYTES.subn(b"", block)
        return found if count else block
    return block


def shown_parts(line: bytes) -> Iterator[tuple[str, str | None]]:
    """The pieces of a line that can be shown, each with the colour codes that came before it.

    None: no colour was changed. Nothing in the text is obeyed by a terminal; tabs are blanks.
    """
    text = line[: 4 * LONGEST].decode("utf-8", "replace")
    if text.isprintable():
        yield text[:LONGEST], None
        return
    at, column, codes = 0, 0, None
    for match in _SEQUENCE.finditer(text):
        piece = _blanks(text[at : match.start()], column)[: LONGEST - column]
        if piece:
            yield piece, codes
            column, codes = column + len(piece), None
        if match["colour"] is not None:
            codes = match["colour"] if codes is None else f"{codes};{match['colour'] or '0'}"
        at = match.end()
    piece = _blanks(text[at:], column)[: LONGEST - column]
    if piece:
        yield piece, codes


def _blanks(text: str, column: int) -> str:
    """Clean text, its tabs turned into blanks up to the next eighth column."""
    if "\t" not in text:
        return clean(text)
    parts = text.split("\t")
    out = clean(parts[0])
    for part in parts[1:]:
        out += " " * (8 - (column + len(out)) % 8) + clean(part)
    return out


def shown(line: bytes) -> str:
    """The text of one line as it is shown."""
    return "".join(text for text, _ in shown_parts(overwritten(line)))
