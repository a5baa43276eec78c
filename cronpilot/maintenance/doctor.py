"""Looks a machine and a state directory over. Changes nothing, also beside a running engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cronpilot.config.settings import Settings
from cronpilot.errors import CronPilotError
from cronpilot.maintenance import machine, state
from cronpilot.maintenance.finding import Finding, good, problem, warning

Look = Callable[[], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at. `config_problem`: config.yaml is bad, the settings are defaults."""

    settings: Settings
    config_problem: CronPilotError | None = None


def examine(patient: Patient, environ: Mapping[str, str]) -> list[Finding]:
    """All findings, in the order in which they are best read."""
    settings = patient.settings
    looks: list[Look] = [
        lambda: _config(patient),
        lambda: _tasks_file(settings),
        lambda: state.directory(settings.state_dir),
        lambda: state.free_space(settings.state_dir),
        lambda: state.database(settings),
        lambda: state.lock_and_engine(settings),
        lambda: state.keeper(settings.state_dir),
        machine.wrapper,
        machine.clock,
        machine.zones,
        lambda: machine.logind(Path("/"), os.geteuid()),
        lambda: machine.program(environ),
    ]
    return [finding for look in looks for finding in look()]


def _config(patient: Patient) -> Iterator[Finding]:
    name = "config.yaml"
    if patient.config_problem is not None:
        said = patient.config_problem
        yield problem(name, said.problem.splitlines()[0], said.hint or "See: cronpilot validate")
        return
    path = patient.settings.config_file
    yield good(name, "there is none; defaults are used" if path is None else f"{path} is valid")
    for note in patient.settings.settings_warnings:
        yield warning(name, note)


def _tasks_file(settings: Settings) -> Iterator[Finding]:
    from cronpilot.config.tasks_file import read_tasks_file

    name, path = "tasks.yaml", settings.tasks_file
    if path is None:
        yield good(name, "there is none here")
        return
    try:
        file = read_tasks_file(
            path, pools=settings.pools, quiet=settings.quiet,
            channels=settings.notifications.channels, timezone=settings.timezone,
        )  # fmt: skip
    except CronPilotError as said:
        first, *more = said.problem.splitlines()
        also = f" (and {len(more)} more)" if more else ""
        yield problem(name, f"{first}{also}", f"See: cronpilot validate {path}")
        return
    yield good(name, f"{path} is valid: {len(file.entries)} tasks")
    for complaint in file.warnings:
        yield warning(name, str(complaint))
