"""What every start of an engine sees to: the machine, the state directory, where the log goes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.config.places import unsupported_platform
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.config.places import Places

LOG_BYTES, LOG_COPIES = 5_000_000, 3
LOG_TIME = "%Y-%m-%dT%H:%M:%S"


def refuse_platform() -> None:
    """Raises UsageProblem where CronPilot cannot work at all."""
    problem = unsupported_platform()
    if problem is not None:
        raise UsageProblem(problem)


def make_state_dir(settings: Places) -> None:
    """Make sure of it. Raises UsageProblem; StorageProblem on a network disk."""
    from cronpilot.storage.lock import refuse_network_disk

    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(
            f"The state directory {settings.state_dir} cannot be made: {error.strerror}.",
            "Choose another one: --state-dir DIR",
        ) from error
    if not os.access(settings.state_dir, os.W_OK | os.X_OK):
        raise UsageProblem(
            f"The state directory {settings.state_dir} is not writable.",
            "Choose another one: --state-dir DIR",
        )
    refuse_network_disk(settings.state_dir)


def ask_on_terminal() -> Callable[[str], bool] | None:
    """A yes-no question for whoever sits there; None when nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> bool:
        print(question, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask


def log_to_file(state_dir: Path) -> None:
    """Into engine.log, which is turned over: the screen owns the terminal."""
    path = state_dir / "engine.log"
    path.touch(mode=0o600, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_COPIES)
    # In UTC, as a headless engine writes it: the screen tells its times in the scheduler's zone.
    lines = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", LOG_TIME)
    lines.converter = time.gmtime
    handler.setFormatter(lines)
    log_to(handler)


def log_to(handler: logging.Handler) -> None:
    """Send all that is logged there, and nowhere else."""
    root = logging.getLogger()
    root.handlers = [handler]  # nothing else may write on the screen
    root.setLevel(logging.WARNING)
