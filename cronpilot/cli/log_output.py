"""Where the output of runs goes: to the terminal, into a pipe, or into one JSON document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cronpilot.cli.log_grep import exact
from cronpilot.cli.log_text import LogText
from cronpilot.cli.table import cell_width, has_colour, on_terminal
from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.log_search import LogMatch
    from cronpilot.client.messages import RunView

_BOLD_RED, _MUTED, _RESET = "\x1b[1;31m", "\x1b[2m", "\x1b[0m"


class Prefix:
    """What stands before each line where several runs are shown: the name of its task."""

    def __init__(self) -> None:
        self.width = 0

    def of(self, run: RunView) -> str:
        name = clean(run.task_name)
        return name + " " * (self.width - cell_width(name)) + " | "


class Printed:
    """Straight to stdout, flushed piece by piece; with a prefix in whole lines."""

    def __init__(self, prefix: Prefix | None = None) -> None:
        self._text = LogText(colour=has_colour()) if on_terminal() else None
        self._prefix, self._before = prefix, ""
        self._open = bytearray()  # a line without its end, while there is a prefix

    def begin(self, run: RunView) -> None:
        """What comes is of this run."""
        if self._prefix is not None:
            before = self._prefix.of(run)
            self._before = f"{_MUTED}{before}{_RESET}" if has_colour() else before

    def write(self, data: bytes) -> None:
        if self._prefix is None:
            self._put(data)
            return
        whole, newline, rest = (self._open + data).rpartition(b"\n")
        self._open = bytearray(rest)
        if newline:
            self._put_lines(bytes(whole).split(b"\n"))

    async def write_matches(self, client: Client, run_id: int, lines: list[LogMatch]) -> None:
        """Lines that match; on a terminal with the matches marked."""
        if self._text is not None:
            for line in lines:
                self._say(f"{self._before}{_marked(line)}\n")
        elif lines:
            self.write(await exact(client, run_id, lines))

    def finish(self) -> None:
        if self._open:
            self._put_lines([bytes(self._open)])
            self._open.clear()
        if self._text is not None:
            self._say(self._text.finish())

    def _put_lines(self, lines: list[bytes]) -> None:
        for line in lines:
            if self._text is None:
                self._put(self._before.encode("utf-8", "replace") + line + b"\n")
            else:
                self._say(self._before + self._text.feed(line + b"\n"))

    def _put(self, data: bytes) -> None:
        if self._text is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            self._say(self._text.feed(data))

    @staticmethod
    def _say(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class Gathered:
    """Kept until all is there."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._matches: list[dict[str, Any]] | None = None

    def begin(self, run: RunView) -> None:
        """Nothing to do."""

    def write(self, data: bytes) -> None:
        self._data += data

    async def write_matches(self, client: Client, run_id: int, lines: list[LogMatch]) -> None:
        found = [line.model_dump(mode="json") for line in lines]
        self._matches = [*(self._matches or []), *found]

    def finish(self) -> None:
        """Nothing to do."""

    def document(self, run: RunView) -> dict[str, Any]:
        """The run, and its text or the lines that match."""
        said: dict[str, Any] = {"run": run.model_dump(mode="json")}
        if self._matches is not None:
            return said | {"matches": self._matches}
        return said | {"text": self._data.decode(errors="replace")}


def _marked(line: LogMatch) -> str:
    """The text of a line, what matches in it marked where there are colours."""
    if not has_colour():
        return line.text
    out, at = "", 0
    for start, end in line.spans:
        out += f"{line.text[at:start]}{_BOLD_RED}{line.text[start:end]}{_RESET}"
        at = end
    return out + line.text[at:]
