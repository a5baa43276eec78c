"""A file that changes is noticed, whichever way it changes, once it lies still."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cronpilot.config import watcher
from cronpilot.config.watcher import signature, wait_for_change

from ..patience import PATIENCE_S


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks often, and is soon content."""
    monkeypatch.setattr(watcher, "LOOK_S", 0.01)
    monkeypatch.setattr(watcher, "SETTLE_S", 0.02)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A link to a directory with the file in it, as mounted configuration has it."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "tasks.yaml").write_text("tasks: []")
    (tmp_path / "now").symlink_to("one")
    return tmp_path / "now" / "tasks.yaml"


def rewrite(file: Path) -> None:
    file.write_text("tasks: [ ]")


def rewrite_to_the_same_length(file: Path) -> None:
    file.write_text("tasks: ()")


def replace(file: Path) -> None:
    other = file.with_name(".tasks.yaml.swp")
    other.write_text("tasks: []")
    other.rename(file)


def remove(file: Path) -> None:
    file.unlink()


def swap_the_link(file: Path) -> None:
    folder = file.parent.parent
    (folder / "two").mkdir()
    (folder / "two" / "tasks.yaml").write_text("tasks: []")
    (folder / "new").symlink_to("two")
    (folder / "new").rename(folder / "now")


def put_a_directory_there(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "change",
    [
        rewrite, rewrite_to_the_same_length, replace, remove, swap_the_link, put_a_directory_there,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
async def test_a_change_is_noticed(file: Path, quick: None, change: Callable[[Path], None]) -> None:
    before = signature(file)
    waiting = asyncio.create_task(wait_for_change(file, lambda: before))
    change(file)

    await asyncio.wait_for(waiting, PATIENCE_S)
    assert signature(file) != before


async def test_a_file_that_appears_is_noticed(tmp_path: Path, quick: None) -> None:
    file = tmp_path / "later" / "tasks.yaml"
    before = signature(file)
    waiting = asyncio.create_task(wait_for_change(file, lambda: before))
    file.parent.mkdir()
    file.write_text("tasks: []")

    await asyncio.wait_for(waiting, PATIENCE_S)


def found_in_turn(
    states: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, ...]]:
    """Let the disk be in these states, one a look, without a wait; returns those looked at."""
    looked: list[tuple[int, ...]] = []

    def look(_: Path) -> tuple[int, ...]:
        looked.append(states[len(looked)])
        return looked[-1]

    monkeypatch.setattr(watcher, "LOOK_S", 0)
    monkeypatch.setattr(watcher, "SETTLE_S", 0)
    monkeypatch.setattr(watcher, "signature", look)
    return looked


async def test_a_file_that_is_still_written_is_left_alone(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is a list of states: what was written is seen only when it stays."""
    states = [(0,), (1,), (2,), (3,), (3,), (4,)]
    looked = found_in_turn(states, monkeypatch)
    await wait_for_change(file, lambda: (0,))

    assert looked == [(0,), (1,), (2,), (3,), (3,)]


async def test_a_change_that_is_taken_back_is_none(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [(0,), (1,), (0,), (0,), (7,), (7,)]
    looked = found_in_turn(states, monkeypatch)
    await wait_for_change(file, lambda: (0,))

    assert looked == states


def test_what_cannot_be_reached_has_a_state_too(tmp_path: Path) -> None:
    missing = signature(tmp_path / "x")
    below_a_file = tmp_path / "file"
    below_a_file.write_text("")

    assert missing == signature(tmp_path / "y")
    assert missing != signature(below_a_file / "x")
    assert len(signature(Path(os.devnull))) == 5
