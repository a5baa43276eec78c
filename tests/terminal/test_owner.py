"""The real program on a real terminal: its screen may go, its engine does not."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pytest

from ..asking import said
from ..databases import lay_ready

LONG = 60.0  # seconds until a condition that never comes true fails its test


class Owner:
    """A screen with its engine in the same process, on a terminal of 100 by 30."""

    def __init__(self, folder: Path, program: Sequence[str] = ("-m", "cronpilot")) -> None:
        self.folder = folder
        lay_ready(folder / "state")
        (folder / "tasks.yaml").write_text(
            "tasks:\n  - {name: tick, command: echo tock, schedule: every 1s}\n"
        )
        self.screen = self.open(program)
        self.screen.expect("every second")

    def open(self, program: Sequence[str]) -> Any:
        """The program on such a terminal."""
        return pexpect.spawn(
            sys.executable,
            [*program, "--state-dir", str(self.folder / "state"),
             "--tasks", str(self.folder / "tasks.yaml")],
            cwd=self.folder, encoding="utf-8", timeout=LONG, dimensions=(30, 100),
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip

    def said(self, *words: str) -> str:
        """What the command line answers."""
        return said(*words, "--state-dir", str(self.folder / "state"))[1]

    def engine(self) -> dict[str, Any] | None:
        """Who answers; None when nobody does."""
        return json.loads(self.said("status", "--json"))["engine"]

    def newest(self) -> int:
        """The number of the newest run; 0 before the first."""
        runs = json.loads(self.said("history", "--limit", "1", "--json"))
        return int(runs[0]["id"]) if runs else 0


@pytest.fixture
def owner(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Owner]:
    """It is ended, whatever has become of its screen."""
    made = Owner(tmp_path, getattr(request, "param", ("-m", "cronpilot")))
    yield made
    made.said("shutdown", "--with-tasks")
    made.screen.close(force=True)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.1)


def is_alone(owner: Owner) -> bool:
    engine = owner.engine()
    return engine is not None and engine["role"] == "headless"


def test_a_closed_terminal_leaves_the_engine_at_work_in_the_same_process(owner: Owner) -> None:
    before = owner.engine()
    assert before is not None
    assert (before["role"], before["pid"]) == ("screen", owner.screen.pid)

    owner.screen.ptyproc.fileobj.close()  # the window is closed, the connection is lost
    until(lambda: is_alone(owner), "the engine without its screen")
    seen = owner.newest()
    until(lambda: owner.newest() > seen, "a further run")

    after = owner.engine()
    assert after is not None
    assert (after["id"], after["pid"]) == (before["id"], before["pid"])


def test_b_gives_the_prompt_back_and_keeps_the_scheduler_in_the_background(owner: Owner) -> None:
    owner.screen.send("q")
    owner.screen.expect("Leave CronPilot")
    owner.screen.send("b")
    owner.screen.expect("keeps running in the background")
    owner.screen.expect(pexpect.EOF)
    owner.screen.close()

    engine = owner.engine()
    assert owner.screen.exitstatus == 0
    assert engine is not None
    assert (engine["role"], engine["pid"] != owner.screen.pid) == ("headless", True)


def test_s_stops_the_scheduler_and_the_next_one_begins_with_what_was_known(owner: Owner) -> None:
    owner.screen.send("q")
    owner.screen.expect("Leave CronPilot")
    owner.screen.send("s")
    owner.screen.expect("The scheduler has stopped")
    owner.screen.expect(pexpect.EOF)
    assert owner.engine() is None

    owner.screen = owner.open(("-m", "cronpilot"))
    owner.screen.expect("1 last known")
    owner.screen.expect("1 in all")
    assert owner.engine() is not None


def test_sigterm_ends_screen_and_engine_and_gives_the_terminal_back(owner: Owner) -> None:
    os.kill(owner.screen.pid, signal.SIGTERM)
    owner.screen.expect(r"\x1b\[\?1049l")  # out of the alternate screen
    owner.screen.expect(pexpect.EOF)
    owner.screen.close()

    assert owner.screen.exitstatus == 0
    assert owner.engine() is None


BREAKS_ON_L = """
import sys
from cronpilot.cli.entry import main
from cronpilot.tui.screens.dashboard import Dashboard
def broken(self):
    password = "hunter2"
    raise ValueError(f"no luck in {len(password)} letters")
Dashboard.action_whole_log = broken
sys.exit(main())
"""


@pytest.mark.parametrize("owner", [["-c", BREAKS_ON_L]], indirect=True)
def test_a_screen_that_breaks_hands_the_engine_over(owner: Owner) -> None:
    owner.screen.send("L")
    owner.screen.expect(r"\x1b\[\?1049l")  # out of the alternate screen
    owner.screen.expect("The screen broke: ValueError. Tasks are not affected.")
    owner.screen.expect("keeps running in the background")
    owner.screen.expect(pexpect.EOF)

    seen = owner.newest()
    until(lambda: owner.newest() > seen, "a further run")
    (report,) = (owner.folder / "state").glob("crash-*.txt")
    assert is_alone(owner)
    assert report.stat().st_mode & 0o777 == 0o600
    assert "hunter2" not in report.read_text()
