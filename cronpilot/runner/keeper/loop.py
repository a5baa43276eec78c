"""epoll, timers and the end of children: everything the keeper waits for."""

from __future__ import annotations

import heapq
import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# epoll sleeps on the monotonic clock, which stands still while the machine is suspended: nothing
# that is due by CLOCK_BOOTTIME is noticed later than this.
_LONGEST_SLEEP = 60.0


def now() -> float:
    """Seconds of CLOCK_BOOTTIME: the clock of timeouts, the same for keepers that follow."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Timer:
    __slots__ = ("call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None


class Loop:
    """Calls back when a descriptor is ready, a time has come, a child has ended."""

    def __init__(self, on_child: Callable[[], None]) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}
        self._heap: list[tuple[float, int, Timer]] = []
        self._serial = 0
        self._compact_at = 256
        self._on_child = on_child
        self._wake, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # SIG_IGN would reap for us
        self.watch(self._wake, self._woken)

    def watch(self, fd: int, call: Callable[[], None]) -> None:
        self._calls[fd] = call
        self._epoll.register(fd, select.EPOLLIN)

    def also_when_writable(self, fd: int, wanted: bool) -> None:
        self._epoll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def unwatch(self, fd: int) -> None:
        """Before it is closed; one that was never watched is passed over."""
        if self._calls.pop(fd, None):
            self._epoll.unregister(fd)

    def at(self, when: float, call: Callable[[], object]) -> Timer:
        """Call at that time of `now()`."""
        self._serial += 1
        timer = Timer(call)
        heapq.heappush(self._heap, (when, self._serial, timer))
        if len(self._heap) > self._compact_at:
            self._compact()
        return timer

    def after(self, seconds: float, call: Callable[[], object]) -> Timer:
        return self.at(now() + seconds, call)

    def turn(self) -> None:
        """Wait once and serve what came."""
        while self._heap and self._heap[0][2].call is None:  # nobody wakes for the cancelled
            heapq.heappop(self._heap)
        wait = self._heap[0][0] - now() if self._heap else _LONGEST_SLEEP
        # Half a millisecond more: epoll rounds down, and would spin until the timer is due.
        for fd, _ in self._epoll.poll(max(0.0, min(wait, _LONGEST_SLEEP)) + 0.0005):
            call = self._calls.get(fd)  # an earlier one of this turn may have closed it
            if call:
                call()
        while self._heap and self._heap[0][0] <= now():
            timer = heapq.heappop(self._heap)[2]
            due, timer.call = timer.call, None
            if due:
                due()

    def _woken(self) -> None:
        os.read(self._wake, 4096)
        self._on_child()

    def _compact(self) -> None:
        """Timeouts of 24 h outlive thousands of short runs: drop the cancelled."""
        self._heap = [entry for entry in self._heap if entry[2].call]
        heapq.heapify(self._heap)
        self._compact_at = 256 + 2 * len(self._heap)
