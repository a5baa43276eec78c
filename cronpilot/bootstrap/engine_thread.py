"""The engine beside a screen."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.bootstrap.serving import prepare, serve_engine

if TYPE_CHECKING:
    from cronpilot.config.places import Places
    from cronpilot.engine.engine import Engine
    from cronpilot.storage.lock import DatabaseLock

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
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    def start(self) -> None:
        """Return when it answers. Raises what kept it from starting."""
        if not self._thread.is_alive() and not self._ready.is_set():
            self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End it, and wait for that; running tasks go on."""
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
            self._failure = error
            log.critical("The engine could not go on", exc_info=error)
        finally:
            self._ready.set()
            self._lock.release()

    def _is_ready(self, engine: Engine) -> None:
        self._engine, self._loop = engine, asyncio.get_running_loop()
        self._ready.set()
