"""The fields of a task as a form has them: texts, in sections, and back to values. Pure.

A value is read from its text only where the text was changed: what cannot be shown as it is (a
control character in a name) stays as it was unless someone types something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cronpilot.config.document import Document
from cronpilot.config.wording import complaints_of
from cronpilot.domain.alarms import Alarms
from cronpilot.domain.notify import Notify, Ping
from cronpilot.domain.size import parse_size
from cronpilot.domain.task import Missed, OnLost, Overlap, TaskSpec, spec_dict
from cronpilot.domain.text import clean
from cronpilot.tui.schedule_draft import Problem

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView

Fields = dict[str, Any]
"""Of a definition, as tasks.yaml would have them in JSON."""
Texts = dict[str, str]
"""What stands in the form, by the name of the field; limits as `limits.memory`."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form.

    Attributes:
        hint: what is meant while nothing is typed.
        choices: where only these words are possible.
        lines: room for several lines.
    """

    name: str
    label: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form. The one without fields is the schedule."""

    title: str
    fields: tuple[FormField, ...] = ()


def _words(choices: type[Overlap | Missed | OnLost | Notify]) -> tuple[str, ...]:
    return tuple(choice.value for choice in choices)


SECTIONS = (
    Section("Basics", (
        FormField("name", "Name", "unique; any text"),
        FormField("description", "Description", "one line for people"),
        FormField("command", "Command", 'shell text, or ["a", "list"] of words', lines=True),
        FormField("tags", "Tags", "nightly, db"),
        FormField("active", "Active", choices=("yes", "no")),
    )),
    Section("Schedule"),
    Section("Run", (
        FormField("working_dir", "Directory", "the home directory"),
        FormField("env", "Variables", "NAME=value, one a line", lines=True),
        FormField("env_file", "Their file", "none; a file of NAME=value lines"),
        FormField("user", "User", "you; another only as root"),
        FormField("shell", "Shell", "/bin/sh"),
        FormField("timeout", "Time-out", "none; such as 1h"),
        FormField("stop_grace", "Stop grace", "10s between TERM and KILL"),
        FormField("max_retries", "Retries", "0"),
        FormField("retry_delay", "Retry after", "1m"),
        FormField("retry_backoff", "Times longer", "2: each further delay"),
        FormField("retry_max_delay", "At most", "no delay is longer; such as 1h"),
        FormField("success_codes", "Success is", "0; exit codes, such as 0, 24"),
        FormField("on_lost", "When lost", choices=_words(OnLost)),
    )),
    Section("Limits", (
        FormField("overlap", "Still running", choices=_words(Overlap)),
        FormField("missed", "Missed slots", choices=_words(Missed)),
        FormField("missed_limit", "Caught up", "10 at most, with missed: all"),
        FormField("deadline", "Deadline", "none; how late it may start"),
        FormField("quiet", "Quiet times", "none; holidays, maintenance"),
        FormField("spread", "Spread", "0s; a fixed offset below this"),
        FormField("pool", "Pool", "none; a name of config.yaml"),
        FormField("priority", "Priority", "0; higher starts first"),
        FormField("limits.nice", "Nice", "-20 to 19"),
        FormField("limits.memory", "Memory", "no limit; such as 512MB"),
        FormField("limits.cpu", "CPU time", "no limit; such as 10m"),
        FormField("limits.open_files", "Open files", "no limit; such as 1024"),
        FormField("log_limit", "Log limit", "50MB of output of one run"),
        FormField("keep", "Runs kept", "10000, or as config.yaml says"),
    )),
    Section("Notify", (
        FormField("notify.on", "Tell people", choices=_words(Notify)),
        FormField("notify.to", "By e-mail", "as config.yaml says; addresses, or - for nobody"),
        FormField("notify.channels", "By channels", "as config.yaml says; names, or -"),
        FormField("notify.after", "Failures", "1; so many in a row before anyone is told"),
        FormField("notify.ping", "Ping", "none; https://... when a run starts and ends"),
    )),
    Section("Alarms", (
        FormField("alarms.late", "Starts late", "auto; a duration such as 5m, or off"),
        FormField("alarms.long", "Takes long", "auto; a duration such as 2h, or off"),
        FormField("alarms.silent", "No success", "off; for so long, such as 2d"),
        FormField("alarms.skipped", "Skipped", "auto; so many in a row, or off"),
    )),
)  # fmt: skip

FORM_FIELDS = {one.name: one for section in SECTIONS for one in section.fields}
_NEEDED = ("name", "command")
_PARTED = ("limits", "notify", "alarms")
"""Fields that are keys with values; the form has a line for each key (`limits.memory`)."""
_NOBODY = "-"
_SIZES = ("log_limit", "limits.memory")


def fields_of(task: TaskView) -> Fields:
    """The definition of a task."""
    fields = task.model_dump(mode="json", include=set(TaskSpec.model_fields))
    fields["schedule"] = {"type": task.schedule_type.value, "config": task.schedule_config}
    fields["timezone"] = task.own_timezone
    fields["limits"] = {name: most for name, most in task.limits.items() if most is not None}
    return {name: value for name, value in fields.items() if value is not None}


def spec_of(fields: Fields) -> TaskSpec:
    """Raises ValidationError."""
    return TaskSpec.model_validate(fields)


# --- values -> texts -----------------------------------------------------------------------------


def texts_of(fields: Fields) -> Texts:
    """What stands in the form for these fields, the defaults included."""
    whole = {**_DEFAULTS, **fields}
    parts = {name: _parts(name, whole.get(name)) for name in _PARTED}
    texts = {}
    for name, field in FORM_FIELDS.items():
        home, _, key = name.partition(".")
        value = parts[home].get(key) if key else whole.get(name)
        if name in _SIZES and isinstance(value, int) and value % 10**6 == 0:
            texts[name] = f"{value // 10**6}MB"
        else:
            texts[name] = shown(value, lines=field.lines)
    return texts


_DEFAULTS: Fields = {
    name: value
    for name, value in spec_dict(
        TaskSpec.model_validate({"name": "x", "command": "x", "schedule": "manual"})
    ).items()
    if value is not None and name not in ("name", "command", "schedule")
}


def _parts(name: str, value: Any) -> Fields:
    """The keys of a field that may be one word, or less than all of them."""
    if name == "alarms":
        words = dict.fromkeys(Alarms.model_fields, "off") if value == "off" else {}
        return {**_ALARMS, **words, **(value if isinstance(value, dict) else {})}
    if name == "notify":
        rules = {"on": value} if isinstance(value, str) else dict(value or {})
        lists = {
            key: rules[key] or _NOBODY for key in ("to", "channels") if rules.get(key) is not None
        }
        ping = {"ping": _one_address(rules["ping"])} if rules.get("ping") else {}
        return {"on": "failure", "after": 1, **rules, **lists, **ping}
    return dict(value or {})


_ALARMS: Fields = {"late": "auto", "long": "auto", "silent": "off", "skipped": "auto"}


def _one_address(ping: Any) -> str:
    """The one address that stands for all three, else each with its name."""
    if ping == Ping.model_validate(ping.get("success") or "https://-").model_dump():
        return str(ping["success"])
    return " ".join(f"{name}={url}" for name, url in ping.items() if url)


def shown(value: Any, *, lines: bool = False) -> str:
    """A value as text that is harmless in a terminal; empty for None."""
    if lines:
        whole = _whole_text(value)
        return "\n".join("\t".join(map(clean, line.split("\t"))) for line in whole.split("\n"))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return clean(", ".join(map(str, value)))
    if isinstance(value, float):
        return f"{value:g}"
    return clean(str(value))


def _whole_text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}={one}" for name, one in value.items())
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value or "")


# --- texts -> values -----------------------------------------------------------------------------


def read_texts(fields: Fields, before: Texts, after: Texts) -> tuple[Fields, dict[str, Problem]]:
    """`fields` with what was typed: where `after` differs from `before`.

    What cannot even be read is a problem; the rest is for `check`.
    """
    given = {name: fields[name] for name in _PARTED if name in fields}
    made = {**fields, **{name: _given_parts(name, given.get(name)) for name in _PARTED}}
    problems: dict[str, Problem] = {}
    for name, text in after.items():
        if text == before.get(name):
            continue
        try:
            value = _READ.get(name, _text)(text)
        except ValueError as error:
            problems[name] = Problem(f"{error}.")
            continue
        whole, _, part = name.partition(".")
        home, key = (made[whole], part) if part else (made, name)
        if value is None and name not in _NEEDED:
            home.pop(key, None)
        else:
            home[key] = value if value is not None else ""
    return made, problems


def _given_parts(name: str, value: Any) -> Fields:
    """What was said of a parted field, without its defaults."""
    if isinstance(value, str):
        return _parts(name, value) if name == "alarms" else {"on": value}
    return dict(value or {})


def check(fields: Fields) -> tuple[TaskSpec | None, dict[str, Problem]]:
    """The definition, or what is wrong with which field; keys are those of the form."""
    try:
        return spec_of(fields), {}
    except ValidationError as error:
        document = Document("", fields, {}, {})
        problems: dict[str, Problem] = {}
        for one in complaints_of(error, TaskSpec, document, ()):
            name = _line_of(one.key)
            inside = re.sub(r"^\.|\[\d+\]", "", one.key.removeprefix(name))
            problems.setdefault(name, Problem(f"{inside} {one.problem}".strip(), one.hint))
        return None, problems


def _line_of(key: str) -> str:
    """The line of the form that has that key: `notify.to` of `notify.to[0]`, `env` of `env.A`."""
    bare = key.partition("[")[0]
    for parts in (2, 1):
        name = ".".join(bare.split(".")[:parts])
        if name in FORM_FIELDS:
            return name
    return next((one for one in FORM_FIELDS if one.startswith(f"{name}.")), name)


def _text(text: str) -> str | None:
    return text.strip() or None


def _whole(text: str) -> Any:
    """A number where it is one; else the text, which validation then complains about."""
    bare = text.strip()
    digits = bare.removeprefix("-")
    return int(bare) if digits.isascii() and digits.isdigit() and len(digits) < 19 else _text(text)


def _fraction(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return _text(text)


def _size(text: str) -> int | None:
    return parse_size(text.strip()) if text.strip() else None


def _list(text: str) -> list[str] | None:
    return [part.strip() for part in text.split(",") if part.strip()] or None


def _codes(text: str) -> list[Any] | None:
    return [_whole(part) for part in text.replace(",", " ").split()] or None


def _command(text: str) -> Any:
    if text.lstrip().startswith('["'):
        try:
            words = json.loads(text)
        except ValueError:
            return text  # `["$a" = b] && ...` is shell text
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
    return text.rstrip("\n") if text.strip() else None


def _variables(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"{clean(line.strip())!r} is not NAME=value")
        if name.strip() in found:
            raise ValueError(f"{clean(name.strip())} is set twice")
        found[name.strip()] = value
    return found or None


def _names(text: str) -> list[str] | None:
    return [] if text.strip() == _NOBODY else _list(text)


def _ping(text: str) -> Any:
    words = text.split()
    if not words:
        return None
    if "=" not in words[0].partition("://")[0]:
        return text.strip()
    return dict(word.partition("=")[::2] for word in words)


def _yes_or_no(text: str) -> bool:
    return text == "yes"


_READ: Mapping[str, Callable[[str], Any]] = {
    "name": lambda text: text if text.strip() else None,
    "command": _command,
    "tags": _list,
    "quiet": _list,
    "active": _yes_or_no,
    "env": _variables,
    "max_retries": _whole,
    "retry_backoff": _fraction,
    "success_codes": _codes,
    "missed_limit": _whole,
    "priority": _whole,
    "limits.nice": _whole,
    "limits.memory": _size,
    "limits.open_files": _whole,
    "notify.to": _names,
    "notify.channels": _names,
    "notify.after": _whole,
    "notify.ping": _ping,
    "alarms.skipped": _whole,
    "log_limit": _size,
    "keep": _whole,
}
