"""What a terminal shows is the same with and without our shorter writing."""

from __future__ import annotations

import pyte
import pytest
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.painting import Pen, tight


class Terminal:
    """Shows what is written to it, cell by cell with colours."""

    def __init__(self, width, height):
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.count = 0

    def write(self, text):
        self.count += len(text)
        self.stream.feed(text.replace("\n", "\r\n"))

    def cells(self):
        size = range(self.screen.lines), range(self.screen.columns)
        return [[self.screen.buffer[y][x] for x in size[1]] for y in size[0]]


@pytest.fixture
def console():
    return Console(force_terminal=True, color_system="truecolor", legacy_windows=False)


async def test_a_session_looks_the_same_in_fewer_bytes(show, monkeypatch, console):
    ours, textuals = Terminal(120, 36), Terminal(120, 36)

    def both(app, screen, update):
        if isinstance(update, (ChopsUpdate, LayoutUpdate)):
            textuals.write(update.render_segments(console))
            ours.write(tight(update).render_segments(console))

    monkeypatch.setattr(CronPilotApp, "_display", both)
    tasks = [make_task(number, f"task-{number} 界") for number in range(1, 60)]
    client = FakeClient(
        tasks, [make_run(1)], {1: b"\x1b[31mred\x1b[0m \x1b[1;42mgreen\x1b[0m\n" * 40}
    )
    async with show(client) as screen:
        for keys in (
            ["j"],
            ["pagedown"],
            ["2"],
            ["x"],
            ["escape"],
            ["1"],
            ["L"],
            ["escape"],
            ["T"],
        ):
            await screen.press(*keys)
            await screen.pass_time(seconds=1)
            await screen.pilot.pause(0.15)
            assert ours.cells() == textuals.cells()
    assert ours.count < textuals.count * 0.7


def test_an_emphasis_does_not_leak_into_what_follows(console):
    pen, terminal = Pen(console), Terminal(12, 1)
    from rich.segment import Segment

    pen.write([Segment("a", Style(bold=True, color="red")), Segment("b", Style(color="red")),
               Segment("c", Style(reverse=True)), Segment("d")])  # fmt: skip
    terminal.write(pen.finish())
    shown = terminal.cells()[0][:4]
    assert [(cell.bold, cell.reverse, cell.fg) for cell in shown] == [
        (True, False, shown[0].fg), (False, False, shown[0].fg), (False, True, "default"),
        (False, False, "default")]  # fmt: skip


def test_hyperlinks_are_never_written(console):
    from rich.segment import Segment

    pen = Pen(console)
    pen.write([Segment("x", Style(link="http://example.org"))])
    assert pen.finish() == "x"
