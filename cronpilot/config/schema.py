"""The JSON Schema of tasks.yaml, for editors: generated from TaskSpec, the one definition.

It is looser than the program where an editor could not follow: that an expression can fire, that a
time zone exists, that no two tasks share a name is said by `cronpilot validate`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cronpilot.config.tasks_file import OF_ONE_TASK
from cronpilot.domain.task import TaskSpec

PUBLISHED = Path(__file__).parent / "tasks.schema.json"
"""The file in the package that editors read."""

_SIZE = {
    "anyOf": [
        {"type": "integer"},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgGtT]?[bB])?\s*$"},
    ],
    "examples": ["50MB", "2GB"],
}
# Scalars that the file reads as they are written: `PORT: 8080` is the text 8080.
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_SHORTHAND = {
    "type": "string",
    "examples": ["hourly :30", "daily 02:30", "weekly mon,thu 09:00", "*/15 8-18 * * mon-fri",
                 "@daily", "every 90s", "once 2026-12-24 18:00", "manual"],
}  # fmt: skip
_WAS = {"type": "string", "minLength": 1, "description": "Its former name: keeps its history."}


def tasks_schema() -> dict[str, Any]:
    """The schema of a whole tasks.yaml, draft 2020-12."""
    spec = _plain(TaskSpec.model_json_schema())
    definitions = spec.pop("$defs")
    definitions["Schedule"] = {"anyOf": [_SHORTHAND, definitions["Schedule"]]}
    definitions["Limits"]["properties"]["memory"] = _SIZE
    fields = spec["properties"]
    fields["log_limit"] = _SIZE | {"description": fields["log_limit"]["description"]}
    fields["env"]["additionalProperties"] = _SCALAR
    fields["command"]["anyOf"][1]["items"] = _SCALAR
    fields["tags"]["items"] = _SCALAR
    shared = {name: field for name, field in fields.items() if name not in OF_ONE_TASK}
    definitions["Task"] = spec | {"properties": fields | {"was": _WAS}, "required": ["name"]}
    definitions["Defaults"] = {
        "description": "For every task that does not say otherwise.",
        "type": ["object", "null"],
        "properties": shared,
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CronPilot's tasks.yaml",
        "type": ["object", "null"],
        "properties": {
            "defaults": {"$ref": "#/$defs/Defaults"},
            "tasks": {"type": ["array", "null"], "items": {"$ref": "#/$defs/Task"}},
        },
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as the text of `PUBLISHED`."""
    return json.dumps(tasks_schema(), indent=1, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Without the titles that pydantic makes up from the names of fields."""
    if isinstance(value, dict):
        return {
            key: _plain(one)
            for key, one in value.items()
            if not (key == "title" and isinstance(one, str))
        }
    return [_plain(one) for one in value] if isinstance(value, list) else value
