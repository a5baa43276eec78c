"""Real SQLite files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cronpilot.storage.database import Database
from cronpilot.storage.migrate import prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database file with the newest schema and nothing in it."""
    file = tmp_path / "cronpilot.db"
    prepare(file)
    return file


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    """That file, open."""
    opened = Database(path)
    yield opened
    opened.close()
