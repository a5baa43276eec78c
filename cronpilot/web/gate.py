"""What the panel has to know of log-ins; how they are kept and checked is the API's affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from starlette.types import Scope

from cronpilot.client.actor import Front
from cronpilot.domain.access import Identity


class Gate(Protocol):
    """Who may come in, and as whom a tab's own process asks the engine (`api.auth.Gate`)."""

    async def log_in(self, name: str, password: str, address: str, *, front: Front) -> Identity:
        """Who that is. Raises LogInRefused or TooManyRequests."""
        ...

    def open_session(self, identity: Identity) -> str:
        """The token of a new session."""
        ...

    def of_session(self, token: str) -> Identity | None:
        """Whose session it is; counts as using it. None when it is over."""
        ...

    def end_session(self, token: str) -> None:
        """Log out."""
        ...

    def open_tab(self, token: str) -> str | None:
        """A token for a process that works for this session; None when it may have no more."""
        ...

    def of_tab(self, tab: str) -> Identity | None:
        """For whom that process works; does not count as using the session."""
        ...

    def end_tab(self, tab: str) -> None:
        """Its process is gone."""
        ...


class Cookie(NamedTuple):
    """How a browser keeps its session.

    Attributes:
        read: the session's token of a request; None where there is none.
        make: the value of Set-Cookie for a token; takes `secure`.
        end: the value of Set-Cookie that makes a browser forget.
    """

    read: Callable[[Scope], str | None]
    make: Callable[..., str]
    end: Callable[[], str]


class Visitor(NamedTuple):
    """Somebody with a session."""

    identity: Identity
    session: str
