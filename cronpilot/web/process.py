"""The process behind one tab: the screen itself, started and surely ended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from cronpilot.web.program import PARENT, TOKEN

_log = logging.getLogger(__name__)

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TZDIR", "PYTHONPATH", "VIRTUAL_ENV")
_FRAMES = "30"  # a second: what a browser is sent for nothing costs both sides
_BURIAL_S = 1.0  # for the kernel to end what was killed; the loop waits for it
_PATIENCE_S = 3.0  # for a screen that was asked to end, and again after SIGTERM


@dataclass(frozen=True, slots=True)
class Page:
    """Where the screen's bytes go, and what it may ask for."""

    paint: Callable[[bytes], Awaitable[None]]
    tell: Callable[[str], Awaitable[None]]
    leave: Callable[[], Awaitable[None]]
    log_out: Callable[[], Awaitable[None]]
    broken: Callable[[], Awaitable[None]]


class ScreenProcess(AppService):
    """textual-serve's AppService with a program instead of a shell line, and an end that holds.

    Args:
        program: the words that start the screen.
        token: with which it asks the engine.
    """

    def __init__(self, program: list[str], token: str, page: Page) -> None:
        super().__init__(
            " ".join(program), write_bytes=page.paint, write_str=page.tell,
            close=page.leave, download_manager=DownloadManager(),
        )  # fmt: skip
        self._program, self._token, self._page = program, token, page
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Of the running screen."""
        assert self._process is not None
        return self._process.pid

    async def ended(self) -> None:
        """Return when the screen has ended, by itself or not."""
        assert self._task is not None
        await asyncio.wait({self._task})

    async def stop(self, patience_s: float | None = None) -> None:
        """End it: asked, then told, then killed."""
        patience_s = _PATIENCE_S if patience_s is None else patience_s
        process, task, self._task = self._process, self._task, None
        if process is None or task is None:
            return
        with suppress(OSError, RuntimeError, TimeoutError):
            await asyncio.wait_for(self.send_meta({"type": "quit"}), patience_s)
        self.stdin.close()
        task.cancel()  # its page may be gone, and then nobody would take the last bytes
        await asyncio.gather(task, return_exceptions=True)
        assert process.stdout is not None
        emptying = asyncio.create_task(_empty(process.stdout))
        try:
            for end in (None, process.terminate, process.kill):
                if end is not None:
                    with suppress(ProcessLookupError):
                        end()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), patience_s)
                    break
            await asyncio.gather(emptying, *filter(None, [self._listening]), return_exceptions=True)
        finally:  # also when nobody has the time to wait: it kills what still runs, frees the pipes
            transport = process._transport  # type: ignore[attr-defined]
            transport.close()
            # Buried here: the loop may be over before it hears of the end of one that was killed.
            with suppress(subprocess.TimeoutExpired):
                transport.get_extra_info("subprocess").wait(_BURIAL_S)

    def kill(self) -> None:
        """End it at once; for when there is no time to wait."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        """What the screen needs, and nothing of what the server was given, such as passwords."""
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "TEXTUAL_FPS": _FRAMES, "TEXTUAL_COLOR_SYSTEM": "truecolor", "COLORTERM": "truecolor",
            "TERM_PROGRAM": "textual", "TERM_PROGRAM_VERSION": version("textual-serve"),
            "COLUMNS": str(width), "ROWS": str(height), TOKEN: self._token,
            PARENT: str(os.getpid()),
        }  # fmt: skip

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._program, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd="/",
            env=self._build_environment(width, height),
        )  # fmt: skip
        self._stdin = process.stdin
        assert process.stderr is not None
        self._listening = asyncio.create_task(_log_lines(process.stderr))
        # AppService would print it on the engine's own stdout, over its screen.
        process.stderr = asyncio.StreamReader()
        process.stderr.feed_eof()
        return process

    async def on_meta(self, data: bytes) -> None:
        """What the screen asks of its page; of Textual's own wishes none but to leave."""
        match json.loads(data):
            case {"type": "exit"}:
                await self._page.leave()
            case {"type": "broken"}:
                await self._page.broken()
            case {"type": "log_out"}:
                await self._page.log_out()
            case {"type": "download", "run": int(run), "name": str(name)}:
                await self._page.tell(json.dumps(["download", {"run": run, "name": name}]))
            case {"type": "look", "ground": str(ground)}:
                await self._page.tell(json.dumps(["look", {"ground": ground}]))
            case {"type": "theme", "word": str(word)}:
                await self._page.tell(json.dumps(["theme", word]))
            case {"type": "unsaved", "yes": bool(yes)}:
                await self._page.tell(json.dumps(["unsaved", yes]))
            case other:
                _log.warning("The screen of a tab asked for something unknown: %.200s", other)

    async def on_packed(self, payload: bytes) -> None:
        """Pieces of files, of which there are none."""


async def _empty(stdout: asyncio.StreamReader) -> None:
    """Read on to the end, so that the screen can write its last words, and end."""
    while await stdout.read(1 << 16):
        pass


async def _log_lines(stderr: asyncio.StreamReader) -> None:
    with suppress(ValueError, asyncio.CancelledError):  # a line without end
        while line := await stderr.readline():
            _log.warning("A tab's screen: %s", line.decode(errors="replace").rstrip())
