"""The API on TCP: listens while it should, and never stands in the way of the engine.

A port that is taken and a certificate that cannot be read are banners, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fastapi import FastAPI

from cronpilot.api.auth import Closed, Gate
from cronpilot.api.hosts import HERE, Hosts
from cronpilot.api.limits import Bodies, Pace
from cronpilot.api.patience import KEEP_ALIVE_S, PatientProtocol, bind_tcp
from cronpilot.api.server import quiet, run
from cronpilot.client.messages import Banner
from cronpilot.config.settings import ApiSettings
from cronpilot.errors import CronPilotError

BANNER = "api"
_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)  # the last again and again

_log = logging.getLogger(__name__)


def guarded(app: FastAPI, gate: Gate, settings: ApiSettings) -> Bodies:
    """The app as it may be put on a network: bodies, names, log-in and pace are looked at first."""
    paced = Pace(app, settings.rate_limit)
    closed = Closed(paced, gate, app.state.public)
    return Bodies(Hosts(closed, [*HERE, _as_name(settings.host), *settings.allowed_hosts]))


def _as_name(host: str) -> str:
    """The address as it stands in a Host header."""
    return f"[{host}]" if ":" in host else host


class Surroundings(NamedTuple):
    """Whom it tells, and what has to be done before anybody is let in."""

    show: Callable[[Banner], None]
    clear: Callable[[str], None]
    listens_at: Callable[[str | None], None] = lambda _: None
    before: Callable[[], Awaitable[None]] | None = None


class TcpFront:
    """Serves one app on TCP, as its settings say at the time.

    Attributes:
        tried: set when it answers, or when the first attempt has failed, or when it is off.
    """

    def __init__(
        self,
        app: FastAPI,
        gate: Gate,
        settings: ApiSettings,
        surroundings: Surroundings,
        *,
        wanted: bool,
    ) -> None:
        """`wanted`: whether it is on where `settings.enabled` says nothing."""
        self.tried = asyncio.Event()
        self._app, self._gate, self._around = app, gate, surroundings
        self._settings, self._by_default = settings, wanted
        self._changed = asyncio.Event()
        self._tls: ssl.SSLContext | None = None

    def configure(self, settings: ApiSettings) -> None:
        """Go by other settings from now on. Certificates are read again in any case."""
        before, self._settings = self._settings, settings
        if before != settings:
            self._changed.set()
        elif self._tls is not None:
            self._read_certificate(self._tls)

    async def run(self, stopped: asyncio.Event) -> None:
        """Until `stopped` is set."""
        ending = asyncio.create_task(stopped.wait())
        failures = 0
        try:
            while not stopped.is_set():
                self._changed.clear()
                if not self._is_wanted():
                    await self._pause(ending, None)
                elif await self._serve(ending):
                    failures = 0
                else:
                    await self._pause(ending, _RETRY_S[min(failures, len(_RETRY_S) - 1)])
                    failures += 1
        finally:
            ending.cancel()
            self.tried.set()
            self._around.clear(BANNER)

    def _is_wanted(self) -> bool:
        enabled = self._settings.enabled
        wanted = self._by_default if enabled is None else enabled
        if not wanted:
            self._around.clear(BANNER)
        return wanted

    async def _pause(self, ending: asyncio.Task[bool], seconds: float | None) -> None:
        """Until the settings change, the engine ends or the time is over."""
        self.tried.set()
        changed = asyncio.create_task(self._changed.wait())
        await asyncio.wait(
            {changed, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )  # fmt: skip
        changed.cancel()

    async def _serve(self, ending: asyncio.Task[bool]) -> bool:
        """Serve until the settings change or the engine ends; False when it could not begin."""
        settings = self._settings
        if not await self._is_admitted():
            return False
        where = f"{_as_name(settings.host)}:{settings.port}"
        if settings.tls_cert is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            if not self._read_certificate(self._tls):
                return False
        else:
            self._tls = None
        try:
            sock = await asyncio.to_thread(bind_tcp, settings.host, settings.port)
        except OSError as error:
            self._say(f"The API cannot listen on {where}: {error.strerror or error}.",
                      "It is tried again; api.port in config.yaml names another port.")  # fmt: skip
            return False
        self._around.clear(BANNER)
        scheme = "http" if self._tls is None else "https"
        address = f"{scheme}://{_as_name(settings.host)}:{sock.getsockname()[1]}"
        self._around.listens_at(address)
        self.tried.set()
        _log.info("The API answers at %s", address)
        await self._until_changed(settings, sock, ending)
        return True

    async def _is_admitted(self) -> bool:
        try:
            if self._around.before is not None:
                await self._around.before()
        except CronPilotError as error:
            self._say(f"The API is off: {error.problem}", error.hint)
            return False
        return True

    async def _until_changed(
        self, settings: ApiSettings, sock: socket.socket, ending: asyncio.Task[bool]
    ) -> None:
        config = quiet(
            guarded(self._app, self._gate, settings), http=PatientProtocol, ws="auto",
            ws_max_size=1 << 20, timeout_keep_alive=KEEP_ALIVE_S,
            ssl_context_factory=None if self._tls is None else self._context,
        )  # fmt: skip
        stop = asyncio.Event()
        serving = asyncio.create_task(run(config, sock, stop, asyncio.Event()))
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({serving, changed, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                self._app.state.ending.set()
            stop.set()
            await serving
        finally:
            changed.cancel()
            self._around.listens_at(None)
            if not serving.done():
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)

    def _context(self, *_: object) -> ssl.SSLContext:
        assert self._tls is not None
        return self._tls

    def _read_certificate(self, context: ssl.SSLContext) -> bool:
        """Into `context`, for connections from now on; a banner when it cannot be used."""
        cert, key = self._settings.tls_cert, self._settings.tls_key
        assert cert is not None
        try:
            context.load_cert_chain(cert, key, password=_no_password)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            said = error.strerror if isinstance(error, OSError) else str(error)
            self._say(f"The certificate {cert} cannot be used: {said or error}.",
                      "See api.tls_cert and api.tls_key; SIGHUP reads them again.")  # fmt: skip
            return False
        return True

    def _say(self, text: str, hint: str) -> None:
        self._around.show(Banner(key=BANNER, text=text, hint=hint))


def _no_password() -> str:
    """Else OpenSSL asks for it on the terminal, and waits."""
    raise ValueError("its key has a password")
