"""Open streams: how many there may be, and events that are written down once for all readers."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from cronpilot.api.masking import masked_event
from cronpilot.client.messages import Event
from cronpilot.client.streams import pack_event
from cronpilot.errors import TooManyRequests

MOST = 300  # streams at once, of all users together
MOST_OF_ONE = 220  # of one user, who cannot keep the others from theirs
_REMEMBERED = 256  # packed events


class Streams:
    """The streams of one app, by the names of their readers.

    The owner of the unix socket has no name and is never refused: whatever others do over the
    network, the screen beside the engine lives.
    """

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._packed: OrderedDict[tuple[str, bool], bytes] = OrderedDict()

    def refuse_more(self, name: str) -> None:
        """Raises TooManyRequests when that user, or all together, have as many as may be."""
        if not name:
            return
        of_all, of_one = self._open.total(), self._open[name]
        if of_all >= MOST or of_one >= MOST_OF_ONE:
            whose = f"{of_one} streams of {name}" if of_one >= MOST_OF_ONE else f"{of_all} streams"
            error = TooManyRequests(f"{whose} are open, and more cannot be.", "Close some of them.")
            error.wait_s = 10.0
            raise error

    @contextmanager
    def one_more(self, name: str) -> Iterator[None]:
        """One of that user is open."""
        if not name:
            yield
            return
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

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
