"""What the screen remembers from one time to the next: the theme chosen, the palette's last uses.

A small file in the state directory. It is never worth an error: what cannot be read is forgotten,
what cannot be written is not kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_BYTES = 20_000
_MOST_RECENT = 12


class Memory:
    """Read once, written at each change.

    Args:
        path: None remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept = _read(path) if path is not None else {}

    @property
    def recent(self) -> list[str]:
        """Commands by id, the one used last first."""
        kept = self._kept.get("recent")
        return [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else []

    def use(self, command: str) -> None:
        """A command was used."""
        rest = [one for one in self.recent if one != command]
        self._keep({"recent": [command, *rest][:_MOST_RECENT]})

    def theme(self, configured: str) -> str:
        """The theme chosen last; not where the configured one has been changed since."""
        chosen, over = self._kept.get("theme"), self._kept.get("theme_over")
        return chosen if isinstance(chosen, str) and over == configured else configured

    def choose_theme(self, word: str, configured: str) -> None:
        """A theme was chosen on the screen, over the configured one."""
        self._keep({"theme": word, "theme_over": configured})

    def _keep(self, change: Mapping[str, Any]) -> None:
        self._kept = {**self._kept, **change}
        if self._path is None or not self._path.parent.is_dir():
            return
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._kept, file)
            fresh.replace(self._path)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            read = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
