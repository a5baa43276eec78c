"""Sessions of browsers, and the tokens of what runs for them. Kept here, in memory: a new engine
asks everybody to log in again."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE_S = 8 * 3600.0  # unused for so long: over
LONGEST_S = 7 * 86_400.0  # over, however much it is used
_MOST = 1_000  # sessions; the one unused for longest makes room
_MOST_TABS = 32  # of one session


@dataclass(slots=True)
class Session:
    """Somebody's stay, from log-in to log-out."""

    name: str
    opened_at: float
    used_at: float
    tabs: set[bytes] = field(default_factory=set)


class Sessions:
    """Opaque tokens and whose they are. Only their hashes are kept."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        idle_s: float = IDLE_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._clock, self._idle_s, self._longest_s = clock, idle_s, longest_s
        self._sessions: dict[bytes, Session] = {}
        self._tabs: dict[bytes, bytes] = {}  # of a tab's token -> of its session's

    def open(self, name: str) -> str:
        """A new session of that user; its token."""
        token, now = secrets.token_urlsafe(32), self._clock()
        self._sweep()
        if len(self._sessions) >= _MOST:
            self._drop(min(self._sessions, key=lambda key: self._sessions[key].used_at))
        self._sessions[_hash(token)] = Session(name, now, now)
        return token

    def name_of(self, token: str) -> str | None:
        """Whose session it is; that counts as using it. None: it is over, or never was."""
        session = self._find(_hash(token))
        if session is None:
            return None
        session.used_at = self._clock()
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
        session = self._find(self._tabs.get(_hash(tab), b""))
        return None if session is None else session.name

    def end_tab(self, tab: str) -> None:
        """Its process is gone."""
        key = self._tabs.pop(_hash(tab), None)
        if key is not None and key in self._sessions:
            self._sessions[key].tabs.discard(_hash(tab))

    def _find(self, key: bytes) -> Session | None:
        session = self._sessions.get(key)
        if session is None:
            return None
        now = self._clock()
        if now - session.used_at > self._idle_s or now - session.opened_at > self._longest_s:
            self._drop(key)
            return None
        return session

    def _drop(self, key: bytes) -> None:
        session = self._sessions.pop(key, None)
        for tab in session.tabs if session else ():
            self._tabs.pop(tab, None)

    def _sweep(self) -> None:
        for key in list(self._sessions):
            self._find(key)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
