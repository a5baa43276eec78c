"""The palette and the help: every action by its name, done to what was under the cursor."""

from __future__ import annotations

import asyncio

import pytest

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.domain.run import Status
from cronpilot.tui.key_catalogue import catalogue
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.screens.form import FormScreen
from cronpilot.tui.screens.help import NOTES, HelpScreen
from cronpilot.tui.screens.palette import ASKED, Palette
from cronpilot.tui.screens.run_page import RunPage


@pytest.fixture
def client(clock):
    """Forty tasks; the first has run once."""
    tasks = [make_task(1, "backup-db", last_run=None), make_task(2, "probe"),
             *(make_task(number, f"job-{number:02}") for number in range(3, 41))]  # fmt: skip
    runs = [make_run(11, task_id=1, task_name="backup-db", status=Status.SUCCESS, pid=None)]
    return FakeClient(tasks, runs, {11: b"done\n"}, clock)


async def open_it(screen, key: str, kind: type) -> None:
    await screen.press(key)
    await screen.until(lambda: isinstance(screen.app.screen, kind))
    await screen.pilot.pause()


def headings(screen) -> list[str]:
    return [row.heading for row in screen.app.screen.table.rows if row.command is None]


def called(client: FakeClient) -> list[tuple[object, ...]]:
    return [tuple(one) for one in client.calls]


def listed(screen):
    """The commands that the palette offers, as they are called."""
    return [row.command.name for row in screen.app.screen.table.rows if row.command]


# --- palette -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_an_action_is_done_to_the_row_under_the_cursor(show, client, key):
    async with show(client) as screen:
        await screen.press("j")
        await open_it(screen, key, Palette)
        assert "Run probe" in screen.text
        assert "Start this task now, whatever its schedule" in screen.text
        await screen.press("r", "u", "n")
        await screen.press("enter")
        await screen.until(lambda: called(client) == [("run_now", 2)])


async def test_an_action_is_done_to_a_task_by_the_beginning_of_its_name(show, client):
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        await screen.press(*"pause", "space", *"job-3")
        await screen.until(lambda: listed(screen)[:2] == ["Pause job-30", "Pause job-31"])
        await screen.press("down", "enter")
        await screen.until(lambda: called(client) == [("pause_task", 31)])


async def test_without_a_row_what_needs_one_is_offered_only_with_a_name(show, client):
    async with show(client) as screen:
        await screen.press("5")
        await screen.until(lambda: screen.dashboard.health.table.total)
        await screen.press("G")
        await open_it(screen, "colon", Palette)
        await screen.press(*"pause")
        await screen.until(lambda: "Pause the whole scheduler" in screen.text)
        assert "Pause this task" not in screen.text
        await screen.press("space", *"job-37")
        await screen.until(lambda: "Pause job-37" in screen.text)


async def test_names_that_begin_so_come_before_others_that_match(show, client):
    client.put_task(make_task(60, "cleanup", command="probe --now"))
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        await screen.press(*"stop", "space", *"prob")
        # Earlier lists are those of the first letters.
        await screen.until(lambda: listed(screen)[:2] == ["Stop probe", "Stop cleanup"])
        assert len(listed(screen)) == len(set(listed(screen)))


async def test_the_object_is_the_row_of_when_it_was_opened(show, client):
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        screen.dashboard.tasks.table.action_move(3)  # as when rows come and go below
        await screen.press(*"run", "enter")
        await screen.until(lambda: called(client) == [("run_now", 1)])


async def test_a_task_is_gone_to_by_its_name_and_the_engine_is_asked_for_a_few(
    show, client, monkeypatch
):
    asked = []
    tasks = client.tasks

    async def spy(query):
        asked.append(query)
        return await tasks(query)

    async with show(client) as screen:
        monkeypatch.setattr(client, "tasks", spy)
        await screen.press("4")
        await open_it(screen, "colon", Palette)
        await screen.press(*"prob")
        await screen.until(lambda: "Go to probe" in screen.text)
        await screen.until(lambda: ("prob", ASKED) in [(one.text, one.limit) for one in asked])
        await screen.press("enter")
        await screen.until(lambda: screen.dashboard.tasks.chosen is not None
                           and screen.dashboard.tasks.chosen.name == "probe")  # fmt: skip
        assert screen.dashboard.current is screen.dashboard.tasks


async def test_what_another_view_can_do_is_done_there(show, client):
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        await screen.press(*"history", "space", *"failed", "enter")
        await screen.until(lambda: screen.dashboard.current is screen.dashboard.history)
        await screen.until(lambda: screen.dashboard.history.bad)


async def test_a_theme_is_chosen_by_name(show, client):
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        await screen.press(*"contrast", "enter")
        await screen.until(lambda: screen.app.theme == "cronpilot-contrast")


async def test_what_was_used_last_is_first_also_the_next_time(show, client, tmp_path):
    options = ScreenOptions(memory_file=tmp_path / "screen.json")
    async with show(client, options=options) as screen:
        await open_it(screen, "colon", Palette)
        await screen.press(*"health", "enter")
        await screen.until(lambda: screen.dashboard.current is screen.dashboard.health)
    async with show(client, options=options) as screen:
        await open_it(screen, "colon", Palette)
        assert screen.app.screen.table.chosen.title == "Health"


async def test_escape_does_nothing_and_a_click_does_it(show, client):
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        await screen.press(*"run", "escape")
        assert client.calls == []
        await open_it(screen, "colon", Palette)
        await screen.press(*"run")
        await screen.pilot.click("CommandTable", offset=(5, 0))
        await screen.until(lambda: called(client) == [("run_now", 1)])


async def test_it_is_there_over_a_run_too(show, client):
    async with show(client) as screen:
        await screen.press("4")
        await screen.until(lambda: "backup-db" in screen.text)
        await screen.press("enter")
        await screen.until(lambda: isinstance(screen.app.screen, RunPage))
        await open_it(screen, "colon", Palette)
        await screen.press(*"go", "space", *"probe")
        await screen.until(lambda: "Go to probe" in screen.text)
        await screen.press("enter")
        await screen.until(lambda: screen.app.screen is screen.dashboard)


async def test_without_an_engine_the_actions_are_there_all_the_same(show, client):
    async with show(client) as screen:
        await open_it(screen, "colon", Palette)
        client.lose()
        await screen.press(*"pro")
        await asyncio.sleep(0.2)
        assert isinstance(screen.app.screen, Palette)


# --- help ----------------------------------------------------------------------------------------


async def test_help_begins_with_what_has_the_focus(show, client):
    async with show(client, size=(120, 50)) as screen:
        await open_it(screen, "question_mark", HelpScreen)
        places = headings(screen)
        assert places[0] == "TABLES"
        assert places.index("TASKS AND RUNS") < places.index("EVERYWHERE")
        await screen.press("escape", "l")
        await open_it(screen, "question_mark", HelpScreen)
        assert headings(screen)[0] == "LOG"


async def test_help_lists_every_key_that_works_here_and_elsewhere(show, client):
    async with show(client) as screen:
        active = {one.binding.id for one in screen.dashboard.active_bindings.values()
                  if not one.binding.system}  # fmt: skip
        await open_it(screen, "question_mark", HelpScreen)
        rows = [row.command for row in screen.app.screen.table.rows if row.command]
        here = {command.id for command in rows if command.deed}
        assert here == active
        places = {command.place for command in rows if not command.deed}
        assert {"Forms (not here)", "Questions (not here)", "Log (not here)"} <= places
        assert any("freeze the scheduler" in command.note for command in rows)


async def test_help_is_searched_and_enter_does_it(show, client):
    async with show(client, size=(80, 24)) as screen:
        await open_it(screen, "question_mark", HelpScreen)
        await screen.press(*"whatever")
        assert "Run backup-db" in screen.text
        await screen.press("enter")
        await screen.until(lambda: called(client) == [("run_now", 1)])


async def test_what_cannot_be_done_from_here_says_so(show, client):
    async with show(client) as screen:
        await open_it(screen, "question_mark", HelpScreen)
        await screen.press(*"monday", "enter")
        await screen.until(lambda: "That works elsewhere" in screen.text)
        assert isinstance(screen.app.screen, HelpScreen)


async def test_the_help_of_a_form_does_what_the_form_can(show, client):
    async with show(client) as screen:
        await screen.press("e")
        await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
        await open_it(screen, "f1", HelpScreen)
        assert headings(screen).index("FORMS") < headings(screen).index("EVERYWHERE")
        await screen.press(*"asks where", "enter")
        await screen.until(lambda: screen.app.screen is screen.dashboard)


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (20, 3), (1, 1)])
async def test_any_size_is_survived(show, client, size):
    async with show(client, size=size) as screen:
        for key, kind in (("colon", Palette), ("question_mark", HelpScreen)):
            await open_it(screen, key, kind)
            await screen.press("pagedown", "up", "pageup", "end", "escape")


# --- the key bar ---------------------------------------------------------------------------------


async def test_a_wide_screen_has_more_keys_in_its_bar(show, client):
    async with show(client, size=(200, 60)) as screen:
        bar = screen.dashboard.key_bar.text
        for hint in ("r run", "Space mark", "s sort", "o columns", "E edit", "q quit"):
            assert hint in bar
    async with show(client, size=(120, 36)) as screen:
        assert "Space mark" not in screen.dashboard.key_bar.text


def test_what_every_key_does_can_be_read_whole_in_120_columns():
    notes = [known.binding.tooltip for known in catalogue().values()]
    notes += [command.note for command in NOTES]
    assert [note for note in notes if len(note) > 60] == []


@pytest.mark.parametrize("key", ["colon", "question_mark"])
async def test_no_sentence_is_cut_in_120_columns(show, client, key):
    async with show(client) as screen:
        await screen.press(key)
        await screen.until(lambda: screen.app.screen is not screen.dashboard)
        await screen.until(lambda: screen.app.screen.table.size.height > 20)
        table = screen.app.screen.table
        await screen.press(*["pagedown"] * (table.total // table.size.height))
        for _ in range(table.total // table.size.height + 1):
            region = table.region
            rows = screen.text.splitlines()[region.y : region.bottom]
            assert [row for row in rows if "…" in row] == []
            await screen.press("pageup")
