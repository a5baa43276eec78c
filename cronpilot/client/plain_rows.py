"""Answers as they were sent, for short commands: no model of them is loaded, and none is checked.

The models of `messages` and the library that makes them take longer to load than a question takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cronpilot.domain.run import Reason, Status

_WORDS = {"status": Status, "reason": Reason}
_INSTANTS = {"scheduled_for", "paused_until", "folded_until"}  # and what ends in `_at`


class Row:
    """A message of `cronpilot.client.messages` with the same attributes, made of its JSON document.

    Instants are aware, states and reasons are words of ours; nothing is known of a field until it
    is read. Raises AttributeError, ValueError for what an engine would not say.
    """

    __slots__ = ("_said",)

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = said

    def __getattr__(self, name: str) -> Any:
        try:
            value = self._said[name]
        except KeyError:
            raise AttributeError(name) from None
        if isinstance(value, str):
            if name in _WORDS:
                return _WORDS[name](value)
            return _instant(value) if name in _INSTANTS or name.endswith("_at") else value
        if isinstance(value, dict):
            return Row(value)
        if isinstance(value, list):
            return [Row(one) if isinstance(one, dict) else one for one in value]
        return value

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """The document itself, under the name by which a model gives it."""
        return dict(self._said)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at
