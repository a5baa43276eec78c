"""What an engine goes by: its settings, as it was started or reconfigured with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cronpilot.config.settings import ApiSettings, RetentionSettings
from cronpilot.config.telling_settings import NotificationSettings, SmtpSettings
from cronpilot.domain.quiet import Rule
from cronpilot.engine.definitions import Ground
from cronpilot.engine.disk import LEAST_FREE


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine goes by."""

    state_dir: Path
    database: Path
    tasks_file: Path | None
    timezone: str
    max_workers: int = 10
    pools: dict[str, int] = field(default_factory=dict)
    quiet: Mapping[str, Rule] = field(default_factory=dict)
    role: Literal["screen", "headless"] = "headless"
    watch: bool = True  # apply the tasks file whenever it has changed
    take_over: bool = False  # archive what other tasks files declared and this one does not
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    least_free: int = LEAST_FREE  # bytes on the disk of the state directory; below, no starts

    @property
    def ground(self) -> Ground:
        """What of it plans depend on."""
        return Ground(self.timezone, self.quiet)

    @property
    def room(self) -> tuple[int, Mapping[str, int]]:
        """How many runs may go at once: in all, and in each pool."""
        return self.max_workers, self.pools
