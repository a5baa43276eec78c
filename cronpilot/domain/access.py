"""Who may do what: the three roles of those who come over the network.

| role | may |
|---|---|
| viewer | see everything but users and the audit; what looks like a secret is masked |
| operator | also decide when: start, stop, test, pause, change schedules, read files again |
| admin | also decide what: commands and all other fields, users, the audit, copies, the end |

Whoever opens the engine's unix socket is its owner, and may do everything.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

WHEN_FIELDS: Final = frozenset(
    {
        "schedule", "timezone", "active", "spread", "deadline", "overlap", "missed", "missed_limit",
        "priority", "quiet",
    }
)  # fmt: skip
"""Fields of a task that say when it runs: an operator may change these."""


class Role(StrEnum):
    """From least to most."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether it may do all that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Identity(NamedTuple):
    """Who asks. `name` is empty for the owner of the unix socket, whom the file's mode proves."""

    name: str
    role: Role


class Stay(NamedTuple):
    """A session of somebody's browser. `key` is the hash of its token, and lets nobody in."""

    key: str
    name: str
    opened_at: datetime
    used_at: datetime


OWNER: Final = Identity("", Role.ADMIN)
