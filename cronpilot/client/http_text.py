"""The text of HTTP: a question as bytes, and the head of an answer. Who sends them: `plain_http`,
and `plain_client` without an event loop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

API = 1  # the major version of the API; another one is refused


def request_of(
    method: str, path: str, headers: Mapping[str, str], params: Mapping[str, Any] | None, body: Any
) -> bytes:
    """A question on a connection of its own. `body` becomes JSON; None: there is none.

    Raises:
        UnicodeEncodeError: a word of the question is no text.
    """
    query = urlencode(
        [(name, _word(one)) for name, value in (params or {}).items() for one in _each(value)],
        quote_via=quote,
    )
    data = b"" if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    head = {"Host": "cronpilot", "Connection": "close", "Accept": "*/*", **headers}
    if body is not None:
        head |= {"Content-Type": "application/json"}
    if body is not None or method not in ("GET", "DELETE"):
        head |= {"Content-Length": str(len(data))}
    lines = [f"{method} {path}{'?' if query else ''}{query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in head.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + data


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def read_head(said: bytes) -> tuple[int, dict[str, str]]:
    """The status, and the headers by their names in small letters. Raises ValueError."""
    first, *lines = said.decode("latin-1").split("\r\n")
    version, status = first.split(" ", 2)[:2]
    if not version.startswith("HTTP/1."):
        raise ValueError(f"{version!r} is no HTTP")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return int(status), headers
