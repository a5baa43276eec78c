"""On a terminal: another tasks file and the question about it; another engine's screen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

from ..asking import ask, said


@pytest.fixture
def folder(tmp_path: Path):
    """Two tasks files; whatever engine was started is ended."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(
            f"tasks:\n  - {{name: {name}, command: 'true', schedule: manual}}\n"
        )
    yield tmp_path
    said("shutdown", "--state-dir", str(tmp_path / "state"))


def names(folder: Path) -> list[str]:
    return [task["name"] for task in ask("list", "--state-dir", str(folder / "state"))]


def engine(folder: Path, file: str, *more: str) -> pexpect.spawn:
    words = ["--headless", "--tasks", f"{file}.yaml", "--state-dir", str(folder / "state"), *more]
    return pexpect.spawn(
        sys.executable, ["-m", "cronpilot", *words], cwd=folder, encoding="utf-8", timeout=60,
        dimensions=(24, 200),
    )  # fmt: skip


def end(folder: Path, program: pexpect.spawn) -> None:
    said("shutdown", "--state-dir", str(folder / "state"))
    program.expect(pexpect.EOF)
    program.close()
    assert program.exitstatus == 0


def test_another_file_asks_once_and_takes_over_after_a_yes(folder: Path) -> None:
    first = engine(folder, "one")
    first.expect("ready")
    end(folder, first)

    second = engine(folder, "two")
    second.expect(r"1 of \S+/one.yaml. Archive those that \S+/two.yaml does not have\?")
    second.sendline("n")
    second.expect("ready")
    both = names(folder)
    end(folder, second)

    third = engine(folder, "two", "--yes")
    third.expect("ready")
    only = names(folder)
    end(folder, third)

    assert (both, only) == (["one", "two"], ["two"])


def screen_at(folder: Path, address: Path) -> pexpect.spawn:
    words = ["--connect", str(address), "--state-dir", str(folder / "mine")]
    return pexpect.spawn(
        sys.executable, ["-m", "cronpilot", *words], cwd=folder, encoding="utf-8", timeout=60,
        dimensions=(24, 100), env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip


def test_connect_shows_the_engine_that_it_names_and_starts_none(folder: Path) -> None:
    other = engine(folder, "one")
    other.expect("ready")
    screen = screen_at(folder, folder / "state" / "engine.sock")
    screen.expect("ATTACHED")
    screen.send("q")
    screen.expect(pexpect.EOF)
    screen.close()
    end(folder, other)

    assert screen.exitstatus == 0
    assert not (folder / "mine").exists()


def test_connect_to_where_no_engine_answers_is_a_sentence(folder: Path) -> None:
    screen = screen_at(folder, folder / "nobody.sock")
    screen.expect("No engine runs on")
    screen.expect(pexpect.EOF)
    screen.close()

    assert screen.exitstatus == 5
    assert not (folder / "mine").exists()
