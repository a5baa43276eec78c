"""A run's output on a terminal: its colours are kept, every other control character is shown."""

from __future__ import annotations

import codecs
import re

from cronpilot.domain.text import clean

_SGR = r"\x1b\[[0-9;:]{0,64}m"
_PIECES = re.compile(rf"({_SGR}|\r\n|\r|\n|\t)")
# The beginning of a sequence, or of a line's end, that the next piece of the log may complete.
_UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-9;:]{0,64})?|\r)\Z")
_HARMLESS = re.compile(r"[\n\t\x20-\x7e]*\Z")
_RESET = "\x1b[0m"


class LogText:
    """Bytes in, text for a terminal out, piece by piece.

    A lone carriage return (a progress bar) begins a new line: what it would overwrite stays. Bytes
    that are not UTF-8 become U+FFFD.
    """

    def __init__(self, *, colour: bool = True) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._colour = colour
        self._held = ""
        self._tinted = False

    def feed(self, data: bytes) -> str:
        """The text that is certain by now."""
        text = self._held + self._decoder.decode(data)
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        return self._shown(text[: len(text) - len(self._held)])

    def finish(self) -> str:
        """The rest, and colours switched off if the log left one on."""
        rest = self._shown(self._held + self._decoder.decode(b"", final=True))
        self._held = ""
        return rest + (_RESET if self._tinted else "")

    def _shown(self, text: str) -> str:
        if _HARMLESS.match(text):
            return text
        # re.split with a group: odd places hold what is kept as it is.
        parts = _PIECES.split(text)
        return "".join(
            self._kept(part) if place % 2 else clean(part) for place, part in enumerate(parts)
        )

    def _kept(self, part: str) -> str:
        if part.startswith("\x1b"):
            if not self._colour:
                return ""
            self._tinted = part not in (_RESET, "\x1b[m")
            return part
        return "\n" if part.startswith("\r") else part
