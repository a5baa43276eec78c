"""Commands that outlive us: the executor, the keeper behind it, and how a run's files are read."""

from __future__ import annotations

from cronpilot.runner.executor import Executor, Local
from cronpilot.runner.messages import (
    AttemptKey,
    Ended,
    Linked,
    NeverStarted,
    Report,
    ResourceLimits,
    Started,
    StartOrder,
    Trouble,
    Unlinked,
)

__all__ = [
    "AttemptKey",
    "Ended",
    "Executor",
    "Linked",
    "Local",
    "NeverStarted",
    "Report",
    "ResourceLimits",
    "StartOrder",
    "Started",
    "Trouble",
    "Unlinked",
]
