"""What the server hands to the process of a tab: words, and in the environment what is secret."""

from __future__ import annotations

import sys
from pathlib import Path

from cronpilot.domain.access import Identity

TOKEN = "CRONPILOT_TAB_TOKEN"
"""With which it asks the engine in the name of its user."""
PARENT = "CRONPILOT_TAB_PARENT"
"""The process id of its server, without which it does not stay."""


def tab_program(state_dir: Path, identity: Identity, theme: str) -> list[str]:
    """The words that start the screen of a tab for that user. `theme` is a browser's word."""
    return [
        sys.executable, "-P", "-m", "cronpilot.bootstrap.tab_screen", str(state_dir),
        identity.name, identity.role.value, theme,
    ]  # fmt: skip
