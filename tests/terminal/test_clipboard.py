"""Copying out of a log: through a real tmux, and to a bare terminal."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .test_terminal import DEMO, ENVIRONMENT, Session

DEADLINE = 60


def test_the_terminal_is_asked_by_osc_52():
    session = Session("--attached", TMUX="", STY="")
    try:
        session.until(lambda: "in all" in session.text)
        session.child.send("2L")
        session.until(lambda: "documents" in session.text)
        session.child.send("Y")
        session.until(lambda: "\x1b]52;c;" in session.written and "Copied" in session.text)
        sent = session.written.split("\x1b]52;c;")[1].split("\x07")[0]
        copied = base64.b64decode(sent).decode()
        assert " documents\n" in copied
        assert "\x1b" not in copied
    finally:
        session.end()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux_it_is_a_paste_buffer_too(tmp_path: Path):
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    environ = {**os.environ, **ENVIRONMENT}
    environ.pop("TMUX", None)

    def ask(*words: str) -> str:
        return subprocess.run(
            [*tmux, *words], capture_output=True, text=True, env=environ, check=False
        ).stdout

    def until(what: str, *words: str) -> str:
        end = time.monotonic() + DEADLINE
        while what not in (said := ask(*words)):
            assert time.monotonic() < end, said
            time.sleep(0.05)
        return said

    ask("new-session", "-d", "-x", "120", "-y", "36", f"{sys.executable} {DEMO} --attached")
    try:
        until("in all", "capture-pane", "-p")
        ask("send-keys", "2", "L")
        until("documents", "capture-pane", "-p")
        ask("send-keys", "Y")
        assert " documents\n" in until("documents", "show-buffer")
        until("to tmux and the terminal", "capture-pane", "-p")
    finally:
        ask("kill-server")
