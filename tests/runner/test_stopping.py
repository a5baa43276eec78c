"""Stop and timeout: the whole tree goes, and the run is over only when it has gone."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cronpilot.runner import Ended

from .small_engine import SmallEngine, living

STUBBORN = "trap '' TERM HUP INT; "
SECOND = timedelta(seconds=1)
SHORT = timedelta(seconds=0.3)

TREES = [
    pytest.param("sleep 61 & sleep 62 & wait", id="children"),
    pytest.param("setsid sleep 61 & sleep 62", id="a child in its own session"),
    pytest.param("(setsid sh -c 'sleep 61 & sleep 62' &) ; sleep 63", id="a double fork"),
    pytest.param("(sh -c 'sleep 61 & exit' &) ; sleep 63", id="an orphan"),
]


def stubborn(tree: str) -> str:
    """The same tree, ignoring TERM: what is ignored is inherited."""
    return STUBBORN + tree


async def end_of_one_that_was_ready(
    engine: SmallEngine, script: str, **fields: Any
) -> tuple[Ended, str]:
    """How a run ended, and its log, that had set its traps when its time was out.

    One that a busy machine gave no time for that shows nothing: then another one is started.
    """
    for _ in range(100):
        run = engine.start(script, **fields)
        end = await engine.end_of(run)
        if (log := engine.log(run)).startswith("ready\n"):
            return end, log.removeprefix("ready\n")
    raise AssertionError("no run was ever ready")


async def test_a_timeout_ends_a_run_by_term(engine: SmallEngine) -> None:
    async with engine:
        end = await engine.run(["sleep", "60"], timeout=SHORT)

    assert (end.why, end.exit_code, end.signal) == ("timeout", 143, 15)


async def test_a_command_may_clean_up_within_its_grace(engine: SmallEngine) -> None:
    script = "trap 'sleep 0.2; echo cleaned up; exit 3' TERM; echo ready; sleep 60 & wait"
    async with engine:
        end, log = await end_of_one_that_was_ready(
            engine, script, timeout=SHORT, stop_grace=timedelta(seconds=60)
        )

    assert (end.why, end.exit_code, log) == ("timeout", 3, "cleaned up\n")


async def test_who_finishes_in_time_is_left_alone(engine: SmallEngine) -> None:
    async with engine:
        end = await engine.run("exit 4", timeout=timedelta(hours=24))

    assert (end.why, end.exit_code) == ("", 4)


@pytest.mark.parametrize("tree", TREES)
async def test_a_stop_takes_the_whole_tree(engine: SmallEngine, tree: str) -> None:
    async with engine:
        run = engine.start(tree, stop_grace=timedelta(seconds=20))
        await engine.begun(run)
        await engine.until(lambda: len(living(engine.id)) >= 3)
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGTERM)
        end = await engine.end_of(run)

    assert end.why == "stop"
    assert living(engine.id) == []


@pytest.mark.parametrize("tree", TREES)
async def test_a_timeout_kills_a_tree_that_ignores_term(engine: SmallEngine, tree: str) -> None:
    async with engine:
        end, _ = await end_of_one_that_was_ready(
            engine, stubborn(f"echo ready; {tree}"), timeout=SHORT, stop_grace=SHORT
        )

    assert (end.why, end.exit_code) == ("timeout", 137)
    assert living(engine.id) == []


async def test_a_child_outlasts_its_parent_no_longer_than_the_grace(engine: SmallEngine) -> None:
    """The command obeys TERM, what it started in a session of its own does not."""
    script = f'setsid sh -c "{STUBBORN} sleep 61" & sleep 62'
    async with engine:
        run = engine.start(script, stop_grace=SECOND)
        await engine.until(lambda: len(living(engine.id)) >= 5)
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGTERM)
        end = await engine.end_of(run)

    assert (end.why, end.exit_code) == ("stop", 143)
    assert living(engine.id) == []


async def test_kill_does_not_wait_for_the_grace(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(stubborn("sleep 60; sleep 61"), stop_grace=timedelta(hours=1))
        await engine.begun(run)
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGKILL)
        end = await engine.end_of(run)

    assert (end.why, end.signal) == ("stop", 9)


async def test_kill_makes_an_end_of_a_stop_that_waits(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(
            "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done",
            stop_grace=timedelta(hours=1),
        )
        await engine.says(run, "ready")
        engine.executor.stop(engine.key(run), why="replaced", signal=signal.SIGTERM)
        await engine.until(lambda: "asked" in engine.log(run))
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGKILL)
        end = await engine.end_of(run)

    assert (end.why, end.signal) == ("replaced", 9)


async def test_int_is_sent_when_asked_for(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done")
        await engine.says(run, "ready")
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGINT)
        end = await engine.end_of(run)

    assert (end.why, end.exit_code) == ("stop", 9)


async def test_a_stopped_process_is_woken_to_be_told(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("kill -STOP $$; echo never")
        await engine.begun(run)
        await engine.until(lambda: _state(engine, run) == "T")
        engine.executor.stop(engine.key(run), why="stop", signal=signal.SIGTERM)
        end = await engine.end_of(run)

    assert (end.why, end.signal) == ("stop", 15)


def _state(engine: SmallEngine, run: int) -> str:
    stat = Path(f"/proc/{engine.command_of(run).pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0]


@pytest.mark.parametrize(
    ("suicide", "code", "number"),
    [
        pytest.param("kill -TERM 0; sleep 60", 143, 15, id="TERM to its group"),
        pytest.param("kill -9 $PPID; sleep 0.2; exit 6", 6, None, id="KILL to its wrapper"),
    ],
)
async def test_what_a_command_does_to_its_group_is_reported_truly(
    engine: SmallEngine, suicide: str, code: int, number: int | None
) -> None:
    async with engine:
        end = await engine.run(suicide)

    assert (end.exit_code, end.signal, end.why) == (code, number, "")


async def test_kill_to_its_whole_group_is_known_or_lost_and_never_success(
    engine: SmallEngine,
) -> None:
    """It takes the wrapper, too. In a few of a thousand, the kernel lets the dying wrapper reap
    the command first: then nobody is left who knows the status."""
    async with engine:
        end = await engine.run("kill -9 0")

    assert (end.exit_code, end.signal, end.why) in [(137, 9, ""), (None, None, "")]


async def test_other_runs_are_not_touched_by_a_stop(engine: SmallEngine) -> None:
    async with engine:
        other = engine.start("sleep 0.7; exit 5")
        await engine.run(stubborn("setsid sleep 61 & sleep 62"), timeout=SHORT, stop_grace=SHORT)
        end = await engine.end_of(other)

    assert (end.exit_code, end.why) == (5, "")
