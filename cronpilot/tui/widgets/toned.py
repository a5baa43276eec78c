"""The ground all our widgets stand on: they paint cells that have a tone, and only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cronpilot.tui.formatting import Cell, Marks, Tone

if TYPE_CHECKING:
    from cronpilot.tui.app import CronPilotApp


class Toned(Widget):
    """A widget that draws its own lines out of cells.

    `app.tcss` says once, for all of them, what each tone looks like.
    """

    ALLOW_SELECT = False

    @property
    def marks(self) -> Marks:
        """The signs that this terminal can show."""
        return cast("CronPilotApp", self.app).marks

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._looks: dict[tuple[Tone, Style | None], Style] = {}

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._looks.clear()
        self._component_styles.clear()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """No rule of app.tcss asks where the focus is: there is nothing to look up again."""

    def get_component_styles(self, *names: str) -> RenderStyles:
        """How a tone looks, looked up when it is first painted. As COMPONENT_CLASSES, Textual
        would look all of them up at each class that changes, for widgets out of sight too: three
        quarters of what a change of classes cost."""
        for name in names:
            if name not in self._component_styles:
                self._component_styles[name] = self._look_up(name)
        return super().get_component_styles(*names)

    def _look_up(self, name: str) -> RenderStyles:
        node = DOMNode(classes=name)
        node._attach(self)
        self.app.stylesheet.apply(node)
        return node.styles

    def tone_style(self, tone: Tone, *, under: Style | None = None) -> Style:
        """How a tone looks here, or over the background (and the emphasis) of `under`."""
        look = self._looks.get((tone, under))
        if look is None:  # asked for hundreds of times a repaint, and slow to put together
            style = self.get_component_rich_style(f"tone--{tone}", partial=True) if tone else None
            if style is not None and under is not None and under.reverse:
                style = style.without_color  # turned round, it would be a ground of its own
            look = self._looks[tone, under] = self.rich_style + under + style
        return look

    def strip(self, cells: Iterable[Cell], *, under: Style | None = None) -> Strip:
        """Cells side by side as something that can be painted."""
        return Strip(
            [Segment(cell.text, self.tone_style(cell.tone, under=under)) for cell in cells]
        )

    def centred(self, lines: Sequence[Sequence[Cell]], y: int) -> Strip:
        """Row `y` of this widget when it shows nothing but `lines`, in the upper middle."""
        width, height = self.size
        index = y - max(0, (height - len(lines)) // 3)
        if not 0 <= index < len(lines):
            return Strip.blank(width, self.tone_style(""))
        indent = max(0, (width - sum(cell_len(cell.text) for cell in lines[index])) // 2)
        line = self.strip([Cell(" " * indent), *lines[index]])
        return line.adjust_cell_length(width, self.tone_style(""))


class Spot(NamedTuple):
    """A stretch of a line, up to but without column `end`, and the action of a click on it: the
    screen's, or `app.` and the app's."""

    start: int
    end: int
    action: str


class Line(Toned):
    """One row of the screen. `show` paints from the first cell that differs to the last."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._cells: list[Cell] = []
        self.spots: Sequence[Spot] = ()

    class Resized(Message):
        """What fits into it is different now."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Line.Resized)

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    @property
    def room(self) -> int:
        """Its width; while it is hidden that of the screen, which it will have again."""
        return self.size.width or self.app.size.width

    @property
    def cells(self) -> Sequence[Cell]:
        """What the line says, piece by piece."""
        return self._cells

    @property
    def text(self) -> str:
        """What the line says."""
        return "".join(cell.text for cell in self._cells)

    def show(self, cells: Sequence[Cell]) -> None:
        """Say this from now on."""
        before, self._cells = self._cells, list(cells)
        if before == self._cells:
            return
        start, end = difference(before, self._cells)
        self.refresh(Region(start, 0, end - start, 1))

    async def on_click(self, event: events.Click) -> None:
        for spot in self.spots:
            if spot.start <= event.x < spot.end:
                event.stop()
                await self.app.run_action(spot.action, self.screen)
                return

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width, self.tone_style(""))
        return self.strip(self._cells).adjust_cell_length(width, self.tone_style(""))


def spots_of(cells: Iterable[Cell], actions: Mapping[str, str]) -> list[Spot]:
    """Where the cells are that say something which a click does."""
    spots, end = [], 0
    for cell in cells:
        start, end = end, end + cell_len(cell.text)
        if cell.text in actions:
            spots.append(Spot(start, end, actions[cell.text]))
    return spots


def difference(before: Sequence[Cell], after: Sequence[Cell]) -> tuple[int, int]:
    """The columns between which two lines differ: the first, and the one after the last."""
    start = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        start += cell_len(new.text)
    width = max(sum(cell_len(c.text) for c in before), sum(cell_len(c.text) for c in after))
    end = width
    if sum(cell_len(c.text) for c in before) != sum(cell_len(c.text) for c in after):
        return start, max(end, start + 1)  # what is the same at their ends stands elsewhere
    for old, new in zip(reversed(before), reversed(after), strict=False):
        if old != new or end - cell_len(new.text) < start:
            break
        end -= cell_len(new.text)
    return start, max(end, start + 1)
