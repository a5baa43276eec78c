"""Channels and pings, over a real HTTP server on this machine."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from typing import Any

import pytest

from cronpilot.notify import channels
from cronpilot.notify.failures import Failure
from cronpilot.notify.message import Message

HELLO = Message("A subject", "A body\n")


class Web(HTTPServer):
    """Attributes: asked: methods, paths, bodies; status: what it answers; endless: its answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, bytes]] = []
        self.status = 200
        self.endless = False

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.server.asked.append((self.command, self.path, self.rfile.read(length)))
        self.send_response(self.server.status)
        self.end_headers()
        while self.server.endless:
            try:
                self.wfile.write(b"x" * 65_536)
            except OSError:
                return

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_ping_is_a_page_that_is_fetched(web: Web):
    await channels.ping(f"http://{web.where}/abc/start")

    assert web.asked == [("GET", "/abc/start", b"")]


@pytest.mark.parametrize(("status", "permanent"), [(503, False), (404, True)])
async def test_a_ping_that_is_not_answered_well(web: Web, status: int, permanent: bool):
    web.status = status

    with pytest.raises(Failure, match=f"127.0.0.1 answered the ping with {status}") as caught:
        await channels.ping(f"http://{web.where}/secret-key")

    assert caught.value.permanent is permanent
    assert "secret-key" not in caught.value.problem


async def test_nobody_there_is_said_without_the_address():
    with pytest.raises(Failure, match=r"127.0.0.1 cannot be pinged") as caught:
        await channels.ping("http://127.0.0.1:1/secret-key")

    assert "secret-key" not in caught.value.problem


async def test_what_an_answer_to_a_ping_holds_is_not_waited_for(web: Web):
    web.endless = True

    await channels.ping(f"http://{web.where}/abc")


needs_apprise = pytest.mark.skipif(
    find_spec("apprise") is None, reason="the extra `notify` (apprise) is not installed"
)


@needs_apprise
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what apprise imports
async def test_a_channel_of_apprise(web: Web):
    await channels.send("chat", lambda: f"json://{web.where}/hook", HELLO)

    ((method, path, body),) = web.asked
    told = json.loads(body)
    assert (method, path.rstrip("/"), told["title"]) == ("POST", "/hook", "A subject")
    assert told["message"].strip() == "A body"


@needs_apprise
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("url", "said"), [
    ("nonsense", "not one that apprise knows"), (None, "has no URL"), ("", "has no URL"),
])  # fmt: skip
async def test_a_channel_that_leads_nowhere(url: str | None, said: str):
    with pytest.raises(Failure, match=said):
        await channels.send("chat", lambda: url, HELLO)


@needs_apprise
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_service_that_refuses(web: Web):
    web.status = 500

    with pytest.raises(Failure, match="The channel chat did not take the message") as caught:
        await channels.send("chat", lambda: f"json://user:secret@{web.where}/hook", HELLO)

    assert "secret" not in caught.value.problem


async def test_without_apprise_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(Failure, match=r"pip install 'cronpilot\[notify\]'"):
        await channels.send("chat", lambda: "json://x", HELLO)
