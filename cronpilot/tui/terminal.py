"""The terminal under the screen: may we draw on it, is it still there, how do we give it back.

A terminal that goes away is dangerous for a Textual application (8.2): its input thread spins at
100 % CPU on the end of the file, and its output thread dies, after which `exit` blocks for ever.
A hang-up brings SIGCONT with it, at which Textual would start to draw again. Hence the guard.
"""

from __future__ import annotations

import codecs
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

from rich.cells import cell_len
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from cronpilot.tui.crash_trace import crash_trace
from cronpilot.tui.leave import Leave

if TYPE_CHECKING:
    from cronpilot.tui.app import CronPilotApp


class Stream(Protocol):
    """A standard stream."""

    def isatty(self) -> bool: ...


def screen_problem(environ: Mapping[str, str], stdin: Stream, stdout: Stream) -> str | None:
    """Why no screen can be drawn here, as a sentence that says what to do instead; else None."""
    instead = "Run the engine without a screen: cronpilot --headless"
    if not (stdin.isatty() and stdout.isatty()):
        return f"There is no terminal to draw on. {instead}"
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        said = f"TERM={term}" if term else "TERM is not set, so"
        return f"This terminal cannot show a full screen ({said.removesuffix(', so')}). {instead}"
    return None


def run_app(app: CronPilotApp) -> Leave:
    """Run the screen until it is left; how it was.

    The terminal is as it was before, whatever happened. After `HANGUP` the standard streams lead to
    /dev/null and SIGHUP is ignored, so that whoever called can go on without a terminal.
    """
    guard = TerminalGuard(app)
    with guard:
        left = app.run(mouse=app.options.mouse)
    if guard.reason is not None:
        return guard.reason
    crash = app.crash or (None if left is not None else RuntimeError("the screen ended by itself"))
    if crash is not None:
        report_crash(crash, Path(app.state_dir))
        return Leave.CRASHED
    assert left is not None
    return left


class TerminalGuard:
    """Notices that the terminal is gone or that the process is to end, and ends the screen.

    Attributes:
        reason: HANGUP or TERMINATED once that has happened.
    """

    def __init__(self, app: CronPilotApp) -> None:
        self.reason: Leave | None = None
        self._app = app
        self._before: dict[int, Any] = {}
        self._poll = select.poll()

    def __enter__(self) -> TerminalGuard:
        # Plain handlers, not the loop's: they also hold before the loop runs and after it ended.
        self._handle(signal.SIGHUP, lambda *_: self._leave(Leave.HANGUP))
        self._handle(signal.SIGTERM, lambda *_: self._leave(Leave.TERMINATED))
        self._handle(signal.SIGINT, lambda *_: self._leave(Leave.TERMINATED))  # not the key ctrl+c
        self._poll.register(0, 0)  # POLLHUP and POLLERR are reported without being asked for
        self._app.guard = self
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            gone = self.reason is Leave.HANGUP and number == signal.SIGHUP
            signal.signal(number, signal.SIG_IGN if gone else handler)

    def look(self) -> None:
        """Whether the terminal is still there."""
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in self._poll.poll(0)):
            self._leave(Leave.HANGUP)

    def _handle(
        self, number: signal.Signals, handler: Callable[[int, FrameType | None], None]
    ) -> None:
        before = signal.getsignal(number)
        self._before[number] = before if before is not None else signal.SIG_DFL
        if before is not signal.SIG_IGN or number is not signal.SIGHUP:
            signal.signal(number, handler)

    def _leave(self, reason: Leave) -> None:
        if self.reason is not None:
            return
        self.reason = reason
        if reason is Leave.HANGUP:
            _let_go_of_the_terminal()
        loop = self._app._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended: so has the screen
                loop.call_soon_threadsafe(self._app.exit, reason)


def _let_go_of_the_terminal() -> None:
    """Lead the standard streams to /dev/null, before anything else is done: then neither reading
    nor writing can block or fail any more."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


class TerminalDriver(LinuxDriver):
    """Textual's driver, drawing on stdout, and deaf to the signals that would suspend it.

    SIGTSTP would stop the scheduler in this process; SIGCONT, which a hang-up also sends, would
    start to draw on a terminal that is gone.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        assert sys.__stdout__ is not None
        self._file = cast("Any", _Output(sys.__stdout__))
        codecs.register_error("as wide", _as_wide)
        sys.__stdout__.reconfigure(errors="as wide")
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)


class _Output:
    """Standard output, writing to which never fails.

    A terminal that stands still before it goes away breaks the write that waits for it. Textual's
    output thread would end of that, its queue fill up, and leaving the screen wait for room there.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.fileno = out.fileno

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._out.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._out.flush()


def _as_wide(error: UnicodeError) -> tuple[str, int]:
    """In place of what the terminal's encoding has no sign for: a question mark a cell. Python's
    own escapes would shift all that stands to the right of them."""
    assert isinstance(error, UnicodeEncodeError)
    return "?" * cell_len(error.object[error.start : error.end]), error.end


def driver_for(default: type[Driver]) -> type[Driver]:
    """Ours in place of Textual's for a terminal; any other (a browser's, a test's) as it is."""
    return TerminalDriver if default is LinuxDriver else default


def report_crash(crash: BaseException, state_dir: Path) -> None:
    """Say in one line that the screen broke, and keep where, readable by the user alone."""
    trace = crash_trace(crash)
    name = f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    said = f"The screen broke: {type(crash).__name__}. Tasks are not affected."
    try:
        file = os.open(state_dir / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        sys.stderr.write(f"{said}\n{trace}")
        return
    with os.fdopen(file, "w") as out:
        out.write(trace)
    sys.stderr.write(f"{said} Where it broke: {state_dir / name}\n")
