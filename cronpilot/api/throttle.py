"""Slows down those who guess passwords, without locking out those who know theirs."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

_MOST = 10_000  # keys that are remembered; the one unused for longest is forgotten


class Buckets:
    """A bucket of tokens for each key: full at first, and filled again at a steady pace."""

    def __init__(
        self, size: float, each_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size, self._each_s, self._clock = size, each_s, clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: Hashable) -> float:
        """Seconds until there is a token; 0 when there is one."""
        level, _ = self._level(key)
        return max(0.0, (1 - level) * self._each_s)

    def take(self, key: Hashable) -> float:
        """Take a token, if there is one; else the seconds until there is."""
        level, now = self._level(key)
        if level < 1:
            return (1 - level) * self._each_s
        self._keep(key, level - 1, now)
        return 0.0

    def give_back(self, key: Hashable) -> None:
        """Undo `take`."""
        level, now = self._level(key)
        self._keep(key, min(self._size, level + 1), now)

    def _level(self, key: Hashable) -> tuple[float, float]:
        now = self._clock()
        level, at = self._levels.get(key, (self._size, now))
        return min(self._size, level + (now - at) / self._each_s), now

    def _keep(self, key: Hashable, level: float, now: float) -> None:
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > _MOST:
            self._levels.popitem(last=False)


class Throttle:
    """How long a log-in has to wait: by address, by user and address, and by user.

    Each try takes a token of each kind, and a right password gives them back. One address can use
    up only its own tokens and a few of the user's; so a guesser locks out nobody who comes from
    elsewhere. Guessers at many addresses use up the user's: from then on tries for that user come
    in slowly, but for addresses where that user has logged in before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_address = Buckets(20, 6, clock)
        self._by_both = Buckets(5, 12, clock)
        self._by_user = Buckets(50, 6, clock)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, name: str, address: str) -> float:
        """Before a password is verified: 0, or the seconds to wait (then do not verify it)."""
        place = network_of(address)
        buckets = self._buckets(name, place)
        wait_s = max(bucket.wait_s(key) for bucket, key in buckets)
        if wait_s == 0:
            for bucket, key in buckets:
                bucket.take(key)
        return wait_s

    def succeeded(self, name: str, address: str) -> bool:
        """The password was right; whether that user logs in from there for the first time."""
        place = network_of(address)
        for bucket, key in self._buckets(name, place):
            bucket.give_back(key)
        is_new = (name, place) not in self._known
        self._known[name, place] = None
        self._known.move_to_end((name, place))
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return is_new

    def forget(self, name: str) -> None:
        """No address is known for that user any more: the password is another."""
        for known in [known for known in self._known if known[0] == name]:
            del self._known[known]

    def _buckets(self, name: str, place: str) -> list[tuple[Buckets, Hashable]]:
        of_place: list[tuple[Buckets, Hashable]] = [
            (self._by_address, place), (self._by_both, (name, place)),
        ]  # fmt: skip
        return of_place if (name, place) in self._known else [*of_place, (self._by_user, name)]


def network_of(address: str) -> str:
    """The address; of IPv6 the /64, all of which one machine may use."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
