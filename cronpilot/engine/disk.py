"""Room on the disk of the state directory: below a floor nothing is started."""

from __future__ import annotations

import os
from pathlib import Path

from cronpilot.client.messages import Banner
from cronpilot.engine.notices import Notices

# Room for the rows, records and logs of what runs already, so that it can end in order.
LEAST_FREE = 64_000_000  # bytes
_KEY = "disk"
_NOTICEABLE = 0.1  # of the floor: a smaller change is not worth a new banner


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write. Raises OSError."""
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize


class DiskGuard:
    """Looks, and keeps the banner. One look costs some microseconds."""

    def __init__(self, folder: Path, least: int, notices: Notices) -> None:
        self._folder, self._least, self._notices = folder, least, notices
        self._shown: int | None = None

    def look(self) -> bool:
        """Whether there is room for further starts."""
        try:
            free = free_bytes(self._folder)
        except OSError:  # the directory is gone: the database will say so
            return True
        if free >= self._least:
            self._shown = None
            self._notices.clear(_KEY)
            return True
        if self._shown is None or abs(free - self._shown) > _NOTICEABLE * self._least:
            self._shown = free
            self._notices.show(self._banner(free))
        return False

    def _banner(self, free: int) -> Banner:
        text = (
            f"The disk of {self._folder} is nearly full: {free / 1e6:.1f} MB are free."
            f" Nothing is started below {self._least / 1e6:.0f} MB."
        )
        hint = "Make room; what is due waits, and starts by itself then."
        return Banner(key=_KEY, text=text, hint=hint, severity="error")
