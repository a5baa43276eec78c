"""A line on the terminal for work that may take a while; nothing where nobody looks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cronpilot.domain.text import clean

Say = Callable[[str], None]

LONG_S = 2.0  # what has ended by then needs no line


def say(sentence: str) -> None:
    """Tell it on stderr, if that is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"cronpilot: {clean(sentence)}\n")
        sys.stderr.flush()


def say_nothing(sentence: str) -> None:
    """For callers that have nobody to tell."""


@contextmanager
def said_if_long(sentence: str, *, after_s: float = LONG_S) -> Iterator[None]:
    """Tell it once what is inside has taken that many seconds."""
    timer = threading.Timer(after_s, say, [sentence])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
