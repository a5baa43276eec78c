"""Dataclasses whose methods are compiled at the first call are dataclasses like any other."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from cronpilot.cli.late_methods import compile_late


@pytest.fixture
def late() -> Iterator[None]:
    """As in a process that `cronpilot` has to itself."""
    usual = dict(vars(dataclasses))
    compile_late()
    yield
    vars(dataclasses).update(usual)


@pytest.fixture
def kinds(late: None) -> tuple[Any, Any]:
    """A frozen class with all that can be generated, and one that inherits from it."""

    @dataclass(frozen=True, slots=True, order=True)
    class Slot:
        task: int
        names: tuple[str, ...] = field(default=(), compare=False)

    @dataclass(frozen=True, slots=True, order=True)
    class LateSlot(Slot):
        late_by: int = 0

        def __post_init__(self) -> None:
            if self.late_by < 0:
                raise ValueError("too early")

    return Slot, LateSlot


def test_instances_are_made_compared_hashed_and_shown_as_ever(kinds: tuple[Any, Any]) -> None:
    for _ in range(2):  # the first call, and one after it
        for kind in kinds:
            assert kind(1, names=("a",)) == kind(1)
            assert kind(1) < kind(2)
            assert hash(kind(1)) == hash(kind(1, ("b",)))
            assert repr(kind(7)).startswith(f"{kind.__qualname__}(task=7, names=()")
            assert replace(kind(1), task=3).task == 3
            assert kind(1).__eq__(1) is NotImplemented


def test_nothing_frozen_changes(kinds: tuple[Any, Any]) -> None:
    for kind in (*kinds, *kinds):
        slot = kind(1)
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'task'"):
            slot.task = 2
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'task'"):
            del slot.task


def test_a_class_does_not_get_the_method_of_the_one_it_inherits_from(
    kinds: tuple[Any, Any],
) -> None:
    slot, late_slot = kinds

    assert late_slot(1, late_by=5) != late_slot(1, late_by=6)
    assert slot(1) == slot(1)
    assert late_slot(1, late_by=5) != late_slot(1, late_by=6)
    with pytest.raises(ValueError, match="too early"):
        late_slot(1, late_by=-1)


def test_a_wrong_word_is_refused_in_pythons_words(kinds: tuple[Any, Any]) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="unexpected keyword argument 'nobody'"):
            kinds[0](1, nobody=2)


def test_what_a_class_says_itself_is_kept(late: None) -> None:
    @dataclass(eq=False)
    class Named:
        name: str

        def __repr__(self) -> str:
            return self.name

    assert repr(Named("x")) == "x"
    assert Named("x") != Named("x")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="3.13 makes them in another way")
def test_a_method_is_compiled_at_its_first_call_and_then_in_its_place(
    kinds: tuple[Any, Any],
) -> None:
    slot = kinds[0]
    stand_in = slot.__eq__
    assert stand_in.__code__.co_filename != "<string>"

    slot(1) == slot(1)  # noqa: B015

    assert slot.__eq__.__code__.co_filename == "<string>"  # as dataclasses names what it compiled
    assert slot.__eq__.__qualname__ == stand_in.__qualname__
    assert slot.__hash__.__code__.co_filename != "<string>"
