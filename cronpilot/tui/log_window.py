"""The part of a run's output that the screen holds: whole lines between two offsets of the file."""

from __future__ import annotations

KEPT_LINES = 5000
"""Held while following: enough to read back, little enough to forget at once."""
MOST_BYTES = 16 << 20
"""Held while reading upwards; what lies further back is in the file."""
LONGEST_LINE = 64 << 10
"""Bytes kept of one line: more than any screen shows; output without line ends stays cheap."""


class LogWindow:
    """Lines of a file, contiguous, as they came.

    Attributes:
        end: offset in the file after the last byte that was taken in.
        size: of the file, as far as known; beyond `end` there is more to read.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._offsets: list[int] = []  # where each line starts in the file
        self._open = False  # the last line has no end yet
        self._first = 0  # where the window begins while it has no lines
        self._held = 0
        self.end = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> bytes:
        return self._lines[index].rstrip(b"\r")

    @property
    def start(self) -> int:
        """Offset in the file of the first line that is held."""
        return self._offsets[0] if self._offsets else self._first

    @property
    def is_full(self) -> bool:
        """Whether no more may be read in upwards."""
        return self._held >= MOST_BYTES

    @classmethod
    def holding(cls, offset: int, data: bytes, size: int, *, end: int | None = None) -> LogWindow:
        """A window on this piece, which ends at `end` of the file. Its first line is left out where
        it may have been cut in two."""
        first_end = data.find(b"\n") + 1
        if offset > 0 and first_end:
            offset, data = offset + first_end, data[first_end:]
        window = cls()
        window._first = window.end = offset
        window.append(data, size, end=end)
        return window

    def append(self, data: bytes, size: int, *, end: int | None = None) -> int:
        """Take in what follows `self.end`; how many lines became complete or new.

        `end` is where this piece ends in the file: further on than its length says, where a limit
        has dropped a part of the output and a line stands in its place.
        """
        before, at = len(self._lines), self.end
        pieces = data.split(b"\n")
        for number, piece in enumerate(pieces):
            is_last = number == len(pieces) - 1
            if piece or not is_last:
                self._add(at, piece, is_open=is_last)
            at += len(piece) + 1
        self.end = self.end + len(data) if end is None else end
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
        lines = [_overwritten(line)[:LONGEST_LINE] for line in lines]
        self._lines[:0], self._offsets[:0] = lines, offsets
        self._held += sum(map(len, lines))
        return len(lines)

    def trim(self, most: int = KEPT_LINES) -> int:
        """Forget lines at the top until at most `most` are held; how many were forgotten."""
        extra = max(0, len(self._lines) - most)
        while extra < len(self._lines) - 1 and self._bytes_from(extra) > MOST_BYTES:
            extra += max(1, (len(self._lines) - extra) // 2)
        if extra:
            self._held = self._bytes_from(extra)
            del self._lines[:extra], self._offsets[:extra]
        return extra

    def _bytes_from(self, index: int) -> int:
        return self._held - sum(map(len, self._lines[:index]))

    def _add(self, at: int, piece: bytes, *, is_open: bool) -> None:
        if self._open:
            piece = self._lines[-1] + piece
            self._held -= len(self._lines[-1])
        else:
            self._lines.append(b"")
            self._offsets.append(at)
        self._lines[-1] = _overwritten(piece)[:LONGEST_LINE]
        self._held += len(self._lines[-1])
        self._open = is_open


def _overwritten(line: bytes) -> bytes:
    """What is left to see of a line that carriage returns went over, as progress bars do."""
    shown = line.rstrip(b"\r")
    start = shown.rfind(b"\r") + 1
    return line[start:] if start else line
