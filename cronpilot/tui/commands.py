"""What the palette and the help offer, and which of it a few typed letters mean. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Deed = Callable[[], Awaitable[None]]

_SCATTERED = 40  # the most that letters are worth which do not stand together


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be done now.

    Attributes:
        id: by which its use is remembered; an action's id, `theme.dark`, `task 12`.
        title: `Run`.
        about: what it is done to: the name of a task; may be empty.
        note: a sentence.
        keys: that do the same, as people call them.
        place: where it works, for the help.
        action: what a binding calls it; empty where there is none.
        deed: None where it cannot be done from here.
    """

    id: str
    title: str
    note: str = ""
    about: str = ""
    keys: str = ""
    place: str = ""
    action: str = ""
    deed: Deed | None = None

    @property
    def name(self) -> str:
        """Title and object together."""
        return f"{self.title} {self.about}".rstrip()


def choose(commands: Sequence[Command], typed: str, recent: Sequence[str] = ()) -> list[Command]:
    """Those that are meant, the likeliest first; what was used lately comes before its equals.
    All of them where nothing is typed, and those used lately first."""
    used = {command: place for place, command in enumerate(recent)}
    ranked = []
    for place, command in enumerate(commands):
        score = score_of(typed, command)
        if score is not None:
            ranked.append((-score, used.get(command.id, len(used)), place, command))
    return [command for *_, command in sorted(ranked, key=lambda one: one[:3])]


def score_of(typed: str, command: Command) -> int | None:
    """How well it fits; None if it does not. Each word that is typed has to fit: into its name,
    or less well into its keys or its note."""
    total = 0
    for word in typed.lower().split():
        in_name = _fit(word, command.name.lower())
        in_note = 8 if len(word) > 2 and word in command.note.lower() else None
        in_keys = 150 if len(typed.strip()) == 1 and typed.strip() in command.keys.split() else None
        best = max((one for one in (in_name, in_note, in_keys) if one is not None), default=None)
        if best is None:
            return None
        total += best
    return total


def with_tasks(typed: str, chosen: Sequence[Command], tasks: Sequence[Command]) -> list[Command]:
    """The tasks whose text was typed come before commands that have no more of it than letters
    here and there."""
    words = len(typed.split())
    clear = sum((score_of(typed, one) or 0) > _SCATTERED * words for one in chosen)
    return [*chosen[:clear], *tasks, *chosen[clear:]]


def fit_of(typed: str, name: str) -> int:
    """How well all words that are typed fit into a name; 0 where one of them does not."""
    fits = [_fit(word, name.lower()) for word in typed.lower().split()]
    return 0 if None in fits else sum(fit or 0 for fit in fits)


def _fit(word: str, text: str) -> int | None:
    """Begins a word, stands in one, or its letters do in their order and not far apart."""
    at = text.find(word)
    while at > 0 and text[at - 1].isalnum():
        further = text.find(word, at + 1)
        if further < 0:
            break
        at = further
    if at == 0:
        return 100
    if at > 0:
        return 60 if text[at - 1].isalnum() else 90
    return _scattered(word, text)


def _scattered(word: str, text: str) -> int | None:
    places: list[int] = []
    for letter in word:
        at = text.find(letter, places[-1] + 1 if places else 0)
        if at < 0:
            return None
        places.append(at)
    gaps = places[-1] - places[0] + 1 - len(word)
    return max(10, _SCATTERED - gaps) if gaps <= 3 * len(word) else None


def split_verb(typed: str, commands: Sequence[Command]) -> tuple[list[Command], str]:
    """`run back`: the commands that the first word begins, and what is left as the object."""
    verb, _, rest = typed.strip().partition(" ")
    if not verb or not rest.strip():
        return [], ""
    meant = [one for one in commands if one.title.lower().startswith(verb.lower())]
    return meant, rest.strip()
