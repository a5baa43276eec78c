"""What an action is done to when that is not the row under the cursor now."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView


class Meant(NamedTuple):
    """The task, and the run where one was named; None: no task."""

    task: tuple[int, str] | None
    run: RunView | None = None


MEANT: ContextVar[Meant | None] = ContextVar("MEANT", default=None)
"""Set while the palette does something; workers that it starts inherit it."""
