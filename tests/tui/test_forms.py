"""Editing by keyboard: schedule, whole task, new, copy, delete, undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from textual import events

from cronpilot.client.fake import NOON, FakeClient, make_task
from cronpilot.errors import Refused
from cronpilot.tui import themes
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.screens.form import FormScreen
from cronpilot.tui.screens.form_questions import TypeTheName
from cronpilot.tui.screens.help import HelpScreen


@pytest.fixture
def client(clock):
    """backup-db runs daily in Berlin; probe starts in the same minute tomorrow."""
    tasks = [
        make_task(1, "backup-db", timezone="Europe/Berlin", own_timezone="Europe/Berlin",
                  command="pg_dump shop", next_run_at=NOON + timedelta(hours=13, minutes=30)),
        make_task(2, "probe", next_run_at=NOON + timedelta(hours=13, minutes=30)),
    ]  # fmt: skip
    return FakeClient(tasks, [], {}, clock)


async def opened(screen, key):
    await screen.press(key)
    await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
    await screen.until(lambda: screen.app.screen._judged is not None)
    await screen.until(lambda: screen.app.screen._others is not None)
    await screen.app.screen.all_there()


async def replaced(screen, field, text):
    """Type over what stands in a field."""
    control = screen.app.screen.rows[field].control
    control.focus()
    await screen.pilot.pause()
    await screen.press("end", "ctrl+u", *(_KEYS.get(char, char) for char in text))


_KEYS = {" ": "space", "\n": "enter", "=": "equals_sign", ":": "colon", "/": "slash"}


async def says(screen, *words):
    await screen.until(lambda: all(word in screen.text for word in words))


async def saved(screen):
    """Look the change over, and agree."""
    await screen.press("ctrl+o")
    await screen.until(lambda: isinstance(screen.app.screen, Dialog))
    await screen.press("y")
    await screen.until(lambda: screen.app.screen is screen.dashboard)


def form(screen):
    return screen.app.screen


# --- the schedule --------------------------------------------------------------------------------


async def test_e_shows_what_the_schedule_does(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await says(
            screen, "Schedule of backup-db", "[daily]", "It runs every day at 02:30.",
            "NEXT RUNS IN Europe/Berlin", "Mon  9 Mar 02:30 +01:00",
            "On 29 March the run at 02:30 moves to 03:00.", "starts together with probe.",
        )  # fmt: skip


async def test_there_is_room_for_ten_runs_on_a_larger_screen(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await says(screen, "Sat 14 Mar 2026  02:30  +01:00", "1 of the next 10 starts together")


@pytest.mark.parametrize(
    ("letter", "field", "text", "words", "shorthand"),
    [
        ("h", "minute", "15", "every hour at minute 15", "hourly :15"),
        ("d", "time", "03:00", "every day at 03:00", "daily 03:00"),
        ("w", "time", "03:00", "Monday at 03:00", "weekly mon 03:00"),
        ("c", "expression", "0 5 * * *", "every day at 05:00", "0 5 * * *"),
        ("i", "every", "90s", "every 90 seconds", "every 1m30s"),
        ("o", "at", "2026-12-24 18:00", "once on 24 December 2026", "once 2026-12-24 18:00"),
    ],
)
async def test_each_type_has_its_own_fields(show, client, letter, field, text, words, shorthand):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await screen.press(letter)
        await replaced(screen, field, text)
        await says(screen, words)
        await saved(screen)
        assert client._tasks[1].schedule == shorthand
        assert client._tasks[1].own_timezone == "Europe/Berlin"


async def test_a_task_by_hand_needs_no_field(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await screen.press("m")
        await says(screen, "It runs only when started by hand.")
        assert "02:30" not in screen.text
        await saved(screen)
        assert client._tasks[1].next_run_at is None


async def test_what_clocks_and_other_tasks_do_to_it_is_said_in_a_long_form_on_80_by_24(
    show, client
):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "E")
        await screen.press("pagedown")
        await says(screen, "Sat 14 Mar 02:30 +01:00", "starts together with probe.",
                   "On 29 March the run at 02:30 moves to 03:00.")  # fmt: skip


async def test_the_type_is_chosen_with_the_arrows_too(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await screen.press("right", "right")
        await says(screen, "[cron]", "30 2 * * *")
        await screen.press("left", "left", "left", "left")
        await says(screen, "[hourly]")


async def test_days_are_switched_by_space_and_by_number(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await screen.press("w", "tab", "right", "right", "space", "5")
        await says(screen, "[x]mon [ ]tue [x]wed [ ]thu [x]fri", "Monday, Wednesday and Friday")
        await saved(screen)
        assert client._tasks[1].schedule == "weekly mon,wed,fri 02:30"


async def test_an_error_stands_below_its_field_while_typing(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await screen.press("c")
        await replaced(screen, "expression", "61 * * * *")
        await says(screen, "! Expression", "61 is out of range", "Use 0 to 59.", "No preview")
        await replaced(screen, "expression", "5 * * * *")
        await says(screen, "every hour at minute 5")
        assert "! Expression" not in screen.text


async def test_what_is_wrong_is_not_saved_and_gets_the_cursor(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "99")
        form(screen).rows["timezone"].control.focus()
        await screen.press("ctrl+o")
        await screen.until(lambda: form(screen).rows["time"].control.has_focus)
        assert client.calls == []


async def test_time_zones_are_completed(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await replaced(screen, "timezone", "europe/be")
        await says(screen, "▸Europe/Belfast  Europe/Belgrade  Europe/Berlin")
        await screen.press("down", "tab")
        assert form(screen).rows["timezone"].control.value == "Europe/Belgrade"
        await says(screen, "NEXT RUNS IN Europe/Belgrade")
        await screen.press("tab")
        await screen.until(lambda: not form(screen).rows["timezone"].control.has_focus)


async def test_enter_takes_a_zone_and_then_goes_on(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "timezone", "berl")
        await screen.press("enter")
        assert form(screen).rows["timezone"].control.value == "Europe/Berlin"
        await screen.press("enter")
        assert form(screen).focused is form(screen).query_one("#save")


async def test_right_takes_the_first_zone(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "timezone", "tokyo")
        await screen.press("right")
        assert form(screen).rows["timezone"].control.value == "Asia/Tokyo"


async def test_without_a_zone_the_schedulers_counts(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "timezone", "")
        await says(screen, "the scheduler's: UTC", "NEXT RUNS IN UTC")
        await saved(screen)
        assert client._tasks[1].own_timezone is None


# --- saving --------------------------------------------------------------------------------------


async def test_the_change_is_shown_before_it_is_saved(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await screen.press("ctrl+o")
        await says(screen, "Save backup-db?", "schedule: daily 02:30 → daily 03:00")
        assert client.calls == []
        await screen.press("n")
        await screen.until(lambda: isinstance(form(screen), FormScreen))
        assert client.calls == []


async def test_the_change_is_shown_in_ascii_where_that_is_all_there_is(show, client):
    async with show(client, options=ScreenOptions(ascii=True)) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await screen.press("ctrl+o")
        await says(screen, "Save backup-db?", "schedule: daily 02:30 -> daily 03:00")
        assert screen.text.isascii()


async def test_enter_on_save_and_enter_again_saves(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await screen.press("enter", "enter")
        await screen.until(lambda: form(screen).focused is form(screen).query_one("#save"))
        await screen.press("enter")
        await says(screen, "Save backup-db?")
        await screen.press("enter")
        await says(screen, "Saved backup-db", "u undoes the change.")
        assert client.calls == [
            ("change_task", 1, {"schedule": {"type": "daily", "config": {"hour": 3, "minute": 0}}})
        ]


async def test_nothing_changed_is_nothing_saved(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await screen.press("ctrl+o")
        await says(screen, "Nothing is changed.")
        assert client.calls == []


async def test_a_refusal_is_told_and_the_form_stays(show, client, monkeypatch):
    async def refuse(*_, **__):
        raise Refused("The disk is full.", "Make room.")

    monkeypatch.setattr(client, "change_task", refuse)
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await screen.press("ctrl+o")
        await says(screen, "Save backup-db?")
        await screen.press("y")
        await says(screen, "The disk is full.", "Make room.")
        assert isinstance(form(screen), FormScreen)


# --- leaving -------------------------------------------------------------------------------------


async def test_escape_leaves_at_once_when_nothing_was_typed(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await screen.press("escape")
        await screen.until(lambda: form(screen) is screen.dashboard)


@pytest.mark.parametrize("key", ["escape", "ctrl+q"])
async def test_leaving_with_something_unsaved_asks(show, client, key):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await screen.press(key)
        await says(screen, "Leave without saving?")
        await screen.press("escape")
        await screen.until(lambda: isinstance(form(screen), FormScreen))
        assert form(screen).rows["time"].control.value == "03:00"
        await screen.press("escape")
        await says(screen, "Leave without saving?")
        await screen.press("y")
        await screen.until(lambda: form(screen) is screen.dashboard)
        assert client.calls == []


async def test_leaving_can_save_instead(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await screen.press("escape")
        await says(screen, "Leave without saving?")
        await screen.press("s")
        await says(screen, "Save backup-db?")
        await screen.press("y")
        await screen.until(lambda: form(screen) is screen.dashboard)
        assert client._tasks[1].schedule == "daily 03:00"


async def test_q_in_a_form_does_not_quit_the_program(show, client):
    async with show(client, role="attached") as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        form(screen).rows["type"].control.focus()
        await screen.press("q")
        await says(screen, "Leave without saving?")
        assert screen.app.return_value is None


# --- someone else was faster ---------------------------------------------------------------------


async def conflicting(screen, client):
    """The form says 03:00 and everything else as it was; they have said 04:00 and a pool."""
    await opened(screen, "E")
    await replaced(screen, "time", "03:00")
    await client.change_task(1, {"schedule": "daily 04:00", "pool": "db"})
    client.calls.clear()
    await screen.press("ctrl+o")
    await says(screen, "Save backup-db?")
    await screen.press("y")
    await says(screen, "Someone else changed backup-db", "schedule: daily 02:30 → daily 04:00",
               "pool: default → db")  # fmt: skip


async def test_reload_takes_theirs(show, client):
    async with show(client, size=(80, 24)) as screen:
        await conflicting(screen, client)
        await screen.press("r")
        await screen.until(lambda: isinstance(form(screen), FormScreen))
        assert form(screen).rows["time"].control.value == "04:00"
        assert form(screen).rows["pool"].control.value == "db"
        assert form(screen).filled.touched == set()
        assert client.calls == []


async def test_merge_puts_what_i_changed_over_theirs(show, client):
    async with show(client, size=(80, 24)) as screen:
        await conflicting(screen, client)
        await screen.press("m")
        await screen.until(lambda: isinstance(form(screen), FormScreen))
        assert form(screen).rows["time"].control.value == "03:00"
        assert form(screen).rows["pool"].control.value == "db"
        await saved(screen)
        assert (client._tasks[1].schedule, client._tasks[1].pool) == ("daily 03:00", "db")


async def test_overwrite_saves_the_form_as_it_stands(show, client):
    async with show(client, size=(80, 24)) as screen:
        await conflicting(screen, client)
        await screen.press("o")
        await screen.until(lambda: form(screen) is screen.dashboard)
        assert (client._tasks[1].schedule, client._tasks[1].pool) == ("daily 03:00", None)


async def test_overwriting_a_schedule_leaves_their_other_fields(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        await client.change_task(1, {"schedule": "daily 04:00", "pool": "db"})
        await screen.press("ctrl+o")
        await says(screen, "Save backup-db?")
        await screen.press("y")
        await says(screen, "Someone else changed backup-db")
        await screen.press("o")
        await screen.until(lambda: form(screen) is screen.dashboard)
        assert (client._tasks[1].schedule, client._tasks[1].pool) == ("daily 03:00", "db")


# --- the whole task ------------------------------------------------------------------------------


async def test_every_field_can_be_reached_on_a_small_screen(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "E")
        for _ in form(screen).focus_chain:
            focused = form(screen).focused
            fields = form(screen).query_one("#form-fields").region
            assert fields.contains_region(focused.region), focused
            await screen.press("tab")


async def test_a_form_opens_with_what_is_seen_first_and_keys_wait_for_the_rest(
    show, client, monkeypatch
):
    monkeypatch.setattr(FormScreen, "on_screen_resume", lambda _: None)  # it waits to be asked
    async with show(client) as screen:
        await screen.press("E")
        await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
        await says(screen, "NEXT RUNS")
        assert "alarms.late" not in form(screen).rows
        await screen.press("x", "pagedown", "pagedown", "y", "pageup", "pageup", "shift+tab")
        await screen.until(lambda: form(screen).focused.id == "test")
        rows = form(screen).rows
        assert rows["name"].control.value == "backup-dbx"
        assert rows["working_dir"].control.value == "y"
        assert "alarms.late" in rows


async def test_sections_out_of_sight_are_there_once_one_goes_towards_them(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.press("E")
        await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
        await says(screen, "Directory")
        assert "alarms.late" not in form(screen).rows
        fields = form(screen).query_one("#form-fields")

        def is_at_the_end():
            fields.scroll_end(animate=False)
            return "Test run" in screen.text

        await screen.until(is_at_the_end)


async def test_the_field_stays_in_sight_when_the_preview_takes_its_room(show, client):
    async with show(client, size=(80, 12)) as screen:
        await opened(screen, "E")
        await screen.press("pagedown")
        await says(screen, "[daily]", "NEXT RUNS")


async def test_an_error_out_of_sight_gets_the_cursor(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.press("E")
        await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
        await says(screen, "Directory")
        form(screen)._filled.texts["notify.after"] = "many"
        await screen.press("ctrl+o")
        await screen.until(lambda: "notify.after" in form(screen).rows)
        await screen.until(lambda: form(screen).rows["notify.after"].control.has_focus)
        await says(screen, "! Failures")
        assert client.calls == []


async def test_a_click_puts_the_cursor_where_one_clicks(show, client):
    async with show(client) as screen:
        await opened(screen, "E")
        rows = form(screen).rows
        await screen.pilot.click(rows["tags"], offset=(20, 0))
        await screen.until(lambda: rows["tags"].control.has_focus)
        await screen.press(*"a,b")
        await screen.pilot.click(rows["description"], offset=(3, 0))
        await screen.until(lambda: rows["description"].control.has_focus)
        await screen.pilot.click(rows["tags"], offset=(17, 0))
        await screen.until(lambda: rows["tags"].control.cursor_position == 1)
        await screen.pilot.click(rows["overlap"], offset=(24, 0))
        await screen.until(lambda: rows["overlap"].text == "queue")
        assert rows["overlap"].control.has_focus
        await screen.pilot.click(rows["active"], offset=(22, 0))
        await screen.until(lambda: rows["active"].text == "no")


async def test_a_click_into_a_text_that_nobody_typed_in_puts_the_cursor_there(show, client):
    async with show(client) as screen:
        await opened(screen, "c")
        rows = form(screen).rows
        await screen.pilot.click(rows["time"], offset=(18, 0))
        await screen.until(lambda: rows["time"].control.has_focus)
        await screen.until(lambda: rows["time"].control.cursor_position == 2)
        await screen.press("delete", "delete", "0")
        assert rows["time"].text == "0200"


@pytest.mark.parametrize("theme", list(themes.WORDS))
async def test_a_field_looks_the_same_before_and_after_one_can_type_in_it(show, client, theme):
    def looks(screen, field):
        """Each cell: its character, whether it is dim, its colours where something stands."""
        strip = screen.app.screen._compositor.render_strips()[field.region.y]
        return [
            (char, style.dim, style.bgcolor, style.color if char != " " else None)
            for text, style, _ in strip.crop(field.region.x, field.region.right)
            for char in text
        ]

    async with show(client) as screen:
        screen.app.theme = theme
        await opened(screen, "E")
        fields = [form(screen).rows[name] for name in ("tags", "command", "time", "active")]
        before = [looks(screen, field) for field in fields]
        controls = [field.control for field in fields]
        await screen.until(lambda: all(control.size.width for control in controls))
        assert [looks(screen, field) for field in fields] == before


async def test_a_long_command_is_seen_whole_before_anyone_goes_there(show, clock):
    long = "first " * 12 + "last"
    async with show(FakeClient([make_task(1, "a", command=long)], [], {}, clock)) as screen:
        await screen.press("E")
        await says(screen, "Command       first first", "  first first first first last")


@pytest.mark.parametrize(("height", "fires"), [(12, 8), (13, 10), (14, 10), (24, 10)])
async def test_a_low_screen_shows_nearly_all_of_the_next_ten_runs(show, clock, height, fires):
    async with show(FakeClient([make_task(1, "a")], [], {}, clock), size=(80, height)) as screen:
        await opened(screen, "e")
        await screen.until(lambda: screen.text.count("02:30 +00:00") == fires)
        assert "Save  shows first" in screen.text


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
async def test_a_form_says_how_much_of_a_long_command_is_not_seen(show, clock, size):
    long = "\n".join(f"echo {number}" for number in range(1, 16))
    async with show(
        FakeClient([make_task(1, "a", command=long)], [], {}, clock), size=size
    ) as screen:
        await screen.press("E")
        await says(screen, "↓ 9 more      echo 6 ")
        assert "↑" not in screen.text
        await screen.press("tab", "tab", *["down"] * 8)
        await says(
            screen, "Command       echo 4 ", "↑ 3 more      echo 5 ", "↓ 6 more      echo 9 "
        )
        await screen.press(*["down"] * 6)
        await says(screen, "↑ 9 more      echo 11 ", "echo 15 ")
        assert "↓" not in screen.text


async def test_a_form_may_be_left_while_its_rest_follows(show, client):
    async with show(client) as screen:
        for _ in range(3):
            screen.app.simulate_key("E")
            await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
            screen.app.simulate_key("escape")
            await screen.until(lambda: screen.app.screen is screen.dashboard)


async def test_sections_are_jumped_through(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "E")
        seen = []
        for _ in range(5):
            seen += [name for name, row in form(screen).rows.items() if row.control.has_focus]
            await screen.press("pagedown")
        assert seen == ["name", "type", "working_dir", "overlap", "notify.on"]
        assert "PgDn section" in screen.text
        await screen.press("pageup", "pageup")
        assert form(screen).rows["overlap"].control.has_focus


async def test_a_field_of_several_lines_has_no_pages_of_its_own(show, client):
    async with show(client) as screen:
        await opened(screen, "E")
        await screen.press("tab", "tab", "pagedown")
        await screen.until(lambda: form(screen).rows["type"].control.has_focus)


async def test_fields_of_all_kinds_are_saved(show, client):
    async with show(client) as screen:
        await opened(screen, "E")
        await replaced(screen, "command", "set -e\npg_dump shop")
        await replaced(screen, "env", "DEST=/srv")
        await replaced(screen, "limits.memory", "1GB")
        form(screen).rows["overlap"].control.focus()
        await screen.press("q")
        await saved(screen)
        task = client._tasks[1]
        assert task.command == "set -e\npg_dump shop"
        assert task.env == {"DEST": "/srv"}
        assert task.limits["memory"] == 1_000_000_000
        assert task.overlap.value == "queue"


async def test_arrows_leave_a_field_of_several_lines_at_its_edges(show, client):
    async with show(client) as screen:
        await opened(screen, "E")
        form(screen).rows["command"].control.focus()
        await screen.press("down")
        assert form(screen).rows["tags"].control.has_focus
        await screen.press("up", "up")
        assert form(screen).rows["description"].control.has_focus


async def test_a_test_run_runs_what_stands_there_unsaved(show, client):
    async with show(client) as screen:
        await opened(screen, "E")
        await replaced(screen, "command", "true")
        form(screen).query_one("#test").focus()
        await screen.press("t")
        await says(screen, "has begun")
        assert client.calls == [("test_task", 1, {"command": "true"}, True)]
        assert isinstance(form(screen), FormScreen)


async def test_a_new_task_is_added_switched_off_to_be_tested_and_switched_on_by_saving(
    show, client
):
    async with show(client) as screen:
        await opened(screen, "a")
        await replaced(screen, "name", "fresh")
        await replaced(screen, "command", "true")
        form(screen).query_one("#test").focus()
        await screen.press("t")
        await says(screen, "Add fresh, switched off, to test it?")
        await screen.press("y")
        await says(screen, "has begun")
        assert (await client.find_task("fresh")).active is False
        await screen.press("ctrl+o")
        await says(screen, "active")
        await screen.press("y")
        await screen.until(lambda: form(screen) is screen.dashboard)
        assert (await client.find_task("fresh")).active is True


# --- new, copy -----------------------------------------------------------------------------------


async def test_a_adds_a_task(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "a")
        await screen.press(*"new")
        await replaced(screen, "command", "true")
        await screen.press("ctrl+o")
        await says(screen, "Add new?", "name: new", "command: true", "schedule: daily 02:30")
        await screen.press("y")
        await says(screen, "Added new")
        assert client._tasks[3].schedule == "daily 02:30"
        assert ("create_task", "new") in client.calls


async def test_an_empty_form_complains_only_once_it_is_to_be_saved(show, client):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "a")
        assert "cannot be empty" not in screen.text
        await screen.press("ctrl+o")
        await says(screen, "! Name", "! Command", "cannot be empty.")
        assert form(screen).rows["name"].control.has_focus


async def test_a_taken_name_is_told(show, client):
    async with show(client) as screen:
        await opened(screen, "a")
        await screen.press(*"probe")
        await replaced(screen, "command", "true")
        await screen.press("ctrl+o")
        await says(screen, "Add probe?")
        await screen.press("y")
        await says(screen, "The name 'probe' is used by task 2.", "! Name")
        assert isinstance(form(screen), FormScreen)


async def test_c_copies_a_task(show, client):
    async with show(client) as screen:
        await opened(screen, "c")
        await says(screen, "Copy of backup-db", "backup-db (copy)", "pg_dump shop")
        await saved(screen)
        copy = client._tasks[3]
        assert (copy.name, copy.command) == ("backup-db (copy)", "pg_dump shop")
        assert copy.own_timezone == "Europe/Berlin"


# --- delete, undo --------------------------------------------------------------------------------


async def test_a_task_is_deleted_by_its_name_alone(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.press("D")
        await says(screen, "Delete backup-db?")
        await screen.press(*"backup", "enter")
        await says(screen, "That is not its name.")
        assert client.calls == []
        await screen.press("minus", *"db", "enter")
        await screen.until(lambda: client.calls == [("delete_task", 1)])
        await says(screen, "U brings it back.")

        await screen.press("U")
        await says(screen, "It is back as it was.")
        assert client._tasks[1].name == "backup-db"


async def test_escape_deletes_nothing(show, client):
    async with show(client) as screen:
        await screen.press("D")
        await screen.until(lambda: isinstance(form(screen), TypeTheName))
        await screen.press("escape")
        await screen.until(lambda: form(screen) is screen.dashboard)
        assert client.calls == []


async def test_a_delete_means_the_row_that_was_under_the_cursor(show, client):
    async with show(client) as screen:
        await screen.press("D")
        await says(screen, "Delete backup-db?")
        client.put_task(make_task(0, "first"))
        await screen.press(*"backup", "minus", *"db", "enter")
        await screen.until(lambda: ("delete_task", 1) in client.calls)


async def test_without_a_deleted_task_none_comes_back(show, client):
    async with show(client) as screen:
        await screen.press("U")
        await says(screen, "Nothing was deleted on this screen.")


async def test_u_undoes_the_last_change_and_says_which(show, client):
    await client.change_task(1, {"schedule": "daily 04:00"})
    async with show(client, size=(80, 24)) as screen:
        await screen.press("u")
        await says(screen, "Undone: backup-db", "schedule: daily 04:00 → daily 02:30")
        assert client._tasks[1].schedule == "daily 02:30"
        await screen.press("u")
        await screen.until(lambda: client._tasks[1].schedule == "daily 04:00")


async def test_nothing_to_undo_is_said(show, client):
    async with show(client) as screen:
        await screen.press("u")
        await says(screen, "There is nothing to undo of 'backup-db'.")


# --- everywhere ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["e", "E", "c", "D", "u"])
async def test_without_a_task_under_the_cursor_nothing_happens(show, key):
    async with show(FakeClient()) as screen:
        await screen.press(key)
        await screen.pilot.pause()
        assert form(screen) is screen.dashboard


async def test_the_help_of_a_form_lists_its_keys(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await screen.press("question_mark")
        await screen.until(lambda: isinstance(form(screen), HelpScreen))
        for words in ("FORMS", "ctrl+o", "Shows first what would change", "Esc"):
            assert words in screen.text


async def test_a_form_survives_the_loss_of_the_engine(show, client):
    async with show(client) as screen:
        await opened(screen, "e")
        await replaced(screen, "time", "03:00")
        client.lose()
        await screen.until(lambda: screen.app.client is None)
        await screen.press("ctrl+o")
        await says(screen, "Save backup-db?")
        await screen.press("y")
        await says(screen, "No engine runs on")
        assert form(screen).rows["time"].control.value == "03:00"


@pytest.mark.parametrize("size", [(40, 10), (20, 3), (1, 1), (200, 60)])
async def test_any_size_is_survived(show, client, size):
    async with show(client, size=(80, 24)) as screen:
        await opened(screen, "E")
        await screen.pilot.resize_terminal(*size)
        await screen.pilot.pause()
        await screen.press("tab", "tab")
        assert isinstance(form(screen), FormScreen)


async def test_what_is_typed_ahead_behind_tab_belongs_to_the_next_field(show, client):
    async with show(client) as screen:
        await opened(screen, "c")
        for key in ("tab", "tab", "x", "y", "shift+tab", "z"):
            screen.app.post_message(events.Key(key, key if len(key) == 1 else None))
        rows = screen.app.screen.rows
        await screen.until(lambda: "z" in rows["description"].control.value)
        assert "xy" in rows["command"].control.text
        assert rows["name"].control.value.endswith("(copy)")
