"""Stops runs of a state directory on which no engine runs."""

from __future__ import annotations

import asyncio
import os
import signal as signals
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cronpilot.config.settings import Settings
from cronpilot.engine.stopping import stop_runs
from cronpilot.storage.database import Database
from cronpilot.storage.lock import DatabaseLock

if TYPE_CHECKING:
    from cronpilot.client import StopSignal


def stop_without_engine(
    settings: Settings, ids: Sequence[int], *, everything: bool, signal: StopSignal
) -> tuple[set[int], set[int]]:
    """The runs that have ended by now, and runs that no row knows and that were told to end.

    Raises:
        StateDirectoryBusy: an engine has started meanwhile.
        NotFound, Refused: the run that was named does not exist, or is over.
        KeeperProblem: the keeper does not answer.
    """
    lock = DatabaseLock(settings.database)
    lock.take_patiently()
    database = Database(settings.database)
    try:
        return asyncio.run(
            stop_runs(
                database, settings.state_dir, ids, strays=everything,
                signal=signals.Signals[f"SIG{signal}"], actor=f"local:{os.getuid()}",
            )
        )  # fmt: skip
    finally:
        database.close()
        lock.release()
