"""A full disk: what runs ends with its true code, what cannot start says so and starts later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cronpilot.runner import NeverStarted, Report

from .small_engine import SmallEngine, keeper_pid, until_there

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """A state directory on a disk of 1 MB."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    words = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "cronpilot-test", str(folder)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    pid = keeper_pid(folder)
    if pid is not None:
        os.kill(pid, 9)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            return


def no_room(report: Report) -> bool:
    """It was refused for that reason, and may be tried again."""
    refused = isinstance(report, NeverStarted) and report.retry
    return refused and report.detail == "waits: the disk is full"


async def test_a_full_disk_stops_no_run_and_repeats_none(
    engine: SmallEngine, tmp_path: Path
) -> None:
    ballast, go = engine.state_dir / "ballast", tmp_path / "go"
    async with engine:
        running = engine.start(f"{until_there(go)}; exit 6")
        await engine.begun(running)
        fill(ballast)
        refused = engine.start("echo started at last; exit 7")
        await engine.until(lambda: any(no_room(report) for report in engine.reports))
        go.touch()
        end = await engine.end_of(running)
        ballast.unlink()
        later = await engine.end_of(refused)

    assert (end.exit_code, end.why) == (6, "")
    assert (later.exit_code, engine.log(refused)) == (7, "started at last\n")
