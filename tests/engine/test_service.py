"""The engine as a service: what systemd and the journal hear, by a socket that plays systemd."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from cronpilot.engine import liveness
from cronpilot.engine.journal import LineFormatter, is_journal
from cronpilot.engine.service import ServiceManager, keep_telling

from ..databases import lay_ready

PATIENCE_S = 60.0


class Systemd:
    """A notify socket, and what was said to it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(PATIENCE_S)
        self.heard: list[dict[str, str]] = []

    def hear(self) -> dict[str, str]:
        """The next message."""
        message = self._socket.recv(4096).decode()
        self.heard.append(dict(line.split("=", 1) for line in message.splitlines()))
        return self.heard[-1]

    def hear_until(self, word: str) -> dict[str, str]:
        """The next message with that word."""
        while word not in (message := self.hear()):
            pass
        return message

    def drain(self) -> int:
        """Forget what came so far; how many signs of life were in it."""
        self._socket.setblocking(False)
        signs = 0
        try:
            while True:
                signs += "WATCHDOG" in self.hear()
        except BlockingIOError:
            return signs
        finally:
            self._socket.settimeout(PATIENCE_S)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["a file", "abstract"])
def systemd(request, tmp_path):
    """Somebody who listens, at a file's path or in the abstract name space."""
    abstract = f"@cronpilot-test-{os.getpid()}-{time.monotonic_ns()}"
    made = Systemd(str(tmp_path / "notify") if request.param == "a file" else abstract)
    yield made
    made.close()


def headless(folder: Path, *words: str, **environ: str) -> subprocess.Popen[str]:
    """A headless engine with a task that runs each second."""
    lay_ready(folder / "state")
    tasks = folder / "tasks.yaml"
    if not tasks.exists():
        tasks.write_text("tasks:\n- {name: tick tock, command: 'false', schedule: every 1s}\n")
    return subprocess.Popen(
        [sys.executable, "-m", "cronpilot", "--headless", "--tasks", str(tasks),
         "--state-dir", str(folder / "state"), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "CRONPILOT_KEEPER_IDLE": "0.1", **environ},
    )  # fmt: skip


def end(engine: subprocess.Popen[str]) -> str:
    """Terminate it; what it said on stderr."""
    engine.terminate()
    said = engine.communicate(timeout=PATIENCE_S)[1]
    assert engine.returncode == 0, said
    return said


def test_systemd_hears_of_the_whole_life(tmp_path, systemd):
    engine = headless(tmp_path, NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="400000")
    try:
        assert systemd.hear_until("READY")["STATUS"] == "Ready."
        assert "EXTEND_TIMEOUT_USEC" in systemd.heard[0]
        systemd.hear_until("WATCHDOG")
        assert systemd.hear_until("STATUS")["STATUS"].startswith("1 tasks, ")
        systemd.hear_until("WATCHDOG")

        before = time.monotonic_ns() // 1000
        engine.send_signal(signal.SIGHUP)
        reloading = systemd.hear_until("RELOADING")
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        systemd.hear_until("READY")
    finally:
        said = end(engine)

    systemd.hear_until("STOPPING")
    assert systemd.drain() == 0
    assert said.count("cronpilot: ready, pid ") == 1


def test_an_engine_whose_log_nobody_reads_goes_on(tmp_path):
    """As in `cronpilot --headless 2>&1 | less`, stopped: the pipe is full, writing to it waits."""
    (tmp_path / "tasks.yaml").write_text(
        "tasks:\n- {name: tick, command: 'echo >> $HERE/ticks', schedule: every 1s,"
        f" env: {{HERE: {tmp_path}}}}}\n"
    )
    ticks, patience = tmp_path / "ticks", time.monotonic() + PATIENCE_S
    ticks.touch()
    engine = headless(tmp_path)
    pipe = engine.stderr.fileno()
    try:
        while fcntl.ioctl(pipe, termios.FIONREAD, struct.pack("i", 0)) == bytes(4):
            assert time.monotonic() < patience
            time.sleep(0.02)
        with open(f"/proc/{os.getpid()}/fd/{pipe}", "wb", 0) as full:
            os.set_blocking(full.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                while full.write(b"." * 512):
                    pass
        before = ticks.stat().st_size
        while ticks.stat().st_size < before + 3:
            assert time.monotonic() < patience, "no task was started any more"
            time.sleep(0.02)
    finally:
        said = end(engine)

    assert "event=run_ended task=tick" in said


@pytest.mark.parametrize("systemd", ["a file"], indirect=True)
def test_the_commands_and_the_keeper_know_nothing_of_the_socket(tmp_path, systemd):
    (tmp_path / "tasks.yaml").write_text(
        "tasks:\n- {name: t, command: 'env > $HERE/env', schedule: every 1s,"
        f" env: {{HERE: {tmp_path}}}}}\n"
    )
    engine = headless(tmp_path, NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="100000000")
    try:
        systemd.hear_until("READY")
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "env").exists() or not (tmp_path / "env").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        keeper = (tmp_path / "state/keeper.lock").read_text().strip()
        keepers_own = Path(f"/proc/{keeper}/environ").read_text()
    finally:
        end(engine)

    assert "NOTIFY_SOCKET" not in (tmp_path / "env").read_text()
    assert "NOTIFY_SOCKET" not in keepers_own
    assert "WATCHDOG" not in keepers_own


@pytest.mark.parametrize("systemd", ["a file"], indirect=True)
def test_a_loop_that_is_stuck_gives_no_sign_of_life(systemd):
    manager = ServiceManager({"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "100000"})
    loop = asyncio.new_event_loop()
    stuck, free = threading.Event(), threading.Event()

    async def well() -> None:
        return None

    async def status() -> str:
        return "fine"

    def get_stuck() -> None:
        stuck.set()
        free.wait(PATIENCE_S)

    async def live() -> None:
        telling = asyncio.create_task(keep_telling(manager, well, status))
        await asyncio.to_thread(free.wait)
        await asyncio.to_thread(systemd.hear_until, "WATCHDOG")
        telling.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()))
    thread.start()
    systemd.hear_until("WATCHDOG")
    loop.call_soon_threadsafe(get_stuck)
    assert stuck.wait(PATIENCE_S)
    systemd.drain()
    time.sleep(0.3)  # six signs of life would have come
    signs = systemd.drain()
    free.set()
    thread.join()
    loop.close()

    assert signs == 0
    assert manager.watchdog_s == 0.1


@pytest.mark.parametrize("systemd", ["a file"], indirect=True)
async def test_a_part_that_is_stuck_is_named_instead(systemd, caplog):
    manager = ServiceManager({"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "100000"})

    async def stuck() -> str:
        return "The writer"

    telling = asyncio.create_task(keep_telling(manager, stuck, stuck))
    heard = await asyncio.to_thread(systemd.hear)
    telling.cancel()

    assert heard == {"STATUS": "The writer is stuck."}
    assert "The writer is stuck" in caplog.text


async def test_an_engine_that_works_has_no_stuck_part(bench):
    async with bench.engine() as engine:
        assert await engine.stuck_part() is None


async def test_a_writer_that_does_not_come_back_is_noticed(bench, monkeypatch):
    monkeypatch.setattr(liveness, "ANSWER_S", 0.2)
    free = threading.Event()
    async with bench.engine() as engine:
        blocked = engine._database.write(lambda c: free.wait(PATIENCE_S))
        assert await engine.stuck_part() == "The writer"
        free.set()
        assert blocked.result(PATIENCE_S)
        assert await engine.stuck_part() is None


async def test_a_scheduler_that_looks_no_more_is_noticed(bench, monkeypatch):
    async with bench.engine() as engine:
        await asyncio.to_thread(engine._scheduler.stop)
        monkeypatch.setattr(liveness, "LONGEST_PASS_S", -1.0)
        assert await engine.stuck_part() == "The scheduler"


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        pytest.param({}, None, id="nobody watches"),
        pytest.param({"WATCHDOG_USEC": "60000000"}, 60.0, id="somebody watches"),
        pytest.param({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None, id="not us"),
        pytest.param({"WATCHDOG_USEC": "often"}, None, id="no number"),
    ],
)
def test_the_watchdog_of_the_environment(environ, watchdog_s):
    assert ServiceManager(environ).watchdog_s == watchdog_s
    assert environ == {}


def test_a_service_manager_that_is_gone_is_a_line_of_the_log(tmp_path, caplog):
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("Ready.")

    assert "does not hear us" in caplog.text


# --- the log -------------------------------------------------------------------------------------


def test_each_start_and_end_is_a_line_for_machines(tmp_path):
    engine = headless(tmp_path)
    lines: list[str] = []
    assert engine.stderr is not None
    for line in engine.stderr:
        lines.append(line)
        if "event=run_ended" in line:
            break
    end(engine)

    started = next(line for line in lines if "event=run_started" in line)
    stamp, level, *words = started.split(" ", 2)
    assert (len(stamp), stamp[-1], level) == (24, "Z", "INFO")
    run = words[0].partition(" run=")[2].split()[0]  # not 1 where a slow start missed its slot
    assert words[0].startswith(f'event=run_started task="tick tock" run={run} attempt=1 pid=')
    assert f'task="tick tock" run={run} status=failed exit=1 took_s=' in lines[-1]


@pytest.mark.parametrize("systemd", ["a file"], indirect=True)
def test_a_quiet_log_has_no_line_of_a_run(tmp_path, systemd):
    engine = headless(tmp_path, "--log-level", "warning", NOTIFY_SOCKET=systemd.address)
    systemd.hear_until("READY")
    logs = tmp_path / "state/logs/1"  # run 1 has none where a slow start missed its slot
    deadline = time.monotonic() + PATIENCE_S
    while not list(logs.glob("*.log")):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    assert "event=" not in end(engine)


def record(level: int, text: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("cronpilot", level, "", 0, text, (), None)
    made.created = 1_772_625_600.12
    vars(made).update(extra)
    return made


def test_a_line_for_people_and_machines():
    line = LineFormatter().format(record(logging.WARNING, 'Task "a" is already running'))

    assert line == '2026-03-04T12:00:00.120Z WARNING msg="Task \\"a\\" is already running"'


def test_a_line_for_the_journal_has_its_level_as_prefix():
    words = {"event": "run_ended", "task": "x\x1b[2J\ny", "reason": None, "exit": 0}
    line = LineFormatter(for_journal=True).format(record(logging.INFO, "", words=words))

    assert line == "<6>event=run_ended task=x\\x1b[2J␤y exit=0"


def test_each_line_of_a_traceback_has_the_prefix():
    try:
        raise ValueError("so")
    except ValueError:
        broken = record(logging.ERROR, "It failed", exc_info=sys.exc_info())
    lines = LineFormatter(for_journal=True).format(broken).split("\n")

    assert lines[0] == '<3>msg="It failed"'
    assert len(lines) > 2
    assert {line[:3] for line in lines} == {"<3>"}


def test_the_journal_is_known_by_device_and_inode(tmp_path):
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        ours = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}

        assert is_journal(ours, stream.fileno())
        assert not is_journal({"JOURNAL_STREAM": "1:2"}, stream.fileno())
        assert not is_journal({}, stream.fileno())
