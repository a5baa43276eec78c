from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from cronpilot.cli import main
from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.domain.run import Status

from ..client.serving import served
from ..patience import PATIENCE_S

T = TypeVar("T")

HOSTILE = "../../etc/x [/] \x1b[31m\x9b2J\n\u202e"


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory and home of its own; the clock on the wall is Berlin's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CRONPILOT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CRONPILOT_API_PORT", "off")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    time.tzset()
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


@dataclass
class Running:
    """A FakeClient that answers on a socket from a thread of its own."""

    fake: FakeClient
    path: Path
    loop: asyncio.AbstractEventLoop

    def do(self, action: Callable[[], T]) -> T:
        """Call it in the engine's thread."""

        async def call() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE_S)

    def ask(self, question: Callable[[FakeClient], Awaitable[T]]) -> T:
        """Ask it something in its own thread."""

        async def answer() -> T:
            return await question(self.fake)

        return asyncio.run_coroutine_threadsafe(answer(), self.loop).result(PATIENCE_S)


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three tasks, the last with a name that means harm; run 1 of the first goes on."""
    fake = FakeClient(
        tasks=[
            make_task(1, "backup-db", running=1),
            make_task(2, "report", next_run_at=None, schedule_words="only when started by hand"),
            make_task(3, HOSTILE, schedule_words="every minute"),
        ],
        runs=[
            make_run(1),
            make_run(2, task_id=3, task_name=HOSTILE, status=Status.FAILED, exit_code=3,
                     duration_s=3723.0, log_size=8, detail="sh: \x1b]0;x\x07: not found"),
        ],
        logs={1: b"one\ntwo\n", 2: b"\x1b[2Jbad\n"},
    )  # fmt: skip
    ready, stop = threading.Event(), asyncio.Event()
    running: list[Running] = []

    async def serve() -> None:
        async with served(fake, tmp_path_factory.mktemp("state")) as path:
            running.append(Running(fake, path, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield running[0]
    finally:
        running[0].loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)


@dataclass(frozen=True)
class Said:
    """What one command said."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cronpilot(Protocol):
    def __call__(self, *words: str) -> Said: ...


@pytest.fixture
def alone(capfdbinary: pytest.CaptureFixture[bytes]) -> Cronpilot:
    """The command line, asking whomever its own options name."""

    def run(*words: str) -> Said:
        code = main(words)
        raw, err = capfdbinary.readouterr()
        return Said(code, raw.decode(errors="replace"), err.decode(), raw)

    return run


@pytest.fixture
def cronpilot(engine: Running, alone: Cronpilot) -> Cronpilot:
    """The command line, asking `engine`."""
    return lambda *words: alone("--connect", str(engine.path), *words)
