"""What the cockpit in a browser costs.

    python tests/bench/bench_web.py

A headless engine with 200 tasks, a tab in Chromium at 1100x640 (where there is one), and tabs whose
bytes are read by a program. The bare limit of the memory is a Python that has imported Textual.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from bench_resident import bare_mb
from measuring import Command, Row, headless, make_tasks, pss_mb
from websockets.asyncio.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).parents[2]))

from cronpilot.client.http import HttpClient
from cronpilot.client.sockets import SOCKET_NAME
from tests.web.chromium import chromium, find_chromium

TASKS, TABS, CHANGES = 200, 4, 40
PASSWORD = "admin123"
SIZE = "width=137&height=33"


def rows() -> Iterator[Row]:
    os.environ |= {"CRONPILOT_ADMIN_PASSWORD": PASSWORD, "CRONPILOT_API_PORT": "0"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state_dir = Path(folder)
        make_tasks(state_dir, TASKS)
        with headless(state_dir) as (pid, _):
            yield from asyncio.run(measure_tabs(state_dir, pid))
            if find_chromium() is not None:
                yield from measure_chromium(state_dir)


# --- bytes that a program reads ------------------------------------------------------------------


async def measure_tabs(state_dir: Path, pid: int) -> list[Row]:
    client = HttpClient.over_socket(state_dir / SOCKET_NAME)
    engine = (await client.status()).engine
    assert engine is not None and engine.api is not None
    cookie = await log_in(engine.api)
    opened: list[tuple[float, float]] = []
    before, delays = pss_mb(pid), []
    tabs = [await open_tab(engine.api, cookie, opened) for _ in range(TABS)]
    await asyncio.sleep(3)
    memory = [pss_mb(screen) for screen in children_of(pid)]
    grown = pss_mb(pid) - before
    await read_away(tabs[0])
    for number in range(CHANGES):
        change = client.pause_task if number % 2 == 0 else client.resume_task
        begin = time.perf_counter()
        await change(1)
        await tabs[0].recv()
        delays.append((time.perf_counter() - begin) * 1000)
        await read_away(tabs[0])
    idle = await count_bytes(tabs[1], 30)
    for tab in tabs:
        await tab.close()
    await client.close()
    bare = bare_mb("-c", "import textual.app, sys; print(1, flush=True); sys.stdin.read()")
    return [
        Row("a tab: opened to first paint", opened[-1][0], "s"),
        Row(f"a tab: opened to its rows, {TASKS} tasks", opened[-1][1], "s"),
        Row(f"memory of a tab's process, of {TABS}", statistics.mean(memory), "MB", None, bare),
        Row("memory that a tab costs the engine", grown / TABS, "MB"),
        Row("a change to its bytes at the tab, p50", statistics.median(delays), "ms"),
        Row("a change to its bytes at the tab, p95", quantile(delays, 0.95), "ms"),
        Row("idle tab", idle / 1000 * 2, "KB/min", 20),
    ]


async def log_in(address: str) -> str:
    async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
        answer = await http.post("/login", data={"name": "admin", "password": PASSWORD})
    return str(answer.headers["set-cookie"].partition(";")[0])


async def open_tab(
    address: str, cookie: str, opened: list[tuple[float, float]]
) -> ClientConnection:
    """A tab that shows its rows; how long it took is added to `opened`."""
    begin, seen, first = time.perf_counter(), b"", 0.0
    tab = await connect(
        f"{address.replace('http', 'ws')}/cockpit?{SIZE}", proxy=None,
        additional_headers={"Cookie": cookie, "Origin": address},
    )  # fmt: skip
    while b"in all" not in seen:
        piece = await tab.recv()
        seen += piece if isinstance(piece, bytes) else b""
        if not first and len(seen) > 1000:
            first = time.perf_counter() - begin
    opened.append((first, time.perf_counter() - begin))
    return tab


async def read_away(tab: ClientConnection) -> None:
    """Until nothing has come for a while."""
    while True:
        try:
            await asyncio.wait_for(tab.recv(), 0.3)
        except TimeoutError:
            return


async def count_bytes(tab: ClientConnection, seconds: float) -> int:
    await read_away(tab)
    count, end = 0, time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        try:
            count += len(await asyncio.wait_for(tab.recv(), left))
        except TimeoutError:
            break
    return count


def children_of(pid: int) -> list[int]:
    """The screens among the engine's children."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    words = " ".join(path.read_text() for path in children).split()
    is_screen = "cronpilot.bootstrap.tab_screen"
    return [int(word) for word in words if is_screen in Path(f"/proc/{word}/cmdline").read_text()]


# --- pixels --------------------------------------------------------------------------------------


def measure_chromium(state_dir: Path) -> Iterator[Row]:
    client = HttpClient.over_socket(state_dir / SOCKET_NAME)
    loop = asyncio.new_event_loop()
    engine = loop.run_until_complete(client.status()).engine
    assert engine is not None and engine.api is not None
    with chromium() as page:
        page.size(1100, 640)
        page.go(engine.api)
        page.log_in("admin", PASSWORD)
        page.shows("in all")
        page.rest(3)
        delays = []
        for number in range(CHANGES):
            change = client.pause_task if number % 2 == 0 else client.resume_task
            delays.append(page.until_painted(lambda: loop.run_until_complete(change(1))))  # noqa: B023
    loop.run_until_complete(client.close())
    loop.close()
    yield Row("a change to its pixels in Chromium, p50", statistics.median(delays), "ms")
    yield Row("a change to its pixels in Chromium, p95", quantile(delays, 0.95), "ms")


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


if __name__ == "__main__":
    Command(__doc__).show(lambda _: rows())
