"""The picture of the cockpit in a browser; nothing is drawn where there is no Chromium."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cronpilot.client.http import HttpClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.web.chromium import chromium, find_chromium

PASSWORD_FILE = "admin-password"


async def draw_in_browser(path: Path, state: Path, client: HttpClient) -> None:
    """Log in to the engine of that state directory as a person does, and keep what is seen."""
    engine = (await client.status()).engine
    if find_chromium() is None or engine is None or engine.api is None:
        print(f"{path}: not drawn, there is no Chromium here")
        return
    words = (state / PASSWORD_FILE).read_text().split()
    await asyncio.to_thread(_draw, path, engine.api, words[-1])
    print(path)


def _draw(path: Path, address: str, password: str) -> None:
    with chromium() as page:
        page.size(1060, 560)
        dark = {"name": "prefers-color-scheme", "value": "dark"}  # as the other pictures
        page.ask("Emulation.setEmulatedMedia", features=[dark])
        page.go(address)
        page.log_in("admin", password)
        page.shows("[1 Tasks]", "in all")
        page.press("G", "k", "k")
        page.rest(2)
        path.write_bytes(page.picture())
