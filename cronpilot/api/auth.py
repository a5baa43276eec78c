"""Who comes in, and as whom.

Over TCP (`Closed`) nobody is let in without a name: by HTTP basic auth, or by the cookie of a
session that `Gate.open_session` began. Over the unix socket (`Trusted`) the file's mode is the
proof: whoever opens it is the OWNER. A process that works for a browser's user (a tab) opens the
same socket, and says `Authorization: Bearer TOKEN`: then it is that user and nothing beyond.

Both put an `Identity` into `request.state.identity`; None there means a public path and a stranger.

What a log-in page needs:

    gate: Gate = request.app.state.gate
    identity = await gate.log_in(name, password, address_of(request.scope), front="web")
    token = gate.open_session(identity)
    answer.headers["Set-Cookie"] = session_cookie(token, secure=request.url.scheme == "https")
    ...
    tab = gate.open_tab(token)  # for a child: HttpClient.over_socket(path, front="web", token=tab)
    gate.end_tab(tab)           # when the child is gone
    gate.end_session(token)     # log-out; `end_of_cookie` makes the browser forget, too

`app.state.public` names the paths that strangers may see; one that ends with / stands for all
below it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, MutableSet
from http.cookies import CookieError, SimpleCookie
from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from cronpilot.api.problems import refuse
from cronpilot.api.sessions import Sessions, Shelf
from cronpilot.api.throttle import Throttle
from cronpilot.client.actor import WHO, Front
from cronpilot.domain.access import OWNER, Identity, Role
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, LogInRefused, TooManyRequests

__all__ = [
    "COOKIE", "Accounts", "Closed", "Gate", "Identity", "Role", "Trusted", "address_of",
    "end_of_cookie", "session_cookie", "session_token",
]  # fmt: skip

COOKIE: Final = "cronpilot_session"
_REMEMBERED_S = 300.0  # a password that was right is not verified again for so long
_MOST_REMEMBERED = 1_000
_MOST_WAITING = 16  # log-ins that are verified or wait for it; each costs memory and time
_LONGEST_NAME = 64


class Accounts(Protocol):
    """The users, as the engine knows them."""

    def role_of(self, name: str) -> Role | None: ...

    async def check(self, name: str, password: str) -> bool: ...

    def watch(self, changed: Callable[[str, bool], None]) -> None: ...

    async def note(self, actor: str, action: str, detail: str = "") -> None: ...


class Gate:
    """Lets users in by password, and keeps the sessions of those who came by browser."""

    def __init__(
        self,
        accounts: Accounts,
        clock: Callable[[], float] = time.monotonic,
        *,
        shelf: Shelf | None = None,
    ) -> None:
        """`shelf`: keeps sessions for the next engine."""
        self._accounts, self._clock = accounts, clock
        self._sessions = Sessions(shelf=shelf)
        self._throttle = Throttle(clock)
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, tuple[str, float]] = OrderedDict()  # -> name, good until
        self._changes: dict[str, int] = {}  # how often a password has become another
        self._waiting = 0
        self.refused = 0  # log-ins, since the start
        self._streams: dict[str, asyncio.Event] = {}
        accounts.watch(self._changed)

    # --- passwords -------------------------------------------------------------------------------

    async def log_in(
        self, name: str, password: str, address: str, *, front: Front = "api"
    ) -> Identity:
        """The user of that name and password.

        Raises:
            LogInRefused: there is none.
            TooManyRequests: too many were wrong; this one was not looked at.
        """
        if len(name) > _LONGEST_NAME:
            self.refused += 1
            raise LogInRefused
        proof, changes = self._proof(name, password), self._changes.get(name)
        is_new = await self._verify(proof, name, password, address)
        if is_new or front == "web":  # programs send the password with each question
            await self._accounts.note(f"{front}:{name}", "log-in", f"from {address}")
        if changes != self._changes.get(name):
            raise LogInRefused  # while we waited, it has become another
        return self._identity(name)

    async def _verify(self, proof: bytes, name: str, password: str, address: str) -> bool:
        """Whether that user logs in from there for the first time. Raises as `log_in` does."""
        known = self._right.get(proof)
        if known is not None and known[1] > self._clock():
            return False
        self._refuse_guesser(name, address)
        changes, self._waiting = self._changes.get(name), self._waiting + 1
        try:
            right = await self._accounts.check(name, password)
        finally:
            self._waiting -= 1
        if not right:
            self.refused += 1
            who = clean(name)[:_LONGEST_NAME]
            await self._accounts.note("engine", "log-in refused", f"{who} from {address}")
            raise LogInRefused
        if changes == self._changes.get(name):  # else it may just have become a wrong one
            self._remember(proof, name)
        return self._throttle.succeeded(name, address)

    def _refuse_guesser(self, name: str, address: str) -> None:
        busy = self._waiting >= _MOST_WAITING
        wait_s = 1.0 if busy else self._throttle.begin(name, address)
        if wait_s > 0:
            self.refused += 1
            raise _too_many("Too many log-ins have failed.", wait_s)

    def _identity(self, name: str) -> Identity:
        role = self._accounts.role_of(name)
        if role is None:
            raise LogInRefused
        return Identity(name, role)

    def _proof(self, name: str, password: str) -> bytes:
        said = f"{name}\0{password}".encode(errors="surrogateescape")
        return hmac.digest(self._key, said, "sha256")

    def _remember(self, proof: bytes, name: str) -> None:
        self._right[proof] = (name, self._clock() + _REMEMBERED_S)
        self._right.move_to_end(proof)
        if len(self._right) > _MOST_REMEMBERED:
            self._right.popitem(last=False)

    def streams_end(self, name: str) -> asyncio.Event:
        """Set when what that user may see has changed: streams that are open have to end."""
        return self._streams.setdefault(name, asyncio.Event())

    def _changed(self, name: str, stays: bool) -> None:
        if (streams := self._streams.pop(name, None)) is not None:
            streams.set()
        if not stays:
            self._forget(name)

    def _forget(self, name: str) -> None:
        """The password is another, or the user is gone: every way in ends."""
        self._changes[name] = self._changes.get(name, 0) + 1
        for proof in [proof for proof, (whose, _) in self._right.items() if whose == name]:
            del self._right[proof]
        self._sessions.end_all(name)
        self._throttle.forget(name)

    # --- sessions --------------------------------------------------------------------------------

    def open_session(self, identity: Identity) -> str:
        """The token of a new session, for `session_cookie`."""
        return self._sessions.open(identity.name)

    def end_session(self, token: str) -> None:
        """Log out. Streams of that user end, too: those of who is still logged in are resumed."""
        name = self._sessions.name_of(token)
        self._sessions.end(token)
        if name is not None:
            self._changed(name, stays=True)

    def of_session(self, token: str) -> Identity | None:
        """Whose session it is; counts as using it. None when it is over."""
        return self._user(self._sessions.name_of(token))

    def open_tab(self, token: str) -> str | None:
        """A token for one process that works for this session; None when it may have no more."""
        return self._sessions.open_tab(token)

    def of_tab(self, tab: str) -> Identity | None:
        """For whom that process works. None when the session is over."""
        return self._user(self._sessions.name_of_tab(tab))

    def end_tab(self, tab: str) -> None:
        """Its process is gone."""
        self._sessions.end_tab(tab)

    def _user(self, name: str | None) -> Identity | None:
        role = None if name is None else self._accounts.role_of(name)
        return None if name is None or role is None else Identity(name, role)


class Closed:
    """Lets in who has a name, and strangers to public paths only: docs, schema and paths that do
    not exist are behind it, too."""

    def __init__(self, app: ASGIApp, gate: Gate, public: MutableSet[str]) -> None:
        self._app, self._gate, self._public = app, gate, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        try:
            identity = await self._identify(scope)
            if identity is None and not self._is_public(scope["path"]):
                raise LogInRefused(
                    "A user name and a password are needed.",
                    "Send HTTP basic auth; people log in at /.",
                )
        except CronPilotError as error:
            await refuse(error, scope, receive, send)
            return
        await _let_in(identity, self._gate, self._app, scope, receive, send)

    async def _identify(self, scope: Scope) -> Identity | None:
        kind, said = _authorization(scope)
        if kind == "basic":
            name, password = _basic(said)
            return await self._gate.log_in(name, password, address_of(scope))
        token = session_token(scope)
        return None if token is None else self._gate.of_session(token)

    def _is_public(self, path: str) -> bool:
        if path in self._public:
            return True
        return any(path.startswith(f) for f in self._public if f.endswith("/") and f != "/")


class Trusted:
    """Around the app on the unix socket: the owner, or whom the bearer token names."""

    def __init__(self, app: ASGIApp, gate: Gate | None) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        identity: Identity | None = OWNER
        kind, said = _authorization(scope)
        if kind == "bearer":
            identity = None if self._gate is None else self._gate.of_tab(said)
            if identity is None:
                error = LogInRefused("This session is over.", "Log in again.")
                await refuse(error, scope, receive, send)
                return
        await _let_in(identity, self._gate, self._app, scope, receive, send)


async def _let_in(
    identity: Identity | None,
    gate: Gate | None,
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    state = scope.setdefault("state", {})
    state["identity"] = identity
    if gate is not None and identity is not None and identity.name:
        state["streams_end"] = gate.streams_end(identity.name)
    WHO.set("" if identity is None else identity.name)
    await app(scope, receive, send)


def address_of(scope: Scope) -> str:
    """Where a request comes from; nobody's word is taken for it."""
    client = scope.get("client")
    return client[0] if client else "the unix socket"


# --- headers -------------------------------------------------------------------------------------


def session_token(scope: Scope) -> str | None:
    """The token in the session's cookie, if there is one."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookie = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if cookie is not None:
                return cookie.value
    return None


def session_cookie(token: str, *, secure: bool) -> str:
    """The value of Set-Cookie. It ends with the browser; `secure` where TLS is spoken."""
    return f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")


def end_of_cookie() -> str:
    """The value of Set-Cookie that makes a browser forget the session."""
    return f"{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"


def _authorization(scope: Scope) -> tuple[str, str]:
    """The scheme of the header Authorization in lower case, and what follows it."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, said = value.decode("latin-1").partition(" ")
            return kind.lower(), said.strip()
    return "", ""


def _basic(said: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if not colon:
        raise LogInRefused("The header Authorization cannot be read.", "Send HTTP basic auth.")
    return name, password


def _too_many(problem: str, wait_s: float) -> TooManyRequests:
    error = TooManyRequests(problem, f"Try again in {max(1, round(wait_s))} s.")
    error.wait_s = wait_s
    return error
