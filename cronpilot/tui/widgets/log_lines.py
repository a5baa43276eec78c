"""How the lines of a log are painted: colours kept, matches marked, long ones cut or wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cronpilot.domain.log_search import Pattern
from cronpilot.tui.ansi import parse_line

TIME_WIDTH = 9
"""Cells of `12:00:03 `."""

Span = tuple[int, int]
MATCH = Style(reverse=True)


class Marking:
    """Where the pattern stands in the lines that are seen.

    Plain text is looked for here. A regular expression is not: it may take for ever, so its places
    are told by the engine, which can end it, line by line of what is seen.
    """

    def __init__(self, pattern: Pattern | None = None) -> None:
        self.pattern = pattern
        self._told: dict[int, list[Span]] = {}

    def spans(self, offset: int, text: str) -> Sequence[Span] | None:
        """The places in a line; None: nobody has said yet."""
        if self.pattern is None:
            return ()
        if not self.pattern.regex:
            return self.pattern.spans(text)
        return self._told.get(offset)

    def tell(self, offsets: Sequence[int], found: dict[int, list[Span]]) -> None:
        """These lines have been looked at; what is not among `found` has no match."""
        if len(self._told) > 20_000:
            self._told.clear()
        self._told.update({offset: found.get(offset, []) for offset in offsets})

    def forget(self, offset: int) -> None:
        """This line has changed."""
        self._told.pop(offset, None)


def paint(line: bytes, base: Style, spans: Sequence[Span] = ()) -> Strip:
    """One line, as long as it is."""
    parts = [(text, base + style) for text, style in parse_line(line)]
    if spans:
        parts = _marked(parts, spans)
    return Strip([Segment(text, style) for text, style in parts])


def text_of(line: bytes) -> str:
    """What `paint` shows of it, without its looks."""
    return "".join(text for text, _ in parse_line(line))


def time_of(at: datetime | None, zone: tzinfo) -> str:
    """When a line was seen to come, exactly TIME_WIDTH cells; blanks where nobody knows."""
    return f"{at.astimezone(zone):%H:%M:%S} " if at else " " * TIME_WIDTH


def _marked(parts: list[tuple[str, Style]], spans: Sequence[Span]) -> list[tuple[str, Style]]:
    """The same text, reversed where a span is."""
    edges = sorted({edge for span in spans for edge in span})
    starts = {start for start, end in spans if end > start}
    ends = {end for _, end in spans}
    out: list[tuple[str, Style]] = []
    at, inside, left = 0, False, list(edges)
    for text, style in parts:
        rest = text
        while rest:
            if left and left[0] == at:
                edge = left.pop(0)
                inside = edge in starts or (inside and edge not in ends)
            cut = min(len(rest), left[0] - at) if left else len(rest)
            out.append((rest[:cut], style + MATCH if inside else style))
            rest, at = rest[cut:], at + cut
    return out
