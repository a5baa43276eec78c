"""The keeper's own life: one at a time, one engine at a time, and gone when nothing is to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cronpilot.runner import Linked, Local, Report, Trouble, Unlinked, keeper
from cronpilot.runner import executor as executor_module
from cronpilot.runner.executor import PROGRAM
from cronpilot.runner.keeper import protocol
from cronpilot.runner.keeper.process import Keeper
from cronpilot.runner.keeper.record import Claim
from cronpilot.runner.keeper.run import Run

from ..patience import PATIENCE_S
from .small_engine import SmallEngine, keeper_pid, until_there


class Wire:
    """A raw connection to a keeper."""

    def __init__(self, state_dir: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(state_dir / "keeper.sock"))
        self.lines = protocol.Lines()
        self.ready: list[dict[str, Any]] = []

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *messages: dict[str, Any]) -> None:
        self.socket.sendall(b"".join(map(protocol.encode, messages)))

    def hear(self) -> dict[str, Any] | None:
        """The next message, None at the end of the connection."""
        while not self.ready:
            data = self.socket.recv(1 << 16)
            if not data:
                return None
            self.ready = self.lines.feed(data)
        return self.ready.pop(0)


def request(run: int, script: str, state_dir: Path, **fields: Any) -> dict[str, Any]:
    cookie = f"{state_dir.parent.name}-{run}-1"
    return (
        protocol.start(
            run,
            1,
            task=7,
            argv=["/bin/sh", "-c", script],
            env={"PATH": os.environ["PATH"], "CRONPILOT_RUN": cookie},
            cwd="/",
            timeout=0,
            grace=1,
            limit=0,
            cookie=cookie,
            limits={},
            user="",
            group=0,
        )
        | fields
    )


@pytest.fixture
async def alone(engine: SmallEngine) -> SmallEngine:
    """A keeper that was started by an engine which has gone."""
    async with engine:
        pass
    return engine


async def test_a_keeper_leaves_when_nobody_needs_it(
    engine: SmallEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    monkeypatch.setenv("CRONPILOT_KEEPER_IDLE", "0.2")
    async with engine:
        run = engine.start(until_there(go))
        await engine.begun(run)
        pid = keeper_pid(engine.state_dir)
    assert pid is not None
    await asyncio.sleep(0.3)  # longer than it would wait; but a run lives
    assert keeper_pid(engine.state_dir) == pid

    go.touch()
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while keeper_pid(engine.state_dir) is not None:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)

    assert not (engine.state_dir / "keeper.sock").exists()
    assert "nothing to do: leaving" in (engine.state_dir / "keeper.log").read_text()


async def test_a_second_keeper_refuses_to_start(alone: SmallEngine) -> None:
    first = keeper_pid(alone.state_dir)
    second = await asyncio.to_thread(subprocess.run, [*PROGRAM, str(alone.state_dir)])

    assert second.returncode == 1
    assert keeper_pid(alone.state_dir) == first
    assert f"start refused: keeper {first} holds" in (alone.state_dir / "keeper.log").read_text()


async def test_the_newest_engine_wins_and_the_older_one_is_not_heard(alone: SmallEngine) -> None:
    with Wire(alone.state_dir) as older:
        assert (older.hear() or {})["ev"] == "hello"
        pid = keeper_pid(alone.state_dir) or 0
        os.kill(pid, signal.SIGSTOP)
        older.say(request(1, "true", alone.state_dir))  # on its way when the newer one comes
        with Wire(alone.state_dir) as newer:
            # A keeper that wakes up may serve the older one first, never after the newer hello.
            os.kill(pid, signal.SIGCONT)
            hello = newer.hear() or {}
            live = hello["live"]
            with contextlib.suppress(BrokenPipeError):
                older.say(request(2, "true", alone.state_dir))
            newer.say(request(3, "exit 3", alone.state_dir))
            heard = [newer.hear() or {} for _ in range(2)]

    assert [run for run, *_ in live] in ([], [1])
    assert {message["run"] for message in heard} <= {1, 3}
    assert not (alone.state_dir / "records" / "2.1").exists()


async def test_hello_tells_what_lives(alone: SmallEngine) -> None:
    with Wire(alone.state_dir) as wire:
        wire.hear()
        wire.say(request(1, "sleep 60", alone.state_dir))
        started = wire.hear() or {}
    with Wire(alone.state_dir) as wire:
        hello = wire.hear() or {}
        wire.say(protocol.stop(1, 1, why="stop", sig=9))
        wire.hear()

    assert (hello["ev"], hello["v"], hello["problem"]) == ("hello", 1, "")
    assert hello["pid"] == keeper_pid(alone.state_dir)
    assert hello["live"] == [[1, 1, started["pid"], started["at"]]]


@pytest.mark.parametrize(
    "message",
    [
        {"op": "dance"},
        {},
        {"op": "stop"},
        {"op": "start", "run": "../../x", "launch": 1},
        {"op": "adopt", "run": 99, "launch": 1},
        {"op": "reexec", "argv": ["/no/such/program"]},
    ],
    ids=str,
)
async def test_a_request_without_sense_is_answered_and_does_no_harm(
    alone: SmallEngine, message: dict[str, Any]
) -> None:
    with Wire(alone.state_dir) as wire:
        wire.hear()
        wire.say(message, protocol.ping())
        answers = [(wire.hear() or {})["ev"], (wire.hear() or {})["ev"]]

    assert answers == ["error", "pong"]


@pytest.mark.parametrize("junk", [b"hello?\n", b"[1]\n", b"\xff\xfe\n"])
async def test_a_connection_that_speaks_no_json_is_closed(alone: SmallEngine, junk: bytes) -> None:
    with Wire(alone.state_dir) as wire:
        wire.hear()
        wire.socket.sendall(junk)
        answers = [(wire.hear() or {})["ev"], wire.hear()]

    assert answers == ["error", None]
    async with alone:
        assert (await alone.run("exit 2")).exit_code == 2


async def test_the_same_request_twice_starts_once(alone: SmallEngine, tmp_path: Path) -> None:
    script = f"echo x >>{tmp_path}/effects"
    with Wire(alone.state_dir) as wire:
        wire.hear()
        same = request(1, script, alone.state_dir)
        wire.say(same, same, request(2, "sleep 0.1", alone.state_dir))
        heard = [wire.hear() or {} for _ in range(4)]

    told = sorted((message["run"], message["ev"]) for message in heard)
    assert told == [(1, "done"), (1, "started"), (2, "done"), (2, "started")]
    assert (tmp_path / "effects").read_text() == "x\n"


async def test_a_revoked_launch_never_starts(alone: SmallEngine, tmp_path: Path) -> None:
    (alone.state_dir / "records" / "1.1").touch()
    with Wire(alone.state_dir) as wire:
        wire.hear()
        wire.say(request(1, f"touch {tmp_path}/ran", alone.state_dir))
        wire.say(request(2, "true", alone.state_dir))
        first = wire.hear() or {}

    assert first["run"] == 2
    assert not (tmp_path / "ran").exists()


# --- upgrades ------------------------------------------------------------------------------------


async def test_an_upgrade_keeps_pid_children_timeouts_and_codes(
    engine: SmallEngine, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with engine:
        ends = engine.start(f"{until_there(go)}; exit 9")
        hangs = engine.start(["sleep", "60"], timeout=timedelta(seconds=3))
        await engine.begun(ends)
        await engine.begun(hangs)
        before = keeper_pid(engine.state_dir)
    with Wire(engine.state_dir) as wire:
        wire.hear()
        wire.say(protocol.reexec(PROGRAM))
        hello = wire.hear() or {}
    assert [live[:2] for live in hello["live"]] == [[ends, 1], [hangs, 1]]
    go.touch()
    async with engine:
        end, hung = await engine.end_of(ends), await engine.end_of(hangs)

    assert keeper_pid(engine.state_dir) == before
    assert (end.exit_code, end.cpu_s is not None) == (9, True)
    assert (hung.why, hung.signal) == ("timeout", 15)


async def test_an_engine_replaces_a_keeper_of_other_code(
    engine: SmallEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with engine:
        run = engine.start(f"{until_there(go)}; exit 4")
        await engine.begun(run)
    monkeypatch.setattr(executor_module, "_FINGERPRINT", 1)
    async with engine:
        go.touch()
        end = await engine.end_of(run)

    assert end.exit_code == 4
    assert (engine.state_dir / "keeper.log").read_text().count("upgraded") == 1


async def test_an_upgrade_to_something_that_does_not_work_loses_nothing(
    engine: SmallEngine, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with engine:
        run = engine.start(f"{until_there(go)}; exit 4")
        await engine.begun(run)
    with Wire(engine.state_dir) as wire:
        wire.hear()
        wire.say(protocol.reexec(["/bin/false"]))
        assert wire.hear() is None
    go.touch()
    async with engine:
        end = await engine.end_of(run)

    assert end.exit_code == 4


# --- from the engine's side ----------------------------------------------------------------------


async def test_a_state_directory_with_a_very_long_path_works(
    tmp_path: Path, installation: str
) -> None:
    folder = tmp_path / ("d" * 120) / "state"
    long = SmallEngine(folder, installation)
    try:
        async with long:
            assert (await long.run("exit 3")).exit_code == 3
    finally:
        os.kill(keeper_pid(folder) or 0, signal.SIGKILL)


async def test_a_killed_keeper_is_replaced_and_both_moments_are_reported(
    engine: SmallEngine,
) -> None:
    async with engine:
        os.kill(keeper_pid(engine.state_dir) or 0, signal.SIGKILL)
        await engine.until(lambda: engine.links == 2)

    assert engine.reports == [Linked(()), Unlinked(), Linked(()), Unlinked()]


async def test_without_a_link_orders_do_nothing(engine: SmallEngine, tmp_path: Path) -> None:
    engine.executor = Local(tmp_path / "state", engine.id, engine.reports.append)
    engine.start("true")
    engine.executor.stop(engine.key(1), why="stop")

    assert not engine.executor.alive
    assert engine.reports == []


async def test_a_sleeping_keeper_is_reported_with_what_to_do(
    alone: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_module, "_PATIENCE", 0.2)
    pid = keeper_pid(alone.state_dir) or 0
    os.kill(pid, signal.SIGSTOP)
    link = asyncio.create_task(alone.__aenter__())
    while not alone.troubles():
        await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGCONT)
    await link
    await alone.__aexit__()

    assert alone.troubles()[0] == Trouble(
        "The keeper does not answer.", f"`kill -9 {pid}` is safe: another one takes up what runs."
    )
    assert alone.links == 2


async def test_a_keeper_that_falls_silent_is_unlinked_until_it_speaks_again(
    engine: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_module, "_PATIENCE", 1.0)
    monkeypatch.setattr(executor_module, "_PING", 0.1)
    async with engine:
        await asyncio.sleep(0.3)  # pings are answered
        assert Unlinked() not in engine.reports
        os.kill(keeper_pid(engine.state_dir) or 0, signal.SIGSTOP)
        await engine.until(lambda: Unlinked() in engine.reports)
        os.kill(keeper_pid(engine.state_dir) or 0, signal.SIGCONT)
        await engine.until(lambda: engine.reports[-1] == Linked(()))

    assert engine.troubles()[0].problem == "The keeper does not answer."


@contextlib.asynccontextmanager
async def speaking(state_dir: Path, hello: dict[str, Any]) -> AsyncIterator[list[dict[str, Any]]]:
    """Somebody on the keeper's socket who says that hello; what it is told."""
    told: list[dict[str, Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(protocol.encode(hello))
        lines = protocol.Lines()
        while data := await reader.read(1 << 16):
            for message in lines.feed(data):
                told.append(message)
                writer.write(protocol.encode(hello))
        writer.close()

    state_dir.mkdir(parents=True)
    server = await asyncio.start_unix_server(serve, state_dir / "keeper.sock")
    try:
        yield told
    finally:
        server.close()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param(
            {"problem": "/bin/sh failed a test."}, "/bin/sh failed a test.", id="self-test failed"
        ),
        pytest.param(
            {"v": 2}, "The keeper speaks version 2 of its protocol.", id="another protocol"
        ),
    ],
)
async def test_with_a_keeper_that_cannot_work_nothing_is_linked(
    tmp_path: Path, fields: dict[str, Any], problem: str
) -> None:
    reports: list[Report] = []
    state_dir = tmp_path / "state"
    code = executor_module._FINGERPRINT
    async with speaking(state_dir, protocol.hello(1, "b", code, [], "") | fields) as told:
        local = Local(state_dir, "x", reports.append)
        task = asyncio.create_task(local.run())
        while not reports:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert reports == [Trouble(problem, "Nothing can be started until this is mended.")]
    assert [message["op"] for message in told] == (["reexec"] if "v" in fields else [])


def test_a_timeout_counts_from_the_start_of_its_run_whichever_keeper_watches_it() -> None:
    keeper, dues = Keeper.__new__(Keeper), []
    keeper.loop = SimpleNamespace(at=lambda due, call: dues.append(due))  # type: ignore[assignment]
    run = Run(7, 2, -1, adopted=True)
    run.claim = Claim(
        run=7, launch=2, task=3, keeper=9, boot="x", started=1, booted=100.0, timeout=60.0,
        grace=1.0, limit=0, cookie="c",
    )  # fmt: skip

    keeper.watch_limits(run)

    assert dues == [160.0]


def test_the_self_test_notices_a_wrapper_that_does_not_work(tmp_path: Path) -> None:
    """In a process of its own: a launcher expects to be alone."""
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from keeper import launch, wrapper\n"
        "print(launch.Launcher('b', None).self_test() or 'passed')\n"
        "wrapper._TEXT = 'echo oops >&2; exit 3\\n'\n"
        "print(launch.Launcher('b', None).self_test())\n"
    )
    folder = str(Path(keeper.__file__).parent.parent)
    words = [sys.executable, "-I", "-S", "-c", program, folder]
    output = subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert output == "passed\n/bin/sh failed a test: `exit 3` gave None (oops).\n"


def test_the_keeper_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """And as little of it as a process that stays for months should load."""
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "import keeper.process, json\n"
        "print(json.dumps(sorted(m for m in sys.modules)))\n"
    )
    folder = str(Path(keeper.__file__).parent.parent)
    words = [sys.executable, "-I", "-S", "-c", program, folder]
    loaded = set(json.loads(subprocess.run(words, capture_output=True, check=True).stdout))

    assert {"cronpilot", "typing", "dataclasses", "asyncio", "logging"} & loaded == set()
