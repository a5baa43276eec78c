"""`keys.toml`: other keys for what the screen can do. Read strictly: all of it counts, or nothing.

```toml
[task]                  # the first part of an action's name; `cronpilot keys` prints them all
run = "R"               # this key alone, in place of the built-in ones
stop = ["x", "ctrl+k"]  # any of these
delete = []             # no key; the palette still has it
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronpilot.domain.text import clean
from cronpilot.errors import Complaint, InvalidFile
from cronpilot.tui.key_names import NO_KEY, NotAKey, is_typed, key_name, read_key

if TYPE_CHECKING:
    from cronpilot.tui.key_catalogue import Known

MAX_BYTES = 100_000

KeyOf = Callable[[str, str], str]
"""The key of an action, by its id, as people call it; the second is the built-in one."""


def built_in(action: str, key: str) -> str:
    """A KeyOf for where nobody has changed a key."""
    return key


@dataclass(frozen=True, slots=True)
class Keymap:
    """Which actions have other keys than the built-in ones.

    Attributes:
        changed: action -> its keys in Textual's spelling; no key at all is `(NO_KEY,)`.
    """

    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def key(self, action: str, built_in: str) -> str:
        """How the first key of an action is called; `built_in` is what it is by default."""
        keys = self.changed.get(action)
        return built_in if keys is None else key_name(keys[0]) or ":"

    def keys_of(self, known: Known) -> tuple[str, ...]:
        """All keys of an action, in Textual's spelling."""
        return self.changed.get(known.id, known.keys)

    def for_textual(self) -> dict[str, str]:
        """As `App.set_keymap` takes it."""
        return {action: ",".join(keys) for action, keys in self.changed.items()}


def load_keymap(path: Path, catalogue: Mapping[str, Known]) -> Keymap:
    """Read the file. Raises InvalidFile with everything that is wrong in it."""
    name = clean(str(path))
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidFile([Complaint(name, 0, "", f"is larger than {MAX_BYTES // 1000} kB.",
                                         "Is it the right file?")])  # fmt: skip
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidFile([Complaint(name, 0, "", "is not UTF-8.")]) from None
    except OSError as error:
        raise InvalidFile([Complaint(name, 0, "", f"{error.strerror}.")]) from None
    return parse_keymap(text, name, catalogue)


def parse_keymap(text: str, file: str, catalogue: Mapping[str, Known]) -> Keymap:
    """What `load_keymap` does, for a text at hand; `file` is the name that complaints carry."""
    import tomllib  # where nobody has changed a key nothing is read

    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile([_not_toml(file, str(error))]) from None
    reader = _Reader(file, text, catalogue)
    for place, section in value.items():
        reader.section(place, section)
    if not reader.complaints:
        reader.look_for_conflicts()
    if reader.complaints:
        raise InvalidFile(sorted(reader.complaints, key=lambda one: one.line))
    return Keymap(reader.changed)


def _not_toml(file: str, said: str) -> Complaint:
    where = re.search(r"\(at line (\d+), column \d+\)", said)
    problem = said[: where.start()].strip() if where else said
    return Complaint(file, int(where[1]) if where else 0, "", f"is not TOML: {clean(problem)}.",
                     'Such as run = "R" below [task].')  # fmt: skip


class _Reader:
    """Collects what is said, and what is wrong with it."""

    def __init__(self, file: str, text: str, catalogue: Mapping[str, Known]) -> None:
        self.changed: dict[str, tuple[str, ...]] = {}
        self.complaints: list[Complaint] = []
        self._file, self._catalogue = file, catalogue
        self._lines = dict(_lines_of(text))

    def section(self, place: str, section: Any) -> None:
        places = {known.place for known in self._catalogue.values()}
        if not isinstance(section, dict):
            self._complain(place, "must be a [section] with actions.",
                           'Such as run = "R" below [task].')  # fmt: skip
        elif place not in places:
            near = _nearest(place, places)
            known = f"Did you mean [{near}]?" if near else f"Known: {', '.join(sorted(places))}."
            self._complain(place, "is not a known section.", known)
        else:
            for name, keys in section.items():
                self._action(f"{place}.{name}", keys)

    def _action(self, action: str, keys: Any) -> None:
        known = self._catalogue.get(action)
        if known is None:
            near = _nearest(action, self._catalogue)
            hint = f"Did you mean {near}?" if near else "cronpilot keys prints them all."
            self._complain(action, "is not a known action.", hint)
            return
        listed = [keys] if isinstance(keys, str) else keys
        if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
            self._complain(
                action, "must be a key or a list of keys.", 'Such as "R" or ["R", "f5"].'
            )
            return
        try:
            read = tuple(dict.fromkeys(read_key(key) for key in listed)) or (NO_KEY,)
        except NotAKey as error:
            self._complain(action, error.problem, error.hint)
            return
        self._keep(action, known, read)

    def _keep(self, action: str, known: Known, keys: tuple[str, ...]) -> None:
        from cronpilot.tui.key_catalogue import TYPED_IN

        if known.place in TYPED_IN and all(map(is_typed, keys)):
            self._complain(action, "would be typed there as text.", "Use a key such as ctrl+o.")
            return
        self.changed[action] = keys

    def look_for_conflicts(self) -> None:
        """One key for two actions that can be asked for at the same time."""
        keymap = Keymap(self.changed)
        for action, keys in self.changed.items():
            known = self._catalogue[action]
            for other in self._catalogue.values():
                if other.id == action or not known.can_meet(other):
                    continue
                shared = (set(keys) & set(keymap.keys_of(other))) - {NO_KEY}
                shared -= set(known.keys) & set(other.keys)  # meant so: the inner one wins
                if shared and not (other.id in self.changed and other.id < action):
                    key = key_name(min(shared))
                    self._complain(action, f"{key} already means {other.id}.",
                                   "Give one of them another key.")  # fmt: skip

    def _complain(self, key: str, problem: str, hint: str = "") -> None:
        line = self._lines.get(key, self._lines.get(key.partition(".")[0], 1))
        self.complaints.append(Complaint(self._file, line, clean(key), clean(problem), clean(hint)))


def _nearest(word: str, known: Any) -> str | None:
    from cronpilot.config.wording import nearest  # pydantic, too: not before the first paint

    return nearest(word, known)


def _lines_of(text: str) -> Iterator[tuple[str, int]]:
    """Where each section and each action stands; TOML's reader does not tell."""
    place = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            place = header[1]
            yield place, number
        elif entry := re.match(r"""\s*["']?([\w.-]+)["']?\s*=""", line):
            yield (f"{place}.{entry[1]}" if place else entry[1]), number


def as_toml(keymap: Keymap, catalogue: Mapping[str, Known]) -> str:
    """The present keys as a `keys.toml`, with what each action does."""
    lines: list[str] = []
    place = ""
    for known in catalogue.values():
        if known.place != place:
            place = known.place
            lines += [*([""] if lines else []), f"[{place}]  # {known.place_name}"]
        keys = [key_name(key) for key in keymap.keys_of(known) if key != NO_KEY]
        told = ", ".join(_quoted(key) for key in keys)
        value = told if len(keys) == 1 else f"[{told}]"
        lines.append(f"{known.id.partition('.')[2]} = {value}  # {known.binding.tooltip}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'\"'" if text == '"' else '"' + text.replace("\\", "\\\\") + '"'
