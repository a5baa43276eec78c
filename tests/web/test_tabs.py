"""Tabs and their processes: who gets one, and that each is ended whatever happens.

A few lines of Python stand in for the screen: they speak as Textual does to its server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cronpilot.api import patience
from cronpilot.web import tab as tab_module
from cronpilot.web.tab import Ended
from cronpilot.web.tabs import Limits

from ..api.guarding import PASSWORD
from .serving import PATIENCE_S, Panel, say, served_panel, until

# Tells what it was started with, then echoes what it hears, a packet as JSON; `end` is obeyed, and
# so is the end of its input.
ECHO = r"""
import json, os, signal, sys
def tell(kind, data):
    os.write(1, kind + len(data).to_bytes(4, "big") + data)
def meta(**said):
    tell(b"M", json.dumps(said).encode())
os.write(1, b"__GANGLION__\n")
tell(b"D", json.dumps({"pid": os.getpid(), "environment": dict(os.environ)}).encode())
while head := sys.stdin.buffer.read(5):
    body = sys.stdin.buffer.read(int.from_bytes(head[1:], "big")).decode()
    if head[:1] == b"M" and json.loads(body)["type"] == "quit":
        break
    if body == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stdin.buffer.read = lambda count: signal.pause()
    if body in ("exit", "log_out", "broken"):
        meta(type=body)
    if body == "die":
        break
    tell(b"D", json.dumps([head[:1].decode(), body]).encode())
"""


def echo(*_: object) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", ECHO]


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    """At most two tabs, each with an echo in place of its screen."""
    async with served_panel(None, tmp_path, Limits(tabs=2), echo) as panel:
        yield panel


async def started(socket: ClientConnection) -> tuple[psutil.Process, dict[str, str]]:
    """The process behind a tab, and the environment that it was given."""
    said = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
    return psutil.Process(said["pid"]), said["environment"]


async def closed(socket: ClientConnection) -> int:
    """Why the server has closed the tab."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code


def is_gone(process: psutil.Process) -> Callable[[], bool]:
    return lambda: not process.is_running()


# --- who gets one --------------------------------------------------------------------------------


async def test_without_a_session_there_is_no_tab(panel: Panel) -> None:
    for cookie in ("", "cronpilot_session=made-up"):
        with pytest.raises(InvalidStatus, match="403"):
            await panel.tab(cookie)


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("http://evil.example", id="another site"),
        pytest.param("http://localhost:1", id="another port of this machine"),
        pytest.param("null", id="a page from nowhere"),
        pytest.param(None, id="no page at all"),
    ],
)
async def test_a_page_that_is_not_ours_opens_no_tab(panel: Panel, origin: str | None) -> None:
    cookie = await panel.log_in()

    with pytest.raises(InvalidStatus, match="403"):
        await panel.tab(cookie, origin=origin)


async def test_a_password_without_the_log_in_page_opens_no_tab(panel: Panel) -> None:
    async with panel.http() as http:
        page = await http.get("/", auth=("admin", PASSWORD))

    assert "password" in page.text  # a session is what the panel goes by


async def test_a_tab_too_many_is_told_so_and_gets_the_room_of_one_that_is_closed(
    panel: Panel,
) -> None:
    cookie = await panel.log_in()
    async with panel.tab(cookie) as first, panel.tab(cookie) as second:
        await started(first)
        await started(second)
        async with panel.tab(cookie) as third:
            assert await closed(third) == Ended.TOO_MANY
        await first.close()
        async with panel.tab(cookie) as fourth:
            assert (await started(fourth))[0].is_running()


# --- what passes between -------------------------------------------------------------------------


async def test_keys_sizes_and_focus_reach_the_screen_and_sizes_are_held_to_reason(
    panel: Panel,
) -> None:
    heard: list[list[str]] = []
    async with panel.tab(await panel.log_in()) as socket:
        await started(socket)
        await say(socket, "stdin", "jé")
        await say(socket, "resize", {"width": 100_000, "height": 1})
        await say(socket, "focus")
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < 3:
                heard.append(json.loads(await socket.recv()))
        await say(socket, "ping", "7")
        assert json.loads(await socket.recv()) == ["pong", "7"]

    size = '{"type": "resize", "width": 500, "height": 5}'
    assert sorted(heard) == [["D", "jé"], ["M", '{"type": "focus"}'], ["M", size]]


async def test_nonsense_closes_that_tab_alone(panel: Panel) -> None:
    cookie = await panel.log_in()
    async with panel.tab(cookie) as other, panel.tab(cookie) as socket:
        await started(other)
        process, _ = await started(socket)

        await socket.send("x")

        assert await closed(socket) == Ended.NONSENSE
        await until(is_gone(process))
        await say(other, "stdin", "j")
        assert json.loads(await other.recv()) == ["D", "j"]


async def test_a_screen_is_given_its_token_and_none_of_the_servers_secrets(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONPILOT_ADMIN_PASSWORD", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    async with panel.tab(await panel.log_in("vera")) as socket:
        _, environment = await started(socket)
        identity = panel.gate.of_tab(environment["CRONPILOT_TAB_TOKEN"])

    assert "hunter2" not in environment.values()
    assert identity is not None
    assert (identity.name, identity.role) == ("vera", "viewer")
    assert environment["CRONPILOT_TAB_PARENT"] == str(os.getpid())


async def test_a_tab_stays_longer_than_a_request_may_take(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BODY_S", 0.05)
    async with panel.tab(await panel.log_in()) as socket:
        await started(socket)
        await asyncio.sleep(0.2)

        await say(socket, "stdin", "j")
        assert json.loads(await socket.recv()) == ["D", "j"]


# --- how it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "why"),
    [
        pytest.param("exit", Ended.LEFT, id="the user has left"),
        pytest.param("broken", Ended.BROKEN, id="the screen says that it broke"),
        pytest.param("die", Ended.BROKEN, id="the screen just ended"),
    ],
)
async def test_the_page_hears_why_its_screen_is_gone(panel: Panel, word: str, why: Ended) -> None:
    async with panel.tab(await panel.log_in()) as socket:
        process, _ = await started(socket)
        await say(socket, "stdin", word)

        assert await closed(socket) == why
    await until(is_gone(process))


async def test_a_tab_that_is_closed_takes_its_process_and_its_token_with_it(panel: Panel) -> None:
    socket = await panel.tab(await panel.log_in())
    process, environment = await started(socket)
    token = environment["CRONPILOT_TAB_TOKEN"]

    await socket.close()

    await until(is_gone(process))
    await until(lambda: panel.gate.of_tab(token) is None)


async def test_a_screen_that_hangs_is_killed(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cronpilot.web.process._PATIENCE_S", 0.1)
    async with panel.tab(await panel.log_in()) as socket:
        process, _ = await started(socket)
        await say(socket, "stdin", "deaf")
        await socket.recv()

    await until(is_gone(process))


async def test_logging_out_ends_all_tabs_of_that_session_and_no_other(panel: Panel) -> None:
    mine, others = await panel.log_in(), await panel.log_in("vera")
    async with panel.tab(mine) as socket, panel.tab(others) as other, panel.http() as http:
        await started(socket)
        await started(other)
        await http.post("/logout", headers={"Cookie": mine})

        assert await closed(socket) == Ended.LOGGED_OUT
        await say(other, "stdin", "j")
        assert json.loads(await other.recv()) == ["D", "j"]
        assert "password" in (await http.get("/", headers={"Cookie": mine})).text


async def test_logging_out_on_the_screen_ends_the_session(panel: Panel) -> None:
    cookie = await panel.log_in()
    async with panel.tab(cookie) as socket, panel.http() as http:
        await started(socket)
        await say(socket, "stdin", "log_out")

        assert await closed(socket) == Ended.LOGGED_OUT
        assert "password" in (await http.get("/", headers={"Cookie": cookie})).text


async def test_a_session_that_ends_elsewhere_ends_the_tab(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab_module, "LOOK_S", 0.02)
    cookie = await panel.log_in()
    async with panel.tab(cookie) as socket:
        await started(socket)
        panel.gate.end_session(cookie.partition("=")[2])

        assert await closed(socket) == Ended.LOGGED_OUT


async def test_a_tab_that_nobody_touches_is_closed(tmp_path: Path) -> None:
    limits = Limits(idle_s=0.2)
    async with (
        served_panel(None, tmp_path, limits, echo) as panel,
        panel.tab(await panel.log_in()) as socket,
    ):
        assert await closed(socket) == Ended.IDLE

    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has ended, and nobody has waited for it yet
            assert ECHO not in child.cmdline()


async def test_a_server_that_stops_ends_its_tabs_at_once(
    panel: Panel, capfd: pytest.CaptureFixture[str]
) -> None:
    async with panel.tab(await panel.log_in()) as socket:
        process, _ = await started(socket)
        panel.stopped.set()

        assert await closed(socket) == Ended.RESTART
    await until(is_gone(process))
    assert capfd.readouterr() == ("", "")


async def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    program = [str(tmp_path / "missing")]
    async with (
        served_panel(None, tmp_path, None, lambda *_: program) as panel,
        panel.tab(await panel.log_in()) as socket,
    ):
        assert await closed(socket) == Ended.BROKEN
