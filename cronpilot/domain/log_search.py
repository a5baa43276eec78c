"""Which lines of a run's output match. Pure: the bytes are brought by whoever reads the file.

Text is looked for as bytes, some hundred megabytes a second. A regular expression may take for
ever on a single line, and nothing stops it from inside: it is tried in a process that can be ended
(runner/log_search.py), never in an engine or a screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import AnyStr

from cronpilot.domain.log_text import LONGEST, shown, visible
from cronpilot.errors import UsageProblem

LONGEST_PATTERN = 1000
"""Characters."""
MOST_SPANS = 100
"""Places of one line that are told."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is looked for.

    Attributes:
        text: plain text; a regular expression with `regex`.
        case: whether capital letters matter.
    """

    text: str
    regex: bool = False
    case: bool = False

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where it stands in a line as it is shown: starts and ends, at most MOST_SPANS."""
        compiled = compile_pattern(self)
        found: list[tuple[int, int]] = []
        for match in compiled.finditer(line):
            if match.end() > match.start():
                found.append(match.span())
            if len(found) == MOST_SPANS:
                break
        return found


def compile_pattern(pattern: Pattern) -> re.Pattern[str]:
    """As a regular expression, of plain text too.

    Raises:
        UsageProblem: it is none, or too long.
    """
    if not pattern.text or len(pattern.text) > LONGEST_PATTERN:
        raise _wrong("is empty" if not pattern.text else f"is longer than {LONGEST_PATTERN}")
    flags = re.NOFLAG if pattern.case else re.IGNORECASE
    try:
        return re.compile(pattern.text if pattern.regex else re.escape(pattern.text), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise _wrong(f"cannot be used: {error}") from error


def _wrong(what: str) -> UsageProblem:
    problem = UsageProblem(f"The pattern {what}.", "Without a regular expression it is plain text.")
    problem.field = "pattern"
    return problem


def matching_lines(block: bytes, pattern: Pattern) -> Iterator[tuple[int, int]]:
    """Start and end of every line of a block of whole lines that matches, ascending."""
    seen = visible(block)
    if pattern.regex or not pattern.text.isprintable():
        return _one_by_one(block, seen, pattern)
    text = pattern.text
    if pattern.case:
        starts = None if seen is block else _line_starts(block)
        return _found(len(block), seen, text.encode("utf-8", "replace"), b"\n", starts)
    if text.isascii():
        starts = None if seen is block else _line_starts(block)
        return _found(len(block), seen.lower(), text.lower().encode(), b"\n", starts)
    folded = seen.decode("utf-8", "replace").casefold()
    return _found(len(block), folded, text.casefold(), "\n", _line_starts(block))


def _line_starts(block: bytes) -> list[int]:
    return [0, *(newline.end() for newline in _NEWLINE.finditer(block))]


_NEWLINE = re.compile(b"\n")


def _found(
    size: int, seen: AnyStr, needle: AnyStr, newline: AnyStr, starts: list[int] | None
) -> Iterator[tuple[int, int]]:
    """Lines with the needle in what is `seen` of a block of `size` bytes whose lines begin at
    `starts`; None: they begin where they seem to."""
    number, counted, at = 0, 0, seen.find(needle)
    while at >= 0:
        end = seen.find(newline, at)
        end = len(seen) if end < 0 else end
        if starts is None:
            yield seen.rfind(newline, 0, at) + 1, end
        else:
            number += seen.count(newline, counted, at)
            counted = at
            last = size if number + 1 == len(starts) else starts[number + 1] - 1
            yield starts[number], last
        at = seen.find(needle, end)


def _one_by_one(block: bytes, seen: bytes, pattern: Pattern) -> Iterator[tuple[int, int]]:
    fits, at = compile_pattern(pattern).search, 0
    for line, text in zip(block.split(b"\n"), seen.split(b"\n"), strict=True):
        if at < len(block):
            words = text.decode("utf-8", "replace")
            if fits(words[:LONGEST] if words.isprintable() else shown(line)) is not None:
                yield at, at + len(line)
        at += len(line) + 1
