"""One line about something that the user has to know now, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Tone
from cronpilot.tui.layout import Piece, cut, fit_line
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.messages import Banner

_TONES: dict[str, Tone] = {"error": "bad", "warning": "warn", "information": "busy"}
_ORDER = ("error", "warning", "information")


class BannerLine(Line):
    """Shows the gravest banner, and how many more there are. Takes no room while there is none."""

    DEFAULT_CSS = "BannerLine { display: none; } BannerLine.-shown { display: block; }"

    def tell(self, banners: Sequence[Banner]) -> None:
        """Show these banners."""
        self.set_class(bool(banners), "-shown")
        if not banners:
            return
        banner = min(banners, key=lambda banner: _ORDER.index(banner.severity))
        more = f"+{len(banners) - 1} more" if banners[1:] else ""
        words = f"{self.marks.late} {clean(banner.text)}"
        if more:
            words = cut(words, max(8, self.room - len(more) - 4), self.marks)
        left = [Piece(words, _TONES[banner.severity]), Piece(clean(banner.hint), "", 1)]
        self.show(fit_line(left, [Piece(more, "muted")], self.room, self.marks))
