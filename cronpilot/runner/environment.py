"""What a command finds around it: words, variables, directory. Like cron's, and said so.

Values reach a command by its environment alone; no text is ever formatted into it.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cronpilot.domain.task import check_variable
from cronpilot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KNOWN_S = 5.0  # how long an account is known: to look it up reads files, or asks a network
_LARGEST_ENV_FILE = 1 << 20  # bytes

# Words that need no shell: no character that any shell would look at twice.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+( [A-Za-z0-9_./:@%+,=-]+)*", re.ASCII)
# What dash or bash would do themselves, or read as grammar. `true` and `false` are missing on
# purpose: the programs are the same thing.
_SHELL_WORDS = (
    " . : [ alias bg bind break builtin caller case cd chdir command compgen complete compopt"
    " continue coproc declare dirs disown do done echo elif else enable esac eval exec exit export"
    " fc fg fi for function getopts hash help history if in jobs kill let local logout mapfile popd"
    " printf pushd pwd read readarray readonly return select set shift shopt source suspend test"
    " then time times trap type typeset ulimit umask unalias unset until wait while "
)


def to_argv(command: str | list[str], shell: str = "/bin/sh") -> list[str]:
    """The words to execute.

    Shell text runs as `shell -c TEXT`, except that text of plain words is executed directly under
    /bin/sh: the same meaning, and one exec less.

    Raises:
        ConfigError: an argv whose program is empty or looks like an option.
    """
    if isinstance(command, list):
        if not command or not command[0] or command[0].startswith("-"):
            raise ConfigError(
                f"{command[:1]!r} cannot be a program.",
                "The first word of a command list is the program, for example [df, -h, /].",
            )
        return list(command)
    first, *rest = command.split(" ")
    if shell == "/bin/sh" and _PLAIN.fullmatch(command) and _is_program(first):
        return [first, *rest]
    # `sh -c -x` would take -x for an option; a blank in front changes nothing else.
    return [shell, "-c", f" {command}" if command.startswith(("-", "+")) else command]


def _is_program(word: str) -> bool:
    return f" {word} " not in _SHELL_WORDS and not word.startswith(("-", "+", "%"))


class Account(NamedTuple):
    """Who a command runs as."""

    name: str
    home: str


def account(user: str | None) -> Account:
    """That user, or our own; as it was within the last seconds.

    Raises:
        ConfigError: there is no such user, or only root could become that one.
    """
    return _account(user, os.geteuid(), time.monotonic() // _KNOWN_S)


@lru_cache(maxsize=64)
def _account(user: str | None, own: int, _moment: float) -> Account:
    try:
        entry = pwd.getpwnam(user) if user else pwd.getpwuid(own)
    except KeyError:
        if user:
            raise ConfigError(
                f"There is no user {user!r}.", "Name a user of this machine."
            ) from None
        return Account(str(own), os.environ.get("HOME") or "/")  # an arbitrary uid in a container
    if user and own not in (0, entry.pw_uid):
        raise ConfigError(f"Only root can run a command as {user!r}.", "Leave out `user`.")
    return Account(entry.pw_name, entry.pw_dir or "/")


def working_directory(working_dir: str | None, home: str) -> str:
    """Absolute. `~` is the home of who the command runs as; a relative one begins there."""
    if working_dir is None:
        return home
    if working_dir == "~" or working_dir.startswith("~/"):
        return home + working_dir[1:]
    return os.path.join(home, working_dir)  # noqa: PTH118 - pathlib would fold `..` no better


class Attempt(NamedTuple):
    """What a command is told about itself. `number` counts from 1."""

    task_name: str
    run_id: int
    number: int
    state_dir: Path
    scheduled_for: datetime | None


def build_environment(
    attempt: Attempt,
    who: Account,
    *,
    shell: str = "/bin/sh",
    env: Mapping[str, str],
    env_file: str | None = None,
    working_dir: str,
    timezone: str | None = None,
) -> dict[str, str]:
    """A clean environment: cron's variables, then `env_file`, then `env`, then ours.

    `timezone` is the task's own, or None. A relative `env_file` is looked for in `working_dir`.
    CRONPILOT_RUN is added by the executor.

    Raises:
        ConfigError: the env_file cannot be read or used.
    """
    result = {
        "PATH": f"{_PATH}:{_own_folder()}",
        "HOME": who.home,
        "SHELL": shell,
        "LOGNAME": who.name,
        "USER": who.name,
        "LANG": os.environ.get("LANG") or "C.UTF-8",
    }
    if timezone is not None:
        result["TZ"] = timezone
    if env_file is not None:
        result |= read_env_file(Path(working_directory(env_file, working_dir)))
    result |= env
    result["CRONPILOT_TASK"] = attempt.task_name
    result["CRONPILOT_RUN_ID"] = str(attempt.run_id)
    result["CRONPILOT_ATTEMPT"] = str(attempt.number)
    result["CRONPILOT_STATE_DIR"] = str(attempt.state_dir)
    if attempt.scheduled_for is not None:
        instant = attempt.scheduled_for.astimezone(UTC)
        result["CRONPILOT_SCHEDULED_FOR"] = instant.isoformat().replace("+00:00", "Z")
    return result


@lru_cache(maxsize=1)
def _own_folder() -> str:
    """Where the program `cronpilot` is: tasks may call it."""
    program = Path(sys.argv[0] or "")
    found = program.name == "cronpilot" and program.is_file()
    return str(program.absolute().parent if found else Path(sys.executable).parent)


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines, as `docker --env-file` and systemd read them.

    Blank lines and lines that begin with # count for nothing; `export ` in front is allowed. A
    value in single or double quotes is what is between them; nothing is expanded or unescaped.

    Raises:
        ConfigError: with file and line.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_ENV_FILE + 1)
        text = raw.decode()
    except OSError as problem:
        raise ConfigError(f"{path}: {problem.strerror}.", "Check env_file.") from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path}: it is not UTF-8 text.", "Check env_file.") from problem
    if len(raw) > _LARGEST_ENV_FILE:
        raise ConfigError(f"{path}: it is larger than 1 MiB.", "Check env_file.")
    result: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            name, value = _assignment(f"{path}:{number}", stripped)
            result[name] = value
    return result


def _assignment(where: str, line: str) -> tuple[str, str]:
    name, equals, value = line.removeprefix("export ").strip().partition("=")
    if not equals:
        raise ConfigError(f"{where}: {name!r} has no value.", "Write NAME=value.")
    try:
        check_variable(name)
    except ValueError as problem:
        raise ConfigError(f"{where}: {problem}.", "Write NAME=value.") from problem
    if "\0" in value:
        raise ConfigError(f"{where}: a NUL character cannot be passed to a command.")
    if value[:1] in ("'", '"'):
        if len(value) < 2 or value[-1] != value[0]:
            raise ConfigError(f"{where}: a quote is not closed.", f"End it with {value[0]}.")
        value = value[1:-1]
    return name, value
