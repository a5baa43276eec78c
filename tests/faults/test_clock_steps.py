"""A whole engine whose machine's clock is set under it, by libfaketime where that is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ..asking import said
from ..patience import PATIENCE_S

LONG_S = 60.0
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

pytestmark = pytest.mark.skipif(
    LIBRARY is None or shutil.which("faketime") is None,
    reason="libfaketime is not installed (Debian: apt install faketime)",
)

TASKS = "tasks:\n  - {name: tick, command: 'true', schedule: '* * * * *'}\n"


class Machine:
    """An engine, and the clock that it sees."""

    def __init__(self, folder: Path) -> None:
        self._state, self._clock = folder / "state", folder / "clock"
        self._tasks = folder / "tasks.yaml"
        self._tasks.write_text(TASKS)
        self.set("+0")
        environ = {
            **os.environ, "LD_PRELOAD": str(LIBRARY), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._clock), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }  # fmt: skip
        self.engine = subprocess.Popen(
            [sys.executable, "-m", "cronpilot", "--headless", *self._where()], env=environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _where(self) -> list[str]:
        return ["--state-dir", str(self._state), "--tasks", str(self._tasks)]

    def set(self, lead: str) -> None:
        """Set the clock to that distance from the true time, at once."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(f"{lead}\n")
        fresh.replace(self._clock)

    def ask(self, *words: str):
        """What the command line answers, as JSON; None while no engine does."""
        code, out, _ = said("--json", *words, *self._where())
        return json.loads(out) if code == 0 else None

    def wait(self, condition, what: str):
        """What `condition` answers as soon as that is true."""
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            if answer := condition():
                return answer
            time.sleep(0.2)
        raise AssertionError(f"{what} did not happen within {LONG_S} s")

    def status(self) -> dict[str, Any]:
        """Asked again where the machine is too busy for an answer in time."""
        return self.wait(lambda: self.ask("status"), "an answer")

    def told(self) -> list[str]:
        banners = self.status()["banners"]
        return [banner["text"] for banner in banners if banner["key"] == "clock"]


@pytest.fixture
def machine(tmp_path: Path):
    """An engine with one task a minute; it ends with the test."""
    made = Machine(tmp_path)
    yield made
    made.engine.terminate()
    made.engine.wait(PATIENCE_S)


def test_a_clock_that_is_set_forward_is_downtime_and_is_told(machine: Machine) -> None:
    machine.status()
    machine.set("+1h")

    told = machine.wait(machine.told, "the banner")

    def made_up():
        rows = machine.ask("history") or []
        return rows if any(row["trigger"] == "catch_up" for row in rows) else None

    rows = machine.wait(made_up, "the catch-up")

    assert told[0].startswith("The clock moved +3")
    assert [row["reason"] for row in rows].count("down") == 1
    assert [row["trigger"] for row in rows].count("catch_up") == 1


def test_a_clock_that_is_set_back_is_planned_anew_within_the_minute(machine: Machine) -> None:
    before = machine.status()["next_run_at"]
    machine.set("-1h")

    told = machine.wait(machine.told, "the banner")
    after = machine.wait(
        lambda: (at := machine.status()["next_run_at"]) and at < before and at, "a new plan"
    )

    assert told[0].startswith("The clock moved -3")
    assert after < before
