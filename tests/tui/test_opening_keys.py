"""Behind which keys one types to what they open: the list that says so is held against the keys."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.live import Downtime
from cronpilot.client.messages import Banner
from cronpilot.domain.run import Status
from cronpilot.tui.key_catalogue import catalogue
from cronpilot.tui.type_ahead import OPENS

EVERYWHERE = {"app", "screen", "view", "task", "tasks", "scheduler", "run"}
PLACES = {
    "tasks": ("1", EVERYWHERE, {
        "add_task", "columns", "compare", "copy_task", "delete_task", "edit_schedule", "edit_task",
        "filter", "help", "load_tasks", "palette", "pause_scheduler", "pause_until", "quit",
        "show_missed", "sort", "stop_run",
    }),
    "log": ("2L", {"log"}, {"find", "save", "together"}),
    "upcoming": ("3", {"screen", "upcoming"}, {"filter"}),
    "history": ("4", {"screen", "history", "run"}, {"compare", "filter", "open"}),
}  # fmt: skip
"""How one gets to a part of the screen, whose keys work there, and what of these opens something
to type in, or to answer: as it is found by pressing each of them."""
ON_PAGES = {"do", "open_run", "snooze"}
"""Those of a form's buttons and of an incident's page, which have their own tests."""
MOVES = {"edge", "move", "page", "resize_log", "sideways", "tab", "view"}


@pytest.fixture
def client(clock):
    """A task that runs, one run that is over, and some hours without an engine."""
    runs = [make_run(8, task_name="backup-db", status=Status.SUCCESS, pid=None),
            make_run(9, task_name="backup-db")]  # fmt: skip
    made = FakeClient([make_task(1, "backup-db", running=1)], runs, {8: b"a\n", 9: b"b\n"}, clock,
                      banners=[Banner(key="downtime", text="The engine was down.")])  # fmt: skip
    made.missed = Downtime(since=NOON, until=NOON, missed_slots=1, made_up=1)
    return made


async def opens(screen, key: str) -> bool:
    """Whether that key opens a screen or a line to type in. It is closed again."""
    app, before = screen.app, screen.app.screen
    await screen.press(key)
    await screen.until(lambda: not app._type_ahead._is_under_way())
    if app.screen is before and not hasattr(app.focused, "value"):
        return False
    await screen.press("escape")
    await screen.until(lambda: app.screen is before and not hasattr(app.focused, "value"))
    return True


@pytest.mark.parametrize("place", PLACES)
async def test_of_all_keys_that_work_there_these_open_something(show, client, place):
    way, parts, opening = PLACES[place]
    found = set()
    async with show(client) as screen:
        for known in catalogue().values():
            action = known.binding.action.partition("(")[0]
            if known.place not in parts or action in MOVES:
                continue
            await screen.press(*way)
            await screen.pilot.pause()
            if await opens(screen, known.keys[0]):
                found.add(action)

    assert found == opening


def test_all_that_opens_something_and_nothing_else_is_listed():
    known = set().union(*(opening for _, _, opening in PLACES.values()))

    assert known | ON_PAGES == OPENS
