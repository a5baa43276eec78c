"""A FakeClient behind the real API on a real unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cronpilot.api.server import bind_unix, remove_unix, serve
from cronpilot.client import Client
from cronpilot.client.fake import FakeClient
from cronpilot.client.http import HttpClient
from cronpilot.client.sockets import SOCKET_NAME

from ..patience import PATIENCE_S


@asynccontextmanager
async def served(engine: Client, state_dir: Path) -> AsyncIterator[Path]:
    """The socket's path while `engine` answers there."""
    stopped = asyncio.Event()
    server = asyncio.create_task(serve(engine, bind_unix(state_dir), stopped))
    try:
        await answering(state_dir / SOCKET_NAME, server)
        yield state_dir / SOCKET_NAME
    finally:
        stopped.set()
        await server
        remove_unix(state_dir)


@dataclass
class Both:
    """A client, and the engine that it reaches."""

    client: Client
    engine: FakeClient


@asynccontextmanager
async def reached(engine: FakeClient, way: str, state_dir: Path) -> AsyncIterator[Both]:
    """The engine itself ("in memory"), or a client of it ("over the socket")."""
    if way == "in memory":
        yield Both(engine, engine)
        return
    async with served(engine, state_dir) as path:
        client = HttpClient.over_socket(path)
        yield Both(client, engine)
        await client.close()


async def answering(path: Path, server: asyncio.Task[None]) -> None:
    """Return when somebody listens at `path`; raise what ended the server if it ends first."""
    from cronpilot.client.sockets import SocketPath

    short = SocketPath(path)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if server.done():
                    server.result()
                try:
                    _, writer = await asyncio.open_unix_connection(short.text)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    return
    finally:
        short.close()
