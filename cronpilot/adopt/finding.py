"""Finds what starts commands on this machine. Reads only."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cronpilot.adopt import anacron, crontab, timers
from cronpilot.adopt.crontab import Line, Source
from cronpilot.adopt.entries import Entry, Kind, each_name_once, make

ADOPTED = ".cronpilot-adopted"
"""Ends the name of a script that was taken over; run-parts passes over names with a dot."""

_CRON_D_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SPOOL = "var/spool/cron/crontabs"
_TOOL_S = 20.0


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look, and as whom.

    Attributes:
        root: the top of the tree; another one than / is only files, without its programs.
        me: the user that tasks run as, unless they name another.
    """

    root: Path = Path("/")
    me: str = ""

    @classmethod
    def here(cls, root: Path = Path("/")) -> Machine:
        return cls(root, pwd.getpwuid(os.geteuid()).pw_name)

    @property
    def is_this_one(self) -> bool:
        return self.root == Path("/")

    def path(self, relative: str) -> Path:
        return self.root / relative

    @property
    def has_anacron(self) -> bool:
        return self.path("usr/sbin/anacron").exists() and self.path("etc/anacrontab").exists()


def look(machine: Machine) -> list[Entry]:
    """Everything that starts commands here and can be read: crontabs, scripts, timers.

    In the order in which it was found; every name once.
    """
    entries: list[Entry] = []
    for source in sources(machine):
        found, directories = crontab.entries(source)
        entries += found
        for line, directory in directories:
            entries += _scripts(machine, source, line, directory)
    entries += _from_anacron(machine)
    entries += timers.entries(machine.root, machine.me)
    return each_name_once(entries)


def look_at(path: Path, text: str, me: str, *, has_user: bool) -> list[Entry]:
    """What the crontab at `path` becomes, wherever it comes from; it cannot be taken over."""
    owner = None if has_user else me
    found, directories = crontab.entries(Source(path, text, owner, me))
    machine = Machine(me=me)
    for line, directory in directories:
        found += _scripts(machine, Source(path, text, owner, me), line, directory)
    return each_name_once(replace(entry, by_itself=False) for entry in found)


def read_crontab(machine: Machine, user: str) -> str | None:
    """The crontab of a user; None: there is none, or it is not for us to read.

    Of this machine as `crontab -l` prints it: the file begins with lines of that program's own.
    """
    if not machine.is_this_one or shutil.which("crontab") is None:
        try:
            return _text(machine.path(_SPOOL) / user)
        except OSError:
            return None
    words = ["crontab", "-l"] if user == machine.me else ["crontab", "-u", user, "-l"]
    try:
        said = subprocess.run(words, capture_output=True, timeout=_TOOL_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.decode(errors="surrogateescape") if said.returncode == 0 else None


def sources(machine: Machine) -> Iterator[Source]:
    """The crontabs that can be read: of the system, then of users."""
    has_anacron = machine.has_anacron
    for path in [machine.path("etc/crontab"), *_cron_d(machine)]:
        try:
            text = _text(path)
        except OSError:
            continue
        stem = "" if path.name == "crontab" else path.name
        yield Source(path, text, None, machine.me, stem, has_anacron)
    for user in _users(machine):
        text_of_user = read_crontab(machine, user)
        if text_of_user is not None:
            stem = "" if user == machine.me else user
            path = machine.path(_SPOOL) / user
            yield Source(path, text_of_user, user, machine.me, stem, has_anacron)


def _cron_d(machine: Machine) -> list[Path]:
    """What cron reads there: regular files of root that nobody else may write, plain names."""
    found = []
    for path in sorted(_children(machine.path("etc/cron.d"))):
        if not _CRON_D_NAME.fullmatch(path.name) or not path.is_file():
            continue
        status = path.stat()
        theirs = machine.is_this_one and status.st_uid != 0
        if not theirs and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            found.append(path)
    return found


def _users(machine: Machine) -> list[str]:
    try:
        return sorted(path.name for path in machine.path(_SPOOL).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError:
        return [machine.me]


def _from_anacron(machine: Machine) -> list[Entry]:
    if not machine.has_anacron:
        return []
    path = machine.path("etc/anacrontab")
    try:
        text = _text(path)
    except OSError:
        return []
    found, directories = anacron.entries(path, text, machine.me)
    for line, directory in directories:
        source = Source(path, text, None, machine.me)
        for script in _scripts(machine, source, line, directory, missed="once"):
            found.append(replace(script, notices=(*script.notices, anacron.NOTICE)))
    return found


def _scripts(
    machine: Machine, source: Source, line: Line, directory: Path, missed: str = "skip"
) -> Iterator[Entry]:
    """The scripts that a line with run-parts starts, each as an entry of its own."""
    folder = machine.path(str(directory).lstrip("/"))
    names = crontab.run_parts_names(path.name for path in _children(folder))
    scripts = [folder / name for name in names if os.access(folder / name, os.X_OK)]
    for script in scripts:
        if script.is_dir():
            continue
        fields, notices = crontab.surroundings(source, line)
        if re.search(r"\bcd / &&", line.command):
            fields.setdefault("working_dir", "/")
        if len(scripts) > 1:
            notices.append(f"It no longer waits for the others in {directory}.")
        fields |= {
            "name": f"{directory.name}: {script.name}",
            "command": [str(script) + ADOPTED],
            "schedule": line.when,
            "missed": missed,
        }
        yield make(Kind.SCRIPT, script, fields, notices=notices)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
