"""How one run differs from another run of its task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from cronpilot.client.messages import FieldChange, Message, RunView


class CompareQuery(Message):
    """With which run, and how closely."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    against: Annotated[int | None, Field(ge=1, le=2**53)] = None  # None: a success, see `chosen`
    exact: bool = False  # also what differs each time: times, durations, process ids, addresses


class OutputDifference(Message):
    """The difference between two outputs, as a reader sees them.

    Each line begins with `-` (only the other run printed it), `+` (only this one), a blank (both)
    or `@` (so many equal lines are left out here).
    """

    lines: list[str] = Field(default_factory=list)
    removed: int = 0  # lines that only the other run printed
    added: int = 0  # lines that only this one printed
    cut: bool = False  # there are more differences than `lines` has room for
    not_compared: list[str] = Field(default_factory=list)  # sentences: what was left out, and why


class Comparison(Message):
    """`before` is the run that is compared with, `after` is this one."""

    run: RunView
    against: RunView
    chosen: Literal["last success", "success before", "named"]  # why it is compared with that one
    facts: list[FieldChange] = Field(default_factory=list)  # verdict, times, cost: what differs
    definition: list[FieldChange] = Field(default_factory=list)  # command, user, directory ...
    versions: tuple[int, int]  # of the task: the other run's, this one's
    definition_known: bool = True  # False: what one of them ran was not kept
    environment: list[FieldChange] = Field(default_factory=list)  # secrets are masked in both
    environment_known: bool = True  # False: one of them has kept none
    output: OutputDifference
