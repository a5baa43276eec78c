"""The keeper's socket and its one engine."""

from __future__ import annotations

import os
import socket
import struct

from . import crash, protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .loop import Loop
    from .protocol import Message

SOCKET = "keeper.sock"
_READ = 1 << 16  # bytes; for larger pieces the allocator would map memory anew each time
_MOST_UNSENT = 1 << 24  # bytes; an engine that reads none of it is dropped, and settles when back


def listen() -> socket.socket:
    """Bind in the working directory, which is the state directory; the caller owns the lock."""
    hide()  # of a keeper that died
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(SOCKET)
    listener.listen(8)
    return listener


def hide() -> None:
    """Nobody can connect any more."""
    try:
        os.unlink(SOCKET)
    except FileNotFoundError:
        pass


class Link:
    """The newest connection wins: it holds the engine's lock. What an older one still has in the
    pipe is never read, so no old request can start anything after the new engine has looked."""

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        *,
        greet: Callable[[], Message],
        ask: Callable[[Message], None],
    ) -> None:
        self._loop, self.listener, self._greet, self._ask = loop, listener, greet, ask
        self.connection: socket.socket | None = None
        self._lines = protocol.Lines()
        self._unsent, self._is_blocked = b"", False
        listener.setblocking(False)
        loop.watch(listener.fileno(), self._accept)

    def tell(self, message: Message) -> None:
        """Send with the next `flush`, or forget when nobody listens: the record files know."""
        if self.connection is not None:
            self._unsent += protocol.encode(message)

    def flush(self) -> None:
        """Send what was told in this turn of the loop, all in one."""
        if self._unsent and not self._is_blocked:
            self._send()

    def take(self, connection: socket.socket) -> None:
        self.drop()
        connection.setblocking(False)
        self.connection = connection
        self._loop.watch(connection.fileno(), self._ready)
        self.tell(self._greet())

    def whole(self) -> socket.socket | None:
        """The connection, if nothing waits to be sent. Else it is dropped: half a line must not
        be followed by something else, and the engine comes back."""
        self.flush()
        if self._unsent:
            self.drop()
        return self.connection

    def drop(self) -> None:
        if self.connection is not None:
            self._loop.unwatch(self.connection.fileno())
            self.connection.close()
        self.connection = None
        self._lines, self._unsent, self._is_blocked = protocol.Lines(), b"", False

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return  # gone again, or no descriptor left: it will try once more
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", credentials)[1] not in (0, os.getuid()):
            connection.close()
            return
        crash.here("keeper_accept")
        self.take(connection)

    def _ready(self) -> None:
        if self._unsent:
            self._send()
        connection = self.connection
        if connection is None:
            return
        try:
            data = connection.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop()
            return
        try:
            messages = self._lines.feed(data)
        except ValueError as problem:
            self.tell(protocol.error(f"not a message: {problem}"))
            self.flush()
            self.drop()
            return
        for message in messages:
            self._ask(message)

    def _send(self) -> None:
        assert self.connection is not None
        try:
            sent = self.connection.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.drop()
            return
        self._unsent = self._unsent[sent:]
        if len(self._unsent) > _MOST_UNSENT:
            self.drop()
            return
        if bool(self._unsent) != self._is_blocked:
            self._is_blocked = not self._is_blocked
            self._loop.also_when_writable(self.connection.fileno(), self._is_blocked)
