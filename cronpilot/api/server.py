"""Uvicorn inside the engine's loop: it leaves signals, stderr and the socket's mode alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from cronpilot.api.app import make_app
from cronpilot.api.auth import Trusted
from cronpilot.client import Client
from cronpilot.client.sockets import SOCKET_NAME, SocketPath

_GRACE_S = 1  # for answers that are under way when the engine stops
_KEEP_ALIVE_S = (
    75  # longer than our own client keeps an idle connection, so it never loses that race
)

_log = logging.getLogger(__name__)


def bind_unix(state_dir: Path) -> socket.socket:
    """A socket bound at `engine.sock` in the state directory (0700), of mode 0600.

    Only the caller who owns the database's lock may do this: a socket that is already there is one
    that a dead engine left, and is removed. `serve` makes the socket listen.

    Raises:
        OSError: the directory is missing or cannot be written to.
    """
    path = SocketPath(state_dir / SOCKET_NAME)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        Path(path.text).unlink(missing_ok=True)
        # On Linux bind() makes the file with the mode of the socket, so it is never open to others;
        # the umask would belong to all threads of the process.
        os.fchmod(sock.fileno(), 0o600)
        sock.bind(path.text)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    finally:
        path.close()
    return sock


def remove_unix(state_dir: Path) -> None:
    """Take the socket's file away after `serve`, while the lock is still held."""
    (state_dir / SOCKET_NAME).unlink(missing_ok=True)


async def serve(
    client: Client, sock: socket.socket, stopped: asyncio.Event, app: FastAPI | None = None
) -> None:
    """Answer on the unix socket `sock` until `stopped` is set; then close it.

    Args:
        app: the app over `client` that TCP is served by as well; default: one of its own.
    """
    app = app or make_app(client)
    config = quiet(Trusted(app, app.state.gate), timeout_keep_alive=_KEEP_ALIVE_S)
    await run(config, sock, stopped, app.state.ending)


def quiet(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """A server that says nothing and believes no headers about where a request comes from."""
    _log_elsewhere()
    said: dict[str, Any] = {
        "log_config": None, "access_log": False, "lifespan": "off", "ws": "none", "http": "h11",
        "proxy_headers": False, "server_header": False, "timeout_graceful_shutdown": _GRACE_S,
    }  # fmt: skip
    return uvicorn.Config(app, **said | options)


async def run(
    config: uvicorn.Config, sock: socket.socket, stopped: asyncio.Event, ending: asyncio.Event
) -> None:
    """Serve on `sock` until `stopped` is set; then close it.

    The open event and log streams end first (`ending`): a server that is told to stop while one is
    open waits for it, and then complains on the user's screen.
    """
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()
        if not serving.done():  # we were cancelled ourselves
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        sock.close()


class _Quiet(uvicorn.Server):
    """Signals belong to whoever runs the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _ToOurLog(logging.Handler):
    """What uvicorn says goes where our own log goes, never to stderr by default."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.handle(record)


def _log_elsewhere() -> None:
    logging.getLogger("cronpilot").addHandler(logging.NullHandler())
    uvicorn_log = logging.getLogger("uvicorn.error")
    uvicorn_log.handlers = [_ToOurLog()]
    uvicorn_log.propagate = False
    uvicorn_log.setLevel(logging.WARNING)
