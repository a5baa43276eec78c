from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from .small_engine import SmallEngine, keeper_pid, living


@pytest.fixture
def installation() -> Iterator[str]:
    """An id by which whatever a test leaves running is found and ended."""
    name = uuid.uuid4().hex
    yield name
    for pid in living(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """A state directory whose keeper ends with the test."""
    folder = tmp_path / "state"
    yield folder
    pid = keeper_pid(folder)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def engine(state_dir: Path, installation: str) -> SmallEngine:
    """An engine that is not linked yet: use it with `async with`."""
    return SmallEngine(state_dir, installation)
