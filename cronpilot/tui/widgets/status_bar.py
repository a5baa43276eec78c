"""The top row: whom one looks at, how it is doing, what comes next, what time it is."""

from __future__ import annotations

import os
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Literal, NamedTuple

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Marks, countdown, moment, plural
from cronpilot.tui.layout import Piece, cut, fit_line
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus


class Situation(NamedTuple):
    """All that the status bar speaks of."""

    now: datetime
    host: str
    state_dir: str
    role: Literal["owner", "attached"]
    status: EngineStatus | None = None  # None until the engine has first answered
    lost_since: datetime | None = None
    zone: tzinfo = UTC
    who: str = ""  # who has logged in: `anna, viewer`; empty where a file's mode decides
    refused: str = ""  # the engine is there, and lets us in no more: why


class StatusBar(Line):
    """One row, never cleared: what does not fit is left out by its importance."""

    DEFAULT_CSS = "StatusBar { dock: top; }"

    def tell(self, situation: Situation) -> None:
        """Say how things stand."""
        self.set_class(situation.lost_since is not None, "-lost")
        left, right = _pieces(situation, self.marks)
        between = f" {self.marks.dot} "
        self.show(fit_line(left, right, self.room, self.marks, between=between))


def _pieces(it: Situation, marks: Marks) -> tuple[list[Piece], list[Piece]]:
    clock = Piece(f"{it.now.astimezone(it.zone):%H:%M}", "", 6)
    host = Piece(clean(it.host), "title", 4)
    if it.lost_since is not None:
        since = f"{it.lost_since.astimezone(it.zone):%H:%M:%S}"
        if it.refused:
            return [Piece(f"LOGGED OUT since {since}", "title"), host,
                    Piece(clean(it.refused), "", 5)], [clock]  # fmt: skip
        return [Piece(f"ENGINE NOT ANSWERING since {since}", "title"), host,
                Piece("trying again every second", "", 5)], [clock]  # fmt: skip
    where = Piece(cut(_short_path(clean(it.state_dir)), 32, marks), "muted", 8)
    role = Piece("ENGINE" if it.role == "owner" else clean(it.who) or "ATTACHED", "", 3)
    if it.status is None:
        busy = "starting the engine" if it.role == "owner" else "connecting"
        return [host, where, role, Piece(f"{busy}{marks.cut}", "busy")], [clock]
    return [host, where, role, *_figures(it.status, it)], [
        Piece(_next(it.status, it.now, marks), "", 2),
        Piece(str(it.zone), "muted", 7),
        clock,
    ]


def _figures(status: EngineStatus, it: Situation) -> list[Piece]:
    until = f" until {moment(status.paused_until, it.now, it.zone)}" if status.paused_until else ""
    pieces = [Piece(f"PAUSED{until}", "warn")] if status.paused else []
    pieces.append(Piece(f"{status.running:,} running", "busy" if status.running else "muted"))
    if status.queued:
        pieces.append(Piece(f"{status.queued:,} queued", "warn", 1))
    if status.retrying:
        pieces.append(Piece(f"{status.retrying:,} retrying", "warn", 5))
    if status.failing_tasks:
        pieces.append(Piece(f"{status.failing_tasks:,} failing", "bad", 1))
    else:
        pieces.append(Piece(plural(status.total_tasks, "task"), "muted", 9))
    return pieces


def _next(status: EngineStatus, now: datetime, marks: Marks) -> str:
    if status.next_run_at is None or status.paused:
        return ""
    left = countdown(status.next_run_at - now).removeprefix("in ")
    return f"next {left} {cut(clean(status.next_task or ''), 24, marks)}"


def _short_path(path: str) -> str:
    """With `~` for the home directory."""
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path
