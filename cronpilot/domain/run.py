"""The states a run moves through, and which moves are legal."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a run stands. Final states are never left."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    RETRYING = "retrying"  # waits for its next attempt, holds no slot
    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    MISSED = "missed"
    LOST = "lost"  # started, and how it ended cannot be known
    ERROR = "error"  # could not be started

    @property
    def is_final(self) -> bool:
        return self not in ACTIVE

    @property
    def holds_slot(self) -> bool:
        """It has a command that lives, or is about to."""
        return self in HOLDS_SLOT


ACTIVE = frozenset({Status.QUEUED, Status.STARTING, Status.RUNNING, Status.RETRYING})
HOLDS_SLOT = frozenset({Status.STARTING, Status.RUNNING})
# success rate = success / (success + failed + timeout + error + lost)
COUNTED = frozenset({Status.SUCCESS, Status.FAILED, Status.TIMEOUT, Status.ERROR, Status.LOST})
BAD = COUNTED - {Status.SUCCESS}

MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset(
        {Status.STARTING, Status.STOPPED, Status.MISSED, Status.SKIPPED, Status.ERROR}
    ),
    Status.STARTING: frozenset(
        {Status.QUEUED, Status.RUNNING, Status.RETRYING, Status.SUCCESS, Status.FAILED,
         Status.TIMEOUT, Status.STOPPED, Status.LOST, Status.ERROR}
    ),
    Status.RUNNING: frozenset(
        {Status.QUEUED, Status.RETRYING, Status.SUCCESS, Status.FAILED, Status.TIMEOUT,
         Status.STOPPED, Status.LOST, Status.ERROR}
    ),
    Status.RETRYING: frozenset(
        {Status.QUEUED, Status.STARTING, Status.STOPPED, Status.FAILED, Status.TIMEOUT}
    ),
}  # fmt: skip
"""Legal moves. A start that provably did not happen goes back to `queued`."""


class Reason(StrEnum):
    """Why a run has the status it has, where the status alone does not say."""

    ALREADY_RUNNING = "already_running"
    QUEUE_FULL = "queue_full"
    DEADLINE = "deadline"
    DOWN = "down"
    PAUSED = "paused"
    REPLACED = "replaced"
    USER = "user"
    SETUP = "setup"
    HOST_RESTART = "host_restart"
    ENGINE_RESTART = "engine_restart"
    LOG_LIMIT = "log_limit"
    RESTORED = "restored"
    QUIET = "quiet"
    ARCHIVED = "archived"


class Trigger(StrEnum):
    """What called a run into being."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CATCH_UP = "catch_up"
    TEST = "test"
