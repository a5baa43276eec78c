"""Output that goes into a pipe: whoever reads it may have had enough, as in `| head`."""

from __future__ import annotations

import io
import os
import sys

PIPE_CLOSED = 141  # 128 + SIGPIPE, what a shell reports for `cat` in `cat file | head`


def accept_any_text() -> None:
    """A locale that lacks a character shall not keep the rest from being printed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Print into nothing from here on: Python would complain about a closed pipe again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
