"""Notices that a file has changed, whichever way: written, replaced, removed, another link's end.

It looks once a second instead of asking the kernel to tell: what a path leads to can change in any
directory and link on the way there, and one `stat` a second costs less than a watching thread.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

LOOK_S = 1.0
SETTLE_S = 0.3  # a file that was written less long ago may not be complete

Signature = tuple[int, ...]
"""What tells one state of a file from another; of one that cannot be reached, why not."""


def signature(path: Path) -> Signature:
    """The state of the file that `path` leads to now."""
    try:
        found = os.stat(path)  # noqa: PTH116  once a second, and Path.stat takes twice as long
    except OSError as error:
        return (error.errno or 0,)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


async def wait_for_change(path: Path, seen: Callable[[], Signature]) -> None:
    """Return when the file is no longer as `seen` says, and has lain still for SETTLE_S.

    The disk is asked in a thread: it may be one that does not answer.
    """
    while True:
        await asyncio.sleep(LOOK_S)
        state = await asyncio.to_thread(signature, path)
        while state != seen():
            await asyncio.sleep(SETTLE_S)
            later = await asyncio.to_thread(signature, path)
            if later == state:
                return
            state = later
