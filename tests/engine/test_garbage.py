"""When Python looks for unused objects: not while an engine starts, later a few at a time."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cronpilot.bootstrap import serving
from cronpilot.bootstrap.screen import _run_app
from cronpilot.config.places import Places
from cronpilot.tui import terminal
from cronpilot.tui.app import CronPilotApp


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Nothing of it is left to other tests."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000)  # as a start of ours has it
    yield
    gc.set_threshold(*usual)


async def test_an_engine_that_answers_is_never_stopped_for_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def stop() -> None: ...

    engine = SimpleNamespace(stopped=asyncio.Event(), stop=stop, failure=None)
    seen: list[Any] = []

    async def begin(*_: object) -> tuple[Any, ...]:
        seen.append(gc.isenabled())
        over = asyncio.create_task(stop())
        return engine, over, over

    monkeypatch.setattr(serving, "_begin", begin)
    prepared = cast("Any", SimpleNamespace(config=SimpleNamespace(state_dir=tmp_path)))

    await serving.serve_engine(prepared, lambda _: seen.append(gc.get_threshold()[0]))

    assert seen == [False, 5_000]


async def test_nor_is_a_screen_of_another_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    apps: list[CronPilotApp] = []
    monkeypatch.setattr(terminal, "run_app", apps.append)

    places = Places(tmp_path, tmp_path / "db", None, None, None, "UTC")

    async def connect() -> Any:
        return "a client"

    _run_app(connect, "attached", "", places)
    before = gc.get_threshold()[0]
    client = await apps[0]._connection._connect()

    assert (before, client, gc.get_threshold()[0]) == (50_000, "a client", 5_000)
