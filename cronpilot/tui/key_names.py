"""Keys as people write them, and as Textual does: `?` and `question_mark`, `Esc` and `escape`."""

from __future__ import annotations

import string

from textual.keys import _character_to_key

NO_KEY = "no_key"
"""What an action that was given no key listens to: nothing sends it."""

_SHOWN = {
    "question_mark": "?", "plus": "+", "underscore": "_", "slash": "/", "escape": "Esc",
    "enter": "Enter", "pagedown": "PgDn", "pageup": "PgUp", "space": "Space", "home": "Home",
    "end": "End", "up": "Up", "down": "Down", "left": "Left", "right": "Right", "tab": "Tab",
    "shift+tab": "shift+Tab", "backspace": "Backspace", "delete": "Del", "insert": "Ins",
    NO_KEY: "",
} | {_character_to_key(sign): sign for sign in string.punctuation}  # fmt: skip

_NAMED = frozenset(
    {"escape", "enter", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup",
     "pagedown", "up", "down", "left", "right", *(f"f{number}" for number in range(1, 25))}
)  # fmt: skip
_SIGNS = frozenset(map(_character_to_key, string.punctuation))
_OTHER_NAMES = {"esc": "escape", "pgdn": "pagedown", "pgup": "pageup", "return": "enter",
                "del": "delete", "ins": "insert", "page_down": "pagedown",
                "page_up": "pageup"}  # fmt: skip
_MODIFIERS = ("ctrl", "alt", "shift")

_NEVER = {
    "ctrl+h": "terminals send it for Backspace",
    "ctrl+i": "terminals send it for Tab",
    "ctrl+j": "terminals send it for Enter",
    "ctrl+m": "terminals send it for Enter",
    "ctrl+c": "it says how to leave, everywhere",
    "ctrl+z": "suspending would freeze the scheduler",
}


class NotAKey(ValueError):
    """What was written names no key that can be used.

    Attributes:
        hint: what to do instead; may be empty.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def key_name(key: str) -> str:
    """A key of Textual's as people call it: `?`, `Esc`, `ctrl+d`; empty for no key."""
    return _SHOWN.get(key, key)


def is_typed(key: str) -> bool:
    """Whether it puts a character into a text."""
    return len(key) == 1 or key == "space" or key in _SIGNS


def read_key(text: str) -> str:
    """Textual's name of what a person wrote. Raises NotAKey."""
    if len(text) == 1 and text.isprintable():
        return "space" if text == " " else _character_to_key(text)
    *modifiers, key = text.strip().replace(" ", "_").split("+")
    modifiers = [word.lower() for word in modifiers]
    if not key:  # `ctrl++`, `+`
        raise NotAKey(f"{text!r} is not a key.", "Write the sign + as plus.")
    key = _base(key, text, typed_alone=not modifiers)
    for word in modifiers:
        if word not in _MODIFIERS:
            raise NotAKey(f"{text!r} is not a key.", f"Known before a +: {', '.join(_MODIFIERS)}.")
    read = "+".join([*(word for word in _MODIFIERS if word in modifiers), key])
    if read in _NEVER:
        raise NotAKey(f"{text!r} cannot be used: {_NEVER[read]}.")
    if modifiers == ["shift"] and is_typed(key):
        raise NotAKey(f"{text!r} is not sent by terminals.", f"Write {key.upper()!r}.")
    return read


def _base(key: str, whole: str, *, typed_alone: bool) -> str:
    if len(key) == 1 and key.isprintable():
        return _character_to_key(key if typed_alone else key.lower())
    name = _OTHER_NAMES.get(key.lower(), key.lower())
    if name in _NAMED or name in _SIGNS:
        return name
    from cronpilot.config.wording import nearest  # pydantic, too: not before the first paint

    near = nearest(name, _NAMED | _SIGNS)
    hint = (
        f"Did you mean {near}?" if near else "Such as r, R, ctrl+d, f5, pagedown or question_mark."
    )
    raise NotAKey(f"{whole!r} is not a key.", hint)
