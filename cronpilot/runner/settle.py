"""After a crash: what became of a launch that the keeper does not know.

Legal at any time for the owner of the engine's lock with a linked keeper, whose `hello` did not
list the launch. The record decides; see `keeper/record.py` for its lines.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cronpilot.runner.keeper import log_limit, protocol, record
from cronpilot.runner.messages import AttemptKey, Ended, NeverStarted, ended_report
from cronpilot.runner.paths import log_path, record_path

if TYPE_CHECKING:
    from cronpilot.runner.keeper.record import Outcome, Record


class Adopt(NamedTuple):
    """It lives, or died without a word: the keeper has to look after it."""

    key: AttemptKey


def boot_id() -> str:
    """This start of the machine. `CRONPILOT_FAKE_BOOT` pretends another one, for tests."""
    fake = os.environ.get("CRONPILOT_FAKE_BOOT")
    return fake or Path("/proc/sys/kernel/random/boot_id").read_text().strip()


_this_boot = boot_id


def settle(
    state_dir: Path, key: AttemptKey, *, boot_id: str | None
) -> Ended | NeverStarted | Adopt:
    """Decide.

    `boot_id` is that of the moment in which the start was committed; None: take it for this one's.
    A launch of another boot without any record is lost and not repeated: the record may be what the
    power cut took.
    """
    restarted = boot_id not in (None, _this_boot())
    path = str(record_path(state_dir, key))
    try:
        fd = record.create(path)
    except FileExistsError:
        fd = record.reopen(path)
    try:
        if not record.lock(fd):
            return Adopt(key)
        return _decide(state_dir, key, fd, restarted)
    except ValueError:  # damaged, as by a power cut: it was begun, and nobody can know more
        why = "host_restart" if restarted else ""
        return _ended(key, record.Record(""), record.Outcome(why=why))
    finally:
        os.close(fd)


def _decide(
    state_dir: Path, key: AttemptKey, fd: int, restarted: bool
) -> Ended | NeverStarted | Adopt:
    """Keeper and wrapper are gone, and the lock is ours."""
    seen = record.read(fd)
    final = seen.final()
    if final is not None:
        return _ended(key, seen, final)
    if seen.ended:  # both were dead: the wrapper finished alone
        outcome = seen.seen()
        outcome.ended = os.fstat(fd).st_mtime_ns
        _trim(state_dir, key, seen)
        return _ended(key, seen, outcome)
    if seen.has("R"):
        return NeverStarted(key, "It was never started.", retry=True, revoked=True)
    if restarted:
        outcome = seen.seen()
        outcome.why = outcome.why or "host_restart"
        return _ended(key, seen, outcome)
    if seen.command is None:
        record.put(fd, "R", errno=0, t=time.time_ns())
        return NeverStarted(key, "It was never started.", retry=True, revoked=True)
    return Adopt(key)


def _ended(key: AttemptKey, seen: Record, outcome: Outcome) -> Ended:
    return ended_report(protocol.done(key.run_id, key.launch, outcome.values(), seen.words))


def _trim(state_dir: Path, key: AttemptKey, seen: Record) -> None:
    """Nobody watched its log since the keeper died."""
    if seen.claim and seen.claim.limit:
        with suppress(OSError):  # gone, or no holes here: the retention sees its size
            log_limit.trim(str(log_path(state_dir, seen.claim.task, key.run_id)), seen.claim.limit)


def forget(state_dir: Path, keys: list[AttemptKey]) -> None:
    """Remove the records of launches whose final row is committed."""
    folder = str(state_dir)
    for key in keys:
        path = record.record_path(folder, key.run_id, key.launch)
        for file in (path, f"{path}.sh"):  # see `paths`; two for each run are worth no Path
            with suppress(FileNotFoundError):
                os.unlink(file)  # noqa: PTH108


def sweep(state_dir: Path, open_runs: set[int]) -> int:
    """Remove the records of all other runs (a crash between the final commit and `forget`).

    How many files went. What does not look like a record stays.
    """
    swept = 0
    for path in (state_dir / "records").iterdir():
        run_id, _, rest = path.name.partition(".")
        if run_id.isdigit() and rest.removesuffix(".sh").isdigit() and int(run_id) not in open_runs:
            path.unlink(missing_ok=True)
            swept += 1
    return swept
