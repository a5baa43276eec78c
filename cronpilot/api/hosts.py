"""Which names the server answers to, and which pages of browsers may make it change something.

A browser sends a password by itself once it knows it, whichever page asks. So what changes
something must not come from a foreign page; and a page whose name was made to lead here (DNS
rebinding) is told by the name it uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from cronpilot.api.problems import refuse
from cronpilot.domain.text import clean
from cronpilot.errors import NotAllowed

HERE: Final = ("localhost", "127.0.0.1", "[::1]")
_SAFE: Final = {"GET", "HEAD", "OPTIONS"}
_OWN_PAGE: Final = {"same-origin", "none"}  # of Sec-Fetch-Site; `none`: typed by the user
_MISDIRECTED: Final = 421


class Hosts:
    """Refuses other names than ours, and changes that a foreign page asks for."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] != "/healthz":
            headers = _headers(scope)
            if (name := _name_of(headers.get(b"host"))) not in self._names:
                error = NotAllowed(
                    f"{clean(name or 'no name')[:200]!r} is no name of this server.",
                    "Names besides localhost are listed in api.allowed_hosts.",
                )
                await refuse(error, scope, receive, send, status=_MISDIRECTED)
                return
            if _changes(scope) and (problem := _foreign(headers)):
                error = NotAllowed(problem, "Only pages of this very server may ask for changes.")
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)


def _headers(scope: Scope) -> dict[bytes, bytes | None]:
    """The headers; None for one that is there twice, which means harm."""
    found: dict[bytes, bytes | None] = {}
    for name, value in scope["headers"]:
        found[name] = value if name not in found else None
    return found


def _name_of(host: bytes | None) -> str:
    """The name in a Host header, in lower case, without its port."""
    if host is None:
        return ""
    said = host.decode("latin-1").lower()
    name, colon, port = said.rpartition(":")
    if not colon or said.endswith("]"):
        return said
    return name if port.isascii() and port.isdigit() else said


def _changes(scope: Scope) -> bool:
    """A WebSocket counts: no other rule of browsers keeps a foreign page from opening one."""
    return scope["type"] == "websocket" or scope["method"] not in _SAFE


def _foreign(headers: dict[bytes, bytes | None]) -> str:
    """What says that a foreign page asks; empty when nothing does, as with curl."""
    site = headers.get(b"sec-fetch-site", b"none")
    if site is None or site.decode("latin-1").lower() not in _OWN_PAGE:
        return "This was asked for by a page of another site."
    if b"origin" in headers:
        origin = headers[b"origin"]
        host = headers.get(b"host")
        if origin is None or host is None or not _is_origin_of(origin, host):
            said = clean((origin or b"no site").decode("latin-1"))[:200]
            return f"This was asked for by a page of {said!r}."
    return ""


def _is_origin_of(origin: bytes, host: bytes) -> bool:
    """Whether that is the origin of pages served under `host`; TLS may end at a proxy before us."""
    try:
        parts = urlsplit(origin.decode("latin-1").lower())
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == host.decode("latin-1").lower()
