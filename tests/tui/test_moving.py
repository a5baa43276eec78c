"""What is on the terminal after parts of the screen have moved is what belongs there."""

from __future__ import annotations

import pytest
from rich.console import Console
from textual._compositor import ChopsUpdate, LayoutUpdate

from cronpilot.client.fake import FakeClient, make_task
from cronpilot.client.messages import Banner
from cronpilot.tui.app import CronPilotApp

from .test_painting import Terminal

DOWN = Banner(key="downtime", text="The engine was down 2 h: 14 slots missed.", hint="m: more",
              severity="information")  # fmt: skip


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80x24 to which the screen writes."""
    shown, console = Terminal(80, 24), Console(force_terminal=True, color_system="truecolor")

    def write(app: CronPilotApp, screen: object, update: object) -> None:
        if isinstance(update, (ChopsUpdate, LayoutUpdate)):
            shown.write(update.render_segments(console))

    monkeypatch.setattr(CronPilotApp, "_display", write)
    return shown


async def test_a_banner_that_comes_with_the_engine_shifts_all_rows_below_it(show, terminal):
    client = FakeClient([make_task(number, f"task-{number}") for number in range(1, 11)])
    async with show(client, size=(80, 24)) as screen:

        def is_right() -> bool:
            return [line.rstrip() for line in terminal.screen.display] == [
                line.rstrip() for line in screen.text.splitlines()
            ]

        for banners in ([DOWN], [], [DOWN]):
            client.lose()
            await screen.until(lambda: "NOT ANSWERING" in screen.text)
            client.set_banners(*banners)
            client.come_back()
            await screen.until(lambda: "NOT ANSWERING" not in screen.text)
            await screen.until(lambda seen=bool(banners): ("was down" in screen.text) == seen)
            await screen.until(is_right)
