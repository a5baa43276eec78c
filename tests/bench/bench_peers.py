"""CronPilot beside yacron, cronstable and APScheduler's SQLAlchemy store, in one run.

    python tests/bench/bench_peers.py [RUNS]

Each peer is installed by pip into an environment of its own that is gone afterwards; one that
cannot be installed or does not run is a row that says why. A run is `sh -c true`, and all are due
at one moment: yacron and cronstable start them all at once, APScheduler and CronPilot eight at a
time. CPU is user and system time of a program and of all that it started and waited for, from just
before the due moment until nothing is left to write. On a busy machine it is more: compare rows
whose load is alike. It takes some three minutes, of which up to one is spent waiting for yacron's
next minute (it knows no seconds); after ten, a peer is a row that says that no time was left.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import bench_due
import bench_engine
from measuring import SECOND, Command, Row, cpu_of, cpu_of_children, environment, wait_until

RUNS = 300
DUE = 1000
IN_ALL = 600  # seconds after which no more is measured
INSTALL = 240  # seconds for one environment, before it is given up
LAST = 20  # seconds after the due moment in which every run must be done
LEAD = 8  # seconds a daemon gets to start and to read its tasks
ENDED = b" exit code 0;"  # what yacron and cronstable log of each run that went well

NO_STATE = "nothing is durable: runs and results are in memory and in its log"
FILES = "durable: a flushed JSON file for each start and end; what dies with it is `interrupted`"
STORE = "durable: when a job is next due; not that it ran, nor how it ended"
OURS = "durable: every verdict; the command outlives the engine, its result is kept"


class Unusable(Exception):
    """A peer could not be installed or did not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A package in an environment of its own."""

    title: str
    bin: Path


@dataclass(frozen=True, slots=True)
class Burst:
    """What many runs due at one moment cost: seconds of CPU in all, and until the last was done."""

    runs: int
    cpu: float
    wall: float


# --- installing ----------------------------------------------------------------------------------


def output(command: list[str], seconds: float) -> str:
    """What it prints; its last complaint as Unusable if it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=environment()
        )
    except subprocess.TimeoutExpired:
        raise Unusable(f"not done after {seconds:g} s") from None
    if done.returncode:
        raise Unusable(complaint(done.stderr))
    return done.stdout


def complaint(text: str) -> str:
    """The last line that speaks of an error, or just the last."""
    lines = text.strip().splitlines() or ["it ended and gave no reason"]
    return ([line for line in lines if "error" in line.lower()] or lines)[-1][:160]


def install(folder: Path, packages: list[str]) -> Peer:
    home = folder / packages[0]
    python = str(home / "bin/python")
    output([sys.executable, "-m", "venv", "--without-pip", str(home)], INSTALL)
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    output([*pip, "install", "-q", "--retries", "1", *packages], INSTALL)
    ask = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    versions = output([python, "-c", ask, *packages], LEAD).split()
    named = (f"{name} {number}" for name, number in zip(packages, versions, strict=True))
    return Peer(", ".join(named), home / "bin")


# --- a daemon with many jobs due at one moment ---------------------------------------------------


def jobs_file(path: Path, schedule: str, runs: int, extra: str = "") -> Path:
    """In the YAML that yacron and cronstable share."""
    job = "  - name: job{:04}\n    command: 'true'\n    utc: true\n    schedule: '{}'\n"
    path.write_text(extra + "jobs:\n" + "".join(job.format(n, schedule) for n in range(runs)))
    return path


@contextmanager
def daemon(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdout=written, stderr=written, cwd=log.parent, env=environment()
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def burst(command: list[str], log: Path, due: datetime, runs: int) -> Burst:
    """Start the daemon, wait for the due moment, and measure until its log has all runs."""

    def done() -> bool:
        return log.read_bytes().count(ENDED) >= runs or process.poll() is not None

    with daemon(command, log) as process:
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 0.2))
        if process.poll() is not None:
            raise Unusable(complaint(log.read_text()))
        before = cpu_of(process.pid)
        try:
            wait_until(done, LAST)
        except TimeoutError:
            count = log.read_bytes().count(ENDED)
            raise Unusable(f"{count} of {runs} runs done {LAST} s after the time") from None
        wall = time.time() - due.timestamp()
        return Burst(runs, cpu_when_quiet(process.pid) - before, wall)


def cpu_when_quiet(pid: int) -> float:
    """CPU seconds of a daemon that may still be writing what its log has said already."""
    cpu = cpu_of(pid)
    for _ in range(LAST):
        time.sleep(1)
        before, cpu = cpu, cpu_of(pid)
        if cpu - before < 0.03:
            break
    return cpu


def burst_rows(title: str, measured: Burst, kept: str) -> Iterator[Row]:
    each = measured.cpu / measured.runs * 1e3
    done = f"{measured.runs} runs done in {measured.wall:.1f} s, load {os.getloadavg()[0]:.1f}"
    yield Row(f"{title}: CPU of a run", each, "ms", note=done)
    yield Row(f"  {kept}", None, "")


def cpu_of_command(command: list[str]) -> float:
    before = cpu_of_children()
    output(command, LEAD)
    return cpu_of_children() - before


# --- the peers -----------------------------------------------------------------------------------


def yacron(peer: Peer, folder: Path, runs: int) -> Iterator[Row]:
    now = datetime.now(UTC)
    due = now.replace(second=0, microsecond=0) + 60 * SECOND
    if due - now < LEAD * SECOND:
        due += 60 * SECOND
    tasks = jobs_file(folder / "yacron.yaml", f"{due:%-M %-H %-d %-m} *", runs)
    command = [str(peer.bin / "yacron"), "-c", str(tasks)]
    yield from burst_rows(peer.title, burst(command, folder / "yacron.log", due, runs), NO_STATE)
    read = cpu_of_command([*command, "-v"]) - cpu_of_command([command[0], "--version"])
    note = "every minute, before it starts any"
    yield Row(f"  of which reading its file of {runs} jobs", read / runs * 1e3, "ms", note=note)


def cronstable(peer: Peer, folder: Path, runs: int) -> Iterator[Row]:
    state = f"state:\n  path: {folder / 'cronstable-state'}\n"
    for name, extra, note in (("", "", NO_STATE), (", with `state`", state, FILES)):
        due = datetime.now(UTC).replace(microsecond=0) + (LEAD + 1) * SECOND
        schedule = f"{due:%-S %-M %-H %-d %-m} * {due:%Y}"
        tasks = jobs_file(folder / "cronstable.yaml", schedule, runs, extra)
        command = [str(peer.bin / "cronstable"), "-c", str(tasks)]
        measured = burst(command, folder / "cronstable.log", due, runs)
        yield from burst_rows(peer.title + name, measured, note)


def apscheduler(peer: Peer, folder: Path, runs: int) -> Iterator[Row]:
    script = str(Path(__file__).with_name("in_apscheduler.py"))
    command = [str(peer.bin / "python"), script, str(folder), str(DUE), str(runs)]
    figures = json.loads(output(command, 35))
    wall, cpu = figures["runs"]
    yield from burst_rows(peer.title, Burst(runs, cpu, wall), STORE)
    for key, settings in (("default", "SQLite as it comes"), ("wal", "WAL, FULL")):
        wall, cpu = figures[key]
        what = f"  one pass over {DUE:,} due jobs, {settings}"
        yield Row(what, wall, "s", note=f"CPU {cpu:.2f} s; nothing run, no row of a run written")


def cronpilot(runs: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        wall, cpu, _ = asyncio.run(bench_engine.durable(Path(folder), runs))
    yield from burst_rows("CronPilot", Burst(runs, cpu, wall), OURS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        took, cpu, _ = asyncio.run(bench_due.all_due(Path(folder), DUE))
    note = f"CPU {cpu:.2f} s with the first runs; a row of each run written"
    yield Row(f"  {DUE:,} tasks due: recorded", took, "s", note=note)


PEERS = (  # with the seconds that each may take on a slow machine
    (["cronstable"], cronstable, 2 * (LEAD + LAST)),
    (["yacron"], yacron, 60 + LEAD),
    (["apscheduler", "sqlalchemy"], apscheduler, 30),
)


def rows(runs: int = RUNS) -> Iterator[Row]:
    until = time.monotonic() + IN_ALL
    load = " ".join(f"{figure:.1f}" for figure in os.getloadavg())
    machine = f"load average {load}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    yield Row(f"beside the peers: {machine}", None, "")
    _, bare = bench_engine.spawned(["/bin/sh", "-c", "true"], runs)
    yield Row(
        "posix_spawn of `sh -c true`: CPU of a run",
        bare / runs * 1e3,
        "ms",
        note="nothing recorded",
    )
    yield from cronpilot(runs)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        ThreadPoolExecutor() as pool,
    ):
        folder = Path(name)
        going = [pool.submit(install, folder, packages) for packages, _, _ in PEERS]
        wait(going)  # nothing is measured beside pip
        for (packages, measure, needs), future in zip(PEERS, going, strict=True):
            try:
                peer = future.result()
                if time.monotonic() + needs > until:
                    raise Unusable(f"needs up to {needs} s, and there is no such time left")
                yield from measure(peer, folder, runs)
            except Unusable as reason:
                yield Row(f"{packages[0]}: not measured", None, "", note=str(reason))


if __name__ == "__main__":
    command = Command(__doc__, "100 runs")
    command.add_argument("runs", nargs="?", type=int, default=RUNS)
    command.show(lambda asked: rows(100 if asked.quick else asked.runs))
