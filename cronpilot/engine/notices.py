"""What the user has to know now: banners that come and go by their key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from cronpilot.client.messages import Banner
from cronpilot.errors import CronPilotError

log = logging.getLogger("cronpilot")


class Notices:
    """The banners in force. Each is also a line of the log, once."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._banners: dict[str, Banner] = {}

    def all(self) -> list[Banner]:
        return list(self._banners.values())

    def show(self, banner: Banner) -> None:
        if self._banners.get(banner.key) != banner:
            self._banners[banner.key] = banner
            log.warning("%s %s", banner.text, banner.hint)
            self._changed()

    def clear(self, key: str) -> None:
        if self._banners.pop(key, None) is not None:
            log.info("Over: %s", key)
            self._changed()

    def replace(self, key: str, banner: Banner | None) -> None:
        """Show it under its key, or take back what is there (None)."""
        if banner is None:
            self.clear(key)
        else:
            self.show(banner)

    def trouble(
        self, key: str, error: Exception | None, severity: Literal["warning", "error"] = "error"
    ) -> None:
        """Show a failure of this kind, or take it back when it is over (None)."""
        if error is None:
            self.clear(key)
        elif isinstance(error, CronPilotError):
            self.show(Banner(key=key, text=error.problem, hint=error.hint, severity=severity))
        else:
            text = f"{type(error).__name__}: {error}"
            self.show(
                Banner(
                    key=key,
                    text=text,
                    hint="We try again; the engine's log says more.",
                    severity=severity,
                )
            )
