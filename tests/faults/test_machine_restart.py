"""The machine died: everything is gone but the disk. Simulated: all killed, another boot id."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from ..runner.small_engine import living
from .product import Product, until

Make = Callable[..., Product]
BEFORE = {"CRONPILOT_FAKE_BOOT": "before"}
AFTER = {"CRONPILOT_FAKE_BOOT": "after"}


def the_machine_dies(product: Product) -> None:
    """Engine, keeper, wrappers and commands, all at once."""
    installation = product.installation
    product.kill_engine()
    product.kill_keeper()
    for wrapper in product.wrappers():  # with its command: alone it would still write a code
        os.killpg(wrapper, signal.SIGKILL)
    until(lambda: not living(installation), "everything to be gone")


def test_what_ran_is_lost_and_what_had_ended_is_true(product: Make, tmp_path: Path) -> None:
    go = tmp_path / "go"
    machine = product(
        [
            {"name": "long", "command": "echo here; sleep 60", "schedule": "manual"},
            {
                "name": "short",
                "command": f"until [ -e {go} ]; do sleep 0.02; done; exit 5",
                "schedule": "manual",
            },
        ]
    )
    machine.run_engine(**BEFORE)
    for name in ("long", "short"):
        machine.ask("run", name)
    until(lambda: [r["status"] for r in machine.rows()] == ["running"] * 2, "both to run")
    until(lambda: machine.log(machine.rows("long")[0]), "its first word")
    machine.kill_engine()
    machine.kill_keeper()
    go.touch()
    until(lambda: len(machine.wrappers()) == 1, "the short one to end with nobody there")
    the_machine_dies(machine)
    machine.run_engine(**AFTER)
    until(lambda: not machine.open_rows(), "both rows to be final")

    [lost] = machine.rows("long")
    [known] = machine.rows("short")
    assert (lost["status"], lost["reason"]) == ("lost", "host_restart")
    assert (lost["exit_code"], lost["signal"], lost["attempts"]) == (None, None, 1)
    assert (known["status"], known["exit_code"], known["signal"]) == ("failed", 5, None)
    assert machine.log(lost) == "here\n"


def test_on_lost_rerun_runs_again_as_the_next_attempt(product: Make) -> None:
    machine = product(
        [
            {
                "name": "again",
                "command": "echo $CRONPILOT_ATTEMPT; [ $CRONPILOT_ATTEMPT = 2 ] || sleep 60",
                "schedule": "manual",
                "on_lost": "rerun",
            }
        ]
    )
    machine.run_engine(**BEFORE)
    machine.ask("run", "again")
    until(lambda: machine.rows()[0]["status"] == "running", "it to run")
    until(lambda: machine.log(machine.rows()[0]), "its first word")
    the_machine_dies(machine)
    machine.run_engine(**AFTER)
    until(lambda: not machine.open_rows(), "the second attempt to end")

    [row] = machine.rows()
    assert (row["status"], row["exit_code"], row["attempts"]) == ("success", 0, 2)
    assert machine.log(row).split() == ["1", "2"]
    attempts = machine.query("SELECT outcome, exit_code FROM attempt ORDER BY launch")
    assert [tuple(attempt) for attempt in attempts] == [("lost", None), ("success", 0)]


def test_a_start_without_any_trace_on_the_disk_is_lost_and_not_repeated(product: Make) -> None:
    """The power cut may have taken the record with it: whether it ran, nobody can know."""
    machine = product([{"name": "once", "command": "echo ran", "schedule": "every 1s"}])
    machine.start(CRONPILOT_CRASH_AT="engine.committed", **BEFORE)
    machine.wait_killed()
    the_machine_dies(machine)
    [started] = machine.rows()
    machine.run_engine(**AFTER)
    until(
        lambda: machine.rows()[0]["status"] not in ("starting", "running"), "that row to be final"
    )

    row = machine.rows()[0]
    assert (row["id"], row["status"], row["reason"]) == (started["id"], "lost", "host_restart")
    assert (row["exit_code"], row["finished_at"], machine.log(row)) == (None, None, "")


def test_a_wrapper_of_another_boot_is_not_looked_for_by_its_pid(product: Make) -> None:
    """After a restart of the machine its pid may be somebody else's."""
    machine = product([{"name": "long", "command": "sleep 60", "schedule": "manual"}])
    machine.run_engine(**BEFORE)
    machine.ask("run", "long")
    [wrapper] = until(machine.wrappers, "it to run")
    the_machine_dies(machine)
    [record] = machine.records()
    record.write_text(record.read_text().replace(f" {wrapper} ", f" {os.getpid()} "))
    machine.run_engine(**AFTER)
    until(lambda: not machine.open_rows(), "the row to be final")

    assert machine.rows()[0]["status"] == "lost"
