"""Crontabs as Debian's cron reads them: crontab(5) of cron 3.0pl1, which knows all the rest.

Of other crons two settings are understood: CRON_TZ and RANDOM_DELAY (cronie); Debian's passes them
to the command as variables, and a notice says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cronpilot.adopt.entries import Entry, Kind, Notice, make, name_of, without_equal
from cronpilot.domain.schedule import find_zone

MARK = "# cronpilot adopted "
"""Begins a line that was taken over; then the task's name as JSON, a colon, the line as it was."""

# A name, = and a value, either of them in quotes or not (`load_env` in env.c).
_SETTING = re.compile(
    r"""\s*(?:"(?P<dq>[^"]*)"|'(?P<sq>[^']*)'|(?P<plain>[^\s="']+))\s*=\s*(?P<value>.*?)\s*$"""
)
_SPECIAL = re.compile(r"\s*(@\w+)\s+(.*)$")
_FIELDS = re.compile(r"\s*((?:\S+\s+){4}\S+)\s+(.*)$")
_PAIR = re.compile(r"\\.", re.DOTALL)
_COMMAND = re.compile(r"((?:[^\\%]|\\.)*\\?)(%?)(.*)", re.DOTALL)
_USER = re.compile(r"(\S+)\s+(.*)$")
_NAMES = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_RUN_PARTS = re.compile(r"\brun-parts\b[^|;&]*?\s(/[\w./-]+)")
_ANACRON = re.compile(r"(?:test|\[)\s+-x\s+(/\S*anacron)\b")
_OURS = {"SHELL", "MAILTO", "MAILFROM", "CRON_TZ", "RANDOM_DELAY", "LOGNAME", "USER", "HOME",
         "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line that starts something, with the settings that stand above it."""

    number: int
    text: str
    when: str  # five fields, or @reboot
    user: str | None  # None: the owner of the crontab
    command: str  # with the % and what follows it
    settings: dict[str, str]
    comment: str  # the line of comment right above it


@dataclass(slots=True)
class Crontab:
    """What a crontab says; `problems` are lines that cron would refuse."""

    lines: list[Line] = field(default_factory=list)
    problems: list[tuple[int, str, str]] = field(default_factory=list)  # number, text, why


def read(text: str, *, has_user: bool) -> Crontab:
    """Read a crontab. `has_user`: its sixth field is a user, as in /etc/crontab."""
    found = Crontab()
    settings: dict[str, str] = {}
    comment = ""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" \t")
        if not stripped or stripped.startswith("#"):
            comment = "" if stripped.startswith(MARK) else stripped.lstrip("# \t")
            continue
        if setting := _setting(line):
            settings = settings | dict([setting])
            continue
        parsed = _line(number, line, has_user, settings, comment)
        comment = ""
        if isinstance(parsed, Line):
            found.lines.append(parsed)
        else:
            found.problems.append((number, line, parsed))
    return found


def _setting(line: str) -> tuple[str, str] | None:
    found = _SETTING.match(line)
    if not found:
        return None
    value = found["value"]
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = value[1:-1]
    return found["dq"] or found["sq"] or found["plain"] or "", value


def _line(
    number: int, line: str, has_user: bool, settings: dict[str, str], comment: str
) -> Line | str:
    """The line, or why cron refuses it."""
    if found := _SPECIAL.match(line):
        word, rest = found[1].lower(), found[2]
        if word not in _NAMES and word != "@reboot":
            return f"cron knows no {found[1]}."
        when = _NAMES.get(word, word)
    elif found := _FIELDS.match(line):
        when, rest = " ".join(found[1].split()), found[2]
    else:
        return "It is neither a setting nor five fields and a command."
    user = None
    if has_user:
        named = _USER.match(rest)
        if not named:
            return "It has no command after the user."
        user, rest = named[1], named[2]
    if not rest.strip():
        return "It has no command."
    return Line(number, line, when, user, rest.rstrip(), dict(settings), comment)


@dataclass(frozen=True, slots=True)
class Source:
    """A crontab and the surroundings in which it is read.

    Attributes:
        owner: whose it is; None: a file with a user in each line.
        me: the user that the engine runs as.
        stem: stands before the names of its tasks; may be empty.
    """

    path: Path
    text: str
    owner: str | None
    me: str
    stem: str = ""
    has_anacron: bool = False


def entries(source: Source) -> tuple[list[Entry], list[tuple[Line, Path]]]:
    """What each line becomes; and the lines that walk through a directory with run-parts."""
    crontab = read(source.text, has_user=source.owner is None)
    found: list[Entry] = []
    directories: list[tuple[Line, Path]] = []
    for line in crontab.lines:
        if parts := _RUN_PARTS.search(line.command):
            if not (source.has_anacron and _ANACRON.search(line.command)):
                directories.append((line, Path(parts[1])))
            continue
        if source.has_anacron and _ANACRON.search(line.command):
            continue  # it leaves its work to anacron, which is here
        found.append(_entry(source, line))
    for number, text, why in crontab.problems:
        found.append(
            without_equal(Kind.CRONTAB, source.path, "?", f"cron refuses this line: {why}",
                          line=number, text=text, owner=source.owner)
        )  # fmt: skip
    if _is_cut_off(source):
        found = [replace(entry, by_itself=False) for entry in found]  # cron starts none of them
        found.append(
            without_equal(Kind.CRONTAB, source.path, "?",
                          "The last line has no end, so cron refuses the whole file.",
                          line=source.text.count("\n") + 1, owner=source.owner)
        )  # fmt: skip
    return sorted(found, key=lambda one: one.line), directories


def _is_cut_off(source: Source) -> bool:
    return bool(source.text) and not source.text.endswith("\n")


def _entry(source: Source, line: Line) -> Entry:
    command, stdin = split_percent(line.command)
    word = name_of(command)
    name = f"{source.stem}: {word}" if source.stem and source.stem != word else word
    at = {"line": line.number, "text": line.text, "owner": source.owner}
    if line.when == "@reboot":
        return without_equal(
            Kind.CRONTAB, source.path, name,
            "@reboot has no equal: let a systemd unit start it with the machine.", **at,  # type: ignore[arg-type]
        )  # fmt: skip
    fields, notices = surroundings(source, line)
    fields |= {"name": name, "schedule": line.when, "missed": "skip"}
    fields["command"] = with_input(command, stdin) if stdin is not None else command
    if line.comment:
        fields["description"] = line.comment[:200]
    return make(Kind.CRONTAB, source.path, fields, notices=notices, **at)  # type: ignore[arg-type]


def surroundings(source: Source, line: Line) -> tuple[dict[str, Any], list[Notice]]:
    """User, shell, directory, variables, zone and recipients as fields of TaskSpec."""
    settings, notices = line.settings, list[Notice]()
    env = {name: value for name, value in settings.items() if name not in _OURS}
    fields: dict[str, Any] = {}
    user = line.user or source.owner
    if user not in (None, source.me):
        fields["user"] = user
        if source.me != "root":
            notices.append(f"Only an engine of root can run it as {user}.")
    if (shell := settings.get("SHELL")) not in (None, "/bin/sh"):
        fields["shell"] = shell
    if home := settings.get("HOME"):
        env["HOME"] = fields["working_dir"] = home
    if env:
        fields["env"] = env
    _zone(settings, fields, notices)
    _mail(settings, fields, notices)
    if (delay := settings.get("RANDOM_DELAY", "")).isdigit() and int(delay):
        fields["spread"] = f"{int(delay)}m"
        notices.append("RANDOM_DELAY becomes a fixed offset below it, the same each time.")
    return fields, notices


def _zone(settings: dict[str, str], fields: dict[str, Any], notices: list[Notice]) -> None:
    zone = settings.get("CRON_TZ")
    if not zone:
        return
    try:
        find_zone(zone)
    except ValueError:
        notices.append(f"CRON_TZ={zone} is no time zone that is known here; it is left out.")
        return
    fields["timezone"] = zone
    notices.append("CRON_TZ is obeyed; Debian's cron ignores it, so the times may move.")


def _mail(settings: dict[str, str], fields: dict[str, Any], notices: list[Notice]) -> None:
    mailto = settings.get("MAILTO")
    if mailto == "":
        fields["notify"] = "never"
    elif mailto:
        to = [word.strip() for word in mailto.split(",") if "@" in word]
        if to:
            fields["notify"] = {"on": "failure", "to": to}
        notices.append(f"cron mails every output to {mailto}; here failures are told.")


def split_percent(text: str) -> tuple[str, str | None]:
    r"""Command and standard input: % ends the command, further ones are line ends, \% is a %.

    In the command a backslash protects another one, in the input it does not (do_command.c).
    """
    said, sign, data = _COMMAND.match(text).groups()  # type: ignore[union-attr]  # it always does
    command = _PAIR.sub(lambda pair: "%" if pair[0] == "\\%" else pair[0], said).strip()
    if not sign:
        return command, None
    lines = "\n".join(part.replace("\\%", "%") for part in re.split(r"(?<!\\)%", data))
    return command, lines if not lines or lines.endswith("\n") else lines + "\n"


def with_input(command: str, stdin: str) -> str:
    """Shell text that gives a command this standard input."""
    return f"printf %s {shlex.quote(stdin)} | {{\n{command}\n}}"


def run_parts_names(names: Iterator[str]) -> list[str]:
    """The names that run-parts(8) runs, in its order."""
    return sorted(name for name in names if re.fullmatch(r"[A-Za-z0-9_-]+", name))
