"""Forgets old runs and their logs, by count, by age, and by the size of all logs together.

The order that never lies: first the row goes, or says that its log is gone, and that is committed;
then the file goes. What a crash leaves in between is a file that no row speaks of: each pass looks
for those first. Runs that are not over are never touched; the figures of a task stay.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cronpilot.config.settings import RetentionSettings
from cronpilot.runner.keeper import record
from cronpilot.runner.paths import log_path
from cronpilot.storage import meta, retention
from cronpilot.storage.database import Database
from cronpilot.storage.retention import Doomed

log = logging.getLogger("cronpilot.retention")

# Between two transactions, and while files are looked at: the writer and the interpreter belong to
# the work of the engine. A share of the time that the step before took.
_BREATH = 0.25
_LOOKED_AT = 1000  # files, between two breaths
_AUDIT_AGE = timedelta(days=365)
_AUDIT_BATCH = 500  # lines in one transaction
_BLOCK = 512  # bytes, of st_blocks


@dataclass(slots=True)
class Forgotten:
    """What a pass did. `log_bytes` is what the logs took up on the disk when it was over."""

    runs: int = 0
    logs: int = 0
    strays: int = 0  # log files that no row spoke of
    log_bytes: int = 0


class _File(NamedTuple):
    task_id: int
    run_id: int
    size: int  # bytes on the disk: a hole that a log limit made takes none
    changed: float  # seconds since 1970


class _StoppedError(Exception):
    """Somebody wants us to stop."""


@dataclass(slots=True)
class Pass:
    """One walk through all rules, in a thread of its own; `stopping` ends it between two steps."""

    database: Database
    state_dir: Path
    rules: RetentionSettings
    now: datetime
    stopping: threading.Event = field(default_factory=threading.Event)
    done: Forgotten = field(default_factory=Forgotten)
    _breathed_at: float = field(default_factory=time.monotonic, init=False)

    def run(self) -> Forgotten:
        """Raises StorageProblem, OSError: the rest is left for the next pass."""
        try:
            self._sweep()
            self._by_age()
            self._by_count()
            self._by_size()
            self._audit()
        except _StoppedError:
            pass
        if self.done.runs or self.done.logs or self.done.strays:
            log.info("forgot %s", self.done)
        return self.done

    # --- rules -----------------------------------------------------------------------------------

    def _by_age(self) -> None:
        moment = self.now - self.rules.age
        after: tuple[datetime, int] | None = None
        while True:
            found, after = self.database.read(
                partial(retention.ended_before, moment=moment, after=after)
            )
            if not found:
                break
            self._forget(found)
        while found := self.database.read(partial(retention.ended_somewhen_before, moment=moment)):
            self._forget(found)

    def _by_count(self) -> None:
        for excess in self.database.read(lambda c: retention.excesses(c, self.rules.runs)):
            self._oldest_of(excess.task_id, excess.others, failures=False)
            self._oldest_of(excess.task_id, excess.failures, failures=True)

    def _oldest_of(self, task_id: int, most: int, *, failures: bool) -> None:
        while most > 0:
            found = self.database.read(
                partial(
                    retention.oldest, task_id=task_id, failures=failures, most=most, now=self.now
                )
            )
            if not found:
                return
            self._forget(found)
            most -= len(found)

    def _by_size(self) -> None:
        for failures in (False, True):
            after = 0
            while self.done.log_bytes > self.rules.log_size:
                found = self.database.read(
                    partial(retention.oldest_logs, failures=failures, after=after)
                )
                if not found:
                    break
                after = found[-1].run_id
                self._remove_logs(found)

    # --- deeds -----------------------------------------------------------------------------------

    def _forget(self, doomed: list[Doomed]) -> None:
        ids = [run.run_id for run in doomed]
        self.done.runs += self.database.write(lambda c: retention.forget(c, ids)).result()
        for run in doomed:
            if run.had_log:
                self._remove_file(run)
        self._breathe()

    def _remove_logs(self, found: list[Doomed]) -> None:
        """As many of these, oldest first, as it takes to get below the limit."""
        chosen: list[Doomed] = []
        left = self.done.log_bytes
        for run in found:
            if left <= self.rules.log_size:
                break
            left -= _size(log_path(self.state_dir, run.task_id, run.run_id))
            chosen.append(run)
        ids = [run.run_id for run in chosen]
        self.database.write(lambda c: retention.mark_log_removed(c, ids)).result()
        for run in chosen:
            self._remove_file(run)
        self._breathe()

    def _remove_file(self, run: Doomed) -> None:
        path = record.log_path(str(self.state_dir), run.task_id, run.run_id)
        try:
            size = os.stat(path, follow_symlinks=False).st_blocks * _BLOCK  # noqa: PTH116
            os.unlink(path)  # noqa: PTH108
        except FileNotFoundError:
            return
        self.done.logs += 1
        self.done.log_bytes = max(0, self.done.log_bytes - size)

    # --- files -----------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Sum up the logs; remove those that no row speaks of: a crash came before they went.

        Not those with ids from before a database was lost or restored: they may be all that is left
        of these runs. They go by age.
        """
        foreign = int(self.database.read(lambda c: meta.get(c, meta.FOREIGN_RUNS)) or 0)
        oldest = (self.now - self.rules.age).timestamp()
        for files in _batches(self.state_dir / "logs"):
            ids = [file.run_id for file in files]
            gone = self.database.read(partial(retention.without_log, ids=ids))
            for file in files:
                ours = file.run_id > foreign or file.changed < oldest
                if file.run_id in gone and ours:
                    path = log_path(self.state_dir, file.task_id, file.run_id)
                    path.unlink(missing_ok=True)
                    self.done.strays += 1
                else:
                    self.done.log_bytes += file.size
            self._breathe()

    def _audit(self) -> None:
        """Who did what is kept for a year, or as long as runs are if that is longer."""
        before = self.now - max(self.rules.age, _AUDIT_AGE)
        while self.database.write(
            partial(meta.forget_notes, before=before, most=_AUDIT_BATCH)
        ).result():
            self._breathe()

    def _breathe(self) -> None:
        worked = time.monotonic() - self._breathed_at
        if self.stopping.wait(worked * _BREATH):
            raise _StoppedError
        self._breathed_at = time.monotonic()


def _size(path: Path) -> int:
    try:
        return path.stat(follow_symlinks=False).st_blocks * _BLOCK
    except FileNotFoundError:
        return 0


def _batches(logs: Path) -> Iterator[list[_File]]:
    """All log files, some hundred at a time. What does not look like a log is passed over."""
    batch: list[_File] = []
    for file in _files(logs):
        batch.append(file)
        if len(batch) == _LOOKED_AT:
            yield batch
            batch = []
    if batch:
        yield batch


def _files(logs: Path) -> Iterator[_File]:
    for folder in _entries(logs):
        if not (folder.name.isdigit() and folder.is_dir(follow_symlinks=False)):
            continue
        for entry in _entries(Path(folder.path)):
            stem, dot, ending = entry.name.partition(".")
            if stem.isdigit() and (dot, ending) == (".", "log"):
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # somebody deletes logs, too
                yield _File(
                    int(folder.name), int(stem), found.st_blocks * _BLOCK, found.st_mtime
                )  # fmt: skip


def _entries(folder: Path) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
