"""Open streams: how many there may be, and events that are written down once for all readers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from cronpilot.api.masking import masked_event
from cronpilot.client.messages import Event
from cronpilot.client.streams import pack_event
from cronpilot.errors import TooManyRequests

MOST = 300  # streams at once, of all clients together
_REMEMBERED = 256  # packed events


class Streams:
    """The streams of one app."""

    def __init__(self) -> None:
        self.open = 0
        self._packed: OrderedDict[tuple[str, bool], bytes] = OrderedDict()

    def refuse_more(self) -> None:
        """Raises TooManyRequests when there are as many as may be."""
        if self.open >= MOST:
            error = TooManyRequests(
                f"{self.open} streams are open, and more cannot be.", "Close some of them."
            )
            error.wait_s = 10.0
            raise error

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """One is open."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def pack(self, event: Event, *, masked: bool) -> bytes:
        """The event as it is sent; each is written down once, however many hear of it."""
        key = (event.id, masked)
        packed = self._packed.get(key) if event.id else None
        if packed is None:
            packed = pack_event(masked_event(event) if masked else event)
            self._packed[key] = packed
            if len(self._packed) > _REMEMBERED:
                self._packed.popitem(last=False)
        return packed
