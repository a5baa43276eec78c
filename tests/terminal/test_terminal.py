"""The screen on a real pseudo-terminal: hang-ups, signals, resizes, and what is written to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pexpect
import psutil
import pyte
import pytest

from ..patience import PATIENCE_S

DEMO = Path(__file__).with_name("demo_screen.py")
ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
DEADLINE = PATIENCE_S

# What Textual and we write: cursor, colours, modes of the terminal, questions about it.
OURS = re.compile(
    r"\x1b\[\d+;\d+H|\x1b\[H|\x1b\[[\d;]*m|\x1b\[\?[\d;]+[hl]|\x1b\[\?\d+\$p|\x1b\[[><]\d*u|\x1b\[c"
    r"|\x1b\]22;\w+\x07"  # the shape of the mouse pointer
)


class Session:
    """The demo, and the terminal that it draws on."""

    def __init__(self, *options: str, size: tuple[int, int] = (120, 36), left: Path | None = None,
                 ignore_hangup: bool = False, **environ: str) -> None:  # fmt: skip
        self.terminal = pyte.Screen(*size)
        self.stream = pyte.Stream(self.terminal)
        self.written = ""
        self.left = left
        arguments = [str(DEMO), *options, *(["--left", str(left)] if left else [])]
        self.child = pexpect.spawn(
            sys.executable, arguments, dimensions=(size[1], size[0]), encoding="utf-8",
            env={**os.environ, **ENVIRONMENT, **environ}, timeout=DEADLINE,
            preexec_fn=(lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
            if ignore_hangup else None,
        )  # fmt: skip

    @property
    def text(self) -> str:
        return "\n".join(self.terminal.display)

    def read(self) -> None:
        """Take in what has been written by now."""
        try:
            chunk = self.child.read_nonblocking(1 << 16, timeout=0.05)
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            time.sleep(0.01)
            return
        self.written += chunk
        # pyte does not know the sequences of the Kitty keyboard protocol: they change nothing here.
        self.stream.feed(re.sub(r"\x1b\[[><]\d*u", "", chunk))

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"it did not come to that:\n{self.text}"
            self.read()

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        process = self.child.ptyproc
        process.fileobj.close()
        process.closed = self.child.closed = True
        process.fd = self.child.child_fd = -1

    def stand_still(self) -> None:
        """Take in nothing, until it waits for that and does nothing else."""
        process, worked = psutil.Process(self.child.pid), None
        end = time.monotonic() + DEADLINE
        while worked != (worked := process.cpu_times()):
            assert time.monotonic() < end, "it does not wait"
            time.sleep(0.5)

    def end(self) -> None:
        """Whatever is left of it is killed."""
        if not self.child.closed:
            self.child.close(force=True)
            return
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.child.pid, signal.SIGKILL)
            os.waitpid(self.child.pid, 0)

    def how_it_was_left(self) -> tuple[str, float]:
        """`HANGUP` and the seconds of CPU that half a second of waiting cost."""
        assert self.left is not None
        end = time.monotonic() + DEADLINE
        while not (self.left.exists() and self.left.read_text().endswith("\n")):
            assert time.monotonic() < end, "the screen was not left"
            if self.child.closed:
                time.sleep(0.02)
            else:
                self.read()  # a screen cannot leave a terminal that is full
        name, cpu = self.left.read_text().split()
        return name, float(cpu)

    def is_restored(self) -> bool:
        """Whether the terminal got everything back that the screen had changed."""
        return all(sequence in self.written for sequence in
                   ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l"))  # fmt: skip


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Opens the demo and waits for its tasks; whatever is left of it is killed."""
    opened: list[Session] = []

    def open_session(*options: str, wait_for: str = "in all", **more: object) -> Session:
        one = Session(*options, left=tmp_path / f"left{len(opened)}", **more)  # type: ignore[arg-type]
        opened.append(one)
        one.until(lambda: wait_for in one.text)
        return one

    yield open_session
    for one in opened:
        one.end()


# --- the terminal goes away ----------------------------------------------------------------------


@pytest.mark.parametrize("ignore_hangup", [False, True], ids=["hang-up told", "hang-up ignored"])
def test_a_closed_terminal_ends_the_screen_and_costs_nothing_more(session, ignore_hangup):
    screen = session(ignore_hangup=ignore_hangup)
    screen.hang_up()

    name, cpu = screen.how_it_was_left()

    assert name == "HANGUP"
    assert cpu < 0.1


def test_a_terminal_that_stands_still_before_it_goes_ends_the_screen_too(session):
    screen = session()
    screen.child.send("51" * 50)  # other views, which nobody takes in
    screen.stand_still()
    screen.hang_up()

    assert screen.how_it_was_left()[0] == "HANGUP"


def test_a_hang_up_signal_ends_the_screen(session):
    screen = session()
    screen.child.kill(signal.SIGHUP)
    assert screen.how_it_was_left()[0] == "HANGUP"


def test_a_hang_up_while_a_question_is_open_ends_the_screen(session):
    screen = session()
    screen.child.send("q")
    screen.until(lambda: "Leave CronPilot?" in screen.text)
    screen.child.kill(signal.SIGHUP)
    assert screen.how_it_was_left()[0] == "HANGUP"


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_restores_the_terminal(session, number):
    screen = session()
    screen.child.kill(number)
    screen.until(lambda: "LEFT: TERMINATED" in screen.written)
    assert screen.is_restored()


def test_the_screen_is_not_suspended(session):
    """SIGTSTP would freeze the scheduler that lives in the same process."""
    screen = session()
    screen.child.kill(signal.SIGTSTP)
    screen.child.kill(signal.SIGCONT)
    screen.child.send("2")
    screen.until(lambda: "[2 Running" in screen.text)


# --- leaving by key ------------------------------------------------------------------------------


def test_the_prompt_comes_back_after_q_and_b(session):
    screen = session()
    screen.child.send("q")
    screen.until(lambda: "Leave CronPilot?" in screen.text)
    screen.child.send("b")
    screen.until(lambda: "LEFT: DETACH" in screen.written)
    assert screen.is_restored()


def test_a_viewer_leaves_at_once(session):
    screen = session("--attached")
    screen.child.send("q")
    screen.until(lambda: "LEFT: VIEWER_QUIT" in screen.written)
    assert screen.is_restored()


def test_ctrl_c_does_not_quit(session):
    screen = session()
    screen.child.send("\x03")
    screen.until(lambda: "q quits." in screen.text)


# --- the screen breaks ---------------------------------------------------------------------------


def test_a_crash_restores_the_terminal_and_keeps_no_secret(session, tmp_path):
    # Not for the tasks: on a busy machine it breaks before they are there.
    screen = session("--crash", "--state-dir", str(tmp_path), wait_for="")
    screen.until(lambda: "LEFT: CRASHED" in screen.written)

    (file,) = tmp_path.glob("crash-*.txt")
    assert screen.is_restored()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "ValueError: no luck in 7 letters" in file.read_text()
    assert "hunter2" not in file.read_text() + screen.written
    assert "Traceback" not in screen.written
    assert f"Where it broke: {file}" in re.sub(r"\r\n", "", screen.written)


# --- size and kind of the terminal ---------------------------------------------------------------


def test_a_storm_of_resizes_leaves_a_whole_screen(session):
    screen = session()
    for width, height in [(80, 24), (40, 10), (20, 3), (1, 1), (200, 60), (3, 40), (80, 24)] * 5:
        screen.child.setwinsize(height, width)
        screen.read()
    screen.terminal.resize(24, 80)
    screen.child.send("\x0c")
    screen.until(
        lambda: (
            "? help  q quit" in screen.terminal.display[23]
            and "example" in screen.terminal.display[0]
            and "[1 Tasks]" in screen.terminal.display[1]
            and "backup-db" in screen.text
        )
    )


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "tmux-256color", "linux", "vt100"])
def test_every_terminal_shows_the_tasks(session, term):
    screen = session(TERM=term, COLORTERM="")
    screen.until(lambda: "backup-db" in screen.text and "retry" in screen.text)


@pytest.mark.parametrize("surroundings", [{"TERM": "linux"}, {"LC_ALL": "C"}])
def test_where_only_ascii_is_safe_only_ascii_is_written(session, surroundings):
    screen = session(size=(80, 24), **surroundings)
    screen.child.send("2")
    screen.until(lambda: "[2 Running" in screen.text)
    screen.child.send("x")
    screen.until(lambda: "Stop run" in screen.text)
    assert screen.written.isascii()


def test_what_the_encoding_has_no_sign_for_shifts_nothing(session):
    screen = session("--hostile", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    screen.until(lambda: "??" in screen.text)
    assert screen.written.isascii()
    next_run = re.compile(r"\d\d:\d\d(:\d\d)? +(\d+m )?\d+s ")  # on the minute without seconds

    def columns() -> set[int]:
        rows = [row for row in screen.terminal.display if "> run" in row]
        return {found.start() for row in rows if (found := next_run.search(row))}

    screen.until(lambda: len(columns()) == 1)  # half a frame has those of the one before, too


def test_no_color_writes_no_colour(session):
    screen = session(NO_COLOR="1")
    screen.child.send("j")
    screen.until(lambda: "disk-space" in screen.text)
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m", screen.written)


def test_16_colours_are_the_terminals_own_and_the_mouse_can_be_left_to_it(session):
    screen = session("--no-mouse", TERM="xterm", COLORTERM="")
    screen.child.send("j")
    screen.until(lambda: "disk-space" in screen.text)
    assert re.search(r"\x1b\[(?:\d+;)*3[1-7](?:;\d+)*m", screen.written)
    assert not re.search(r"\x1b\[(?:\d+;)*[34]8;(?:\d+;?)*m", screen.written)
    assert "\x1b[?1000h" not in screen.written


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_show_a_screen_gets_a_sentence(term):
    environ = {**os.environ, **ENVIRONMENT, "TERM": term}
    done = pexpect.spawn(sys.executable, [str(DEMO)], env=environ, encoding="utf-8",
                         timeout=DEADLINE)  # fmt: skip
    done.expect(pexpect.EOF)
    assert "cronpilot --headless" in done.before
    assert "\x1b" not in done.before


def test_without_a_terminal_there_is_a_sentence():
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **ENVIRONMENT},
        timeout=DEADLINE,
    )
    assert done.returncode == 1
    assert "There is no terminal to draw on. Run the engine without a screen" in done.stderr


# --- a slow line ---------------------------------------------------------------------------------


def test_keys_that_arrive_in_one_packet_mean_what_they_would_one_by_one(session):
    screen = session("--quiet")
    screen.child.send("jDprx")  # the letters are keys of the table, too
    screen.until(lambda: "Delete backup-db?" in screen.text)
    screen.until(lambda: re.search(r"\bprx\b", screen.text))


# --- what is written -----------------------------------------------------------------------------


def test_no_escape_of_hostile_names_or_logs_reaches_the_terminal(session):
    screen = session("--hostile")
    for keys in ("2", "L", "\x1b", "1", "j", "j", "j", "x", "\x1b", "r", "/[", "\r"):
        screen.child.send(keys)
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            screen.read()
    screen.until(lambda: "moved" in screen.written)

    rest = OURS.sub("", screen.written)

    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", rest)


def test_a_quiet_screen_writes_next_to_nothing(session):
    screen = session("--quiet")

    quiet = [0, 0]  # from where to where in what is written

    def is_quiet() -> bool:
        """For four seconds; what is loaded at leisure after the start is over some time."""
        quiet[0], end = len(screen.written), time.monotonic() + 4
        while time.monotonic() < end:
            screen.read()
        quiet[1] = len(screen.written)
        return quiet[1] - quiet[0] < 4 * 20_000 / 60

    screen.until(is_quiet)
    said = screen.written[slice(*quiet)]
    assert said.count("NEXT") < 2, "the table's head is painted again and again"
