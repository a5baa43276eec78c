"""What short commands ask of an engine on this machine, without an event loop or a model.

Whatever is not as expected is left to `http.HttpClient`, which has the words for it: questions can
be asked twice.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Protocol

from cronpilot import __version__
from cronpilot.client.actor import HEADER
from cronpilot.client.http_text import API, read_head, request_of
from cronpilot.client.plain_rows import Row
from cronpilot.client.sockets import SocketPath

_PATIENCE_S = 10.0  # afterwards somebody with more of it asks again
_PAGE = 200


class Unsure(Exception):
    """This cannot be answered, or not in this way."""


class NobodyThere(Exception):
    """Nobody listens on the socket."""


class PlainSource(Protocol):
    """What short commands ask, of an engine or of a database. Each question may raise Unsure."""

    def tasks(self) -> list[Row]:
        """All of them, by id."""
        ...

    def fire_times(self, name: str | None, limit: int) -> list[Row]:
        """The next starts: of all tasks, or of one."""
        ...

    def runs(self, name: str | None, limit: int) -> list[Row]:
        """The newest runs, newest first: of all tasks, or of one."""
        ...

    def status(self) -> Row:
        """The engine, if there is one, and its figures."""
        ...


class PlainClient:
    """Some questions of `Client`, answered at once. Each raises Unsure; the first NobodyThere."""

    def __init__(self, path: Path) -> None:
        self._path, self._greeted = path, False

    def tasks(self) -> list[Row]:
        found: list[Row] = []
        while True:
            rows, total = self._rows("/api/tasks/", {"offset": len(found)} if found else {})
            found += rows
            if not rows or len(found) >= total:
                return found

    def fire_times(self, name: str | None, limit: int) -> list[Row]:
        of = "" if name is None else f"/tasks/{self._task(name)}"
        return self._rows(f"/api{of}/fire-times", {"limit": limit})[0]

    def runs(self, name: str | None, limit: int) -> list[Row]:
        found: list[Row] = []
        asked: dict[str, Any] = {} if name is None else {"task_id": self._task(name)}
        while len(found) < limit:
            size = min(limit - len(found), _PAGE)
            rows, _ = self._rows("/api/runs/", {**asked, "limit": size})
            found += rows
            if len(rows) < size:
                break
            asked["before"] = rows[-1].id
        return found

    def status(self) -> Row:
        return Row(_an_object(self._ask("/api/status", {})[0]))

    def me(self) -> Row:
        """Who is asking: `name` and `role`."""
        return Row(_an_object(self._ask("/api/me", {})[0]))

    def _task(self, name: str) -> int:
        found = _an_object(self._ask("/api/tasks/find", {"name": name})[0])
        return int(found["id"])

    def _rows(self, path: str, params: dict[str, Any]) -> tuple[list[Row], int]:
        said, headers = self._ask(path, params)
        if not isinstance(said, list):
            raise Unsure
        return [Row(_an_object(one)) for one in said], int(headers.get("x-total-count", -1))

    def _ask(self, path: str, params: dict[str, Any]) -> tuple[Any, dict[str, str]]:
        try:
            if not self._greeted:
                if _an_object(self._answer("/api/meta", {})[0]).get("api") != API:
                    raise Unsure
                self._greeted = True
            return self._answer(path, params)
        except (OSError, ValueError, LookupError) as error:
            raise Unsure from error

    def _answer(self, path: str, params: dict[str, Any]) -> tuple[Any, dict[str, str]]:
        headers = {"user-agent": f"cronpilot/{__version__}", HEADER: "cli"}
        said = self._exchange(request_of("GET", path, headers, params, None))
        head, _, content = said.partition(b"\r\n\r\n")
        status, headers = read_head(head)
        if status != 200 or int(headers["content-length"]) != len(content):
            raise Unsure
        return json.loads(content), headers

    def _exchange(self, request: bytes) -> bytes:
        reachable = SocketPath(self._path)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_PATIENCE_S)
                try:
                    connection.connect(reachable.text)
                except (FileNotFoundError, ConnectionRefusedError) as error:
                    raise NobodyThere from error
                connection.sendall(request)
                pieces = iter(lambda: connection.recv(1 << 16), b"")
                return b"".join(pieces)
        finally:
            reachable.close()


def _an_object(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Unsure
    return said
