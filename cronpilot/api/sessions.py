"""Sessions of browsers, and the tokens of what runs for them.

A shelf keeps the sessions for the next engine; the tokens of tabs end with their processes.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from cronpilot.domain.access import Stay

IDLE_S = 8 * 3600.0  # unused for so long: over
LONGEST_S = 7 * 86_400.0  # over, however much it is used
_MOST = 1_000  # sessions; the one unused for longest makes room
_MOST_TABS = 32  # of one session
_TOLD_EACH_S = 600.0  # how often the shelf hears that a session is used


@dataclass(slots=True)
class Session:
    """Somebody's stay, from log-in to log-out."""

    name: str
    opened_at: float
    used_at: float
    told_at: float  # when the shelf has last heard of it
    tabs: set[str] = field(default_factory=set)


class Shelf(Protocol):
    """Where sessions outlive the engine."""

    def every(self) -> Iterable[Stay]: ...

    def keep(self, stay: Stay) -> None: ...

    def use(self, key: str, at: datetime) -> None: ...

    def drop(self, keys: Collection[str]) -> None: ...


class Sessions:
    """Opaque tokens and whose they are. Only their hashes are kept.

    Args:
        clock: seconds since 1970, because a session is older than this engine.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        idle_s: float = IDLE_S,
        longest_s: float = LONGEST_S,
        shelf: Shelf | None = None,
    ) -> None:
        self._clock, self._idle_s, self._longest_s = clock, idle_s, longest_s
        self._shelf = shelf
        self._sessions: dict[str, Session] = {}
        self._tabs: dict[str, str] = {}  # of a tab's token -> of its session's
        for stay in shelf.every() if shelf is not None else ():
            used_at = stay.used_at.timestamp()
            self._sessions[stay.key] = Session(
                stay.name, stay.opened_at.timestamp(), used_at, used_at
            )

    def open(self, name: str) -> str:
        """A new session of that user; its token."""
        token, now = secrets.token_urlsafe(32), self._clock()
        self._sweep()
        if len(self._sessions) >= _MOST:
            self._drop(min(self._sessions, key=lambda key: self._sessions[key].used_at))
        key = _hash(token)
        self._sessions[key] = Session(name, now, now, now)
        if self._shelf is not None:
            self._shelf.keep(Stay(key, name, _instant(now), _instant(now)))
        return token

    def name_of(self, token: str) -> str | None:
        """Whose session it is; that counts as using it. None: it is over, or never was."""
        key = _hash(token)
        session = self._find(key)
        if session is None:
            return None
        session.used_at = self._clock()
        if self._shelf is not None and session.used_at - session.told_at > _TOLD_EACH_S:
            session.told_at = session.used_at
            self._shelf.use(key, _instant(session.used_at))
        return session.name

    def end(self, token: str) -> None:
        """Log out: the session and all its tabs are over."""
        self._drop(_hash(token))

    def end_all(self, name: str) -> None:
        """Every session of that user is over."""
        for key in [key for key, session in self._sessions.items() if session.name == name]:
            self._drop(key)

    def open_tab(self, token: str) -> str | None:
        """A token for one process that works for this session, good while the session is.

        None when the session is over or has too many tabs.
        """
        key = _hash(token)
        session = self._find(key)
        if session is None or len(session.tabs) >= _MOST_TABS:
            return None
        tab = secrets.token_urlsafe(32)
        session.tabs.add(_hash(tab))
        self._tabs[_hash(tab)] = key
        return tab

    def name_of_tab(self, tab: str) -> str | None:
        """For whom that process works. It does not keep the session from getting idle."""
        session = self._find(self._tabs.get(_hash(tab), ""))
        return None if session is None else session.name

    def end_tab(self, tab: str) -> None:
        """Its process is gone."""
        key = self._tabs.pop(_hash(tab), None)
        if key is not None and key in self._sessions:
            self._sessions[key].tabs.discard(_hash(tab))

    def _find(self, key: str) -> Session | None:
        session = self._sessions.get(key)
        if session is None:
            return None
        now = self._clock()
        if now - session.used_at > self._idle_s or now - session.opened_at > self._longest_s:
            self._drop(key)
            return None
        return session

    def _drop(self, key: str) -> None:
        session = self._sessions.pop(key, None)
        if session is None:
            return
        for tab in session.tabs:
            self._tabs.pop(tab, None)
        if self._shelf is not None:
            self._shelf.drop([key])

    def _sweep(self) -> None:
        for key in list(self._sessions):
            self._find(key)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
