"""What pydantic finds wrong, in plain words that name the mistake and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from cronpilot.config.document import Document, KeyPath
from cronpilot.domain.size import format_size
from cronpilot.errors import Complaint, CronPilotError

_MOST_NAMED = 8  # of the keys that are known; a longer list helps nobody
_TRUE = ("yes", "on", "y", "1")
_FALSE = ("no", "off", "n", "0")
_BOUNDS = {"greater_than_equal": ("ge", "or more"), "less_than_equal": ("le", "or less")}


def complaints_of(
    error: ValidationError, model: type[BaseModel], document: Document, at: KeyPath
) -> list[Complaint]:
    """One complaint for each thing that is wrong, in the order of the lines.

    Args:
        model: what was validated; knows the keys and the ranges.
        at: where in the document the validated value stands.
    """
    schema = _schema(model)
    found: dict[KeyPath, Complaint] = {}
    for one in error.errors(include_url=False):
        path = _path(one["loc"], schema)
        problem, hint = _words(one, path, schema, document.text((*at, *path)))
        found.setdefault(path, document.complaint((*at, *path), problem, hint))
    # A union complains through each of its members; the one that came furthest is what was meant.
    outer = {path[:depth] for path in found for depth in range(len(path))}
    kept = [complaint for path, complaint in found.items() if path not in outer]
    return sorted(kept, key=lambda complaint: complaint.line)


@lru_cache
def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def unknown_key(key: str, known: Iterable[str]) -> tuple[str, str]:
    """Problem and hint for a key that nobody reads."""
    names = sorted(known)
    near = nearest(key, names)
    if near or len(names) > _MOST_NAMED:
        return "is not a known key.", f"Did you mean {near}?" if near else ""
    return "is not a known key.", f"Known here: {', '.join(names)}."


def _path(loc: tuple[str | int, ...], schema: Mapping[str, Any]) -> KeyPath:
    """The key path without what pydantic adds: the members of a union, and `[key]`."""
    path: list[str | int] = []
    here: Mapping[str, Any] = schema
    for part in loc:
        below = _below(here, part, schema)
        if below is None and path:
            continue
        path.append(part)
        here = below or {}
    return tuple(path)


def _below(
    schema: Mapping[str, Any], part: str | int, root: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    for option in _options(schema, root):
        if isinstance(part, int):
            if "items" in option:
                return dict(option["items"])
        elif part in option.get("properties", {}):
            return dict(option["properties"][part])
        elif isinstance(option.get("additionalProperties"), dict) and part != "[key]":
            return dict(option["additionalProperties"])
        elif option.get("additionalProperties") is False:
            return {}  # an unknown key, which is part of the path
    return None


def _options(schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schema itself, or the members of a union, with references followed."""
    if "$ref" in schema:
        return _options(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return [option for member in schema["anyOf"] for option in _options(member, root)]
    return [schema]


def _at(path: KeyPath, root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    here: Mapping[str, Any] = root
    for part in path:
        here = _below(here, part, root) or {}
    return _options(here, root)


def _words(
    error: Any, path: KeyPath, schema: Mapping[str, Any], written: str | None
) -> tuple[str, str]:
    """Problem and hint for one of pydantic's errors; `written` is the scalar as it stands there."""
    kind, value, key = error["type"], error["input"], str(path[-1]) if path else ""
    options = _at(path, schema)
    cause = error.get("ctx", {}).get("error")
    if kind == "missing":
        return "is missing.", ""
    if kind == "extra_forbidden":
        return unknown_key(key, _keys(path[:-1], schema))
    if value is None:
        return "is empty.", "Give it a value, or remove the line."
    if isinstance(cause, CronPilotError):
        return cause.problem, cause.hint
    if kind == "value_error" and not isinstance(value, (bool, list)):
        return f"{cause}.", ""
    if kind in _BOUNDS and any("ge" in option for option in options):
        return f"must be a size of {_bound(error)}.", "Such as 500MB or 2GB."
    if any("enum" in option for option in options):
        return _one_of(str(value), path, schema)
    if kind in ("string_too_long", "too_long"):
        return f"is longer than {error['ctx']['max_length']} characters.", ""
    if kind in ("string_too_short", "too_short") or value == []:
        return "cannot be empty.", ""
    return _expected(value, key, options, written)


def _expected(
    value: Any, key: str, options: list[Mapping[str, Any]], written: str | None
) -> tuple[str, str]:
    """What belongs there, where something of another kind stands."""
    types = {option.get("type") for option in options}
    quoted = f'Quote it: {key}: "{written}".' if written is not None and key else ""
    if "object" in types and key == "schedule":
        return "must be a schedule.", "Such as daily 02:30, or {type: daily, config: {hour: 2}}."
    if "object" in types:
        return "must be keys with values.", "Such as {NAME: value}."
    if {"array", "string"} <= types:
        return "must be text, or a list of words.", quoted
    if "array" in types:
        return "must be a list.", f"Such as [{written or 'a'}]."
    if any("pattern" in option for option in options):
        return "must be a duration.", "Such as 90s or 1h30m."
    if "string" in types:
        return "must be text.", quoted
    if "boolean" in types:
        return "must be true or false.", _true_or_false(str(value))
    return f"must be {_number(options)}.", ""


def _keys(path: KeyPath, schema: Mapping[str, Any]) -> list[str]:
    return [key for option in _at(path, schema) for key in option.get("properties", {})]


def _one_of(value: str, path: KeyPath, schema: Mapping[str, Any]) -> tuple[str, str]:
    allowed = [str(word) for option in _at(path, schema) for word in option.get("enum", [])]
    near = nearest(value, allowed)
    return f"must be one of {', '.join(allowed)}.", f"Did you mean {near!r}?" if near else ""


def _number(options: list[Mapping[str, Any]]) -> str:
    """`a whole number from 0 to 100`."""
    option = next(option for option in options if option.get("type") in ("integer", "number"))
    noun = "a whole number" if option["type"] == "integer" else "a number"
    low, high = option.get("minimum"), option.get("maximum")
    if low is None:
        return noun
    return f"{noun}, {low} or more" if high is None else f"{noun} from {low} to {high}"


def _bound(error: Any) -> str:
    """Of a size, which alone has bounds that a schema's `minimum` does not tell."""
    key, word = _BOUNDS[error["type"]]
    size = error["ctx"][key]
    return f"{size:,} bytes ({format_size(size)}) {word}"


def _true_or_false(value: str) -> str:
    if value.lower() in _TRUE:
        return "Write true."
    return "Write false." if value.lower() in _FALSE else ""
