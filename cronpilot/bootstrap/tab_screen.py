"""The screen of one browser tab, in a process of its own.

Started by the server with the words of `web.program`; it never starts an engine, asks the one that
started it in the name of its user, and ends with it, whatever becomes of that.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.domain.access import Identity, Role
from cronpilot.web.program import PARENT, TOKEN

if TYPE_CHECKING:
    from cronpilot.client import Client

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int:
    """Show the screen until the tab is closed. Exit code."""
    where, name, role, theme = sys.argv[1:]
    token = os.environ.pop(TOKEN)
    _end_with(int(os.environ.pop(PARENT)))
    state_dir = Path(where)

    async def connect() -> Client:
        from cronpilot.client.http import HttpClient  # after the first paint
        from cronpilot.client.sockets import SOCKET_NAME

        return HttpClient.over_socket(state_dir / SOCKET_NAME, front="web", token=token)

    from cronpilot.tui.browser import BrowserApp, run_in_browser
    from cronpilot.tui.leave import Leave
    from cronpilot.tui.options import ScreenOptions

    app = BrowserApp(
        connect, role="attached", host=socket.gethostname(), state_dir=where,
        clock=lambda: datetime.now(UTC), identity=Identity(name, Role(role)),
        options=ScreenOptions(theme=theme),
    )  # fmt: skip
    return 1 if run_in_browser(app) is Leave.CRASHED else 0


def _end_with(parent: int) -> None:
    """Have the kernel end us when the server has died, however it did.

    The end of our input says so as well, but only to a screen that still reads it.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could say so
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
