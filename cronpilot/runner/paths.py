"""Where a run's files are. Built from integers alone: no name of a task ever becomes a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronpilot.runner.keeper import record

if TYPE_CHECKING:
    from pathlib import Path

    from cronpilot.runner.messages import AttemptKey


def record_path(state_dir: Path, key: AttemptKey) -> Path:
    """The record file that decides about one launch."""
    return state_dir / record.record_path(".", key.run_id, key.launch)


def log_path(state_dir: Path, task_id: int, run_id: int) -> Path:
    """The output of a run, all its attempts together."""
    return state_dir / record.log_path(".", task_id, run_id)


def script_path(state_dir: Path, key: AttemptKey) -> Path:
    """A command too long for an argument; belongs to the record."""
    return state_dir / (record.record_path(".", key.run_id, key.launch) + ".sh")


def prepare(state_dir: Path) -> None:
    """Make the folders, closed to others."""
    for folder in (state_dir, state_dir / "records", state_dir / "logs"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
