"""The screen behind a tab: a process of its own that may do just what its user may."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cronpilot.client.fake import FakeClient, make_task
from cronpilot.client.http import HttpClient
from cronpilot.domain.access import Identity, Role
from cronpilot.errors import NotAllowed
from cronpilot.web.program import PARENT, TOKEN, tab_program

from .serving import PATIENCE_S, Panel, Terminal, served_panel


@pytest.fixture
def engine() -> FakeClient:
    return FakeClient([make_task(1, "backup-db")])


@pytest.fixture
async def panel(engine: FakeClient, tmp_path: Path) -> AsyncIterator[Panel]:
    async with served_panel(engine, tmp_path) as panel:
        yield panel


async def test_a_viewer_sees_everything_and_can_start_nothing(
    panel: Panel, engine: FakeClient
) -> None:
    async with panel.tab(await panel.log_in("vera")) as socket:
        terminal = Terminal(socket)
        await terminal.shows("backup-db", "vera, viewer", "Enter open  / filter")
        await terminal.press("r")
        await terminal.shows("vera is a viewer: may look at")

    assert engine.calls == []


async def test_an_operator_starts_a_task_in_the_operators_own_name(
    panel: Panel, engine: FakeClient
) -> None:
    async with panel.tab(await panel.log_in("olga")) as socket:
        terminal = Terminal(socket)
        await terminal.shows("backup-db", "olga, operator", "r run")
        await terminal.press("r")
        await terminal.shows("▸ run")
        await terminal.press("a")
        await terminal.shows("olga is an operator")

    assert engine.calls == [("run_now", 1)]


async def test_the_engine_refuses_what_a_screen_asks_beyond_its_role(panel: Panel) -> None:
    """Whatever the screen's own code thinks of it."""
    session = (await panel.log_in("vera")).partition("=")[2]
    token = panel.gate.open_tab(session)
    client = HttpClient.over_socket(panel.socket, front="web", token=token)
    try:
        assert (await client.task(1)).name == "backup-db"
        with pytest.raises(NotAllowed, match="vera is a viewer"):
            await client.run_now(1, request_id="x")
    finally:
        await client.close()


def start_alone(panel: Panel, session: str) -> subprocess.Popen[bytes]:
    """A screen whose server is this test."""
    token = panel.gate.open_tab(session)
    assert token is not None
    return subprocess.Popen(
        tab_program(panel.socket.parent, Identity("vera", Role.VIEWER), "dark"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, TOKEN: token, PARENT: str(os.getpid())},
    )  # fmt: skip


async def test_a_screen_ends_with_its_input(panel: Panel) -> None:
    session = (await panel.log_in("vera")).partition("=")[2]
    with start_alone(panel, session) as screen:
        assert screen.stdin is not None and screen.stdout is not None
        await asyncio.to_thread(screen.stdout.read, 4096)  # it paints

        screen.stdin.close()
        reading = asyncio.to_thread(screen.stdout.read)

        assert await asyncio.wait_for(reading, PATIENCE_S)
        assert await asyncio.to_thread(screen.wait, PATIENCE_S) == 0


def test_a_screen_without_its_server_does_not_even_start() -> None:
    environment = {**os.environ, TOKEN: "x", PARENT: "1"}
    program = tab_program(Path("/nowhere"), Identity("vera", Role.VIEWER), "dark")

    screen = subprocess.run(program, env=environment, capture_output=True, timeout=PATIENCE_S)

    assert (screen.returncode, screen.stdout) == (1, b"")
