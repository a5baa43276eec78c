"""The part of a run's output that the screen holds: whole lines between two offsets of the file."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

from cronpilot.domain.log_text import overwritten
from cronpilot.tui.open_line import LONGEST_LINE, OpenLine

KEPT_LINES = 5000
"""Held while following: enough to read back, little enough to forget at once."""
MOST_BYTES = 16 << 20
"""Held while reading elsewhere; what lies further away is in the file."""

_DROPPED = re.compile(rb"^\[\.\.\. [0-9,]+ bytes dropped \.\.\.\]$", re.MULTILINE)


class LogWindow:
    """Lines of a file as they came: all of a stretch, or those of it that match something.

    Attributes:
        end: offset in the file after the last byte that was taken in.
        size: of the file, as far as known; beyond `end` there is more to read.
        attached: what is printed is added as it comes; else only what is asked for.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._offsets: list[int] = []  # where each line starts in the file
        self._seen: list[datetime | None] = []  # when each line came, where we saw it come
        self._open: OpenLine | None = None  # the last line, as long as it has no end
        self._begins_within = False  # the first line begins before the window
        self._first = 0  # where the window begins
        self._held = 0
        self.end = 0
        self.size = 0
        self.attached = False

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> bytes:
        return self._lines[index].rstrip(b"\r")

    @property
    def start(self) -> int:
        """Offset in the file before which nothing was taken in."""
        return self._first

    @property
    def is_open(self) -> bool:
        """Whether the last line has no end yet."""
        return self._open is not None

    @property
    def is_full(self) -> bool:
        """Whether something has to go before more is taken in."""
        return self._held >= MOST_BYTES

    def offset_of(self, index: int) -> int:
        """Where a line starts in the file; of the line behind the last one, the end."""
        return self._offsets[index] if index < len(self._offsets) else self.end

    def index_at(self, offset: int) -> int:
        """The line that holds this place of the file, or the nearest before it."""
        return max(0, bisect_right(self._offsets, offset) - 1)

    def seen_at(self, index: int) -> datetime | None:
        """When this line was seen to come; None: it was there already."""
        return self._seen[index]

    @classmethod
    def holding(
        cls,
        offset: int,
        data: bytes,
        size: int,
        *,
        end: int | None = None,
        at: datetime | None = None,
    ) -> LogWindow:
        """A window on this piece, which ends at `end` of the file. Its first line is left out where
        it may have been cut in two. `at`: when it came, as for `append`."""
        first_end = data.find(b"\n") + 1
        if offset > 0 and first_end:
            offset, data = offset + first_end, data[first_end:]
        window = cls()
        window._first = window.end = offset
        window._begins_within = bool(offset and data and not first_end)
        window.append(data, size, end=end, at=at)
        return window

    def append(
        self, data: bytes, size: int, *, end: int | None = None, at: datetime | None = None
    ) -> int:
        """Take in what follows `self.end`; how many lines became complete or new.

        `end` is where this piece ends in the file: further on than its length says, where a limit
        has dropped a part of the output and a line stands in its place. `at`: when it came.
        """
        before, start = len(self._lines), self.end
        end = self.end + len(data) if end is None else end
        dropped = end - (start + len(data))
        hole = _end_of_marker(data) if dropped else 0
        *ended, rest = data.split(b"\n")
        places = accumulate((len(piece) + 1 for piece in ended), initial=0)
        # What is behind a hole lies where the end of the piece says.
        offsets = [start + place + (dropped if place >= hole else 0) for place in places]
        if ended and self._open is not None:
            self._add_open(offsets[0], ended[0], at)
            self._end_open(self._open)
            ended, offsets = ended[1:], offsets[1:]
        self._add_lines(offsets, ended, at)
        if rest:
            self._add_open(offsets[-1], rest, at)
        self.end = end
        self.size = max(size, self.end)
        return len(self._lines) - before

    def prepend(self, offset: int, data: bytes) -> int:
        """Take in the piece that ends at `start`; how many lines that made."""
        cut = 0 if offset == 0 else data.find(b"\n") + 1
        if cut >= len(data):  # one line longer than the piece: this much of it is shown as a line
            cut = 0
        lines = data[cut:].removesuffix(b"\n").split(b"\n")
        offsets, at = [], offset + cut
        for line in lines:
            offsets.append(at)
            at += len(line) + 1
        return self.prepend_lines(list(zip(offsets, lines, strict=True)), offset + cut)

    def finish(self) -> None:
        """Nothing more is printed: the last line is whole as it is."""
        if self._open is not None:
            self._end_open(self._open)

    # --- lines that match ------------------------------------------------------------------------

    @classmethod
    def of_lines(
        cls, lines: Sequence[tuple[int, bytes]], start: int, end: int, size: int
    ) -> LogWindow:
        """A window on those lines, each with its offset, of a stretch of the file."""
        window = cls()
        window._first = window.end = start
        window.append_lines(lines, end, size)
        return window

    def append_lines(
        self,
        lines: Sequence[tuple[int, bytes]],
        end: int,
        size: int,
        *,
        at: datetime | None = None,
    ) -> int:
        """Take in further lines, out of the stretch up to `end`; how many there are."""
        self._open = None
        self._add_lines([offset for offset, _ in lines], [line for _, line in lines], at)
        self.end, self.size = end, max(size, end)
        return len(lines)

    def prepend_lines(self, lines: Sequence[tuple[int, bytes]], start: int) -> int:
        """Take in earlier lines, out of the stretch from `start` on; how many there are."""
        texts = [overwritten(line)[:LONGEST_LINE] for _, line in lines]
        self._lines[:0], self._offsets[:0] = texts, [offset for offset, _ in lines]
        self._seen[:0] = [None] * len(texts)
        self._held += sum(map(len, texts))
        self._first = start
        return len(texts)

    # --- forgetting ------------------------------------------------------------------------------

    def trim(self, most: int = KEPT_LINES) -> int:
        """Forget lines at the top until at most `most` are held; how many were forgotten."""
        extra = max(0, len(self._lines) - most)
        while extra < len(self._lines) - 1 and self._bytes_from(extra) > MOST_BYTES:
            extra += max(1, (len(self._lines) - extra) // 2)
        if extra:
            self._held = self._bytes_from(extra)
            self._first = self._offsets[extra] if extra < len(self._offsets) else self.end
            del self._lines[:extra], self._offsets[:extra], self._seen[:extra]
        return extra

    def trim_end(self) -> None:
        """Forget the later half; what is printed is not added any more."""
        half = bisect_left(self._offsets, (self._offsets[0] + self._offsets[-1]) // 2)
        keep = max(1, min(half, len(self._lines) - 1))
        self.end = self._offsets[keep]
        self._held -= sum(map(len, self._lines[keep:]))
        del self._lines[keep:], self._offsets[keep:], self._seen[keep:]
        self._open, self.attached = None, False

    def _bytes_from(self, index: int) -> int:
        return self._held - sum(map(len, self._lines[:index]))

    def _add_lines(
        self, offsets: Sequence[int], lines: Sequence[bytes], at: datetime | None
    ) -> None:
        """Whole lines; there may be thousands at once."""
        fresh = [(overwritten(line) if b"\r" in line else line)[:LONGEST_LINE] for line in lines]
        self._lines += fresh
        self._offsets += offsets[: len(fresh)]
        self._seen += [at] * len(fresh)
        self._held += sum(map(len, fresh))

    def _add_open(self, offset: int, piece: bytes, at: datetime | None) -> None:
        """More of the open line, or the beginning of one."""
        if self._open is None:
            self._open = OpenLine(is_cut=self._begins_within and not self._lines)
            self._lines.append(b"")
            self._offsets.append(offset)
            self._seen.append(at)
        self._open.add(piece)
        self._put_last(self._open.so_far)

    def _end_open(self, line: OpenLine) -> None:
        self._put_last(line.ended)
        self._open = None

    def _put_last(self, line: bytes) -> None:
        self._held += len(line) - len(self._lines[-1])
        self._lines[-1] = line


def _end_of_marker(data: bytes) -> int:
    """Where what is behind the last hole begins."""
    ends = [match.end() + 1 for match in _DROPPED.finditer(data)]
    return ends[-1] if ends else len(data) + 1
