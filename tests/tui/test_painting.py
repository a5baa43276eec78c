"""What a terminal shows is the same with and without our shorter writing."""

from __future__ import annotations

import asyncio

import pyte
import pytest
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual.screen import Screen

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import Status
from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.painting import Pen, tight
from cronpilot.tui.terminal_copy import TerminalCopy
from cronpilot.tui.widgets.key_bar import KeyHint
from cronpilot.tui.widgets.log_panel import LogPanel
from cronpilot.tui.widgets.view import View


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
    copy = TerminalCopy()

    def both(app, screen, update):
        if isinstance(update, (ChopsUpdate, LayoutUpdate)):
            textuals.write(update.render_segments(console))
            ours.write(tight(update, copy).render_segments(console))

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


@pytest.fixture
def written(monkeypatch, console):
    """All that is painted, piece by piece, as it is written to the terminal."""
    pieces, copy = [], TerminalCopy()

    def keep(app, screen, update):
        if isinstance(update, (ChopsUpdate, LayoutUpdate)):
            pieces.append(tight(update, copy).render_segments(console))

    monkeypatch.setattr(CronPilotApp, "_display", keep)
    return pieces


async def test_what_is_not_painted_again_is_as_a_whole_repaint_would_show_it(
    show, written, console
):
    tasks = [make_task(number, f"task-{number}") for number in range(1, 60)]
    async with show(FakeClient(tasks, [make_run(1)], {1: b"a line\n" * 40})) as screen:
        kept = Terminal(120, 36)

        def is_as_a_whole_repaint():
            while written:
                kept.write(written.pop(0))
            app, whole = screen.app, Terminal(120, 36)
            everything = app.screen._compositor.render_update(True, app._background_screens)
            whole.write(tight(everything).render_segments(console))
            return kept.cells() == whole.cells()

        for key in ("2", "l", "escape", "4", "tab", "3", "5", "1", "pagedown", "k", "slash",
                    "escape", "colon", "down", "r", "escape", "x", "escape"):  # fmt: skip
            await screen.press(key)
            await screen.until(is_as_a_whole_repaint)


async def test_a_log_that_grows_below_all_else_is_as_a_whole_repaint_would_show_it(
    show, written, console
):
    last = LastRun(id=1, status=Status.RUNNING, started_at=NOON)
    lines = b"".join(b"%d \x1b[3%dmof the log\x1b[0m\n" % (n, n % 8) for n in range(200))
    tasks = [make_task(n, f"task-{n}", last_run=last, running=1) for n in range(1, 60)]
    client = FakeClient(tasks, [make_run(1)], {1: lines})
    async with show(client) as screen:
        kept = Terminal(120, 36)

        def is_as_a_whole_repaint():
            while written:
                kept.write(written.pop(0))
            app, size = screen.app, screen.app.size
            if size != (kept.screen.columns, kept.screen.lines):
                return False
            everything = app.screen._compositor.render_update(True, app._background_screens)
            whole = Terminal(*size)
            whole.write(tight(everything).render_segments(console))
            return kept.cells() == whole.cells()

        async def grow_and(*keys, size=None):
            if size is not None:
                kept.screen.resize(size[1], size[0])
                await screen.pilot.resize_terminal(*size)
            for line in (b"one\n", b"two\nthree \xe7\x95\x8c\n", b"and \x1b[42mfour\x1b[0m\n" * 3):
                client.append_log(1, line)
                await screen.press(*keys)
                await screen.until(is_as_a_whole_repaint)

        await grow_and("j")
        await grow_and("pagedown")
        screen.app.notify("a notice over the log", timeout=3600)
        await grow_and("k")
        await grow_and("tab", size=(100, 30))
        await grow_and("question_mark")
        await grow_and("escape", size=(120, 40))
        await grow_and("L")
        await grow_and("k")
        await grow_and("pageup")
        await grow_and("ctrl+l")
        await grow_and("f")
        await grow_and("w")


async def test_an_answer_to_a_key_takes_nothing_out_of_the_next_frame(show, written):
    tasks = [make_task(number, f"task-{number}") for number in range(1, 60)]
    async with show(FakeClient(tasks)) as screen:
        dashboard = screen.dashboard
        with screen.app.batch_update():  # no frame comes in between
            dashboard.key_bar.tell([KeyHint("X", "be new")])
            await screen.until(lambda: dashboard.key_bar in dashboard._dirty_widgets)
        dashboard.tasks.table.action_page(1.0)
        await screen.until(lambda: "be new" in "".join(written))


def answer_painted_by(written, deed):
    """What is on the terminal already when the deed returns: no frame was waited for."""
    written.clear()
    deed()
    return "".join(written)


async def test_the_tab_of_another_view_and_a_page_of_rows_wait_for_no_frame(show, written):
    tasks = [make_task(number, f"task-{number}") for number in range(1, 60)]
    async with show(FakeClient(tasks)) as screen:
        kept = Terminal(120, 36)
        kept.write("".join(written))
        page = answer_painted_by(written, lambda: screen.dashboard.tasks.table.action_page(1.0))
        kept.write(page)
        assert "task-40" in "\n".join(kept.screen.display)
        await screen.pilot.pause(0.05)
        tab = answer_painted_by(written, lambda: screen.dashboard.action_view("upcoming"))
        assert "[3 Upcoming" in tab


async def test_the_palette_is_painted_from_the_line_to_type_into(show, written):
    async with show(FakeClient([make_task(1, "backup")])) as screen:
        await screen.press("colon")
        await screen.until(lambda: any("Do what?" in piece for piece in written))
        first = next(piece for piece in written if "Do what?" in piece)
        assert "a task; or both" in first
        assert "Start this task" not in first  # the list comes with the next
        written.clear()
        await screen.until(lambda: "Start this task" in "".join(written))
        assert len(written) <= 2  # all of it once, and where it stands


async def test_what_opens_later_is_made_ready_in_leisure(show, monkeypatch):
    monkeypatch.setattr("cronpilot.tui.app.LEISURE", 0.01)
    async with show(FakeClient([make_task(1)])) as screen:
        await screen.until(
            lambda: any("TextField" in str(one) for one in screen.app.stylesheet.source)
        )
        await screen.until(lambda: not screen.dashboard.query("CommandFrame"))
        assert screen.dashboard.tasks.table.has_focus


@pytest.fixture
def held_back(monkeypatch):
    """A client with a run whose log is not read before it is let go."""
    client = FakeClient([make_task(1)], [make_run(1)], {1: b"the last line\n"})
    let_go, read_log = asyncio.Event(), client.read_log

    async def wait_and_read(*what, **where):
        await let_go.wait()
        return await read_log(*what, **where)

    monkeypatch.setattr(client, "read_log", wait_and_read)
    return client, let_go


async def open_run(screen, written):
    """The page of the run; what is painted of it first."""
    await screen.press("4")
    await screen.until(lambda: screen.dashboard.history.table.row)
    await screen.pilot.pause(0.2)
    written.clear()
    await screen.press("enter")
    await screen.until(lambda: written)
    return written[0]


async def test_the_page_of_a_run_is_painted_with_the_end_of_its_log(
    show, written, held_back, monkeypatch
):
    monkeypatch.setattr("cronpilot.tui.screens.run_page.PATIENCE", 3600)
    client, let_go = held_back
    async with show(client) as screen:
        assert "backup-db" in await open_run(screen, written)
        await screen.pilot.pause(0.2)
        assert len(written) == 1
        let_go.set()
        await screen.until(lambda: len(written) > 1)
        assert "the last line" in written[1]
        await screen.until(lambda: screen.app.screen._of_task)
        assert "taken away" not in "".join(written)  # nor before it is known


async def test_a_log_that_does_not_come_does_not_hold_the_page_up(show, written, held_back):
    client, _ = held_back
    async with show(client) as screen:
        await open_run(screen, written)
        await screen.until(lambda: "help" in "".join(written[1:]))
        assert "the last line" not in "".join(written)


async def test_grounds_that_nobody_sees_are_not_painted(show, monkeypatch):
    painted, render = [], StylesCache.render_widget

    def noting(cache, widget, crop):
        painted.append(widget)
        return render(cache, widget, crop)

    async with show(FakeClient([make_task(1)], [make_run(1)])) as screen:
        monkeypatch.setattr(StylesCache, "render_widget", noting)
        await screen.press("2", "ctrl+l", "4", "enter")
        await screen.until(lambda: screen.app.screen is not screen.dashboard)
        await screen.pilot.pause(0.2)
        grounds = [one for one in painted if isinstance(one, Screen | View | LogPanel)]
        assert painted
        assert not grounds
