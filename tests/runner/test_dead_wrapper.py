"""A wrapper that was killed: whether its command starts is not over before its last child is.

The moments between two looks are too short to be met with real processes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cronpilot.runner.keeper import stopping, upgrade
from cronpilot.runner.keeper.process import Keeper
from cronpilot.runner.keeper.record import Outcome, Record

C = "C v=1 run=7 launch=2 task=3 keeper=9 boot=x t=1 bt=1 timeout=0 grace=1 limit=0 cookie=c\n"
S = "S 102 (sh) R 101 101 101 " + "0 " * 15 + "185517 0 0\n"


class DeadWrapper:
    """A run whose record and children change from look to look."""

    over = wrapper_gone = adopted = False
    run, launch = key = 7, 2
    why, command = "", None

    def __init__(self, records: list[str], children: list[bool]) -> None:
        self._records, self._children = records, children

    def record(self) -> Record:
        return Record(self._records.pop(0) if len(self._records) > 1 else self._records[0])

    def has_children(self) -> bool:
        return self._children.pop(0)


class Watcher(Keeper):
    """A keeper that only notes what it would do."""

    def __init__(self) -> None:
        self.did: list[object] = []
        self.looks: list[Callable[[], None]] = []

    def later(self, run: object, seconds: float, call: Callable[[], None]) -> None:
        self.looks.append(call)

    def never(self, run: object, words: list[str]) -> None:
        self.did.append("never")

    def finish(self, run: object, outcome: object, seen: object = None) -> None:
        self.did.append("finish")

    def _take_over(self, run: object, command: int) -> None:
        self.did.append(("take over", command))


@pytest.mark.parametrize(
    ("records", "children", "looks", "deed"),
    [
        pytest.param([C + S + "X 5\n"], [], 0, "finish", id="it had seen the end"),
        pytest.param([C + S], [], 0, ("take over", 102), id="its command goes on"),
        pytest.param([C], [False], 0, "never", id="it had no child yet"),
        pytest.param([C, C, C], [True, False], 1, "never", id="its child died with it"),
        pytest.param([C, C + S], [True], 1, ("take over", 102), id="its child starts the command"),
        pytest.param(
            [C, C + S], [False], 0, ("take over", 102), id="it started just before the last look"
        ),
    ],
)
def test_what_becomes_of_a_run_whose_wrapper_is_gone(records, children, looks, deed):
    keeper = Watcher()

    keeper._wrapper_gone(DeadWrapper(records, children))
    waited = 0
    while keeper.looks:
        assert keeper.did == []
        waited += 1
        keeper.looks.pop()()

    assert (keeper.did, waited) == ([deed], looks)


def test_it_is_looked_at_again_after_an_upgrade(monkeypatch):
    keeper, run = Watcher(), DeadWrapper([C + S], [])
    run.wrapper_gone = True
    keeper.runs, keeper.watch_limits, keeper._reap = {}, lambda run: None, lambda: None
    monkeypatch.setattr(upgrade, "restored", lambda saved: run)

    keeper._resume({"runs": [{}], "connection": None})

    assert keeper.did == [("take over", 102)]


def test_of_a_run_that_is_over_nothing_more_is_said():
    keeper, run = Watcher(), DeadWrapper([C], [False])
    run.over = True

    keeper._wrapper_gone(run)

    assert (keeper.did, keeper.looks) == ([], [])


def test_the_first_word_on_how_a_stopped_run_ended_stands(monkeypatch):
    waited: list[Any] = []
    monkeypatch.setattr(stopping, "wait_for_rest", lambda keeper, run: waited.append(run))
    keeper, run = Watcher(), SimpleNamespace(over=False, outcome=None, why="timeout")

    Keeper.finish(keeper, run, Outcome(code=143))
    Keeper.finish(keeper, run, Outcome())

    assert (run.outcome.code, len(waited)) == (143, 1)
