"""Where the engine's socket is, and paths that are too long for the kernel."""

from __future__ import annotations

import os
import socket
from pathlib import Path

SOCKET_NAME = "engine.sock"
_LONGEST = 107  # bytes of sun_path on Linux, without the NUL at its end


class SocketPath:
    """A socket's path in a form that bind() and connect() take, however long it is.

    A long one is reached through `/proc/self/fd/N`, N being its directory held open: so the text is
    good until `close()`, in this process only.

    Raises:
        OSError: the path is long and its directory cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._directory: int | None = None
        self.text = str(path)
        if len(os.fsencode(self.text)) > _LONGEST:
            self._directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            self.text = f"/proc/self/fd/{self._directory}/{path.name}"

    def close(self) -> None:
        """Let go of the directory; harmless when done twice."""
        if self._directory is not None:
            os.close(self._directory)
            self._directory = None


def answers(path: Path) -> bool:
    """Whether somebody listens on that socket."""
    try:
        reachable = SocketPath(path)
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            probe.connect(reachable.text)
        return True
    except OSError:
        return False
    finally:
        reachable.close()
