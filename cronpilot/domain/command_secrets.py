"""Passwords and tokens among the words of a command, told by where they stand.

Unlike `secrets`, which looks at one value: here the word before and the program decide, so that a
port or a file's name stays. What the shell would only fill in (`$TOKEN`) is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from cronpilot.domain.secrets import HIDDEN, is_secret_name, mask_value

_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s;&|<>()'"\\])+|[;&|()\n]""", re.DOTALL)
_BEFORE_A_PROGRAM = frozenset({"sudo", "env", "exec", "nice", "time", "nohup", "sshpass"})
_BETWEEN_COMMANDS = frozenset(";&|()\n")
_ASSIGNMENT = re.compile(r"([A-Z_][A-Z0-9_]*)=(?=.)")
_LONG = re.compile(
    r"--(?!no-|ask-)(?:[a-z0-9]+[-_])*(?:password|passwd|pass|passphrase|secret|token|credentials?"
    r"|(?:api|access|secret)[-_]?key)(=|$)"
)
_HEADER = re.compile(
    r"(?i)((?:proxy-)?authorization:\s*(?:[a-z]+\s+)?|(?:[a-z]+-)*(?:api-?key|token):\s*)\S"
)
# A password of these stands after an `=` or is asked for: the next word is something else.
_ASK = re.compile(
    r"mysql.*|mariadb.*|psql|pg_.*|createdb|dropdb|createuser|dropuser|vacuumdb|reindexdb"
)


class _Option(NamedTuple):
    """A short option of some programs whose value is a secret, wholly or behind its first colon."""

    program: re.Pattern[str]
    names: tuple[str, ...]
    apart: bool = True  # the value may be the next word
    joined: bool = True  # ... or go on in the same
    after_colon: bool = False


_OPTIONS = (
    _Option(re.compile(r"curl"), ("-u", "-U"), after_colon=True),
    _Option(re.compile(r"curl"), ("--user", "--proxy-user"), joined=False, after_colon=True),
    _Option(re.compile(r"curl"), ("--user=", "--proxy-user="), after_colon=True),
    _Option(re.compile(r"mysql.*|mariadb.*"), ("-p",), apart=False),
    _Option(re.compile(r"sshpass"), ("-p",)),
    _Option(re.compile(r"redis-cli"), ("-a",), joined=False),
    _Option(re.compile(r"ldap[a-z]+"), ("-w",), joined=False),
    _Option(re.compile(r"(?:docker|podman) login"), ("-p",), joined=False),
)


@lru_cache(maxsize=4096)
def mask_command(command: str) -> str:
    """Shell text without its secrets, as far as they can be told."""
    words = list(_WORD.finditer(command))
    hidden = _hide([_bare(word[0]) for word in words])
    parts, end = [], 0
    for word, masked in zip(words, hidden, strict=True):
        parts += [command[end : word.start()], word[0] if masked is None else _as(word[0], masked)]
        end = word.end()
    return mask_value("".join(parts) + command[end:])


def mask_words(words: Sequence[str]) -> list[str]:
    """The same of a command that is a list."""
    hidden = _hide(words)
    return [
        mask_value(word if new is None else new) for word, new in zip(words, hidden, strict=True)
    ]


def _bare(raw: str) -> str:
    return (
        raw if raw in _BETWEEN_COMMANDS else re.sub(r"""\\(.)|["']""", r"\1", raw, flags=re.DOTALL)
    )


def _as(raw: str, masked: str) -> str:
    """What stands for a word, in its quotes where it was in some."""
    quote = raw[0] if raw[0] in "\"'" and raw[0] == raw[-1] else ""
    return f"{quote}{masked}{quote}"


def _hide(words: Sequence[str]) -> list[str | None]:
    """Of each word what is shown in its place; None: the word itself."""
    shown: list[str | None] = [None] * len(words)
    program, value = "", None
    for place, word in enumerate(words):
        if word in _BETWEEN_COMMANDS:
            program, value = "", None
            continue
        if value is not None and not word.startswith("-"):
            shown[place] = value(word)
            value = None
            continue
        shown[place], value = _look(word, program)
        program = _program(program, word)
    return shown


def _program(before: str, word: str) -> str:
    """The program of a command once `word` is read: assignments come before it."""
    if not before:
        return "" if _ASSIGNMENT.match(word) else word.rpartition("/")[2]
    if before in _BEFORE_A_PROGRAM and not word.startswith("-"):
        return "" if _ASSIGNMENT.match(word) else word.rpartition("/")[2]
    return f"{before} login" if word == "login" else before


_Show = Callable[[str], str | None]


def _look(word: str, program: str) -> tuple[str | None, _Show | None]:
    """What is shown for a word, and how the next one is, where it is the value of this one."""
    if word.startswith("-"):
        return _of_options(word, program)
    if ":" in word and (header := _HEADER.match(word)) is not None:
        return _after(word, header.end() - 1), None
    if "=" in word and (named := _ASSIGNMENT.match(word)) is not None:
        secret = is_secret_name(named[1]) and not named[1].endswith(("_FILE", "_PATH"))
        return (_after(word, named.end()) if secret else None), None
    if " " in word or "\n" in word:  # a command itself, perhaps: sh -c '...'
        inner = mask_command(word)
        return (inner if inner != word else None), None
    return None, None


def _of_options(word: str, program: str) -> tuple[str | None, _Show | None]:
    for option in _options(program):
        found = _of_option(word, option)
        if found is not None:
            return found
    if (long := _LONG.match(word)) is not None:
        if long[1]:
            return _after(word, long.end()), None
        if not _ASK.fullmatch(program):
            return None, lambda value: _after(value, 0)
    return None, None


@lru_cache(maxsize=1024)
def _options(program: str) -> tuple[_Option, ...]:
    return tuple(option for option in _OPTIONS if option.program.fullmatch(program))


def _of_option(word: str, option: _Option) -> tuple[str | None, _Show | None] | None:
    for name in option.names:
        if word == name:
            return (None, lambda value: _shown(value, 0, option)) if option.apart else (None, None)
        if word.startswith(name) and option.joined:
            return _shown(word, len(name), option), None
    return None


def _shown(word: str, start: int, option: _Option) -> str | None:
    if not option.after_colon:
        return _after(word, start)
    colon = word.find(":", start)
    return None if colon < 0 else _after(word, colon + 1)


def _after(word: str, start: int) -> str | None:
    """The word with all hidden from there on; None where nothing is said there."""
    said = word[start:]
    return None if not said or said.startswith(("$", "`")) else word[:start] + HIDDEN
