"""The mouse: whatever can be done by a key that is seen can be done by a click on it."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.widgets.toned import Line


@pytest.fixture
def client(clock):
    """Two tasks; the second runs."""
    tasks = [make_task(1, "echo"), make_task(2, "alpha", running=1)]
    return FakeClient(tasks, [make_run(9, task_id=2, task_name="alpha")], clock=clock)


async def click(screen, line: Line, words: str) -> None:
    """On the first cell of these words."""
    assert words in line.text
    await screen.pilot.click(line, offset=(line.text.index(words), 0))


async def test_a_view_is_gone_to_by_its_name(show, client):
    async with show(client) as screen:
        await click(screen, screen.dashboard.tabs, "History")
        await screen.until(lambda: "[4 History]" in screen.text)
        await click(screen, screen.dashboard.tabs, "1 Tasks")
        await screen.until(lambda: "[1 Tasks]" in screen.text)


async def test_a_key_in_the_bar_is_pressed_by_a_click(show, client):
    async with show(client) as screen:
        await click(screen, screen.dashboard.key_bar, "run")
        await screen.until(lambda: ("run_now", 1) in client.calls)
        await click(screen, screen.dashboard.key_bar, "?")
        await screen.until(lambda: "Help" in type(screen.app.screen).__name__)


async def test_what_is_typed_into_the_filter_is_ended_by_a_click(show, client):
    async with show(client) as screen:
        await screen.press("slash", *"alp")
        await screen.until(lambda: "1 found" in screen.text)
        await click(screen, screen.dashboard.key_bar, "Esc")
        await screen.until(lambda: "2 in all" in screen.text)


async def test_a_tab_of_the_panel_is_chosen_by_its_name(show, client):
    async with show(client) as screen:
        await click(screen, screen.dashboard.panel.head, "Definition")
        await screen.until(lambda: "[Definition]" in screen.text)
        await click(screen, screen.dashboard.panel.head, "Next runs")
        await screen.until(lambda: "[Next runs]" in screen.text)


async def test_a_title_sorts_and_turns_round(show, client):
    table, names = "#task-table", []
    async with show(client) as screen:
        for arrow in "↑↓":
            await screen.pilot.click(table, offset=(13, 0))
            await screen.until(lambda arrow=arrow: f"TASK{arrow}" in screen.text)
            await screen.until(lambda: len(screen.dashboard.tasks.table.rows) == 2)
            names.append([row.name for row in screen.dashboard.tasks.table.rows])
    assert names == [["alpha", "echo"], ["echo", "alpha"]]


async def test_a_second_click_opens_a_row(show, client):
    async with show(client) as screen:
        await screen.press("2")
        await screen.until(lambda: screen.dashboard.running.table.rows)
        await screen.pilot.click("#run-table", offset=(20, 1))
        assert screen.app.screen is screen.dashboard
        await screen.pilot.click("#run-table", offset=(20, 1), times=2)
        await screen.until(lambda: screen.app.screen is not screen.dashboard)


async def test_a_form_is_left_and_its_choices_are_made_by_clicks(show, client):
    async with show(client) as screen:
        await screen.press("e")
        await screen.until(lambda: "ctrl+o save" in screen.text)
        lines = screen.text.splitlines()
        y = next(y for y, line in enumerate(lines) if "weekly" in line)
        await screen.pilot.click(offset=(lines[y].index("weekly"), y))
        await screen.until(lambda: "[weekly]" in screen.text)
        await click(screen, screen.app.screen.key_bar, "leave")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))


async def test_an_answer_of_a_question_is_clicked(show, client):
    async with show(client) as screen:
        await screen.press("j", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        await screen.pilot.click("ChoiceList", offset=(8, 0))
        await screen.until(lambda: any(call[0] == "stop_run" for call in client.calls))
