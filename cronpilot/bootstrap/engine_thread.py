"""The engine beside a screen."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.bootstrap.serving import prepare, serve_engine
from cronpilot.errors import CronPilotError

if TYPE_CHECKING:
    from cronpilot.config.places import Places
    from cronpilot.engine.engine import Engine
    from cronpilot.storage.lock import DatabaseLock

AGAIN_S = 5.0
"""Seconds until an engine that has failed is started again."""
_AGAIN = "It is started again; engine.log in the state directory says why it failed."

log = logging.getLogger("cronpilot")


class EngineThread:
    """An engine on a thread of its own, with its own loop: it goes on when the screen is gone."""

    def __init__(self, settings: Places, lock: DatabaseLock) -> None:
        self._settings, self._lock = settings, lock
        self.tasks_file: Path | None = settings.tasks_file
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._failed_at = 0.0
        self._said = ""
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    def start(self) -> None:
        """Return when it answers. Raises what keeps it from starting, or has ended it.

        One that has failed is started again: what it lacked may be there now. One that somebody
        has ended stays so.
        """
        if self._failure is not None and time.monotonic() - self._failed_at >= AGAIN_S:
            self.join()
            if not self._lock.take():
                return  # another one has been started meanwhile: it answers
            self._failure = self._engine = self._loop = None
            self._ready.clear()
            self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        if not self._thread.is_alive() and not self._ready.is_set():
            self._thread.start()
        self._ready.wait()
        if isinstance(self._failure, CronPilotError):
            raise self._failure
        if self._failure is not None:
            raise CronPilotError("The engine has failed.", _AGAIN) from self._failure

    def stop(self) -> None:
        """End it, and wait for that; running tasks go on. One that starts ends when it has."""
        self._ending = True
        if self._loop is not None and self._engine is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._engine.stopped.set)
        self.join()

    def go_on_alone(self) -> None:
        """Its screen is gone."""
        if self._loop is not None and self._engine is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._engine.screen_is_gone)

    def join(self) -> None:
        """Wait until somebody has ended it."""
        while self._thread.is_alive():
            self._thread.join(1)

    def _work(self) -> None:
        try:
            from cronpilot.config.settings import whole  # after the first paint

            prepared = prepare(whole(self._settings, os.environ), "screen", self._lock)
            self.tasks_file = prepared.config.tasks_file
            for note in prepared.notes:
                log.warning("%s", note)
            asyncio.run(serve_engine(prepared, self._is_ready))
        except BaseException as error:
            if str(error) != self._said:  # once, as long as it stays the same
                known = isinstance(error, CronPilotError)
                log.critical("The engine could not go on: %s", error, exc_info=not known)
            self._said, self._failure, self._failed_at = str(error), error, time.monotonic()
        finally:
            self._ready.set()
            self._lock.release()

    def _is_ready(self, engine: Engine) -> None:
        self._engine, self._loop, self._said = engine, asyncio.get_running_loop(), ""
        if self._ending:
            engine.stopped.set()
        self._ready.set()
