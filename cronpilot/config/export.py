"""Tasks as the text of a tasks.yaml that reads back as the same tasks.

Written by hand instead of by PyYAML, whose output says things twice that readers of YAML 1.1 and of
1.2 understand differently: what one of them would take for more than text is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from cronpilot.config.strict_yaml import means_text
from cronpilot.domain.task import TaskSpec, told_dict

# What may stand without quotes, wherever it stands: `: ` and ` #` cannot occur in it.
_PLAIN = re.compile(
    r"(?:[\w./~]|-(?=\w))(?:[\w./*@%+,=~-]|:(?=\w)|[ ](?=[\w./*:@%+,=~-]))*", re.ASCII
)
_FLOW_SIGNS = ","  # end a word inside [brackets]
_TROUBLED = {"y", "n", "yes", "no", "on", "off", "=", "<<"}  # some readers', beside PyYAML's
_RESOLVER: Any = yaml.resolver.Resolver()
_TEXT = "tag:yaml.org,2002:str"
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def export_text(specs: Iterable[TaskSpec]) -> str:
    """A tasks.yaml with these tasks in this order; of each what differs from the defaults."""
    lines = [line for spec in specs for line in _task(spec)]
    return "\n".join(["tasks:", *lines]) + "\n" if lines else "tasks: []\n"


def _task(spec: TaskSpec) -> Iterator[str]:
    indent = "  - "
    for name, value in (told_dict(spec) | {"schedule": spec.schedule.shorthand}).items():
        yield from _field(indent, name, value)
        indent = "    "


def _field(indent: str, name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"{indent}{name}:"
        for key, one in value.items():
            yield from _field(" " * (len(indent) + 2), _scalar(key), one)
    elif isinstance(value, str) and _fits_block(value):
        yield f"{indent}{name}: {'|' if value.endswith(chr(10)) else '|-'}"
        for line in value.removesuffix("\n").split("\n"):
            yield " " * (len(indent) + 2) + line if line else ""
    else:
        yield f"{indent}{name}: {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_scalar(one, in_list=True) for one in value)}]"
    return _scalar(value)


def _scalar(value: Any, *, in_list: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if _may_be_plain(value) and not (in_list and any(sign in value for sign in _FLOW_SIGNS)):
        return value
    if value.isprintable() and ('"' in value or "\\" in value) and "'" not in value:
        return f"'{value}'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _may_be_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and text.lower() not in _TROUBLED
        and means_text(text)
        and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT
    )


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _fits_block(text: str) -> bool:
    """Whether a | block says exactly this: several lines, the first neither empty nor indented."""
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and not text.startswith((" ", "\t"))
        and bool(lines[0] and lines[-1])
        and all(line.replace("\t", "").isprintable() for line in lines)
        and not any(line.isspace() for line in lines)
    )
