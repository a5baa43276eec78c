"""A headless Chromium, driven over its DevTools socket: keys, sizes, pictures, what it was sent.

The cockpit is painted on a canvas, which has no text to be read. `Page.text` is therefore what a
terminal (pyte) makes of the same bytes that the page was sent.
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyte
from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 60.0
_KEYS = {
    "Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowDown": (40, ""),
    "ArrowUp": (38, ""), "ArrowRight": (39, ""), "Backspace": (8, ""), "End": (35, ""),
}  # fmt: skip
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)  # fmt: skip


def find_chromium() -> str | None:
    """The program, under one of the names that distributions give it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium() -> Iterator[Page]:
    """A browser with an empty profile; its one page."""
    program = find_chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            address = _address_of_page(Path(profile) / "DevToolsActivePort", browser)
            with connect(address, max_size=None, proxy=None) as tools:
                yield Page(tools)
        finally:
            browser.kill()
            browser.wait()


def _address_of_page(told: Path, browser: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and browser.poll() is None:
        try:
            port = int(told.read_text().split()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                pages = [one for one in json.load(answer) if one["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        except (OSError, ValueError, IndexError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"Chromium did not start; it ended with {browser.poll()}")


class BetweenPages(Exception):
    """The page that was asked is being left."""


class Page:
    """One page of the browser.

    Attributes:
        requested: the address of everything that was loaded, and of each socket.
        tabs: how many sockets the page has opened since the browser was started.
        notes: what the page wrote to the console.
        complaints: what the browser wrote to its console as an error.
    """

    def __init__(self, tools: ClientConnection) -> None:
        self.requested: list[str] = []
        self.tabs = 0
        self.notes: list[str] = []
        self.complaints: list[str] = []
        self._frames: list[float] = []  # when they were painted
        self._tools = tools
        self._numbers = itertools.count(1)
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    # --- the window ------------------------------------------------------------------------------

    def go(self, address: str) -> None:
        """Open that address."""
        self.ask("Page.navigate", url=address)

    def size(self, width: int, height: int) -> None:
        """Make the window that large, in pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)  # fmt: skip

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def evaluate(self, script: str) -> Any:
        """The value of that script; a promise is waited for. Raises BetweenPages."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True,
                          returnByValue=True, userGesture=True)  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    # --- what a person does ----------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys: letters, names such as `Enter`, and `ctrl+o`."""
        for key in keys:
            self._press(key.removeprefix("ctrl+"), control=key.startswith("ctrl+"))

    def type(self, text: str) -> None:
        """Type letters."""
        self.press(*text)

    def _press(self, name: str, *, control: bool) -> None:
        code, text = _KEYS.get(name) or (ord(name.upper()) if name.isalnum() else 0, name)
        event: dict[str, Any] = {
            "key": name, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0,
            "code": name if name in _KEYS else f"Key{name.upper()}",
        }  # fmt: skip
        if text and not control:
            event["text"] = text
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **event)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **event)

    def click(self, x: float, y: float) -> None:
        """Press the left button there, in pixels."""
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def log_in(self, name: str, password: str) -> None:
        """Fill in the form that stands there, and send it."""
        self.says("Password")
        self.evaluate("document.querySelector('#name').select()")
        self.type(name)
        self.press("Tab")
        self.type(password)
        self.press("Enter")

    # --- what it sees ----------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The text on the terminal."""
        return "\n".join(self._screen.display)

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        return self._screen.columns, self._screen.lines

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait until that holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                said = f"{self.notes} The page says: {self._words()}\n{self.text}"
                raise AssertionError(f"{what or 'it'} did not happen. {said}")
            self._hear(0.05)

    def shows(self, *texts: str) -> None:
        """Wait until the terminal shows all of these."""
        self.until(lambda: all(text in self.text for text in texts), f"{texts}")

    def rest(self, seconds: float) -> None:
        """Let time pass, as for a picture."""
        self._hear(seconds)

    def until_painted(self, change: Callable[[], object]) -> float:
        """Milliseconds from `change`, on a page at rest, to the next frame with anything new."""
        self.ask("Page.startScreencast", format="jpeg", quality=1)
        self._hear(0.5)  # it begins with a frame of what is there
        self._frames.clear()
        begin = time.time()
        change()
        self.until(lambda: self._frames)
        self.ask("Page.stopScreencast")
        return (self._frames[0] - begin) * 1000

    def says(self, text: str) -> None:
        """Wait until the page itself, not its terminal, shows that."""
        self.until(lambda: text in self._words(), text)

    def _words(self) -> str:
        try:
            return str(self.evaluate("document.body?.innerText ?? ''"))
        except BetweenPages:
            return ""

    # --- DevTools --------------------------------------------------------------------------------

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser; what happens meanwhile is taken note of."""
        number = next(self._numbers)
        self._tools.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = self._take(self._tools.recv(timeout=PATIENCE_S))
            if said.get("id") == number:
                if "error" in said:
                    raise BetweenPages(method, said["error"])
                return dict(said["result"])

    def _hear(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self._take(self._tools.recv(timeout=left))
        except TimeoutError:
            pass

    def _take(self, message: str | bytes) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(message)
        told = said.get("params", {})
        match said.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.requested.append(told["url"])
                self.tabs += 1
                self._screen.reset()
            case "Network.webSocketFrameReceived" if told["response"]["opcode"] == 2:
                self._stream.feed(base64.b64decode(told["response"]["payloadData"]))
            case "Network.webSocketFrameSent":
                self._resize(told["response"]["payloadData"])
            case "Page.screencastFrame":
                self._frames.append(told["metadata"]["timestamp"])
                self.ask("Page.screencastFrameAck", sessionId=told["sessionId"])
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] == "info":
                self.notes.append(str(told["args"][0].get("value")))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
        return said

    def _resize(self, sent: str) -> None:
        match json.loads(sent):
            case ["resize", {"width": columns, "height": rows}]:
                self._screen.resize(rows, columns)
