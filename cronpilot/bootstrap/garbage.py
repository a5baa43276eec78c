"""When Python looks for unused objects that refer to each other. Nobody does anything meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_PORTION = (5_000, 5, 100)
"""So many new objects until the new ones are looked through, so many times until those that were
left over are, and so many times that until all are."""


@contextmanager
def all_of_it_stays() -> Iterator[None]:
    """Of what is made within, nothing is garbage: it is looked through neither now, which took a
    fifteenth of a start, nor ever again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def look_through_portions() -> None:
    """The start is over: from now on look often, and for a short time.

    With as many new objects as a start may make, each look took 40 ms, twice as long on a busy
    machine, and a screen in use makes so many every few seconds. A look at 5,000 takes 2.
    """
    gc.set_threshold(*_PORTION)
