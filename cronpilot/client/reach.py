"""How an engine is reached: by a unix socket on this machine, or over the network."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from cronpilot.client.sockets import SocketPath
from cronpilot.domain.text import clean
from cronpilot.errors import ConfigError, CronPilotError, NoEngine, Refused, UsageProblem

DEFAULT_USER = "admin"
_CONNECT_S = 5.0


class Reach(Protocol):
    """One way to an engine.

    Attributes:
        where: what the engine is on, for sentences.
        listens: what listens, for sentences.
        headers: what every question says about who asks.
    """

    where: str
    listens: str
    headers: dict[str, str]

    def socket(self) -> str | None:
        """The unix socket as connect() takes it; None: over the network. Raises NoEngine."""
        ...

    def close(self) -> None: ...

    def failure(self, error: BaseException) -> CronPilotError:
        """What a failed connection means for people."""
        ...

    def silence(self) -> CronPilotError:
        """It is there, and does not answer."""
        ...


class SocketReach:
    """The engine that listens at that path. `token`: in the name of a browser's user."""

    def __init__(self, socket: Path, token: str | None = None) -> None:
        self.where, self.listens = str(socket.parent), str(socket)
        self._socket = socket
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._path: SocketPath | None = None

    def socket(self) -> str:
        if self._path is None:
            try:
                self._path = SocketPath(self._socket)
            except OSError as error:
                raise NoEngine(self.where) from error
        return self._path.text

    def close(self) -> None:
        if self._path is not None:
            self._path.close()
            self._path = None

    def failure(self, error: BaseException) -> CronPilotError:
        if any(isinstance(cause, PermissionError) for cause in _causes(error)):
            return Refused(
                f"The engine on {self.where} belongs to another user.",
                "Become that user first, for example with sudo -u.",
            )
        return NoEngine(self.where)

    def silence(self) -> CronPilotError:
        return CronPilotError(
            f"The engine on {self.where} does not answer.", f"Its log: {self.where}/engine.log"
        )


class NetworkReach:
    """The engine at an http or https address, as a user with a password.

    Args:
        ca_file: certificates to trust instead of the machine's.
    Raises:
        UsageProblem: the address cannot be used.
    """

    def __init__(
        self, url: str, *, user: str | None, password: str, ca_file: Path | None = None
    ) -> None:
        address = NetworkAddress(url)
        self.where = self.listens = address.url
        self._host, self._is_tls = address.host, address.is_tls
        self._user = user or address.user or DEFAULT_USER
        self._password, self._ca_file = password, ca_file
        self.headers: dict[str, str] = {}

    def socket(self) -> None:
        return None

    def open(self) -> dict[str, Any]:
        """What httpx.AsyncClient needs to go that way. Raises ConfigError."""
        httpx = load_httpx()
        transport = httpx.AsyncHTTPTransport(
            verify=self._trusted() if self._is_tls else False,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
        )
        auth = httpx.BasicAuth(self._user.encode(), self._password.encode())
        return {"transport": transport, "base_url": self.where, "auth": auth}

    def _trusted(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:  # SSLError is one of them
            raise ConfigError(
                f"{clean(str(self._ca_file))} cannot be used as --ca-file:"
                f" {error.strerror or 'it holds no certificates'}.",
                "Name a PEM file with the certificate of whoever signed the server's.",
            ) from error

    def close(self) -> None:
        pass

    def failure(self, error: BaseException) -> CronPilotError:
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return Refused(
                    f"The certificate of {self._host} is not trusted: {cause.verify_message}.",
                    "If it is the right machine, name its certificate: --ca-file FILE",
                )
            if isinstance(cause, ssl.SSLError):
                return Refused(
                    f"{self.where} does not speak TLS as it should ({cause.reason}).",
                    "Is it http:// there, or another port?",
                )
        return no_engine_at(self.where)

    def silence(self) -> CronPilotError:
        return CronPilotError(f"{self.where} does not answer.", "It may be busy, or out of reach.")


class NetworkAddress:
    """The parts of `https://user@host:port`.

    Raises:
        UsageProblem: it is no such address, or a password is in it.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _bad_address(url) from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _bad_address(url)
        if parts.password is not None:
            raise UsageProblem(
                "A password in the address can be seen by everybody on this machine.",
                "Leave it out to be asked for it, or use --password-file FILE.",
            )
        if parts.query or parts.fragment:
            raise _bad_address(url)
        self.user = unquote(parts.username) if parts.username else None
        self.host, self.is_tls = parts.hostname, parts.scheme == "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        self.url += parts.path.rstrip("/")

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, so that nobody can listen in on what is not encrypted."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def _bad_address(url: str) -> UsageProblem:
    return UsageProblem(
        f"{clean(url)!r} is no address of an engine.",
        "Use https://host:7000, http://localhost:7000 or the path of a unix socket.",
    )


def no_engine_at(where: str) -> NoEngine:
    """Nobody answers over the network."""
    error = NoEngine(where)
    error.problem = f"No engine answers at {where}."
    error.hint = "Is it up, is its API on (api.enabled), and is the port right (7000)?"
    error.args = (f"{error.problem} {error.hint}",)
    return error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def load_httpx() -> ModuleType:
    """httpx, when it is needed: half the time of a short command.

    It would load rich, click and pygments for a command line of its own, which we do not use and
    which would take as long again. It does without where that module cannot be imported.
    """
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    import httpx

    return httpx
