"""A log of 1 GB and a task that floods, through the real engine and a real pty.

    python tests/bench/bench_log.py [--quick] [--megabytes N] [--seconds N]

The big log is made on the fly, of real bytes, and removed. Nothing is asserted: figures depend on
the machine.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pyte
from bench_screen import Screen, screen
from measuring import CRONPILOT, Command, Row, cpu_of, headless, pss_mb

from cronpilot.client.http import HttpClient
from cronpilot.client.log_search import LogQuery
from cronpilot.client.sockets import SOCKET_NAME

FLOOD = """
import sys, time
start, number = time.perf_counter(), 0
while True:
    due = int((time.perf_counter() - start) * {rate})
    if due > number:
        sys.stdout.write("".join(f"flood {{n:010}} of a task that prints without end\\n"
                                 for n in range(number, due)))
        sys.stdout.flush()
        number = due
    time.sleep(0.01)
"""
RATE = 100_000  # lines a second
FIRST, NEAR_LAST, LAST = b"the very first line", b"18 lines are left", b"the very last line"
"""What is awaited stands in a row where something quite different stood before: of what is alike,
only the difference is written."""
COLD = 3  # screens, for one figure
PEER = "it keeps at most 4,096 lines of a run"
NUMBER = re.compile(r"flood (\d{10})")
CHAT = """
import itertools, sys, time
for number in itertools.count():
    print(f"2026-03-04T12:00:00Z {number:06}", "worker done " * (number % 7), flush=True)
    time.sleep(1 / int(sys.argv[1]))
"""
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[><]\d*u")  # it would show them as text
CHATS = {"chat": 1, "babble": 20}  # lines a second


def tasks_file(folder: Path) -> Path:
    flood = folder / "flood.py"
    flood.write_text(FLOOD.format(rate=RATE))
    chat = folder / "chat.py"
    chat.write_text(CHAT)
    path = folder / "tasks.yaml"
    path.write_text(
        "tasks:\n"
        "  - {name: big, command: 'echo', schedule: manual, log_limit: 10GB}\n"
        f"  - {{name: flood, command: [{sys.executable}, {flood}], schedule: manual,"
        " log_limit: 20MB}\n"
        + "".join(
            f"  - {{name: {name}, command: [{sys.executable}, {chat}, '{rate}'],"
            " schedule: manual}\n"
            for name, rate in CHATS.items()
        )
    )
    return path


def fill(path: Path, megabytes: int) -> int:
    """Lines as a program may print them, up to that size; how many."""
    block, number = bytearray(), 0
    while len(block) < 1 << 20:
        block += b"2026-03-04T12:00:00Z \x1b[32mINFO\x1b[0m worker %06d: all is well\n" % number
        number += 1
    with path.open("wb") as file:
        file.write(b"2026-03-04T12:00:00Z \x1b[31mERROR\x1b[0m the very first line\n")
        for _ in range(megabytes):
            file.write(block)
        for left in range(30, 0, -1):
            file.write(b"2026-03-04T12:00:00Z near the end: %02d lines are left\n" % left)
        file.write(b"2026-03-04T12:00:00Z \x1b[31mERROR\x1b[0m the very last line\n")
    return number * megabytes + 32


def attach(state: Path) -> list[str]:
    return [*CRONPILOT, "--connect", str(state / SOCKET_NAME)]


async def start(client: HttpClient, name: str) -> tuple[int, Path]:
    """Start a task; its run, and where that prints."""
    task = await client.find_task(name)
    run = await client.run_now(task.id, request_id=f"bench-{name}")
    while run.log_path is None:
        await asyncio.sleep(0.05)
        run = await client.run(run.id)
    return run.id, Path(run.log_path)


async def big_log(client: HttpClient, state: Path, engine: int, megabytes: int) -> list[Row]:
    run_id, path = await start(client, "big")
    while not (await client.run(run_id)).status.is_final:
        await asyncio.sleep(0.05)
    lines = fill(path, megabytes)
    name = f"{path.stat().st_size / 1e9:.2f} GB log of {lines / 1e6:.1f} M lines"
    rows = []
    times = []
    for _ in range(5):
        began = time.perf_counter()
        await client.read_log(run_id, offset=-(256 << 10), limit=256 << 10)
        times.append(time.perf_counter() - began)
    rows.append(Row(f"{name}: its end, over the socket", statistics.median(times), "s", 0.1))
    for what, query in (
        ("text", LogQuery(pattern="the very LAST", text=False)),
        ("a regular expression", LogQuery(pattern="very [l]ast", regex=True, text=False)),
    ):
        for direction in (True, False):
            began = time.perf_counter()
            found, first = await search(client, run_id, query, path.stat().st_size, direction)
            took = time.perf_counter() - began
            where = "from the end: first match" if direction else "all of it counted"
            rows.append(Row(f"  {what}, {where}", first if direction else took, "s",
                            note=f"{found} found"))  # fmt: skip
    rows += open_in_screen(state, engine)
    path.unlink()
    return rows


async def search(
    client: HttpClient, run_id: int, query: LogQuery, size: int, backwards: bool
) -> tuple[int, float]:
    """How many there are (backwards: whether there is one), and when the first was known."""
    began, first, found = time.perf_counter(), 0.0, 0
    at = size if backwards else 0
    while True:
        more = {"offset": at, "backwards": backwards, "limit": 1 if backwards else 50_000}
        step = await client.search_log(run_id, query.model_copy(update=more))
        if step.offsets and not first:
            first = time.perf_counter() - began
        found += len(step.offsets)
        at = step.start if backwards else step.end
        if step.done or (backwards and step.offsets):
            return found, first


def open_in_screen(state: Path, engine: int) -> Iterator[Row]:
    yield from opened_cold(state)
    with screen(program=attach(state)) as one:
        one.until(b"in all")
        one.read(2)
        for what, key, text in (
            ("screen: Enter to its last line painted, read before", b"\r", NEAR_LAST),
            ("screen: g to its first line painted", b"g", FIRST),
            ("screen: f back to its end", b"f", LAST),
        ):
            took, cpu = painted(one, key, text)
            budget = 0.1 if key == b"\r" else None
            yield Row(what, took, "s", budget, note=f"CPU {cpu:.2f} s")
            one.read(1)
        yield Row("screen: memory with it open", pss_mb(one.pid), "MB")
        yield Row("engine: memory with it open", pss_mb(engine), "MB")
    yield Row("cronstable: a log of this size", None, "", note=PEER)


def opened_cold(state: Path) -> Iterator[Row]:
    """In new screens that have not read a byte of it, or only the cursor has come there."""
    for what, before, keys in (
        ("screen: Enter in the history to its last line painted", b"4", b"\r"),
        ("screen: to its row and L, to its last line painted", b"j", b"kL"),
    ):
        found = []
        for _ in range(COLD):
            with screen(program=attach(state)) as one:
                one.until(b"in all")
                one.read(2)
                os.write(one.fd, before)
                one.read(1.5)
                found.append(painted(one, keys, LAST))
        took, cpu = (statistics.median(column) for column in zip(*found, strict=True))
        yield Row(what, took, "s", 0.1, note=f"CPU {cpu:.2f} s")


def painted(one: Screen, keys: bytes, text: bytes) -> tuple[float, float]:
    """Seconds until `text` is painted because of these keys, and of the screen's CPU."""
    began, cpu = time.perf_counter(), one.cpu()
    os.write(one.fd, keys)
    one.until(text)
    return time.perf_counter() - began, one.cpu() - cpu


async def flood(client: HttpClient, state: Path, engine: int, seconds: float) -> list[Row]:
    run_id, path = await start(client, "flood")
    with screen(program=attach(state)) as one:
        one.until(b"in all")
        one.read(1)
        os.write(one.fd, b"jL")
        one.until(b"flood 0")
        one.read(3)
        one.heard = []
        os.write(one.fd, b"\x0c")  # all of it anew: what is heard begins with a whole screen
        one.read(1)
        rate = Rate(path)
        cpu, cpu_engine, began = one.cpu(), cpu_of(engine), time.perf_counter()
        times: list[float] = []
        while time.perf_counter() - began < seconds:
            times.append(press(one, b"w", b"wrapped"))
            one.read(0.4)
            rate.note()
            press(one, b"w", b"")
            one.read(0.3)
        took = time.perf_counter() - began
        used = (one.cpu() - cpu) / took, (cpu_of(engine) - cpu_engine) / took
    await client.stop_run(run_id, signal="KILL")
    times.sort()
    return [
        Row("flood, lines a second", rate.per_second(), "lines/s"),
        Row("flood: key to its effect painted, p50", statistics.median(times), "ms", 100),
        Row("flood: key to its effect painted, worst", times[-1], "ms", 100,
            note=f"of {len(times)}"),
        Row("flood: last line painted is behind, worst", max(rate.lags(one.heard)), "s"),
        Row("flood: screen, share of a core", used[0] * 100, "%"),
        Row("flood: engine, share of a core", used[1] * 100, "%"),
    ]  # fmt: skip


async def followed(client: HttpClient, state: Path, seconds: float) -> AsyncIterator[Row]:
    """What a line more of a log that is followed costs on the wire, and of the screen's CPU."""
    for name, rate in CHATS.items():
        run_id, _ = await start(client, name)
        with screen(program=attach(state)) as one:
            one.until(b"in all")
            for keys in (b"/", name.encode(), b"\r"):
                os.write(one.fd, keys)
                one.read(1)
            for where, key in (("in the panel", b"l"), ("full screen", b"L")):
                os.write(one.fd, key)
                one.read(2)
                cpu, began = one.cpu(), time.perf_counter()
                count = len(one.read(seconds))
                took = time.perf_counter() - began
                used = (one.cpu() - cpu) / took * 100
                yield Row(f"followed at {rate} a second, {where}: a line", count / took / rate,
                          "bytes", note=f"CPU {used:.1f} % of a core")  # fmt: skip
        await client.stop_run(run_id, signal="KILL")


class Rate:
    """How fast the flood is, and how old what one sees of it."""

    def __init__(self, path: Path) -> None:
        self._path, self._began = path, time.perf_counter()
        self._first = self._last()
        self._noted: list[tuple[float, int]] = []

    def _last(self) -> int:
        with self._path.open("r", encoding="ascii") as file:
            file.seek(max(0, self._path.stat().st_size - 4096))
            return max(map(int, NUMBER.findall(file.read())), default=0)

    def per_second(self) -> float:
        return (self._last() - self._first) / (time.perf_counter() - self._began)

    def note(self) -> None:
        """Note what was printed last by now."""
        self._noted.append((time.perf_counter(), self._last()))

    def lags(self, heard: list[tuple[float, bytes]]) -> list[float]:
        """Seconds by which, at each of these moments, the last line seen was older."""
        terminal = pyte.Screen(120, 36)
        stream, left, found = pyte.ByteStream(terminal), list(heard), []
        for moment, printed in self._noted:
            while left and left[0][0] <= moment:
                stream.feed(UNKNOWN_TO_PYTE.sub(b"", left.pop(0)[1]))
            seen = max(map(int, NUMBER.findall("\n".join(terminal.display))), default=0)
            found.append(max(0.0, (printed - seen) / RATE))
        return found


def press(one: Screen, key: bytes, text: bytes) -> float:
    """Milliseconds from a key to the text that is painted because of it."""
    began = time.perf_counter()
    os.write(one.fd, key)
    if text:
        one.until(text, 5)
    return (time.perf_counter() - began) * 1000


def rows(megabytes: int, seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        state.mkdir()
        with headless(state, "--tasks", str(tasks_file(Path(folder)))) as (pid, _):
            yield from asyncio.run(both(state, pid, megabytes, seconds))


async def both(state: Path, pid: int, megabytes: int, seconds: float) -> list[Row]:
    client = HttpClient.over_socket(state / SOCKET_NAME)
    try:
        found = await big_log(client, state, pid, megabytes)
        found += [row async for row in followed(client, state, seconds)]
        return [*found, *await flood(client, state, pid, seconds)]
    finally:
        await client.shutdown(with_tasks=True)
        await client.close()


if __name__ == "__main__":
    command = Command(__doc__, "100 MB, 6 seconds of the flood")
    command.add_argument("--megabytes", type=int, default=1000)
    command.add_argument("--seconds", type=float, default=20.0)
    command.show(
        lambda asked: rows(100, 6.0) if asked.quick else rows(asked.megabytes, asked.seconds)
    )
