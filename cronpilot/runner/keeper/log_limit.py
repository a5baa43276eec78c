"""A log that became too long keeps its head and its tail; the middle becomes a hole.

A hole takes no disk space, no line of a running writer moves, and a reader finds it again with
SEEK_DATA and SEEK_HOLE (runner/logs.py). The check runs faster while a log grows fast, so that
`yes` at 0.7 GB/s is cut back every 50 ms.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .process import Keeper
    from .run import Run

_KEEP_SIZE_PUNCH_HOLE = 3
_BLOCK = 4096  # holes begin and end at block borders
_LONGEST_HEAD = 1 << 20
_SLOWEST, _FASTEST = 1.0, 0.05  # seconds between two looks
libc = ctypes.CDLL(None, use_errno=True)


def trim(path: str, limit: int) -> None:
    """Cut the log back to `limit` bytes on disk, if it has more.

    Raises OSError; errno EOPNOTSUPP where the file system knows no holes.
    """
    if os.stat(path, follow_symlinks=False).st_blocks * 512 <= limit:
        return  # nearly all of them
    head = min(_LONGEST_HEAD, limit // 4) // _BLOCK * _BLOCK
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        stat = os.fstat(fd)
        if stat.st_blocks * 512 <= limit:
            return
        # Rounded up: never more than `limit` is left, the block of the end included.
        end = -(-(stat.st_size - (limit - head - _BLOCK)) // _BLOCK) * _BLOCK
        if end <= head:
            return
        length = ctypes.c_long(end - head)
        if libc.fallocate(fd, _KEEP_SIZE_PUNCH_HOLE, ctypes.c_long(head), length):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(fd)


class Watch:
    """Keeps an eye on the log of one run."""

    def __init__(self, keeper: Keeper, run: Run, limit: int) -> None:
        self._keeper, self._run, self._limit = keeper, run, limit
        self._size, self._period = 0, 0.1
        self._again()

    def _again(self) -> None:
        self._run.timers[:] = [timer for timer in self._run.timers if timer.call]
        self._run.timers.append(self._keeper.loop.after(self._period, self._look))

    def _look(self) -> None:
        if self._run.over:
            return
        try:
            stat = os.stat(self._run.log(), follow_symlinks=False)
            if stat.st_blocks * 512 > self._limit * 5 // 4:
                trim(self._run.log(), self._limit)
        except FileNotFoundError:
            return  # somebody deleted it under the task: there is nothing left to cut
        except OSError as problem:
            self._keeper.log(f"run {self._run.run}: its log cannot be cut: {problem}")
            self._keeper.stop(self._run, why="log_limit")
            return
        grown, self._size = stat.st_size - self._size, stat.st_size
        fast = grown > self._limit // 16
        self._period = _FASTEST if fast else min(_SLOWEST, self._period * 2)
        self._again()
