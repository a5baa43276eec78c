"""What the screen costs, through a real pty at 120x36, with 10,000 tasks and 1,000,000 runs.

    python tests/bench/bench_screen.py [--quick] [--no-peer]

Beside it cronstable's `tui`, attached to its daemon with 200 jobs, in an environment that pip
makes and that is gone afterwards. Nothing is asserted: figures depend on the machine, and a busy
one makes every time longer; the CPU in the notes is less in doubt. The first byte after a key is
taken for its answer, whatever it says. `bench_log.py` has the rows of the log.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bench_peers
from filled import fill
from measuring import CRONPILOT, Command, Row, environment, headless, make_tasks, wait_until

from cronpilot.client.http import HttpClient
from cronpilot.client.messages import RunQuery
from cronpilot.client.sockets import SOCKET_NAME
from cronpilot.storage import backups

WATCHED = str(Path(__file__).with_name("in_watched.py"))
DEMO = Path(__file__).parents[1] / "terminal" / "demo_screen.py"
TICKS = os.sysconf("SC_CLK_TCK")


class Screen:
    """The demo, or another program, on a pty; whatever it writes is read and counted."""

    def __init__(self, *options: str, program: list[str] | None = None) -> None:
        self.started = time.perf_counter()
        self._rest = bytearray()
        self.heard: list[tuple[float, bytes]] | None = None  # all that comes and when, if wanted
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installation has it
            os.environ.update(
                TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8", TZ="UTC"
            )
            words = [*(program or [sys.executable, str(DEMO)]), *options]
            os.execv(words[0], words)
        size = struct.pack("HHHH", 36, 120, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def read(self, seconds: float) -> bytes:
        """All that is written in that time."""
        self._rest.clear()
        out, end = bytearray(), time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                out += self._hear()
        return bytes(out)

    def _hear(self) -> bytes:
        data = os.read(self.fd, 1 << 16)
        if self.heard is not None:
            self.heard.append((time.perf_counter(), data))
        return data

    def until(self, text: bytes, seconds: float = 60) -> float:
        """Milliseconds since the start at which `text` has been written; what came with it, behind
        it, is looked through by the next call.

        Raises:
            TimeoutError: it was not.
        """
        end = time.perf_counter() + seconds
        while text not in self._rest:
            if time.perf_counter() > end:
                raise TimeoutError(f"{text!r} was not painted within {seconds:g} s")
            if select.select([self.fd], [], [], 0.1)[0]:
                self._rest += self._hear()
        took = (time.perf_counter() - self.started) * 1000
        del self._rest[: self._rest.index(text) + len(text)]
        return took

    def key(self, key: bytes) -> tuple[float, int]:
        """Milliseconds to the first byte after a key, and the bytes it cost."""
        before = time.perf_counter()
        os.write(self.fd, key)
        select.select([self.fd], [], [], 2)
        first = (time.perf_counter() - before) * 1000
        return first, len(self.read(0.06))

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def screen(*options: str, program: list[str] | None = None) -> Iterator[Screen]:
    one = Screen(*options, program=program)
    try:
        yield one
    finally:
        os.kill(one.pid, signal.SIGKILL)
        os.waitpid(one.pid, 0)
        os.close(one.fd)


@dataclass(frozen=True, slots=True)
class Measured:
    """How many tasks and runs there are, how long one looks at rest, how often keys are pressed."""

    tasks: int = 10_000
    runs: int = 1_000_000
    seconds: float = 60
    presses: int = 100
    starts: int = 3


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


# --- starting ------------------------------------------------------------------------------------


Sight = tuple[str, bytes, float | None]  # what is awaited, what is read then, its budget
OWN: Sequence[Sight] = (
    ("first paint", b"tarting the engine", 0.5),
    ("rows seen, as last known", b"last known", 1.5),
    ("engine answers", b" running", None),
    ("rows live", b"in all", None),
)
"""Of a screen with its engine: its first rows are the database's, and say so until it has told
of them."""
ATTACHED: Sequence[Sight] = (("first paint", b"onnecting", 0.5), ("rows seen", b"in all", 1.5))


def starting(what: str, program: list[str], sights: Sequence[Sight], times: int) -> Iterator[Row]:
    """Seconds from the start of the process until each of these is seen, one after the other."""
    seen: list[list[tuple[float, float]]] = [[] for _ in sights]
    for _ in range(times):
        with screen(program=program) as one:
            for found, (_, text, _) in zip(seen, sights, strict=True):
                found.append((one.until(text) / 1e3, one.cpu()))
            leave(one)
    for found, (name, _, budget) in zip(seen, sights, strict=True):
        took, used = (statistics.median(column) for column in zip(*found, strict=True))
        note = f"CPU {used:.2f} s, {load()}"
        yield Row(f"{what}: {name}", took, "s", budget, note=note)


def leave(one: Screen) -> None:
    """End it in good order: whoever starts next finds the database closed."""
    os.kill(one.pid, signal.SIGTERM)
    end = time.monotonic() + 20
    while time.monotonic() < end and os.waitid(
        os.P_PID, one.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
    ) is None:  # fmt: skip
        if select.select([one.fd], [], [], 0.05)[0]:
            try:
                os.read(one.fd, 1 << 16)
            except OSError:
                time.sleep(0.02)


# --- keys ----------------------------------------------------------------------------------------


def pressing(one: Screen, what: str, keys: Sequence[bytes], rest: float = 0.06,
             budget: float | None = 20) -> Iterator[Row]:  # fmt: skip
    """The first byte after each of these keys, and what they cost."""
    cpu = one.cpu()
    times, sizes = [], []
    for key in keys:
        took, size = one.key(key)
        times.append(took)
        sizes.append(size + len(one.read(rest - 0.06)) if rest > 0.06 else size)
    used = (one.cpu() - cpu) / len(keys) * 1e3
    note = f"p50 {statistics.median(times):.1f}; a key: CPU {used:.0f} ms, "
    note += f"{statistics.median(sizes):,.0f} bytes; {load()}"
    yield Row(f"key to first byte, p95: {what}", percentile(times, 0.95), "ms", budget, note=note)


def rest_of_the_night(one: Screen, state: Path) -> None:
    """Let it make its copy of the database, half a minute after the first start of a day, and what
    it does behind that: whoever presses keys has it with a few of them at most."""
    end = time.monotonic() + 180
    while backups.newest(backups.folder_of(state)) is None and time.monotonic() < end:
        one.read(1)
    one.read(10)


def keys(state: Path, presses: int) -> Iterator[Row]:
    """Keys of the screen that owns the engine, in all tasks; and what blocked it meanwhile."""
    notes = state / "blocks"
    with screen(program=[sys.executable, WATCHED, str(notes), "--state-dir", str(state)]) as one:
        one.until(b"in all")
        rest_of_the_night(one, state)
        notes_before = len(blocks(notes))
        yield from pressing(one, "j", [b"j"] * presses)
        yield from pressing(one, "page down", [b"\x1b[6~"] * presses)
        views = [b"2", b"3", b"4", b"5", b"1"]
        yield from pressing(one, "views 1 to 5, first time", views, 1.0)
        yield from pressing(one, "views 1 to 5", views * max(1, presses // 20), 0.4)
        one.key(b"/")
        one.read(1)
        yield from pressing(one, "a letter of a filter", [b"%c" % c for c in b"task 0123"], 0.4)
        one.key(b"\x1b")
        one.read(1)
        yield from pressing(one, "the palette opens", [b":"], 0.6)
        yield from pressing(one, "a letter in it", [b"%c" % c for c in b"run task 012"], 0.3)
        one.key(b"\x1b")
        one.read(1)
        yield blocking("  the loop's longest block meanwhile", blocks(notes)[notes_before:])
        yield from form(one, notes)
        leave(one)


def form(one: Screen, notes: Path) -> Iterator[Row]:
    """The form with all fields of a task: the second time, when its modules are there."""
    for _ in range(2):
        before, cpu, began = len(blocks(notes)), one.cpu(), time.perf_counter()
        os.write(one.fd, b"E")
        one.until(b"BASICS", 20)
        took = time.perf_counter() - began
        one.read(2)
        used = one.cpu() - cpu
        one.key(b"\x1b")
        one.read(1)
    yield Row("task form: seen", took, "s", note=load())
    yield Row("task form: CPU until it rests", used, "s", 0.4)
    yield blocking("  the loop's longest block meanwhile", blocks(notes)[before:])


def blocks(notes: Path) -> list[tuple[float, float, str]]:
    """What `in_watched.py` has noted: ms in all, ms of its own CPU, whose turn."""
    found = []
    for line in notes.read_text().splitlines():
        _, took, own, whose = line.split(" ", 3)
        found.append((float(took), float(own), whose))
    return found


def blocking(what: str, found: list[tuple[float, float, str]]) -> Row:
    took, own, whose = max(found, default=(0.0, 0.0, "nobody"))
    most = max((own for _, own, _ in found), default=0.0)
    note = f"own CPU {own:.0f} ms, by {whose[:40]}; the most own CPU of any: {most:.0f} ms"
    return Row(what, took, "ms", 100, note=note)


# --- at rest -------------------------------------------------------------------------------------


def resting(one: Screen, what: str, seconds: float, kilobytes: float | None,
            share: float | None) -> Iterator[Row]:  # fmt: skip
    """What a screen writes and uses while nobody touches a key."""
    cpu, began = one.cpu(), time.perf_counter()
    count = len(one.read(seconds))
    took = time.perf_counter() - began
    yield Row(f"{what}: written", count / 1000 / took * 60, "KB/min", kilobytes)
    used = (one.cpu() - cpu) / took * 100
    yield Row(f"{what}: CPU", used, "% of a core", share, note=load())


def running_rows(folder: Path, seconds: float) -> Iterator[Row]:
    """View 2 of an attached screen while 30 tasks run, each with its clock, CPU and memory."""
    state = folder / "running"
    state.mkdir()
    make_tasks(state, 30, command="exec sleep 600")
    config = folder / "config.yaml"
    config.write_text("scheduler: {max_workers: 40}\n")
    with headless(state, "--config", str(config)):
        asyncio.run(start_all(state / SOCKET_NAME, 30))
        try:
            with screen(program=[*CRONPILOT, "--connect", str(state / SOCKET_NAME)]) as one:
                one.until(b"in all")
                one.key(b"2")
                one.read(4)
                yield from resting(one, "30 running rows, view 2", seconds, 150, None)
        finally:
            asyncio.run(stop_all(state / SOCKET_NAME))


async def start_all(socket: Path, count: int) -> None:
    client = HttpClient.over_socket(socket)
    for task in range(1, count + 1):
        await client.run_now(task, request_id=f"bench-{task}")
    while (await client.status()).running < count:
        await asyncio.sleep(0.1)
    await client.close()


async def stop_all(socket: Path) -> None:
    client = HttpClient.over_socket(socket)
    for run in (await client.runs(RunQuery(active=True))).rows:
        await client.stop_run(run.id, signal="KILL")
    while (await client.status()).running:
        await asyncio.sleep(0.1)
    await client.close()


# --- the peer ------------------------------------------------------------------------------------

JOBS, PORT = 200, 8093


def peer(folder: Path, much: Measured) -> Iterator[Row]:
    """cronstable's own screen, where it has the same."""
    try:
        installed = bench_peers.install(folder, ["cronstable"])
    except bench_peers.Unusable as reason:
        yield Row("cronstable: not measured", None, "", note=str(reason))
        return
    web = f"web:\n  listen:\n    - http://127.0.0.1:{PORT}\n"
    jobs = bench_peers.jobs_file(folder / "jobs.yaml", "30 2 29 2 *", JOBS, web)
    name = f"{installed.title}, {JOBS} jobs"
    program = str(installed.bin / "cronstable")
    log = folder / "cronstable.log"
    with bench_peers.daemon([program, "-c", str(jobs)], log) as daemon:
        try:
            wait_until(
                lambda: b"started listening" in log.read_bytes() or daemon.poll() is not None, 60
            )
        except TimeoutError:
            yield Row("cronstable: not measured", None, "", note="its daemon does not listen")
            return
        os.environ["HOME"] = str(folder)
        screen_of = [program, "tui", "--no-boot", "--url", f"http://127.0.0.1:{PORT}"]
        sights = (("first paint", b"cronstab", None), ("rows seen", b"job0001", None))
        yield from starting(name, screen_of, sights, much.starts)
        with screen(program=screen_of) as one:
            one.until(b"job0001")
            one.read(4)
            yield from pressing(one, f"j, {name}", [b"j"] * much.presses, budget=None)
            yield from pressing(one, f"page down, {name}", [b"\x1b[6~"] * 20, budget=None)
            one.key(b"/")
            yield from pressing(one, f"a letter of a filter, {name}",
                                [b"%c" % c for c in b"job01"], 0.4, None)  # fmt: skip
            one.key(b"\x1b")
            one.read(2)
            yield from resting(one, f"{name}: idle", much.seconds, None, None)
    yield Row("cronstable: task form", None, "", note="it cannot edit")


# --- all of it -----------------------------------------------------------------------------------


def rows(much: Measured | None = None, *, with_peer: bool = True) -> Iterator[Row]:
    much = much or Measured()
    home = os.environ.get("HOME", "/")
    os.environ.update(environment())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        state = folder / "state"
        state.mkdir()
        fill(state, much.tasks, much.runs)
        size = f"{much.tasks:,} tasks, {much.runs:,} runs"
        yield Row(f"{size}, {load()}", None, "", note=f"{os.cpu_count()} CPUs")
        own = [*CRONPILOT, "--state-dir", str(state)]
        yield from starting("with its engine", own, OWN, much.starts)
        yield from keys(state, much.presses)
        with headless(state):
            attached = [*CRONPILOT, "--connect", str(state / SOCKET_NAME)]
            yield from starting("attached", attached, ATTACHED, much.starts)
            with screen(program=attached) as one:
                one.until(b"in all")
                one.read(5)
                yield from resting(one, "idle, attached", much.seconds, 20, 1)
        with screen("--tasks", "30", "--ticking") as one:
            one.until(b"in all")
            one.read(4)
            yield from resting(one, "30 ticking rows, view 1", min(much.seconds, 50), 150, None)
        yield from running_rows(folder, much.seconds)
        if with_peer:
            yield from peer(folder, much)
    os.environ["HOME"] = home


if __name__ == "__main__":
    command = Command(__doc__, "fewer runs, keys and seconds")
    command.add_argument("--no-peer", action="store_true", help="nothing is fetched by pip")
    few = Measured(runs=100_000, seconds=15, presses=40, starts=2)
    command.show(
        lambda asked: rows(few if asked.quick else Measured(), with_peer=not asked.no_peer)
    )
