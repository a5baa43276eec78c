"""A line of output that has no end yet: its beginning is held, and its newest bytes."""

from __future__ import annotations

from cronpilot.domain.log_text import LONGEST

LONGEST_LINE = 64 << 10
"""Bytes kept of the beginning of a line: more than any screen shows; output without line ends stays
cheap."""
CUT = b"[... beginning left out ...] "
"""What stands before the newest bytes of a line that is too long to be shown whole."""
NEWEST = LONGEST // 4 - len(CUT)
"""Bytes kept of its end. Written out as `\\x00` they are still no more than is shown of a line."""


class OpenLine:
    """Takes in the pieces of a line as they are printed.

    Args:
        is_cut: it began before the first piece.
    """

    def __init__(self, *, is_cut: bool = False) -> None:
        self._is_cut = is_cut
        self._head = self._newest = b""
        self._length = 0

    def add(self, piece: bytes) -> None:
        """More of it, or, behind a carriage return, something else in its place."""
        recent = self._newest + piece
        over = recent.rstrip(b"\r").rfind(b"\r") + 1
        if over:
            recent = piece = recent[over:]
            self._head, self._length, self._is_cut = b"", 0, False
        if len(self._head) < LONGEST_LINE:
            self._head += piece[: LONGEST_LINE - len(self._head)]
        self._newest = recent[-NEWEST:]
        self._length += len(piece)

    @property
    def so_far(self) -> bytes:
        """What is to be seen while more of it comes: its end, where it is too long."""
        if self._length <= LONGEST and not self._is_cut:
            return self._head
        return CUT + _whole_signs(self._newest)

    @property
    def ended(self) -> bytes:
        """What is to be seen once it has its end: its beginning, where that is known."""
        return self.so_far if self._is_cut else self._head


def _whole_signs(data: bytes) -> bytes:
    """Without the rest of a character of UTF-8 that was cut in two."""
    for at, byte in enumerate(data[:3]):
        if byte & 0xC0 != 0x80:
            return data[at:]
    return data[3:]
