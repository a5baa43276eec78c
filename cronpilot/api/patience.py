"""HTTP connections that are not held open by whoever sends, or takes, too slowly."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 15.0  # for the first line and the headers, from the first byte or the connection on
BODY_S = 30.0  # for the body behind them
_UNREAD_MS = 60_000  # for the other side to take what was sent
_BACKLOG = 128
_THROWN_AWAY = 4_000_000  # bytes of a body that was refused
KEEP_ALIVE_S = 30
MOST_CONNECTIONS = 500


class PatientProtocol(H11Protocol):
    """uvicorn's protocol waits for ever for a request that was begun; this one hangs up."""

    _deadline: asyncio.TimerHandle | None = None
    _waits_for: object = None
    _is_over = False  # it speaks WebSocket now
    _thrown_away = 0  # bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        sock: socket.socket | None = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
        self._wait_for(h11.IDLE, HEAD_S)

    def data_received(self, data: bytes) -> None:
        if self._is_refused() and self._too_much(data):
            self.transport.abort()
            return
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._wait_for(h11.IDLE, HEAD_S)
        super().data_received(data)
        if self._is_over or self.transport.is_closing():
            return
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            if self._waits_for is not h11.SEND_BODY:
                self._wait_for(h11.SEND_BODY, BODY_S)
        elif state is not h11.IDLE:
            self._wait_no_more()

    def _is_refused(self) -> bool:
        """Whether there was an answer before all of the body had come."""
        return (
            self.cycle is not None
            and self.cycle.response_complete
            and self.conn.their_state is h11.SEND_BODY
        )

    def _too_much(self, data: bytes) -> bool:
        """Some is taken and thrown away, else the answer would be lost on the way."""
        self._thrown_away += len(data)
        return self._thrown_away > _THROWN_AWAY

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._is_over = True  # for h11 a body may still come; the socket has other rules by then
        self._wait_no_more()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait_for(self, state: object, seconds: float) -> None:
        self._wait_no_more()
        self._waits_for = state
        self._deadline = self.loop.call_later(seconds, self._hang_up)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._waits_for = None

    def _hang_up(self) -> None:
        self._deadline = None
        self.transport.abort()


def bind_tcp(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError: the port is taken, or there is no such address."""
    kind, address = _resolve(host, port)
    # With its protocol named: asyncio switches Nagle's delay off only then, and each answer would
    # take 45 ms more.
    sock = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(_BACKLOG)  # here, so that a taken port is an OSError of ours
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int) -> tuple[int, Any]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)  # localhost is 127.0.0.1 first
    return found[0][0], found[0][4]
