"""Typed ahead: over a slow line several keys arrive at once, and each means what it would have
meant one by one."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import pytest
from textual import events

import cronpilot.tui
from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.domain.run import Status
from cronpilot.errors import Refused
from cronpilot.tui import type_ahead
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.screens.form import FormScreen
from cronpilot.tui.screens.form_questions import TypeTheName
from cronpilot.tui.screens.run_page import RunPage

NAMES = {"/": "slash", ":": "colon", "?": "question_mark", "\n": "enter", " ": "space",
         "\x1b": "escape", "\t": "tab", "-": "minus"}  # fmt: skip


@pytest.fixture
def client(clock):
    """Three tasks; the second one runs."""
    tasks = [make_task(1, "backup-db"), make_task(2, "probe", running=1), make_task(3, "report")]
    runs = [make_run(8, task_id=1, task_name="backup-db", status=Status.SUCCESS, pid=None),
            make_run(9, task_id=2, task_name="probe")]  # fmt: skip
    return FakeClient(tasks, runs, {8: b"done\n", 9: b"going\n"}, clock)


def at_once(screen, typed: str) -> None:
    """As a slow line brings them: all before any of them was handled."""
    for sign in typed:
        screen.app.post_message(events.Key(NAMES.get(sign, sign), sign))


def done(client) -> list[tuple[object, ...]]:
    return [tuple(one) for one in client.calls]


class Slow:
    """The engine answers the call of that name when it is told to."""

    def __init__(self, client, name, monkeypatch):
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        real = getattr(client, name)

        async def slow(*args, **kwargs):
            self.asked.set()
            await self.go.wait()
            return await real(*args, **kwargs)

        monkeypatch.setattr(client, name, slow)


# --- what opens gets what was typed behind its key -----------------------------------------------


@pytest.mark.parametrize("keys", [":rp", "/rp", "?rp", "Drp", "zrp", "\n/rp", "j:rp", "L/rp"])
async def test_letters_behind_a_key_that_opens_a_line_are_text_there(show, client, keys):
    async with show(client) as screen:
        at_once(screen, keys)
        await screen.until(lambda: getattr(screen.app.focused, "value", "") == "rp")
        assert done(client) == []


@pytest.mark.parametrize(("key", "name"), [("a", "px"), ("E", "backup-dbpx"),
                                           ("c", "backup-db (copy)px")])  # fmt: skip
async def test_letters_behind_the_key_of_a_form_stand_in_its_first_field(show, client, key, name):
    async with show(client) as screen:
        at_once(screen, key + "px")
        await screen.until(lambda: isinstance(screen.app.screen, FormScreen))
        await screen.until(lambda: screen.app.screen.rows["name"].control.value == name)
        assert done(client) == []


async def test_questions_one_behind_the_other_are_answered_in_their_order(show, client):
    async with show(client) as screen:
        at_once(screen, "Pu2h\nj")
        await screen.until(lambda: done(client))
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 2)
        assert [name for name, *_ in done(client)] == ["pause_scheduler"]


async def test_a_run_is_stopped_and_the_task_below_is_started_in_one_go(show, client):
    async with show(client) as screen:
        at_once(screen, "jxtjr")
        await screen.until(lambda: len(done(client)) == 2)
        assert [one[:2] for one in done(client)] == [("stop_run", 9), ("run_now", 3)]


async def test_marked_tasks_are_asked_about_and_the_answer_is_taken(show, client):
    async with show(client) as screen:
        at_once(screen, "  ry")
        await screen.until(lambda: len(done(client)) == 2)
        assert [one[:2] for one in done(client)] == [("run_now", 1), ("run_now", 2)]


async def test_a_page_that_is_opened_and_left_leaves_the_next_keys_to_the_table(show, client):
    async with show(client) as screen:
        await screen.press("4")
        await screen.until(lambda: screen.dashboard.history.chosen)
        at_once(screen, "\n\x1b1j")
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 2)
        assert screen.app.screen is screen.dashboard
        at_once(screen, "4\n")
        await screen.until(lambda: isinstance(screen.app.screen, RunPage))


async def test_what_is_pasted_behind_a_key_is_text_of_what_it_opens(show, client):
    async with show(client) as screen:
        at_once(screen, "D")
        screen.app.post_message(events.Paste("backup-db"))
        at_once(screen, "\n")
        await screen.until(lambda: done(client))
        assert [one[:2] for one in done(client)] == [("delete_task", 1)]


async def test_a_letter_in_the_packet_of_an_escape_is_not_that_letter_with_alt(show, client):
    async with show(client) as screen:
        at_once(screen, "L")
        screen.app.post_message(events.Key("alt+j", "j"))
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 2)
        screen.app.post_message(events.Key("alt+r", None))  # from a terminal that knows Alt
        at_once(screen, "j")
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 3)
        assert done(client) == []


# --- nothing opens -------------------------------------------------------------------------------


async def says(screen, *words: str) -> None:
    await screen.until(lambda: all(one in screen.text for one in words))


async def test_what_was_typed_to_a_question_that_is_refused_does_nothing(show, client, monkeypatch):
    async def refuse(task_id):
        raise Refused("It is locked.")

    async with show(client) as screen:
        monkeypatch.setattr(client, "task", refuse)
        at_once(screen, "Dprx\n")
        await says(screen, "The 4 keys typed ahead did nothing")
        assert done(client) == []
        assert screen.app.screen is screen.dashboard
        await screen.press("j")
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 2)


@pytest.mark.parametrize("keys", ["xp", "ep", "5/p", "/zzz\nDp"])
async def test_where_there_is_nothing_to_open_the_next_keys_do_nothing(show, client, keys):
    """No run to stop, no engine, no filter in that view, no row."""
    async with show(client) as screen:
        if keys == "ep":
            client.lose()
        at_once(screen, keys)
        await says(screen, "The 1 key typed ahead did nothing")
        assert done(client) == []


async def test_an_engine_that_does_not_answer_holds_keys_back_for_a_moment_only(
    show, client, monkeypatch
):
    async with show(client) as screen:
        engine = Slow(client, "task", monkeypatch)
        monkeypatch.setattr(type_ahead, "SLOW", 0.05)
        at_once(screen, "Drp")
        await says(screen, "The engine has not answered yet", "The 2 keys typed ahead did nothing")
        assert done(client) == []
        await screen.press("j")
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 2)
        engine.go.set()
        await screen.until(lambda: isinstance(screen.app.screen, TypeTheName))


async def test_starting_a_task_keeps_no_key_waiting(show, client, monkeypatch):
    async with show(client) as screen:
        engine = Slow(client, "run_now", monkeypatch)
        at_once(screen, "rj")
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 2)
        assert not engine.go.is_set()
        engine.go.set()


# --- the row that was under the cursor when the key was pressed ----------------------------------


@pytest.mark.parametrize(("keys", "did"), [
    pytest.param("Dprobe\n", ("delete_task", 2), id="deleted"),
    pytest.param("xt", ("stop_run", 9), id="stopped"),
    pytest.param("z2h\n", ("pause_task", 2), id="paused until"),
])  # fmt: skip
async def test_a_question_is_about_the_row_of_its_key_whatever_the_table_does_meanwhile(
    show, client, monkeypatch, keys, did
):
    async with show(client) as screen:
        await screen.press("j")
        engine = Slow(client, "runs" if keys == "xt" else "task", monkeypatch)
        at_once(screen, keys)
        await engine.asked.wait()
        screen.dashboard.tasks.refilter("report")  # the row of the key is there no more
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 3)
        engine.go.set()
        await screen.until(lambda: done(client))
        assert [one[:2] for one in done(client)] == [did]


async def test_a_question_that_is_open_names_its_row_while_the_table_moves_on(show, client):
    async with show(client) as screen:
        await screen.press("j", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        screen.dashboard.tasks.refilter("report")
        await screen.until(lambda: screen.dashboard.tasks.table.row_id == 3)
        assert "Stop run 9 of probe?" in screen.app.screen.text
        await screen.press("t")
        await screen.until(lambda: done(client))
        assert [one[:2] for one in done(client)] == [("stop_run", 9)]


# --- nothing is forgotten ------------------------------------------------------------------------


OPENING = ("push_screen", "open_palette", "open_help", "_fill_in")


def group_of(function: ast.AsyncFunctionDef) -> str | None:
    """The group of a worker that opens a screen."""
    for decorator in map(ast.unparse, function.decorator_list):
        if decorator.startswith("work(") and any(one in ast.unparse(function) for one in OPENING):
            return decorator.partition("group='")[2].partition("'")[0]
    return None


def test_every_worker_that_opens_a_screen_is_in_a_group_that_keys_wait_for():
    sources = [path.read_text() for path in Path(cronpilot.tui.__file__).parent.rglob("*.py")]
    functions = [node for source in sources for node in ast.walk(ast.parse(source))
                 if isinstance(node, ast.AsyncFunctionDef)]  # fmt: skip
    groups = {group for function in functions if (group := group_of(function)) is not None}

    assert len(groups) > 5
    assert groups <= type_ahead.ASKING
