"""From a claimed run to the order that the runner gets."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cronpilot.domain.secrets import mask
from cronpilot.engine.testing import with_definition_of
from cronpilot.errors import ConfigError
from cronpilot.runner import environment
from cronpilot.runner.keeper import record
from cronpilot.runner.messages import AttemptKey, ResourceLimits, StartOrder
from cronpilot.runner.settle import boot_id

log = logging.getLogger("cronpilot.launch")


class Claim(NamedTuple):
    """A run that is to be started, with its task as this run executes it.

    Attributes:
        order: ready to go; a ConfigError says why nothing can; None: an env_file has to be read,
            for which nobody shall wait in a transaction.
        environment: the variables of the order, secrets masked.
    """

    key: AttemptKey
    run: Mapping[str, Any]
    task: Mapping[str, Any]
    order: StartOrder | ConfigError | None = None
    environment: Mapping[str, str] | None = None


class Launcher:
    """Makes orders, and knows where the logs of what it ordered are."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir, self._folder = state_dir, str(state_dir)
        self.boot_id = boot_id()

    def order(self, key: AttemptKey, run: Mapping[str, Any], task: Mapping[str, Any]) -> StartOrder:
        """Reads the task's env_file, if it has one.

        Raises:
            ConfigError: why this cannot be started.
        """
        who = environment.account(task["user"])
        working_dir = environment.working_directory(task["working_dir"], who.home)
        limits = task["limits"]
        return StartOrder(
            key=key,
            task_id=task["id"],
            argv=environment.to_argv(task["command"], task["shell"]),
            env=environment.build_environment(
                environment.Attempt(
                    task["name"], key.run_id, run["attempts"] + 1, self._state_dir,
                    run["scheduled_for"],
                ),
                who, shell=task["shell"], env=task["env"], env_file=task["env_file"],
                working_dir=working_dir, timezone=task["timezone"],
            ),
            working_dir=working_dir,
            timeout=task["timeout"],
            stop_grace=task["stop_grace"],
            log_limit=task["log_limit"],
            user=task["user"],
            limits=ResourceLimits(
                limits.nice, limits.memory,
                max(1, round(limits.cpu.total_seconds())) if limits.cpu else None,
                limits.open_files,
            ),
        )  # fmt: skip

    def log_size(self, task_id: int, run_id: int) -> int | None:
        """The size of a run's log in bytes; None when there is none."""
        try:
            return os.stat(record.log_path(self._folder, task_id, run_id)).st_size  # noqa: PTH116
        except OSError:
            return None


def claim_of(launcher: Launcher, run: Mapping[str, Any], task: Mapping[str, Any]) -> Claim:
    """What is needed to start the next attempt of a queued run."""
    key = AttemptKey(run["id"], run["launches"] + 1)
    claim = Claim(key, run, with_definition_of(run, task))
    if claim.task["env_file"] is not None:
        return claim
    order = make_order(launcher, claim)
    if isinstance(order, ConfigError):
        return claim._replace(order=order)
    return claim._replace(order=order, environment=mask(order.env))


def make_order(launcher: Launcher, claim: Claim) -> StartOrder | ConfigError:
    """The order, or why there can be none."""
    try:
        return launcher.order(claim.key, claim.run, claim.task)
    except ConfigError as problem:
        return problem
    except Exception as bug:  # noqa: BLE001  said in the row of this run, and in the log
        return unprepared(claim.key, bug)


def unprepared(key: AttemptKey, bug: Exception) -> ConfigError:
    """A mistake of ours in one start: it ends that run, and nobody else's."""
    log.error("The start of run %s could not be prepared", key.run_id, exc_info=bug)
    said = f"Its start could not be prepared: {type(bug).__name__}: {bug}."
    return ConfigError(said, "The engine's log says more.")
