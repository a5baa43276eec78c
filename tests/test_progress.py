"""Long work is told on a terminal, and nowhere else."""

from __future__ import annotations

import io
import threading
from contextlib import redirect_stderr

import pytest

from cronpilot import progress

from .patience import PATIENCE_S


class Terminal(io.StringIO):
    """Says that somebody looks, and when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.written.set()


def test_a_terminal_is_told_and_nothing_of_a_name_reaches_it_raw():
    with redirect_stderr(Terminal()) as terminal:
        progress.say("Copying /srv/\x1b[31m ...")

    assert terminal.getvalue() == "cronpilot: Copying /srv/\\x1b[31m ...\n"


def test_a_pipe_hears_nothing(capsys: pytest.CaptureFixture[str]):
    progress.say("Copying ...")

    assert capsys.readouterr().err == ""


def test_what_takes_long_is_told_once():
    with redirect_stderr(Terminal()) as terminal, progress.said_if_long("Starting ...", after_s=0):
        assert terminal.written.wait(PATIENCE_S)

    assert terminal.getvalue() == "cronpilot: Starting ...\n"


def test_what_is_quick_is_not_told():
    with (
        redirect_stderr(Terminal()) as terminal,
        progress.said_if_long("Starting ...", after_s=3600),
    ):
        pass

    assert terminal.getvalue() == ""
