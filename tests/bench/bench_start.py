"""What a person waits for who types `cronpilot`: the first paint, and the tasks.

    python tests/bench/bench_start.py

Through a real pty at 120x36: with the project's tasks.yaml in a state directory that is new (the
engine starts behind the screen), and attached to an engine that runs. Beside the wall stands the
CPU of the screen's process up to that moment, its engine's included. The bare limit is the same
Python that imports nothing but Textual. The best of five; one more before them fills the caches.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import CRONPILOT, Command, Row, cpu_of_children, environment, headless

PROJECT = Path(__file__).parents[2]
ROUNDS = 5
PAINTED, TASKS = b"Upcoming", b"heartbeat"  # a view's name in the frame; the project's first task
_TOO_LONG_S = 60.0

Moment = tuple[float, float]  # seconds of wall and of CPU since the start


def start(state_dir: Path) -> dict[bytes, Moment]:
    """When each of the words is on the screen."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(environment(), TERM="xterm-256color", LANG="C.UTF-8")
        os.environ["PYTHONPATH"] = str(PROJECT)
        os.chdir(PROJECT)
        os.execv(CRONPILOT[0], [*CRONPILOT, "--state-dir", str(state_dir)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    seen: dict[bytes, Moment] = {}
    said = bytearray()
    while len(seen) < 2 and time.perf_counter() - began < _TOO_LONG_S:
        said += _read(terminal)
        moment = (time.perf_counter() - began, cpu_now(pid))
        seen |= {word: moment for word in (PAINTED, TASKS) if word in said and word not in seen}
    os.kill(pid, signal.SIGTERM)
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        _read(terminal)
    os.close(terminal)
    return seen


def _read(terminal: int) -> bytes:
    if not select.select([terminal], [], [], 0.05)[0]:
        return b""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # nobody is at the other end any more
        return b""


def cpu_now(pid: int) -> float:
    """CPU seconds of a process that lives, in nanoseconds' detail."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


def best(state_dir: Path | None) -> dict[bytes, Moment]:
    """The best of several, in a new directory each time where none is given."""
    found: list[dict[bytes, Moment]] = []
    for _ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            found.append(start(state_dir or Path(folder)))
    return {word: min(one[word] for one in found[1:]) for word in (PAINTED, TASKS)}


def bare() -> float:
    """Seconds until a program ends that imports Textual and does nothing."""
    command = [sys.executable, "-c", "import textual.app"]
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run(command, env=environment(), check=True)
        took.append(time.perf_counter() - began)
    return min(took[1:])


def precompiled() -> Row:
    """The first use after an installation writes what Python has compiled: once, and then never."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as folder:
        before = cpu_of_children()
        began = time.perf_counter()
        code = "import cronpilot.tui.app, cronpilot.engine.engine, cronpilot.api.server"
        env = {**environment(), "PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": str(PROJECT)}
        subprocess.run([sys.executable, "-c", code], env=env, check=True, cwd=folder)
        took, cpu = time.perf_counter() - began, cpu_of_children() - before
        return Row("all that is imported, compiled anew", took, "s", None, None, f"CPU {cpu:.3f} s")


def rows() -> Iterator[Row]:
    limit = bare()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        headless(Path(folder), "--tasks", str(PROJECT / "tasks.yaml")),
    ):
        attached = best(Path(folder))
    for how, seen, tasks_s in (("first start", best(None), 2.0), ("attached", attached, 1.5)):
        for what, word, budget in (("first paint", PAINTED, 0.5), ("tasks seen", TASKS, tasks_s)):
            wall, cpu = seen[word]
            yield Row(f"{how}: {what}", wall, "s", budget, limit, f"CPU {cpu:.3f} s")
    yield precompiled()


if __name__ == "__main__":
    Command(__doc__).show(lambda _: rows())
