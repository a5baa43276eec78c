"""Who hears of what. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from cronpilot.domain.incident import Fault, Word
from cronpilot.domain.notify import Notify, NotifyRules, Ping

MAIL, CHANNEL, PING = "mail:", "channel:", "ping"


class Defaults(NamedTuple):
    """What `notifications:` of config.yaml says for tasks that say nothing themselves."""

    to: Sequence[str] = ()
    channels: Sequence[str] = ()
    ping: Ping | None = None


def is_told(on: Notify, word: Word, fault: Fault) -> bool:
    """Whether a task that wants to be told `on` this tells of that.

    An incident is told when it opens, once a day, and when it is over; what repeats in between is
    not. `always` means the end of every run: the repeats too, and a success that ends nothing.
    """
    match on:
        case Notify.NEVER:
            return False
        case Notify.SUCCESS:
            return word in (Word.SUCCEEDED, Word.RECOVERED) and fault is Fault.FAILURE
        case Notify.FAILURE:
            return word in (Word.OPENED, Word.REMINDED, Word.RECOVERED)
        case Notify.ALWAYS:
            return fault is Fault.FAILURE or word in (Word.OPENED, Word.REMINDED, Word.RECOVERED)


def targets(rules: NotifyRules, defaults: Defaults) -> list[str]:
    """Where it goes: `mail:ops@example.org`, `channel:chat`; empty where nobody is named."""
    to = defaults.to if rules.to is None else rules.to
    channels = defaults.channels if rules.channels is None else rules.channels
    found = [MAIL + address for address in to] + [CHANNEL + name for name in channels]
    return list(dict.fromkeys(found))


def ping_url(rules: NotifyRules, defaults: Defaults, what: str, task_name: str) -> str | None:
    """The address to fetch when a run of the task starts (`start`), or is a `success` or `fail`."""
    ping = rules.ping or defaults.ping
    url: str | None = None if ping is None else getattr(ping, what)
    return None if url is None else url.replace("{task}", slug(task_name))


def slug(name: str) -> str:
    """A name as a part of a URL: `Backup DB` is `backup-db`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")
    return words or quote(name, safe="")


def alike(word: Word, fault: Fault) -> str:
    """What of the same target goes into one message. The daily lines of all faults do."""
    return str(word) if word is Word.REMINDED else f"{word}:{fault}"
