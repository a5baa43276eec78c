"""The doctor says what is wrong, in words, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cronpilot.cli import main
from cronpilot.domain.run import Status
from cronpilot.engine import disk
from cronpilot.maintenance import machine, state
from cronpilot.maintenance.doctor import Patient, examine
from cronpilot.maintenance.finding import Finding
from cronpilot.maintenance.stop import stop_without_engine
from cronpilot.runner.keeper.launch import Launcher
from cronpilot.storage.lock import DatabaseLock
from cronpilot.storage.migrate import HEAD
from tests.engine.conftest import finished, reached, start, until

SLEEPER = "name: slow\ncommand: sleep 300\nschedule: manual\nstop_grace: 1s"


def of(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.name == name)


def seen(settings) -> list[Finding]:
    return examine(Patient(settings), os.environ)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below, with its size and the time of its last change."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


async def keeper_gone(bench) -> None:
    """Kill it, and wait until the kernel has freed its lock."""
    bench.kill_keeper()

    async def is_free() -> bool:
        return state.lock_holder(bench.state_dir / "keeper.lock") is None

    await until(is_free, "the end of the keeper")


async def test_a_directory_after_an_engine_is_good_but_for_the_engine(bench, settings):
    bench.tasks("name: quick\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "quick")).id)
    await keeper_gone(bench)
    before = files(bench.state_dir)

    findings = seen(replace(settings, tasks_file=bench.tasks_file))

    assert files(bench.state_dir) == before
    about_us = [one for one in findings if one.name not in ("clock", "program", "logging out")]
    assert [one.name for one in about_us if one.verdict != "good"] == ["engine"]
    assert of(findings, "engine").hint == "Start one: cronpilot --headless"
    assert of(findings, "tasks.yaml").text == f"{bench.tasks_file} is valid: 1 tasks"
    assert of(findings, "database").text.startswith(f"sound, schema {HEAD}, ")


async def test_runs_without_keeper_and_engine_are_counted(bench, settings):
    bench.tasks(SLEEPER)
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        assert of(seen(settings), "keeper").text.endswith("lives, with 1 run")
    await keeper_gone(bench)

    found = of(seen(settings), "keeper")

    assert (found.verdict, found.text) == ("warning", "gone, while 1 run goes on")
    await asyncio.to_thread(
        stop_without_engine, settings, [run.id], everything=False, signal="KILL"
    )


def test_who_holds_the_database_and_does_not_answer_is_named(bench, settings):
    lock = DatabaseLock(settings.database)
    assert lock.take()
    found = of(seen(settings), "engine")
    lock.release()

    assert found.verdict == "problem"
    assert found.text == f"pid {os.getpid()} holds the database and does not answer"


def test_a_damaged_database_names_the_newest_copy(bench, settings):
    settings.database.write_bytes(b"rubbish" * 1000)
    copy = bench.state_dir / "backups" / "nightly-20260305.db"
    copy.parent.mkdir()
    copy.touch()

    found = of(seen(settings), "database")

    assert found.verdict == "problem"
    assert found.hint == f"Restore the newest copy: cronpilot restore {copy}"


def test_a_database_that_is_gone_or_newer_is_a_problem(bench, settings):
    copy = bench.state_dir / "backups" / "nightly-20260305.db"
    copy.parent.mkdir()
    copy.touch()
    gone = of(seen(settings), "database")
    connection = sqlite3.connect(settings.database)
    connection.execute("CREATE TABLE alembic_version (version_num)")
    connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.commit()
    connection.close()
    newer = of(seen(settings), "database")

    assert (gone.verdict, gone.hint) == ("problem", f"Restore it: cronpilot restore {copy}")
    assert (newer.verdict, newer.hint) == ("problem", "Update CronPilot.")


def test_an_open_directory_and_a_full_disk_are_said(bench, settings, monkeypatch):
    bench.state_dir.chmod(0o755)
    monkeypatch.setattr(state, "free_bytes", lambda _: disk.LEAST_FREE - 1)

    findings = seen(settings)

    directory, space = of(findings, "state directory"), of(findings, "disk space")
    assert (directory.verdict, directory.hint) == ("warning", f"chmod 700 {bench.state_dir}")
    assert (space.verdict, space.text) == ("problem", "64 MB are free: nothing is started")


def test_a_shell_that_fails_the_keepers_test_is_a_problem(monkeypatch):
    monkeypatch.setattr(Launcher, "self_test", lambda _: "/bin/sh failed a test.")

    (found,) = machine.wrapper()

    assert (found.verdict, found.text) == ("problem", "/bin/sh failed a test.")


def test_a_clock_that_shows_the_past_is_a_problem(monkeypatch):
    monkeypatch.setattr(machine, "_RELEASED", datetime.now(UTC) + timedelta(days=1))

    (found,) = machine.clock()

    assert (found.verdict, found.hint) == ("problem", "Set it.")
    assert found.text.endswith(", long past")


@pytest.mark.parametrize(
    ("said", "verdict", "words"),
    [("yes", "good", ", kept right by NTP"), ("no", "warning", ", not kept right by NTP"),
     (None, "good", "; whether NTP keeps it right cannot be told here")],
)  # fmt: skip
def test_whether_somebody_keeps_the_clock_right(monkeypatch, said, verdict, words):
    monkeypatch.setattr(machine, "_DRIFT_S", 3600)  # this machine's own clock may be set just now
    monkeypatch.setattr(machine, "_ask", lambda *_: said)

    (found,) = machine.clock()

    assert (found.verdict, found.text.endswith(f" UTC{words}")) == (verdict, True)


def test_a_machine_without_zone_data_is_a_problem(monkeypatch):
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: {"UTC"})

    (found,) = machine.zones()

    assert (found.verdict, found.hint) == ("problem", "Install the package tzdata.")


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        pytest.param({}, "good", id="nothing said"),
        pytest.param({"etc/systemd/logind.conf": "#KillUserProcesses=yes\n"}, "good", id="comment"),
        pytest.param({"etc/systemd/logind.conf": "KillUserProcesses=yes\n"}, "warning", id="yes"),
        pytest.param(
            {"etc/systemd/logind.conf": "KillUserProcesses=yes\n",
             "etc/systemd/logind.conf.d/50.conf": "[Login]\nKillUserProcesses = no\n"},
            "good", id="a drop-in has the last word",
        ),
        pytest.param(
            {"etc/systemd/logind.conf": "KillUserProcesses=yes\n",
             "var/lib/systemd/linger/daemon": ""},
            "good", id="who lingers is spared",
        ),
    ],
)  # fmt: skip
def test_whether_a_logout_ends_what_runs(tmp_path, files, verdict):
    (tmp_path / "run/systemd/seats").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    (found,) = machine.logind(tmp_path, 1)  # 1 is daemon, everywhere

    assert found.verdict == verdict


def test_a_program_that_is_not_found_by_its_name(tmp_path):
    (found,) = machine.program({"PATH": str(tmp_path)})

    assert (found.verdict, found.text) == ("warning", "PATH has no cronpilot")


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CRONPILOT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_exit_code_is_the_worst_finding(somewhere, capsys):
    (somewhere / "config.yaml").write_text("poools: {}\n")

    code = main(["doctor", "--json", "--state-dir", str(somewhere / "state")])

    findings = json.loads(capsys.readouterr().out)
    config = next(one for one in findings if one["name"] == "config.yaml")
    assert code == 2
    assert config["verdict"] == "problem"
    assert "poools" in config["text"]


def test_the_table_says_each_verdict_by_mark_and_word(somewhere, capsys):
    code = main(["doctor", "--state-dir", str(somewhere / "state")])

    out = capsys.readouterr().out
    assert code == 1
    assert "! warning  engine" in out
    assert "✓ good     database" in out
    assert "warning, engine: none runs: nothing is started. Start one: cronpilot --headless" in out


def test_restore_without_a_terminal_needs_a_yes(somewhere):
    copy = somewhere / "copy.db"
    copy.touch()
    words = [sys.executable, "-m", "cronpilot", "restore", str(copy), "--state-dir", "state"]

    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    assert done.returncode == 2
    assert "Say it with --yes." in done.stderr
    assert not (somewhere / "state").exists()


def test_the_summary_ends_no_sentence_twice(bench, capsys):
    bench.tasks_file.write_text("tasks: [{name: a}]\n")
    code = main(["doctor", "--state-dir", str(bench.state_dir), "--tasks", str(bench.tasks_file)])

    assert code == 2
    assert ".. " not in capsys.readouterr().out
