"""One engine after another, or beside another, on the same state directory."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cronpilot.runner.leftovers import ended

from ..patience import PATIENCE_S
from .product import Product, until

SECOND = 1_000_000  # microseconds
COARSE = SECOND // 20  # a file's time of change comes from a clock that ticks
Make = Callable[..., Product]


def now() -> int:
    return time.time_ns() // 1000


def test_a_second_engine_is_refused_in_words(product: Make) -> None:
    """Within 3 s on a machine with nothing else to do."""
    first = product([])
    first.run_engine()
    assert first.engine is not None

    second = subprocess.run(
        first.command("--headless"), capture_output=True, text=True, timeout=PATIENCE_S
    )  # fmt: skip

    assert second.returncode == 6
    assert second.stderr == (
        f"cronpilot: Another engine (pid {first.engine.pid}) runs on {first.state_dir}."
        " Attach to it with: cronpilot. End it with: cronpilot shutdown\n"
    )
    assert first.engine.poll() is None


def test_after_a_kill_the_next_engine_starts_at_once(product: Make) -> None:
    dying = product([])
    for _ in range(2):
        dying.run_engine()
        dying.kill_engine()
    dying.run_engine()

    assert dying.engine is not None
    assert dying.ask("status")["engine"]["pid"] == dying.engine.pid


def test_sigterm_leaves_tasks_running_and_the_next_engine_hears_their_true_end(
    product: Make, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    passing = product(
        [
            {
                "name": "long",
                "command": f"""
                    date +%s%N; until [ -e {go} ]; do sleep 0.02; done; date +%s%N; exit 3
                """,
                "schedule": "manual",
            }
        ]
    )
    passing.run_engine()
    asked = now()
    run = passing.ask("run", "long")
    until(lambda: passing.rows()[0]["status"] == "running", "the command to run")

    assert passing.end_engine() == 0
    assert passing.open_rows() == 1
    passing.start()
    go.touch()
    until(lambda: not passing.open_rows(), "the end of the run")
    over = now()

    [row] = passing.rows()
    began, last_word = (int(line) // 1000 for line in passing.log(row).split())
    assert (row["id"], row["status"], row["exit_code"]) == (run["id"], "failed", 3)
    assert row["attempts"] == row["launches"] == 1
    assert asked <= row["started_at"] <= began + COARSE
    assert last_word - COARSE <= row["finished_at"] <= over


def test_a_run_that_ended_while_no_engine_was_there_has_its_true_times(
    product: Make, tmp_path: Path
) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    away = product(
        [
            {
                "name": "short",
                "command": f"""
                    until [ -e {go} ]; do sleep 0.02; done; date +%s%N >{done}; kill -USR1 $$
                """,
                "schedule": "manual",
            }
        ]
    )
    away.run_engine()
    away.ask("run", "short")
    until(lambda: away.rows()[0]["status"] == "running", "the command to run")
    away.kill_engine()
    go.touch()
    until(lambda: ended(away.state_dir), "the command to end")
    still_away = now()
    away.run_engine()
    until(lambda: not away.open_rows(), "the row to be final")

    [row] = away.rows()
    assert (row["status"], row["exit_code"], row["signal"]) == ("failed", 138, signal.SIGUSR1)
    assert int(done.read_text()) // 1000 - COARSE <= row["finished_at"] <= still_away


def test_after_downtime_one_run_for_the_latest_slot_and_one_row_for_the_others(
    product: Make,
) -> None:
    down = product([{"name": "tick", "command": "true", "schedule": "every 1s"}])
    down.run_engine()
    until(lambda: len(down.rows()) >= 2 and not down.open_rows(), "two slots")
    down.kill_engine()
    last = down.rows()[-1]["scheduled_for"]
    until(lambda: now() > last + 6.3 * SECOND, "some slots to pass")
    down.start()
    ran = until(lambda: _first_run_after(down, last), "a run after the downtime")
    until(lambda: _first_run_after(down, last)["finished_at"], "its end")

    # A slow start may have missed its first slot, too: that is another row.
    missed = [row for row in down.rows() if row["status"] == "missed"]
    [folded] = [row for row in missed if row["scheduled_for"] > last]
    assert _first_run_after(down, last)["status"] == "success"
    assert ran["scheduled_for"] >= last + 6 * SECOND
    assert (folded["reason"], folded["scheduled_for"]) == ("down", last + SECOND)
    assert folded["folded_until"] == ran["scheduled_for"] - SECOND
    assert folded["folded_count"] == (ran["scheduled_for"] - last) // SECOND - 1
    assert f"Task tick: {folded['folded_count']} missed while nobody was there" in down.said()


def _first_run_after(product: Product, slot: int) -> Any:
    """The oldest row after that slot that is more than a note of what was missed."""
    rows = product.rows()
    return next(
        (row for row in rows if row["scheduled_for"] > slot and row["status"] != "missed"), None
    )


def test_a_slot_is_not_skipped_because_of_a_run_that_is_over(product: Make, tmp_path: Path) -> None:
    """What became of earlier runs is known before anything is decided."""
    done = tmp_path / "done"
    down = product(
        [{"name": "slow", "command": f"sleep 1.2; touch {done}", "schedule": "every 4s"}]
    )
    down.run_engine()
    until(lambda: [r for r in down.rows() if r["status"] == "running"], "a run")
    down.kill_engine()
    last = down.rows()[-1]["scheduled_for"]
    until(done.exists, "its command to end")
    until(lambda: now() > last + 4 * SECOND, "the next slot to pass")
    down.start()
    row = until(lambda: _first_run_after(down, last), "the next slot")

    assert (row["status"], row["reason"]) != ("skipped", "already_running")


def test_sighup_reads_the_tasks_again_and_a_broken_file_changes_nothing(product: Make) -> None:
    keep = {"name": "keep", "command": "true", "schedule": "every 1s"}
    alive = product([keep])
    alive.run_engine()
    assert alive.engine is not None
    alive.write_tasks([keep, {"name": "new", "command": "echo new", "schedule": "every 1s"}])
    alive.engine.send_signal(signal.SIGHUP)
    until(lambda: [r for r in alive.rows("new") if r["status"] == "success"], "the new task")

    alive.tasks_file.write_text(
        "tasks:\n  - name: keep\n    command: 'true'\n    schedule: hourly\n    tiemout: 1h\n"
    )
    alive.engine.send_signal(signal.SIGHUP)
    until(lambda: alive.ask("status")["banners"], "a banner")
    known = len(alive.rows("new"))
    until(lambda: len(alive.rows("new")) > known, "the others to go on")

    [banner] = alive.ask("status")["banners"]
    assert f"{alive.tasks_file}:5" in banner["text"]
    assert "tiemout" in banner["text"]
    assert {task["name"] for task in alive.ask("list")} == {"keep", "new"}
    assert alive.end_engine() == 0


def test_overlap_skip_leaves_a_row_and_a_warning(product: Make) -> None:
    busy = product([{"name": "busy", "command": "sleep 2.5", "schedule": "every 1s"}])
    busy.run_engine()
    skipped = until(
        lambda: [row for row in busy.rows() if row["status"] == "skipped"], "a slot to be skipped"
    )

    assert skipped[0]["reason"] == "already_running"
    assert skipped[0]["attempts"] == 0
    until(lambda: "skipping" in busy.said(), "the warning")
    [warning] = {line.split(" ", 1)[1] for line in busy.said().splitlines() if "skipping" in line}
    assert "WARNING" in warning
    assert "Task busy is already running, skipping" in warning


def test_worker_slots_and_pools_limit_what_runs_at_once(product: Make, tmp_path: Path) -> None:
    """Six tasks are due every two seconds; three slots in all, one of them in the pool."""
    count, full_house = "CRONPILOT_STATE_DIR/../running", tmp_path / "full house"
    # The first ones wait for each other: on a busy machine each would be over before the next.
    command = f"""mkdir "${count}.$$"
        until [ -e "{full_house}" ]; do
            [ "$(ls -d "${count}".* | wc -l)" -lt 3 ] || touch "{full_house}"
            sleep 0.02
        done
        ls -d "${count}".* | wc -l; sleep 0.2; rmdir "${count}.$$"
    """
    in_pool = [
        {
            "name": f"{'pooled' if number % 2 else 'free'} {number}",
            "command": command,
            "schedule": "every 2s",
            **({"pool": "db", "env": {"KIND": "pool"}} if number % 2 else {}),
        }
        for number in range(6)
    ]
    full = product(in_pool, {"scheduler": {"max_workers": 3}, "pools": {"db": 1}})
    full.run_engine()
    rows = until(
        lambda: len(done := [r for r in full.rows() if _has_run(r)]) >= 12 and done,
        "two rounds",
    )

    at_once = [_running_beside(row, rows) for row in rows]
    in_its_pool = [
        _running_beside(row, [other for other in rows if other["pool"]])
        for row in rows
        if row["pool"]
    ]
    assert max(at_once) == 3
    assert max(in_its_pool) == 1
    assert {row["status"] for row in rows} == {"success"}
    assert max(int(full.log(row)) for row in rows) <= 3


def _has_run(row: Any) -> bool:
    """Others are skipped, and that is well: the last run of their task was not over yet."""
    return row["started_at"] and row["finished_at"]


def _running_beside(row: Any, rows: list[Any]) -> int:
    """How many ran at the moment in which this one began, itself included."""
    moment = row["started_at"]
    return sum(other["started_at"] <= moment < other["finished_at"] for other in rows)
