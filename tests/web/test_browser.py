"""The whole of it, as a person meets it: a real engine, and Chromium in front of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cronpilot.client.http import HttpClient
from cronpilot.client.sockets import SOCKET_NAME

from .chromium import PATIENCE_S, chromium, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here")

EXPECTED = re.compile(
    "Applying inline style violates"  # a copy of a style sheet that the page has already
    "|Failed to load resource: (the server responded with a status of 401|net::ERR_CONNECTION)"
    "|WebSocket connection to .* failed"
)

TASKS = """
tasks:
  - name: greet
    command: echo hello from greet, $((6 * 7))
    schedule: daily 02:30
  - name: tidy
    command: "true"
    schedule: manual
"""


class Served:
    """A headless engine with its port on TCP."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.state_dir = folder, folder / "state"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}/"

    def start(self) -> None:
        """Start an engine, and wait until it answers."""
        environment = {
            **os.environ, "CRONPILOT_ADMIN_PASSWORD": "admin123", "CRONPILOT_KEEPER_IDLE": "0.1",
            "CRONPILOT_API_PORT": str(self.port),
        }  # fmt: skip
        with (self._folder / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cronpilot", "--headless", "--state-dir", self.state_dir],
                cwd=self._folder, env=environment, stderr=stderr,
            )  # fmt: skip
        until(lambda: answers(self.port) or self.process.poll() is not None)
        assert self.process.poll() is None, (self._folder / "stderr").read_text()

    def end(self, with_signal: signal.Signals) -> None:
        """End the engine, and wait for that."""
        if self.process is not None:
            self.process.send_signal(with_signal)
            self.process.wait(PATIENCE_S)

    def last_change_by(self, task_id: int) -> str:
        """Who made the newest revision of a task."""

        async def ask() -> str:
            client = HttpClient.over_socket(self.state_dir / SOCKET_NAME)
            try:
                return (await client.revisions(task_id))[0].actor
            finally:
                await client.close()

        return asyncio.run(ask())

    def screens(self) -> list[psutil.Process]:
        """The processes of the tabs."""
        return [child for child in psutil.Process(self.process.pid).children() if is_screen(child)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Served]:
    """Two tasks, and the user admin with the password admin123."""
    (tmp_path / "tasks.yaml").write_text(TASKS)
    served = Served(tmp_path)
    try:
        served.start()
        yield served
    finally:
        served.end(signal.SIGTERM)


def is_screen(process: psutil.Process) -> bool:
    try:
        return "cronpilot.bootstrap.tab_screen" in process.cmdline()
    except psutil.Error:  # it has ended
        return False


def free_port() -> int:
    """One below those that the kernel gives away, so that it is still free after a restart."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_cockpit_in_a_browser(engine: Served, tmp_path: Path) -> None:
    with chromium() as page:
        page.size(1100, 640)
        page.go(engine.address)
        page.log_in("admin", "wrong")
        page.says("password is wrong")
        page.log_in("admin", "admin123")
        page.shows("greet", "every day at 02:30", "admin, admin")

        # Another schedule, by keyboard alone.
        page.press("e")
        page.shows("Schedule of greet")
        page.press("Tab", "End", "ctrl+u")
        page.shows("A time is missing")  # letters that come at once can overtake a key's action
        page.type("03:45")
        page.shows("every day at 03:45")
        page.press("ctrl+o")
        page.shows("daily 02:30", "daily 03:45")
        page.press("y")
        page.shows("[1 Tasks]", "every day at 03:45")
        assert engine.last_change_by(1) == "web:admin"

        # A run, and its output.
        page.press("r")
        page.shows("hello from greet, 42")
        assert looks_painted(page.picture())
        page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        page.press("l")
        page.shows("s save")  # else the next key can overtake the first one's action
        page.press("s")
        saved = tmp_path / "greet-run-1.log"
        page.until(lambda: saved.exists() and saved.read_text() == "hello from greet, 42\n")
        page.press("l")

        # The window, and the screen with it.
        before = page.cells
        page.size(820, 480)
        page.until(lambda: page.cells < before)
        page.shows("[1 Tasks]")

        # Leaving and coming back.
        page.press("q")
        page.shows("Leave CronPilot?")
        page.press("c")
        page.says("You have left.")
        page.press("Enter")
        page.until(lambda: page.tabs == 2)
        page.shows("greet")

        # The engine is killed: nothing of the tab stays behind, and the page waits for another,
        # which knows the log-in still.
        (screen,) = engine.screens()
        engine.end(signal.SIGKILL)
        page.says("The engine does not answer.")
        until(lambda: not screen.is_running())
        engine.start()
        page.until(lambda: page.tabs == 3)
        page.shows("greet", "03:45")

        # Logging out.
        page.press("q")
        page.shows("Leave CronPilot?")
        page.press("o")
        page.says("Password")
        until(lambda: not engine.screens())

        foreign = [url for url in page.requested if f"//localhost:{engine.port}/" not in url]
        assert foreign == []
        assert [said for said in page.complaints if not EXPECTED.match(said)] == []


def looks_painted(png: bytes) -> bool:
    """Whether there is more on a picture than one colour: that would be far smaller."""
    return len(png) > 20_000
