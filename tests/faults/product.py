"""The product as people start it, on a directory of its own: to be killed, and asked afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cronpilot.runner.keeper import record

from ..asking import ask
from ..databases import lay_ready
from ..patience import PATIENCE_S
from ..runner.small_engine import keeper_pid, living

OPEN = "('queued', 'starting', 'running', 'retrying')"


def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Look until it holds; what it holds."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


class Product:
    """One state directory with its tasks file; at most one engine that this class has started."""

    def __init__(
        self,
        root: Path,
        tasks: Sequence[Mapping[str, Any]],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.root, self.state_dir = root, root / "state"
        self.tasks_file, self.config_file = root / "tasks.yaml", root / "config.yaml"
        self.stderr = root / "stderr"
        self.stderr.touch()
        self.config_file.write_text(yaml.safe_dump(dict(settings or {})))
        self.engine: subprocess.Popen[bytes] | None = None
        lay_ready(self.state_dir)
        self.write_tasks(tasks)

    def write_tasks(self, tasks: Sequence[Mapping[str, Any]]) -> None:
        self.tasks = [dict(task) for task in tasks]
        self.tasks_file.write_text(yaml.safe_dump({"tasks": self.tasks}, sort_keys=False))

    # --- life and death ---

    def command(self, *words: str) -> list[str]:
        return [
            sys.executable, "-m", "cronpilot", *words, "--state-dir", str(self.state_dir),
            "--tasks", str(self.tasks_file), "--config", str(self.config_file),
        ]  # fmt: skip

    def start(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start an engine; it is not ready yet."""
        with self.stderr.open("ab") as errors:
            self._said_before = errors.tell()
            self.engine = subprocess.Popen(
                self.command("--headless"), stdin=subprocess.DEVNULL, stdout=errors,
                stderr=errors, start_new_session=True, env={**os.environ, **environ},
            )  # fmt: skip
        return self.engine

    def wait_ready(self) -> None:
        """Until the engine says so. Fails when it ends instead."""
        until(lambda: self.is_ready() or self.has_ended(), "the engine to be ready")
        assert self.is_ready(), self.said()

    def is_ready(self) -> bool:
        return "cronpilot: ready, pid " in self.said()

    def has_ended(self) -> bool:
        return self.engine is None or self.engine.poll() is not None

    def run_engine(self, **environ: str) -> None:
        """Start one and wait until it answers."""
        self.start(**environ)
        self.wait_ready()

    def kill_engine(self) -> None:
        """As a crash would: at once."""
        assert self.engine is not None
        self.engine.kill()
        self.engine.wait()

    def wait_killed(self, patience_s: float = PATIENCE_S) -> None:
        """Until the engine has killed itself at a crash point."""
        until(self.has_ended, "the engine to die", patience_s)
        assert self.engine is not None
        assert self.engine.returncode == -signal.SIGKILL, self.said()

    def end_engine(self) -> int:
        """As systemd would; the exit code."""
        assert self.engine is not None
        self.engine.terminate()
        return self.engine.wait(PATIENCE_S)

    def keepers_started(self) -> int:
        """How many there were so far."""
        log = self.state_dir / "keeper.log"
        return log.read_text().count(" started") if log.exists() else 0

    def keeper(self) -> int | None:
        """The pid of the one that lives."""
        return keeper_pid(self.state_dir)

    def kill_keeper(self) -> bool:
        """Kill it if there is one; whether there was."""
        pid = self.keeper()
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def wrappers(self) -> list[int]:
        """The living wrappers: parents of commands that have begun and not ended."""
        found = []
        for path in self.records():
            with contextlib.suppress(OSError):
                fd = record.reopen(str(path))
                seen = record.read(fd)
                os.close(fd)
                over = seen.ended or seen.has("K")
                if seen.command and not over and _is_wrapper(seen.command.parent):
                    found.append(seen.command.parent)
        return found

    def clean_up(self) -> None:
        """Leave no process behind."""
        if not self.has_ended():
            self.kill_engine()
        self.kill_keeper()
        if (self.state_dir / "cronpilot.db").exists():
            for pid in living(self.installation):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # --- what is known afterwards ---

    def said(self) -> str:
        """What the newest engine wrote on its stderr."""
        return self.stderr.read_bytes()[self._said_before :].decode(errors="replace")

    def query(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Read the database from outside; nothing when it is not there yet."""
        try:
            connection = sqlite3.connect(
                f"file:{self.state_dir}/cronpilot.db?mode=ro", uri=True, timeout=PATIENCE_S
            )
        except sqlite3.OperationalError:
            return []
        with contextlib.closing(connection):
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()

    @property
    def installation(self) -> str:
        rows = self.query("SELECT value FROM setting WHERE key = 'installation_id'")
        return str(rows[0]["value"]) if rows else "?"

    def rows(self, task: str | None = None) -> list[sqlite3.Row]:
        """All runs, or those of one task, oldest slot first."""
        return self.query(
            "SELECT run.*, task.name AS task_name FROM run JOIN task ON task.id = run.task_id"
            " WHERE ?1 IS NULL OR task.name = ?1 ORDER BY run.scheduled_for, run.id", task,
        )  # fmt: skip

    def open_rows(self) -> int:
        return int(self.query(f"SELECT count(*) FROM run WHERE status IN {OPEN}")[0][0])

    def records(self) -> list[Path]:
        folder = self.state_dir / "records"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def log(self, row: sqlite3.Row) -> str:
        path = self.state_dir / "logs" / str(row["task_id"]) / f"{row['id']}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def ask(self, *words: str) -> Any:
        """A command of the product's own command line, answered as JSON."""
        _, _, _, *command = self.command(*words)
        return ask(*command)


def _is_wrapper(pid: int) -> bool:
    """It leads a session of its own, and waits for a command."""
    try:
        return os.getsid(pid) == pid and os.getpgid(pid) == pid
    except ProcessLookupError:
        return False
