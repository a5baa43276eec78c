"""The screen where there are no tasks yet."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import FakeClient
from cronpilot.config.tasks_file import read_tasks_file
from cronpilot.domain.task import TaskSpec
from cronpilot.tui.demo_tasks import DEMO_TASKS
from cronpilot.tui.screens import first_start
from cronpilot.tui.screens.empty import CronLines


@pytest.fixture
def client() -> FakeClient:
    """An engine without tasks."""
    return FakeClient()


async def test_without_tasks_three_keys_are_offered(show, client):
    async with show(client, size=(80, 24)) as screen:
        for line in ("Welcome to CronPilot", "a  add a task", "i  load a tasks.yaml",
                     "d  try it out with four harmless examples"):  # fmt: skip
            assert line in screen.text


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
async def test_the_bar_of_the_log_comes_with_the_first_task(show, client, size):
    async with show(client, size=size) as screen:
        for view in "12":
            await screen.press(view)
            assert "Log" not in screen.text
        await screen.press("1", "d")
        await screen.until(lambda: "Log" in screen.text and "demo-hello" in screen.text)


async def test_keys_that_need_a_task_come_with_the_first_one(show, client):
    async with show(client) as screen:
        assert screen.dashboard.key_bar.text.split()[:6] == ["a", "add", "i", "load", "d", "demo"]
        await screen.press("d")
        await screen.until(lambda: "r run" in screen.dashboard.key_bar.text)
        for gone in ("d demo", "i load"):
            assert gone not in screen.dashboard.key_bar.text


async def test_what_cron_starts_here_is_named_with_the_command_that_shows_it(show, client):
    async with show(client) as screen:
        screen.dashboard.cron_lines = CronLines(12, ("/etc/crontab", "/etc/cron.d/php"))
        await screen.pass_time(seconds=1)
        assert "Cron starts 12 commands here: /etc/crontab, /etc/cron.d/php" in screen.text
        assert "cronpilot adopt shows them" in screen.text


async def test_all_places_are_named_on_80_columns(show, client):
    places = ("/usr/lib/systemd/system", "/etc/cron.daily", "/var/spool/cron/crontabs")
    async with show(client, size=(80, 24)) as screen:
        screen.dashboard.cron_lines = CronLines(15, places)
        await screen.pass_time(seconds=1)
        for place in places:
            assert place in screen.text


def test_looking_for_crontabs_changes_nothing_and_never_fails():
    assert first_start._cron_lines().commands >= 0


async def test_d_adds_examples_once(show, client):
    async with show(client) as screen:
        await screen.press("d")
        await screen.until(lambda: "demo-moody" in screen.text)
        assert "Added 4 tasks" in screen.text
        await screen.press("d")
        assert screen.dashboard.status.total_tasks == len(DEMO_TASKS) == 4


def test_the_examples_are_tasks():
    assert [TaskSpec.model_validate(task).name for task in DEMO_TASKS]


async def test_i_loads_a_file_after_showing_what_is_in_it(show, client, tmp_path):
    file = tmp_path / "tasks.yaml"
    file.write_text("tasks:\n- {name: a, command: x, schedule: hourly}\n"
                    "- {name: b, command: [y], schedule: daily 02:30, env: {K: v}}\n")  # fmt: skip
    async with show(client) as screen:
        await screen.press("i")
        screen.app.screen.field.value = str(file)
        await screen.press("enter")
        await screen.until(lambda: "b: daily 02:30" in screen.text)
        await screen.press("y")
        await screen.until(lambda: "Added 2 tasks" in screen.text)
        assert (await client.find_task("b")).env == {"K": "v"}
        assert len(read_tasks_file(file).entries) == 2  # nothing was written to it


async def test_a_bad_file_adds_nothing_and_says_what_is_wrong(show, client, tmp_path):
    file = tmp_path / "tasks.yaml"
    file.write_text("tasks:\n- {name: a, comand: x}\n")
    async with show(client) as screen:
        await screen.press("i")
        screen.app.screen.field.value = str(file)
        await screen.press("enter")
        await screen.until(lambda: "Did you mean command?" in screen.text.replace("\n", " "))
        assert "There are no tasks yet" in screen.text
