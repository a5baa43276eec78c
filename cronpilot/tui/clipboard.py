"""Text on its way to the clipboard of whoever sits at the terminal, be it far away.

OSC 52 asks the terminal itself. tmux keeps that from the terminal in its default set-up, so it is
asked by its own command, which also keeps the text as a paste buffer. GNU screen wants it wrapped.
"""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import Mapping

MOST = 74_994 // 4 * 3
"""Bytes; the terminals that limit what they take take this much."""
PATIENCE_S = 2.0


def fitting(text: str) -> str:
    """As much of the text as every terminal takes, in whole lines if it has any."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MOST:
        return text
    cut = data[:MOST].decode("utf-8", "ignore")
    return cut[: cut.rfind("\n") + 1] or cut


def needs_wrapping(environ: Mapping[str, str]) -> bool:
    """Whether GNU screen stands between us and the terminal."""
    return bool(environ.get("STY")) and not environ.get("TMUX")


def wrapped(text: str) -> str:
    """What GNU screen passes on to the terminal; what Textual writes it would not."""
    said = base64.b64encode(text.encode("utf-8", "replace")).decode()
    return f"\x1bP\x1b]52;c;{said}\a\x1b\\"


async def tell_tmux(text: str, environ: Mapping[str, str]) -> bool:
    """Give tmux the text, and through it the terminal; whether it took it."""
    if not environ.get("TMUX"):
        return False
    try:  # in a thread: a screen that is left meanwhile leaves nothing behind half closed
        tmux = await asyncio.to_thread(
            subprocess.run, ["tmux", "load-buffer", "-w", "-"], check=False, timeout=PATIENCE_S,
            input=text.encode("utf-8", "replace"), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tmux.returncode == 0
