"""What a headless engine with 10,000 tasks holds in memory, and uses while nothing is due.

    python tests/bench/bench_resident.py [SECONDS]

The bare limit of the memory is a Python that has imported SQLModel, APScheduler and FastAPI; that
of the keeper a Python without site.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import (
    CRONPILOT,
    Command,
    Row,
    count_rows,
    cpu_of,
    environment,
    headless,
    keeper_of,
    make_tasks,
    pss_mb,
    wait_until,
)  # fmt: skip

TASKS = 10_000
BIG = "import sqlmodel, apscheduler.schedulers.background, fastapi, uvicorn"


def bare_mb(*arguments: str) -> float:
    """Memory of a Python that has run this and waits."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdout.readline()
    memory = pss_mb(process.pid)
    process.stdin.close()
    process.wait()
    return memory


def sleepers(state_dir: Path, count: int) -> None:
    """Start that many runs of the tasks that sleep."""
    for number in range(count):
        subprocess.run(
            [*CRONPILOT, "run", f"task {number:05}", "--state-dir", str(state_dir)],
            env=environment(), check=True, capture_output=True,
        )  # fmt: skip


def rows(seconds: float = 20) -> Iterator[Row]:
    wait = "; print(1, flush=True); sys.stdin.read()"
    engine_bare = bare_mb("-c", f"import sys; {BIG}{wait}")
    keeper_bare = bare_mb("-I", "-S", "-c", f"import sys{wait}")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state_dir = Path(folder)
        database = make_tasks(
            state_dir, TASKS, schedule="30 2 * * *", resolved="30 2 * * *", next_run_at=tomorrow,
            command="sleep 1000",
        )  # fmt: skip
        with headless(state_dir) as (pid, ready):
            time.sleep(2)
            keeper = keeper_of(state_dir)
            cpu, keeper_cpu = cpu_of(pid), cpu_of(keeper)
            time.sleep(seconds)
            idle = (cpu_of(pid) - cpu + cpu_of(keeper) - keeper_cpu) / seconds * 100
            memory, keeper_memory = pss_mb(pid), pss_mb(keeper)
            sleepers(state_dir, 5)
            wait_until(lambda: count_rows(database, "status = 'running'") == 5)
            run_memory = (pss_mb(keeper) - keeper_memory) / 5
            wrappers = [int(word) for word in children_of(keeper)]
            run_memory += sum(map(pss_mb, wrappers)) / 5
            shutdown = [*CRONPILOT, "shutdown", "--with-tasks", "--state-dir", str(state_dir)]
            subprocess.run(shutdown, env=environment(), check=False, capture_output=True)
    yield Row("headless start with 10,000 tasks: ready", ready, "s")
    yield Row("memory of the engine, 10,000 tasks", memory, "MB", 110, engine_bare)
    yield Row("memory of the keeper", keeper_memory, "MB", 12, keeper_bare)
    yield Row("memory of ours per running task", run_memory, "MB")
    yield Row(f"idle CPU of engine and keeper over {seconds:.0f} s", idle, "% of a core", 1.0)


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


if __name__ == "__main__":
    command = Command(__doc__, "5 seconds")
    command.add_argument("seconds", nargs="?", type=float, default=20)
    command.show(lambda asked: rows(5 if asked.quick else asked.seconds))
