"""What one start of the screen goes by, besides its engine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class ScreenOptions(NamedTuple):
    """Nothing of it is about tasks.

    Attributes:
        theme: `auto`, or a word of `themes.WORDS`.
        ascii: None: as the terminal says.
        mouse: False leaves it to the terminal, which can then select text.
        keys_file: a `keys.toml`.
        look_for_cron: say what cron starts on this machine while there are no tasks.
        memory_file: where what was chosen on the screen is kept for the next time.
    """

    theme: str = "auto"
    ascii: bool | None = None
    mouse: bool = True
    keys_file: Path | None = None
    memory_file: Path | None = None
    look_for_cron: bool = False
