"""Whoever dies, and whenever: each command runs once, and its true end is found."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from cronpilot.runner.executor import PROGRAM
from cronpilot.runner.keeper import protocol
from cronpilot.runner.leftovers import ended
from cronpilot.runner.settle import sweep

from .small_engine import SmallEngine, keeper_pid, kill_keeper, living, until_there

KEEPER_POINTS = [
    "keeper_accept",
    "keeper_claimed",
    "keeper_c",
    "keeper_spawned",
    "keeper_told",
    "keeper_reaped",
    "keeper_k",
]
COARSE = timedelta(milliseconds=50)  # a file's time of change comes from a clock that ticks
WRAPPER_POINTS = ["wrapper_start", "wrapper_subshell", "wrapper_started"]


class Effects:
    """What the commands themselves wrote: the only witness that cannot be fooled."""

    def __init__(self, path: Path) -> None:
        self.path, self._told = path, path.with_name("told")

    def script(self, seconds: float, code: int) -> str:
        return self._script(f"sleep {seconds}", code)

    def script_until_told(self, code: int) -> str:
        """It ends after `tell_to_end`: as late as a test wants, however busy the machine is."""
        return self._script(until_there(self._told), code)

    def tell_to_end(self) -> None:
        self._told.touch()

    def _script(self, meanwhile: str, code: int) -> str:
        begin = f"echo begin $CRONPILOT_RUN $(date +%s%N) >>{self.path}"
        end = f"echo end $CRONPILOT_RUN $(date +%s%N) >>{self.path}"
        return f"{begin}; {meanwhile}; {end}; exit {code}"

    def times(self, word: str) -> dict[int, datetime]:
        """When each run wrote that word. Fails when one wrote it twice."""
        lines = [line.split() for line in self.path.read_text().splitlines()]
        found = [(int(who.split("-")[1]), at) for kind, who, at in lines if kind == word]
        assert max(Counter(run for run, _ in found).values(), default=0) <= 1, found
        return {run: datetime.fromtimestamp(int(at) / 1e9, UTC) for run, at in found}


def now() -> datetime:
    return datetime.now(UTC)


def are_in_order(*moments: datetime) -> bool:
    """Whether each came after the one before it. How long after is the machine's affair."""
    return all(one <= next_ + COARSE for one, next_ in pairwise(moments))


@pytest.fixture
def effects(tmp_path: Path) -> Effects:
    path = tmp_path / "effects"
    path.touch()
    return Effects(path)


async def test_a_new_keeper_takes_up_what_a_killed_one_held(
    engine: SmallEngine, effects: Effects
) -> None:
    async with engine:
        run = engine.start(effects.script_until_told(9))
        await engine.begun(run)
        kill_keeper(engine.state_dir)
        await engine.until(lambda: engine.links == 2)
        effects.tell_to_end()
        end = await engine.end_of(run)

    assert (end.exit_code, end.why) == (9, "")
    assert end.started_at and end.ended_at
    begin, last_word = effects.times("begin")[run], effects.times("end")[run]
    assert are_in_order(end.started_at, begin, last_word, end.ended_at, now())
    assert list(effects.times("begin")) == [run]


async def test_a_timeout_holds_over_the_death_of_the_keeper(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(["sleep", "60"], timeout=timedelta(seconds=1))
        await engine.begun(run)
        kill_keeper(engine.state_dir)
        end = await engine.end_of(run)

    assert (end.why, end.exit_code, end.signal) == ("timeout", 143, 15)


async def test_a_stop_goes_on_after_the_death_of_the_keeper(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(
            "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done",
            stop_grace=timedelta(seconds=0.5),
        )
        await engine.says(run, "ready")
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGTERM)
        await engine.says(run, "asked")
        kill_keeper(engine.state_dir)
        end = await engine.end_of(run)

    assert (end.why, end.signal) == ("stop", 9)


async def test_an_adopted_tree_is_stopped_like_any_other(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(
            "trap '' TERM; (setsid sh -c 'sleep 61 & sleep 62' &); sleep 63; sleep 64",
            stop_grace=timedelta(seconds=0.3),
        )
        await engine.until(lambda: len(living(engine.id)) >= 5)
        kill_keeper(engine.state_dir)
        await engine.until(lambda: engine.links == 2)
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGTERM)
        end = await engine.end_of(run)

    assert (end.why, end.signal) == ("stop", 9)
    assert living(engine.id) == []


async def test_an_engine_that_was_away_hears_the_true_end(
    engine: SmallEngine, effects: Effects
) -> None:
    async with engine:
        run = engine.start(effects.script_until_told(9))
        await engine.begun(run)
    effects.tell_to_end()
    while not ended(engine.state_dir):
        await asyncio.sleep(0.01)
    still_away = now()
    async with engine:
        end = await engine.end_of(run)

    assert (end.exit_code, end.why, end.cpu_s is not None) == (9, "", True)
    assert end.ended_at
    assert are_in_order(effects.times("end")[run], end.ended_at, still_away)


async def test_an_engine_that_comes_back_goes_on_with_what_still_runs(
    engine: SmallEngine, effects: Effects
) -> None:
    async with engine:
        run = engine.start(effects.script_until_told(8))
        await engine.begun(run)
    async with engine:
        effects.tell_to_end()
        end = await engine.end_of(run)

    assert end.exit_code == 8
    assert list(effects.times("begin")) == [run]


async def test_a_command_that_ends_while_nobody_lives_is_known_by_its_record(
    engine: SmallEngine, effects: Effects
) -> None:
    async with engine:
        asked = now()
        run = engine.start(effects.script_until_told(7))
        wrapper = await engine.begun(run)
    kill_keeper(engine.state_dir)
    effects.tell_to_end()
    while Path(f"/proc/{wrapper}").exists():
        await asyncio.sleep(0.01)
    still_nobody = now()
    async with engine:
        end = await engine.end_of(run)

    assert (end.exit_code, end.signal, end.why, end.pid) == (7, None, "", wrapper)
    assert end.started_at and end.ended_at
    begin, last_word = effects.times("begin")[run], effects.times("end")[run]
    assert are_in_order(asked, end.started_at, begin, last_word, end.ended_at, still_nobody)
    assert engine.records() == []


async def test_a_killed_wrapper_hides_nothing_from_a_living_keeper(
    engine: SmallEngine, effects: Effects
) -> None:
    async with engine:
        run = engine.start(effects.script_until_told(6))
        os.kill(await engine.begun(run), signal.SIGKILL)
        effects.tell_to_end()
        end = await engine.end_of(run)

    assert (end.exit_code, end.signal, end.why) == (6, None, "")


async def test_wrapper_and_keeper_killed_is_the_truth_or_lost_but_never_success(
    engine: SmallEngine, effects: Effects
) -> None:
    async with engine:
        run = engine.start(effects.script_until_told(6))
        wrapper = await engine.begun(run)
        os.kill(keeper_pid(engine.state_dir) or 0, signal.SIGKILL)
        os.kill(wrapper, signal.SIGKILL)
        await engine.until(lambda: engine.links == 2)
        effects.tell_to_end()
        end = await engine.end_of(run)

    assert (end.exit_code, end.signal, end.why) in [(6, None, ""), (None, None, "")]
    assert end.ended_at
    assert are_in_order(effects.times("end")[run], end.ended_at, now())
    assert list(effects.times("begin")) == [run]


async def test_after_a_restart_of_the_machine_the_unknown_is_lost_and_the_known_is_true(
    engine: SmallEngine, effects: Effects
) -> None:
    """The restart is simulated: everything is killed, and the starts were of another boot."""
    engine.boot = "a boot of long ago"
    async with engine:
        finished = engine.start(effects.script_until_told(5))
        running = engine.start(effects.script(60, 0))
        first, second = await engine.begun(finished), await engine.begun(running)
    kill_keeper(engine.state_dir)
    effects.tell_to_end()
    while Path(f"/proc/{first}").exists():
        await asyncio.sleep(0.01)
    os.killpg(second, signal.SIGKILL)
    while living(engine.id):
        await asyncio.sleep(0.01)
    async with engine:
        known, lost = await engine.end_of(finished), await engine.end_of(running)

    assert (known.exit_code, known.why) == (5, "")
    assert (lost.exit_code, lost.signal, lost.why) == (None, None, "host_restart")
    assert set(effects.times("begin")) == {finished, running}


async def _twelve_runs(engine: SmallEngine, effects: Effects) -> dict[int, int | None]:
    runs = {}
    for number in range(12):
        runs[engine.start(effects.script(0.1, number))] = number
        await asyncio.sleep(0.01)
    for run in runs:
        await engine.end_of(run)
    assert runs == {run: run - 1 for run in range(1, 13)}
    return {run: (await engine.end_of(run)).exit_code for run in runs}


@pytest.mark.parametrize("point", KEEPER_POINTS)
async def test_a_keeper_may_die_at_any_point(
    engine: SmallEngine,
    effects: Effects,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
) -> None:
    nth = 1 if point == "keeper_accept" else 3  # an engine connects once
    monkeypatch.setenv("CRONPILOT_CRASH_AT", f"{point}:{nth}")
    async with engine:
        codes = await _twelve_runs(engine, effects)

    assert codes == {run: run - 1 for run in range(1, 13)}
    assert set(effects.times("begin")) == set(effects.times("end")) == set(codes)
    assert engine.records() == []
    log = (engine.state_dir / "keeper.log").read_text()
    assert log.count("started") == 2, "the keeper did not die"


@pytest.mark.parametrize("point", [*WRAPPER_POINTS, "spawn_refused"])
async def test_a_wrapper_may_die_at_any_point(
    engine: SmallEngine, effects: Effects, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("CRONPILOT_CRASH_AT", f"{point}:3")
    async with engine:
        codes = await _twelve_runs(engine, effects)

    assert codes == {run: run - 1 for run in range(1, 13)}
    assert set(effects.times("begin")) == set(effects.times("end")) == set(codes)
    assert engine.records() == []
    # Without its wrapper the forked shell still goes on to the command, so nothing is repeated.
    repeated = point in ("wrapper_start", "spawn_refused")
    assert sum(engine.key(run).launch for run in codes) == 12 + repeated


async def test_a_wrapper_that_dies_before_it_can_write_the_code_leaves_a_lost_run(
    engine: SmallEngine, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONPILOT_CRASH_AT", "wrapper_ended:3")
    async with engine:
        codes = await _twelve_runs(engine, effects)

    assert codes == {run: run - 1 for run in range(1, 13)} | {3: None}
    assert set(effects.times("begin")) == set(effects.times("end")) == set(codes)


async def test_a_keeper_may_die_in_a_stop(
    engine: SmallEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONPILOT_CRASH_AT", "keeper_t")
    async with engine:
        run = engine.start(["sleep", "60"], stop_grace=timedelta(seconds=0.3))
        await engine.begun(run)
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGTERM)
        end = await engine.end_of(run)

    assert (end.why, end.signal) == ("stop", 9)  # TERM was never sent: KILL after the grace


async def test_records_that_a_crash_left_over_are_swept(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(["sleep", "60"])
        await engine.begun(run)
        for name in ("90.1", "91.2", "91.2.sh", "README", "x.1"):
            (engine.state_dir / "records" / name).touch()

        swept = sweep(engine.state_dir, {run})

        assert (swept, engine.records()) == (3, ["1.1", "README", "x.1"])
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGKILL)
        await engine.end_of(run)


@pytest.mark.slow
async def test_eighty_random_faults_lose_nothing_and_double_nothing(
    engine: SmallEngine, effects: Effects
) -> None:
    """Seeded. Every round ends an engine; three of four kill a keeper or a wrapper, or upgrade."""
    rng = random.Random(20261122)
    orphaned: set[int] = set()  # their wrapper was killed: lost is the truth, too
    for _ in range(80):
        async with engine:
            for _ in range(rng.randrange(1, 5)):
                engine.start(effects.script(rng.uniform(0, 0.6), len(engine.orders) % 100))
            await asyncio.sleep(rng.uniform(0, 0.3))
            match rng.choice(["keeper", "wrapper", "upgrade", "nothing"]):
                case "keeper" if keeper_pid(engine.state_dir):
                    kill_keeper(engine.state_dir)
                case "wrapper":
                    alive = [run for run in engine.orders if engine.command_of(run)]
                    for run in alive[:1]:
                        orphaned.add(run)
                        with contextlib.suppress(ProcessLookupError, AttributeError):
                            os.kill(engine.command_of(run).parent, signal.SIGKILL)
                case "upgrade":
                    engine.executor._send(protocol.reexec(PROGRAM))
            await asyncio.sleep(rng.uniform(0, 0.2))
    async with engine:
        codes = {run: (await engine.end_of(run)).exit_code for run in engine.orders}

    wrong = {run: code for run, code in codes.items() if code != (run - 1) % 100}
    assert {run: code for run, code in wrong.items() if code is not None} == {}
    assert set(wrong) <= orphaned
    assert set(effects.times("begin")) == set(effects.times("end")) == set(codes)
    await engine.until(lambda: engine.records() == [])
