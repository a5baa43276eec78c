"""Which tasks file is in force: the one that was named, the one remembered, or one found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from cronpilot.config.places import Places
from cronpilot.domain.text import clean
from cronpilot.storage.peek import peek

Ask = Callable[[str], bool]
P = TypeVar("P", bound=Places)


def choose_tasks_file(settings: P, ask: Ask | None = None) -> P:
    """The settings with the tasks file that is in force, and whether it takes over.

    A state directory remembers its file: one that merely lies in the working directory does not
    take its place. One that was named does; what the old file declared stays until `ask` (a yes-no
    question for people), or `take_over` in the settings, says that it may be archived.
    """
    known = peek(settings.database)
    named = settings.tasks_file_found in ("flag", "environment")
    if known.remembered is None or settings.tasks_file == Path(known.remembered):
        return settings
    if not named:
        return replace(
            settings,
            tasks_file=Path(known.remembered),
            settings_warnings=(*settings.settings_warnings, *_unused(settings, known.remembered)),
        )
    others = {
        file: count for file, count in known.tasks.items() if file != str(settings.tasks_file)
    }
    if ask is not None and others and not settings.take_over:
        return replace(settings, take_over=ask(_question(settings.tasks_file, others)))
    return settings


def _unused(settings: Places, remembered: str) -> tuple[str, ...]:
    if settings.tasks_file is None:
        return ()
    return (
        f"{settings.state_dir} belongs to {remembered}; to use {settings.tasks_file} instead,"
        " name it: --tasks FILE",
    )


def _question(file: Path | None, others: Mapping[str, int]) -> str:
    of = " and ".join(f"{count} of {clean(old)}" for old, count in sorted(others.items()))
    return (
        f"Tasks of another tasks file are here: {of}. Archive those that"
        f" {clean(str(file))} does not have? Their history is kept. [y/N] "
    )
