"""What the benchmarks share: rows of a table, CPU and memory, databases full of tasks."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from cronpilot.domain.task import TaskSpec
from cronpilot.storage.database import Database
from cronpilot.storage.migrate import prepare
from cronpilot.storage.tables import Origin
from cronpilot.storage.tasks import SPEC_FIELDS, TASK

CRONPILOT = [sys.executable, "-m", "cronpilot"]
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, or only words; `limit` is what the machine needs for the bare minimum of it."""

    what: str
    value: float | None
    unit: str
    budget: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether the figure is on the wrong side of its budget. Of work a second, more is good."""
        if self.value is None or self.budget is None:
            return False
        return self.value < self.budget if self.unit == "runs/s" else self.value > self.budget


def head(width: int = 64) -> str:
    return f"{'':{width}} {'figure':>9} {'budget':>9} {'bare':>9}  unit"


def line(row: Row, width: int = 64) -> str:
    if row.value is None:
        return "  ".join(word for word in (row.what, row.note) if word)
    figures = " ".join(
        f"{'' if figure is None else f'{figure:.5g}':>9}"
        for figure in (row.value, row.budget, row.limit)
    )
    note = "; ".join(word for word in ("MISSED" if row.is_missed else "", row.note) if word)
    return f"{row.what:{width}} {figures}  {row.unit:11} {note}".rstrip()


# --- a benchmark as a command --------------------------------------------------------------------


def say(sentence: str) -> None:
    """Progress, for whoever waits."""
    print(sentence, file=sys.stderr, flush=True)


class Command(argparse.ArgumentParser):
    """A benchmark: `--help` is what its file says of itself; all know `--quick` and `--json`."""

    def __init__(self, doc: str | None, quick: str = "as it is, it is quick enough") -> None:
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(description=doc, formatter_class=raw)
        self.add_argument("--quick", action="store_true", help=quick)
        self.add_argument("--json", action="store_true", help="a line of JSON for each figure")

    def show(self, measure: Callable[[argparse.Namespace], Iterable[Row]]) -> None:
        """Measure as asked, and print each figure as it comes. A mistake is the last line."""
        asked = self.parse_args()
        if not asked.json:
            print(head())
            for row in measure(asked):
                print(line(row), flush=True)
            return
        try:
            for row in measure(asked):
                print(json.dumps(asdict(row)), flush=True)
        except Exception as mistake:
            traceback.print_exc()
            print(json.dumps({"broke": f"{type(mistake).__name__}: {mistake}"}), flush=True)
            sys.exit(1)


# --- CPU and memory ------------------------------------------------------------------------------


def own_cpu() -> float:
    """CPU seconds of this process, all threads."""
    return time.process_time()


def cpu_of_children() -> float:
    """CPU seconds of this process's reaped children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid: int, *, children: bool = True) -> float:
    """CPU seconds of another process, with those of its reaped children."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, words[11 : 15 if children else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    """Memory in MB, shared pages divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"no Pss of {pid}")


# --- state directories ---------------------------------------------------------------------------


def make_tasks(
    state_dir: Path,
    count: int,
    *,
    schedule: str = "manual",
    resolved: str = "",
    next_run_at: datetime | None = None,
    **fields: object,
) -> Path:
    """A database with that many tasks that run `true`, all due at `next_run_at`; its path."""
    path = state_dir / "cronpilot.db"
    prepare(path)
    spec = TaskSpec.model_validate(
        {
            "name": "x",
            "command": "true",
            "working_dir": "/",
            "timezone": "UTC",
            "schedule": schedule,
            **fields,
        }
    )
    values = {field: getattr(spec, field) for field in SPEC_FIELDS}
    values |= {
        "resolved": resolved, "zone_key": "UTC", "next_run_at": next_run_at, "version": 1,
        "origin": Origin.API, "spec_hash": spec.meaning(), "created_at": datetime.now(UTC),
        "tombstone": False, "runs": 0, "successes": 0, "duration_ms": 0, "last_verdicts": [],
    }  # fmt: skip
    rows = [{**values, "name": f"task {number:05}"} for number in range(count)]
    database = Database(path)
    database.write(lambda connection: connection.execute(insert(TASK), rows)).result()
    database.close()
    return path


def count_rows(path: Path, where: str = "1") -> int:
    """How many committed runs there are."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute(f"SELECT count(*) FROM run WHERE {where}").fetchone()[0])
    finally:
        connection.close()


_WATCH = """
import sqlite3, sys, time
path, wanted = sys.argv[1], int(sys.argv[2])
connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
while connection.execute("SELECT count(*) FROM run").fetchone()[0] < wanted:
    time.sleep(0.004)
print(time.time())
"""


@contextmanager
def watch_rows(path: Path, wanted: int) -> Iterator[Callable[[], float]]:
    """Look from another process until so many runs are committed; the call waits for the moment."""
    watcher = subprocess.Popen(
        [sys.executable, "-S", "-c", _WATCH, str(path), str(wanted)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield lambda: float(watcher.communicate(timeout=120)[0])
    finally:
        watcher.kill()
        watcher.wait()


# --- the product as its own process --------------------------------------------------------------


@contextmanager
def headless(state_dir: Path, *arguments: str) -> Iterator[tuple[int, float]]:
    """A headless engine; its pid, and how many seconds it took until it said that it is ready."""
    began = time.perf_counter()
    said = state_dir / "stderr"
    with said.open("wb") as stderr:  # a pipe that nobody reads would block what writes a log line
        engine = subprocess.Popen(
            [*CRONPILOT, "--headless", "--state-dir", str(state_dir), *arguments],
            stderr=stderr, env=environment(), cwd=state_dir,
        )  # fmt: skip
    try:
        while b"ready" not in said.read_bytes() and engine.poll() is None:
            time.sleep(0.002)
        yield engine.pid, time.perf_counter() - began
    finally:
        engine.terminate()
        engine.wait(20)


def environment() -> dict[str, str]:
    """Ours, with compiled modules kept, as an installation has them, and keepers that soon go."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {"CRONPILOT_API_PORT": "off", **kept, "CRONPILOT_KEEPER_IDLE": "0.1"}


def keeper_of(state_dir: Path) -> int:
    """The pid of the keeper that holds this directory."""
    return int((state_dir / "keeper.lock").read_text())


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Look every few milliseconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)
