"""What a role lets its user do from the screen, and how the screen in a browser is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_task
from cronpilot.client.users import Me
from cronpilot.domain.access import Identity, Role
from cronpilot.tui.browser import BrowserApp
from cronpilot.tui.leave import Leave
from cronpilot.tui.rights import is_allowed

from .conftest import Shown

CHANGES = {
    "run_now": "operator", "stop_run": "operator", "pause_task": "operator",
    "pause_scheduler": "operator", "edit_schedule": "operator", "edit_task": "operator",
    "undo": "admin", "add_task": "admin", "copy_task": "admin", "delete_task": "admin",
    "undelete": "admin", "pause_until": "operator", "acknowledge": "operator",
    "snooze": "operator", "dismiss_all": "operator", "add_demo": "admin", "load_tasks": "admin",
}  # fmt: skip


@asynccontextmanager
async def browser(
    client: FakeClient, role: Role, *, until: str = "backup-db"
) -> AsyncIterator[Shown]:
    """The screen as a browser's user of that role sees it."""

    client.people.asker = Me(name="anna", role=role)

    async def connect() -> FakeClient:
        return client

    app = BrowserApp(
        connect, role="attached", host="example", state_dir="/var/lib/cronpilot",
        clock=lambda: NOON, identity=Identity("anna", role),
    )  # fmt: skip
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        shown = Shown(app, pilot, client, None)  # type: ignore[arg-type]
        await shown.until(lambda: until in shown.text)
        yield shown


@pytest.mark.parametrize(("action", "needs"), CHANGES.items())
def test_the_least_role_for_an_action(action: str, needs: str) -> None:
    allowed = [role for role in Role if is_allowed(action, Identity("anna", role))]

    assert allowed == [role for role in Role if role.includes(Role(needs))]


def test_looking_is_open_to_all_roles() -> None:
    viewer = Identity("anna", Role.VIEWER)

    for action in ("view('history')", "screen.view('tasks')", "filter", "app.help", "app.quit"):
        assert is_allowed(action, viewer)


async def test_what_a_viewer_may_not_do_is_neither_offered_nor_done_but_said() -> None:
    client = FakeClient([make_task(1, "backup-db")])
    async with browser(client, Role.VIEWER) as screen:
        bar = screen.text.splitlines()[-1]
        assert "Enter open" in bar and "r run" not in bar and "e schedule" not in bar

        await screen.press("r", "p", "D", "E", "a")

        await screen.until(lambda: "anna is a viewer" in screen.text)
        assert screen.text.count("anna is a viewer") == 1  # the screen stays to be seen
        assert screen.app.screen is screen.dashboard
        assert client.calls == []


async def test_an_operator_starts_tasks_and_changes_when_they_run() -> None:
    client = FakeClient([make_task(1, "backup-db")])
    async with browser(client, Role.OPERATOR) as screen:
        bar = screen.text.splitlines()[-1]
        assert "r run" in bar and "e schedule" in bar and "a add" not in bar

        await screen.press("r")

        await screen.until(lambda: client.calls == [("run_now", 1)])


async def test_an_operator_is_told_while_typing_which_field_takes_an_admin() -> None:
    client = FakeClient([make_task(1, "backup-db")])
    async with browser(client, Role.OPERATOR) as screen:
        await screen.press("E")
        await screen.until(lambda: "Task backup-db" in screen.text and "Command" in screen.text)
        assert "Only an admin" not in screen.text

        await screen.press("tab", "tab", "x")

        await screen.until(lambda: "Only an admin may change this." in screen.text)


async def test_another_role_is_seen_and_used_without_logging_in_again() -> None:
    client = FakeClient([make_task(1, "backup-db")])
    async with browser(client, Role.VIEWER) as screen:
        assert "anna, viewer" in screen.text
        client.people.asker = Me(name="anna", role=Role.ADMIN)

        screen.app.answered(await client.status())  # as after each heartbeat

        await screen.until(lambda: "anna, admin" in screen.text)
        await screen.until(lambda: "r run" in screen.text.splitlines()[-1])
        assert "anna is an admin now" in screen.text

        client.people.asker = Me(name="anna", role=Role.VIEWER)
        screen.app.answered(await client.status())

        await screen.until(lambda: "r run" not in screen.text.splitlines()[-1])
        await screen.press("r")
        await screen.pilot.pause()
        assert client.calls == []


async def test_a_viewer_is_told_of_no_key_that_would_be_refused() -> None:
    client = FakeClient([make_task(1, "backup-db")])
    async with browser(client, Role.VIEWER) as screen:
        await screen.until(lambda: "has not run yet" in screen.text)
        assert "runs it now" not in screen.text

    async with browser(FakeClient([]), Role.OPERATOR, until="no tasks yet") as screen:
        assert "An admin can add some" in screen.text
        assert "load a tasks.yaml" not in screen.text


@pytest.mark.parametrize(
    ("key", "left"),
    [
        pytest.param("c", Leave.VIEWER_QUIT, id="closes the screen"),
        pytest.param("o", Leave.LOG_OUT, id="logs out"),
        pytest.param("escape", None, id="stays"),
    ],
)
async def test_q_in_a_browser_asks_whether_to_log_out_and_never_stops_the_engine(
    key: str, left: Leave | None
) -> None:
    client = FakeClient([make_task(1, "backup-db")])
    async with browser(client, Role.ADMIN) as screen:
        assert "anna, admin" in screen.text
        await screen.press("q")
        await screen.until(lambda: "Leave CronPilot?" in screen.text)
        assert "Stop the scheduler" not in screen.text
        await screen.press(key)
        await screen.pilot.pause()

    assert screen.app.return_value is left
    assert client.calls == []
