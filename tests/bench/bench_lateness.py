"""How late a lone task starts, and on which of its hand-overs the time goes.

    python tests/bench/bench_lateness.py [FIRES] [--quick]

From the due instant to the keeper's start of the command, and on to the first thing the command
itself does. The tasks are due one after the other, 0.4 s apart. The bare limit is a process that
sleeps until each such instant and starts `date`, which says when it ran.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench_screen import Screen
from in_stages import STAGES
from measuring import Command, Row, count_rows, environment, make_tasks, say, wait_until

from cronpilot.client.sockets import SOCKET_NAME

PERIOD_S = 0.4  # between two fires
BEGIN_S = 7.0  # from the plan to the first fire: the engine looks for new plans every 5 s
ONCE = "once 2026-01-01 00:00"  # a day that is moved later
DATE = ["/bin/date", "+%s.%N"]
ALL_STAGES = (*STAGES, "wrapper forked", "command runs")


def percentile(figures: list[float], share: float) -> float:
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bare(fires: int) -> list[float]:
    """Milliseconds after the instant at which the command of a sleeper runs."""
    late = []
    for _ in range(fires):
        due = time.time() + random.uniform(0.2, PERIOD_S)
        time.sleep(due - time.time())
        said = subprocess.run(DATE, stdout=subprocess.PIPE, close_fds=False).stdout
        late.append((float(said) - due) * 1e3)
    return late


def plan_fires(database: Path, fires: int) -> None:
    """Let each task be due once, one after the other, at odd fractions of a second."""
    first = datetime.now(UTC) + timedelta(seconds=BEGIN_S)
    connection = sqlite3.connect(database)
    for number in range(fires):
        due = first + timedelta(seconds=number * PERIOD_S + random.uniform(0, PERIOD_S / 4))
        connection.execute(
            "UPDATE task SET resolved = ?, next_run_at = ? WHERE id = ?",
            (due.isoformat(), round(due.timestamp() * 1e6), number + 1),
        )
    connection.commit()
    connection.close()


def followed(state_dir: Path, database: Path, fires: int, engine: subprocess.Popen[bytes]) -> None:
    """Wait for the last end, and say how it goes on."""
    deadline = time.monotonic() + BEGIN_S + fires * PERIOD_S + 60
    while (ended := count_rows(database, "status = 'success'")) < fires:
        if time.monotonic() > deadline or engine.poll() is not None:
            raise TimeoutError(f"{ended} of {fires} ran; {(state_dir / 'stderr').read_text()}")
        time.sleep(2)
        say(f"  {ended} of {fires}")


def headless(state_dir: Path, fires: int) -> dict[str, list[float]]:
    """Milliseconds from the due instant to each stage, of all fires but the first."""
    database = make_tasks(state_dir, fires + 1, schedule=ONCE, command=DATE)
    notes, said = state_dir / "notes", state_dir / "stderr"
    with said.open("wb") as stderr:
        engine = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("in_stages.py")), str(notes),
             "--headless", "--state-dir", str(state_dir)],
            stderr=stderr, env=environment(), cwd=state_dir,
        )  # fmt: skip
    try:
        wait_until(lambda: b"ready" in said.read_bytes())
        plan_fires(database, fires + 1)
        followed(state_dir, database, fires + 1, engine)
    finally:
        engine.terminate()
        engine.wait(20)
    return stages_of(state_dir, database, notes)


def stages_of(state_dir: Path, database: Path, notes: Path | None) -> dict[str, list[float]]:
    noted: dict[int, dict[str, float]] = {}
    for line in notes.read_text().splitlines() if notes else ():
        run, stage, at = json.loads(line)
        noted.setdefault(run, {})[stage] = at
    late: dict[str, list[float]] = {stage: [] for stage in ALL_STAGES}
    connection = sqlite3.connect(database)
    found = connection.execute(
        "SELECT id, task_id, scheduled_for, started_at FROM run ORDER BY id"
    ).fetchall()
    connection.close()
    for run, task, slot, started in found[1:]:
        log = state_dir / "logs" / str(task) / f"{run}.log"
        reached = {
            **noted.get(run, {}), "wrapper forked": started / 1e6,
            "command runs": float(log.read_text()),
        }  # fmt: skip
        for stage, at in reached.items():
            late[stage].append((at - slot / 1e6) * 1e3)
    return late


def read_all(screen: Screen) -> None:
    with contextlib.suppress(OSError):  # its end
        screen.read(3600)


def beside_screen(state_dir: Path, fires: int) -> dict[str, list[float]]:
    """The same of an engine behind a screen at 120x36; the hand-overs are not looked at."""
    database = make_tasks(state_dir, fires + 1, schedule=ONCE, command=DATE)
    os.environ["CRONPILOT_KEEPER_IDLE"] = "0.1"
    screen = Screen(
        "-m", "cronpilot", "--state-dir", str(state_dir), program=[sys.executable],
    )  # fmt: skip
    threading.Thread(target=read_all, args=(screen,), daemon=True).start()
    try:
        wait_until((state_dir / SOCKET_NAME).exists)
        plan_fires(database, fires + 1)
        deadline = BEGIN_S + (fires + 1) * PERIOD_S + 60
        wait_until(lambda: count_rows(database, "status = 'success'") > fires, deadline)
    finally:
        os.kill(screen.pid, signal.SIGTERM)
        os.waitpid(screen.pid, 0)
    return stages_of(state_dir, database, None)


def rows(fires: int = 60, *, with_screen: bool = True) -> Iterator[Row]:
    say("The bare minimum of it ...")
    least = bare(min(fires, 20))
    say(f"A headless engine, {fires} fires, {BEGIN_S + fires * PERIOD_S:.0f} s ...")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        late = headless(Path(folder), fires)
    yield from _in_all("lateness of a lone task", late, 10, least)
    before = [0.0] * fires
    for stage in ALL_STAGES:
        steps = [now - then for now, then in zip(late[stage], before, strict=True)]
        before = late[stage]
        note = f"p90 {percentile(steps, 0.9):.2f}, p99 {percentile(steps, 0.99):.2f}"
        yield Row(f"  to '{stage}', p50", statistics.median(steps), "ms", note=note)
    if with_screen:
        say(f"Beside a screen, {fires} fires ...")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            late = beside_screen(Path(folder), fires)
        yield from _in_all("the same beside a screen", late, 30, least)


def _in_all(
    what: str, late: dict[str, list[float]], most: int, least: list[float]
) -> Iterator[Row]:
    """From the due instant to the start of the wrapper, and to the command's own first act."""
    for share, budget in ((0.5, None), (0.99, most)):
        name, own = f"p{share * 100:.0f}", percentile(late["command runs"], share)
        yield Row(f"{what}, {name}", percentile(late["wrapper forked"], share), "ms", budget)
        yield Row(f"  the command itself, {name}", own, "ms", None, percentile(least, share))


if __name__ == "__main__":
    command = Command(__doc__, "20 fires, no screen; 20 s")
    command.add_argument("fires", nargs="?", type=int, default=60)
    command.show(
        lambda asked: rows(20 if asked.quick else asked.fires, with_screen=not asked.quick)
    )
