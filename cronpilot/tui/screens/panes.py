"""Which view is seen, how much room its log has, and the filter line between them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from textual import events, on

from cronpilot.tui.layout import is_tiny
from cronpilot.tui.screens.records import RecordsScreen
from cronpilot.tui.widgets.toned import Line
from cronpilot.tui.widgets.view import View

if TYPE_CHECKING:
    from cronpilot.tui.widgets.filter_line import FilterLine

PanelSize = Literal["none", "part", "whole"]
_SIZES: tuple[PanelSize, ...] = ("none", "part", "whole")


class PanesScreen(RecordsScreen):
    """Shares the screen out between the view, its log and the filter.

    Attributes:
        views: all of them, in the order of their keys.
        current: the one that is seen.
    """

    views: tuple[View, ...]
    current: View

    def __init__(self) -> None:
        super().__init__()
        self.panel_size: PanelSize = "part"
        self.filter_line: FilterLine | None = None

    @abstractmethod
    def open_log(self, *, now: bool = False) -> None:
        """Show the output of what is under the cursor, unless it is shown already."""

    @abstractmethod
    def tell(self) -> None:
        """Say in the bars how things stand."""

    @abstractmethod
    def tell_tabs(self) -> None:
        """Say at once which view it is: that one waits for a moment, a key should not."""

    @abstractmethod
    def tell_keys(self) -> None:
        """Say in the key bar what can be pressed."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        whole = self.panel_size == "whole"
        if action == "back":
            return (
                whole
                or self.panel.has_focus_within
                or bool(self.current.filters or self.current.note)
            )
        if action in ("focus_log", "focus_panel", "whole_log", "resize_log", "tab"):
            return self.current.HAS_LOG
        if action == "filter":
            return not whole and self.current.HAS_FILTER
        return super().check_action(action, parameters)

    # --- views and the panel ---------------------------------------------------------------------

    def show_view(self, view: View) -> None:
        self.current = view
        for one in self.views:
            one.show(is_current=one is view)
        view.table.focus()

    def action_view(self, name: str) -> None:
        """Show another view."""
        if self.panel_size == "whole":
            self.resize_panel("part")
        self.current = next(view for view in self.views if view.id == name)
        self.tell_tabs()
        self.show_view(self.current)
        self.arrange_panes()
        self._close_filter()
        self.tick(self.now())
        self.open_log()

    def action_resize_log(self, by: int) -> None:
        """The log panel gets more or less of the screen."""
        index = _SIZES.index(self.shown_size()) + by
        self.resize_panel(_SIZES[max(0, min(index, 2))])

    def action_focus_log(self) -> None:
        """Into the log, or out of it."""
        if self.panel.output.has_focus:
            self.action_back()
            return
        self.show_log_tab()
        self.action_focus_panel()

    def action_focus_panel(self) -> None:
        """Into the panel, or out of it."""
        if self.panel.has_focus_within:
            self.action_back()
            return
        if self.shown_size() == "none":
            self.resize_panel("whole" if self._is_small() else "part")
        self.panel.focus_content()

    def action_whole_log(self) -> None:
        """The log over the whole screen, or back."""
        self.show_log_tab()
        self.resize_panel("part" if self.panel_size == "whole" else "whole")

    def action_back(self) -> None:
        """Esc: the filter first, then out of the log."""
        if self.panel_size == "whole":
            self.resize_panel("part")
        elif self.panel.has_focus_within:
            self.current.table.focus()
        elif self.current.filters or self.current.note:
            self.current.clear_filters()
            self.refiltered()

    def resize_panel(self, size: PanelSize) -> None:
        was_hidden = self.shown_size() == "none"
        self.panel_size = size
        self.arrange_panes()
        if size == "whole":
            self.hurry_log()
            self.panel.focus_content()
        else:
            self.current.table.focus()
        if was_hidden and self.shown_size() != "none":
            self.open_log(now=True)

    def _is_small(self) -> bool:
        """Whether table and log together would leave too little to either."""
        return self.size.height < 20 or self.size.width < 60

    def shown_size(self) -> PanelSize:
        hidden = self._is_small() or not self.current.HAS_LOG
        return "none" if self.panel_size == "part" and hidden else self.panel_size

    def arrange_panes(self) -> None:
        shown, height = self.shown_size(), self.size.height
        self.set_class(shown == "whole", "-whole-log")
        self.set_class(height < 8, "-low")
        tiny, was_tiny = is_tiny(self.size), self.has_class("-tiny")
        self.set_class(tiny, "-tiny")
        self.panel.display = shown != "none" and not tiny
        if was_tiny and not tiny:
            self.call_after_refresh(self.current.table.focus)
        rows = max(5, height // 3 if height >= 30 else height // 4)
        self.panel.styles.height = rows if shown == "part" else "1fr"
        self.refresh_bindings()

    def show_panel_head(self) -> None:
        """Where there is neither a row nor a run the panel is empty, and so is its head."""
        head = self.panel.head
        is_of_something = bool(self.current.table.total) or self.panel.run_id is not None
        if head.visible is not is_of_something:
            head.visible = is_of_something
            self.call_after_refresh(self._panel_head_shown)

    def _panel_head_shown(self) -> None:
        """It has a width now; and Textual paints nothing of its own accord there."""
        self.panel.tell()
        self.panel.head.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.arrange_panes()
        if self.shown_size() == "none" and self.panel.has_focus_within:
            self.current.table.focus()
        self.call_after_refresh(self._after_resize)

    @on(Line.Resized)
    def _after_resize(self) -> None:
        self.tell()
        self.tell_keys()

    # --- the filter ------------------------------------------------------------------------------

    async def action_filter(self) -> None:
        """Type a text that rows have to match."""
        from cronpilot.tui.widgets.filter_line import FilterLine  # after the first paint

        if self.panel_size == "whole":
            self.resize_panel("part")
        if self.filter_line is None:
            self.filter_line = FilterLine(id="filter")
            await self.mount(self.filter_line, after=self.views[-1])
        self.filter_line.open(self.current.filter)

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        self._filter(event.text)

    def on_filter_line_closed(self) -> None:
        self._close_filter()
        self.current.table.focus()

    def _close_filter(self) -> None:
        if self.filter_line is not None:
            self.filter_line.close()

    def _filter(self, text: str) -> None:
        self.current.refilter(text)
        self.refiltered()

    def refiltered(self) -> None:
        self.refresh_bindings()
        self.tell()
