"""The command line: `main` is the program."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cronpilot.cli.headless import run_engine
from cronpilot.cli.opening import open_screen
from cronpilot.cli.pipe import accept_any_text
from cronpilot.cli.shortcut import answer

if TYPE_CHECKING:
    from cronpilot.cli.session import OpenClient

__all__ = ["main"]

# Objects until the first look for unused ones: loading makes 400,000 that are all needed, and the
# usual 700 would look a hundred times, a tenth of a short command.
_GARBAGE_AFTER = 50_000


def main(argv: Sequence[str] | None = None, *, open_client: OpenClient | None = None) -> int:
    """Do what `argv` (default: the command line) asks; the exit code. See `entry.main`.

    Args:
        open_client: makes the client that the commands ask; default: that of `bootstrap.clients`.
    """
    if argv is None:  # the process is ours
        gc.set_threshold(_GARBAGE_AFTER)
        # We have no plugins of pydantic; to look for some reads what every package here declares.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    accept_any_text()
    if open_client is None:
        code = answer(sys.argv[1:] if argv is None else argv)
        if code is None and argv is None:
            code = open_screen(sys.argv[1:])
            code = run_engine(sys.argv[1:]) if code is None else code
        if code is not None:
            return code
    from cronpilot.cli import entry

    return entry.main(argv, open_client=open_client)
