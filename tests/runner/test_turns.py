"""Short turns on a busy core: for us, not for the tasks, and never against somebody's word."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from cronpilot.runner.keeper import turns

from .small_engine import SmallEngine, keeper_pid

T = TypeVar("T")
FLAGS, NICE, LENGTH = 2, 3, 5  # of what `turns_of` answers


def in_a_thread(call: Callable[[], T]) -> T:
    """So that the turns of the tests themselves stay as they are."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def taken() -> tuple[int, ...]:
    turns.take_short_turns()
    found = turns.turns_of(0)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def kernel() -> None:
    """One that knows turns of a wished length: 6.12 or newer."""
    if turns.turns_of(0) is None:
        pytest.skip("this machine's system call is not known")
    if in_a_thread(taken)[LENGTH] != 100_000:
        pytest.skip("this kernel has no turns of a wished length")


def test_a_child_has_turns_like_anybodys() -> None:
    def start() -> tuple[int, ...] | None:
        turns.take_short_turns()
        child = subprocess.Popen(["/bin/sleep", "600"])
        try:
            return turns.turns_of(child.pid)
        finally:
            child.kill()
            child.wait()

    found = in_a_thread(start)

    assert found is not None
    assert found[FLAGS] == 0
    assert found[LENGTH] > 100_000


def test_a_niceness_is_kept() -> None:
    def nice() -> tuple[int, ...]:
        os.setpriority(os.PRIO_PROCESS, 0, 7)  # of this thread alone
        return taken()

    assert in_a_thread(nice)[NICE] == 7


@pytest.mark.skipif(os.getuid() != 0, reason="only root may go before others")
def test_who_goes_before_others_passes_that_on_to_its_tasks() -> None:
    def eager() -> tuple[int, ...]:
        os.setpriority(os.PRIO_PROCESS, 0, -3)
        return taken()

    found = in_a_thread(eager)

    assert (found[NICE], found[FLAGS]) == (-3, 0)


async def test_the_keeper_takes_short_turns_and_its_tasks_do_not(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("sleep 600")
        await engine.begun(run)
        keeper = keeper_pid(engine.state_dir)
        assert keeper is not None
        ours, theirs = turns.turns_of(keeper), turns.turns_of(engine.command_of(run).pid)

    assert ours is not None
    assert theirs is not None
    assert ours[LENGTH] == 100_000
    assert theirs[LENGTH] > 100_000
