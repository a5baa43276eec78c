"""Sets an entry aside, so that nothing but CronPilot starts it; and gives it back.

What is found again afterwards is in the files themselves: a line behind `crontab.MARK`, a script
with `finding.ADOPTED` at its name, a timer in our list of those that we turned off.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from cronpilot.adopt import finding
from cronpilot.adopt.crontab import MARK
from cronpilot.adopt.entries import Entry, Kind
from cronpilot.adopt.finding import ADOPTED, Machine
from cronpilot.errors import Refused

_TIMERS = "timers.json"
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Adopted:
    """Something that was set aside. `user`: whose crontab it stands in; None: a file of its own."""

    name: str
    kind: Kind
    where: Path
    user: str | None = None


def set_aside(machine: Machine, entry: Entry, copies: Path) -> Path | None:
    """Make sure that nobody but us starts it.

    Args:
        copies: a directory of ours; the file as it was is put there first.
    Returns:
        The copy, None where there was nothing to copy.
    Raises:
        Refused: it is not ours to change, has changed since it was read, or the tool failed.
    """
    match entry.kind:
        case Kind.CRONTAB:
            marked = f"{MARK}{json.dumps(entry.name)}: {entry.text}"
            return _change_line(machine, entry.where, entry.owner, copies, entry.text, marked,
                                entry.line)  # fmt: skip
        case Kind.SCRIPT:
            with _explaining(entry.where):
                entry.where.rename(f"{entry.where}{ADOPTED}")
        case Kind.TIMER:
            before = _timers(copies)
            _remember_timers(copies, {**before, entry.name: str(entry.where)})
            try:
                _systemctl("disable", entry.where.name)
            except Refused:
                _remember_timers(copies, before)
                raise
    return None


def adopted(machine: Machine, copies: Path) -> list[Adopted]:
    """All that is set aside on this machine, as far as it can be read."""
    found = []
    for path, user, text in _crontabs(machine):
        for line in text.split("\n"):
            if marked := _marked(line):
                found.append(Adopted(marked[0], Kind.CRONTAB, path, user))
    for folder in sorted(machine.path("etc").glob("cron.*ly")):
        for script in sorted(folder.glob(f"*{ADOPTED}")):
            name = f"{folder.name}: {script.name.removesuffix(ADOPTED)}"
            found.append(Adopted(name, Kind.SCRIPT, script))
    found += [Adopted(name, Kind.TIMER, Path(path)) for name, path in _timers(copies).items()]
    return found


def give_back(machine: Machine, one: Adopted, copies: Path) -> None:
    """Put it back to where cron, run-parts or systemd start it again.

    Raises:
        Refused: as for `set_aside`; also when an update has put the script there again.
    """
    match one.kind:
        case Kind.CRONTAB:
            text = _text_of(machine, one.where, one.user)
            for number, line in enumerate(text.split("\n"), 1):
                marked = _marked(line)
                if marked and marked[0] == one.name:
                    _change_line(machine, one.where, one.user, copies, line, marked[1], number)
                    return
        case Kind.SCRIPT:
            original = Path(str(one.where).removesuffix(ADOPTED))
            if original.exists():
                raise Refused(
                    f"{original} is there again, so an update has brought it back.",
                    f"Compare it with {one.where}, and remove one of them.",
                )
            with _explaining(one.where):
                one.where.rename(original)
        case Kind.TIMER:
            _systemctl("enable", one.where.name)
            rest = {name: path for name, path in _timers(copies).items() if name != one.name}
            _remember_timers(copies, rest)


def _marked(line: str) -> tuple[str, str] | None:
    """The task's name and the line as it was."""
    if not line.startswith(MARK):
        return None
    try:
        name, end = json.JSONDecoder().raw_decode(line, len(MARK))
    except ValueError:
        return None
    return (
        (name, line[end + 2 :]) if isinstance(name, str) and line[end:].startswith(": ") else None
    )


# --- lines ---------------------------------------------------------------------------------------


def _crontabs(machine: Machine) -> Iterator[tuple[Path, str | None, str]]:
    for source in finding.sources(machine):
        yield source.path, source.owner, source.text


def _text_of(machine: Machine, path: Path, user: str | None) -> str:
    if user is not None:
        return finding.read_crontab(machine, user) or ""
    with _explaining(path):
        return path.read_text(encoding="utf-8", errors="surrogateescape")


def _change_line(
    machine: Machine, path: Path, user: str | None, copies: Path, old: str, new: str, number: int
) -> Path:
    """Replace exactly that line, if it still stands where it was read."""
    text = _text_of(machine, path, user)
    lines = text.split("\n")
    if number > len(lines) or lines[number - 1] != old:
        raise Refused(
            f"{path} has changed since it was read: line {number} is another one.",
            "Look again: cronpilot adopt",
        )
    copy = _keep_copy(copies, path, text)
    lines[number - 1] = new
    changed = "\n".join(lines)
    if user is not None and machine.is_this_one and shutil.which("crontab"):
        _install_crontab(machine, user, changed)  # cron has to be told of a new one
    else:
        _replace(path, changed)
    return copy


def _keep_copy(copies: Path, path: Path, text: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    copy = copies / f"{str(path).strip('/').replace('/', '_')}.{stamp}"
    with _explaining(copy), _new_file(copy) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return copy


def _new_file(path: Path) -> TextIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape")


def _replace(path: Path, text: str) -> None:
    """Write the file anew beside itself and rename it: cron sees the old one or the new one.

    A dot begins the name in between, which cron and run-parts pass over.
    """
    with _explaining(path):
        status = path.stat()
        descriptor, name = tempfile.mkstemp(prefix=".cronpilot-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), status.st_mode & 0o7777)
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
                os.fsync(file.fileno())
            Path(name).rename(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _install_crontab(machine: Machine, user: str, text: str) -> None:
    words = ["crontab", "-"] if user == machine.me else ["crontab", "-u", user, "-"]
    _tool(words, text.encode(errors="surrogateescape"))


# --- timers --------------------------------------------------------------------------------------


def _systemctl(verb: str, unit: str) -> None:
    _tool(["systemctl", verb, "--now", unit])


def _tool(words: list[str], stdin: bytes = b"") -> None:
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{words[0]} cannot be used: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise Refused(f"{' '.join(words)} failed: {said}")


def _timers(copies: Path) -> dict[str, str]:
    try:
        found = json.loads((copies / _TIMERS).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(path) for name, path in found.items()} if isinstance(found, dict) else {}


def _remember_timers(copies: Path, timers: dict[str, str]) -> None:
    path = copies / _TIMERS
    with _explaining(path):
        copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    _replace(path, json.dumps(timers, indent=1) + "\n")


@contextlib.contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """Turns what the system says about a file into a sentence."""
    try:
        yield
    except PermissionError as error:
        raise Refused(
            f"{path} is not yours to change.", "Do it as root: sudo cronpilot adopt ..."
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refused(f"{path} cannot be changed: {reason}.") from error
