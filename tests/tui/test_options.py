"""Looks and keys: what config.yaml, keys.toml and the last time say."""

from __future__ import annotations

import ast
import stat
from pathlib import Path

import pytest
from textual import events

import cronpilot.tui
from cronpilot.client.fake import FakeClient, make_task
from cronpilot.tui import themes
from cronpilot.tui.app import UNWATCHED
from cronpilot.tui.key_catalogue import catalogue
from cronpilot.tui.key_names import key_name
from cronpilot.tui.memory import Memory
from cronpilot.tui.options import ScreenOptions


@pytest.fixture
def client() -> FakeClient:
    """One task that has not run yet."""
    return FakeClient([make_task(1, "backup", last_run=None)])


# --- keys.toml -----------------------------------------------------------------------------------


async def test_keys_of_the_file_work_and_are_shown(show, client, tmp_path):
    keys = tmp_path / "keys.toml"
    keys.write_text('[task]\nrun = ["R", "f5"]\n[app]\nhelp = "f2"\n')
    async with show(client, options=ScreenOptions(keys_file=keys)) as screen:
        await screen.until(lambda: "R run" in screen.dashboard.key_bar.text)
        assert "f2 help" in screen.dashboard.key_bar.text
        await screen.until(lambda: "R runs it now" in screen.text)

        await screen.press("r")
        assert client.calls == []
        await screen.press("R")
        await screen.until(lambda: [name for name, *_ in client.calls] == ["run_now"])
        await screen.press("f2")
        await screen.until(lambda: "R f5" in screen.text)


async def test_a_bad_file_changes_nothing_and_is_told_until_it_is_mended(show, client, tmp_path):
    keys = tmp_path / "keys.toml"
    keys.write_text('[task]\nrun = "R"\nstpo = "X"\n')
    async with show(client, options=ScreenOptions(keys_file=keys), size=(80, 24)) as screen:
        said = "keys.toml:3: task.stpo: is not a known action. Did you mean task.stop?"
        await screen.until(lambda: said in screen.text)
        await screen.until(lambda: "r run" in screen.dashboard.key_bar.text)

        keys.write_text('[task]\nrun = "R"\n')
        screen.app.read_keys()
        await screen.until(lambda: "R run" in screen.dashboard.key_bar.text)
        assert "stpo" not in screen.text


def test_keys_that_sentences_name_are_the_built_in_ones():
    known = catalogue()
    told = [
        (node.args[0].value, node.args[1].value)
        for file in Path(cronpilot.tui.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "key"
        and len(node.args) == 2
        and all(isinstance(one, ast.Constant) for one in node.args)
    ]
    assert len(told) > 5
    assert [(action, key) for action, key in told
            if key not in map(key_name, known[action].keys)] == []  # fmt: skip


# --- what is remembered --------------------------------------------------------------------------


async def test_a_theme_chosen_on_the_screen_is_there_the_next_time(show, client, tmp_path):
    options = ScreenOptions(memory_file=tmp_path / "screen.json")
    async with show(client, options=options) as screen:
        await screen.press("T")
        assert screen.app.theme == themes.LIGHT
    async with show(client, options=options) as screen:
        assert screen.app.theme == themes.LIGHT


def test_a_theme_written_into_config_yaml_since_then_counts(tmp_path):
    memory = Memory(tmp_path / "screen.json")
    memory.choose_theme("light", "auto")

    assert Memory(tmp_path / "screen.json").theme("auto") == "light"
    assert Memory(tmp_path / "screen.json").theme("contrast") == "contrast"


def test_what_is_remembered_is_the_users_own(tmp_path):
    Memory(tmp_path / "screen.json").use("task.run")

    assert stat.S_IMODE((tmp_path / "screen.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["screen.json"]


@pytest.mark.parametrize("text", ["", "[1]", '{"recent": 5, "theme": []}', "{" * 30_000, "\x00"])
def test_a_file_that_cannot_be_read_is_forgotten(tmp_path, text):
    (tmp_path / "screen.json").write_text(text)
    memory = Memory(tmp_path / "screen.json")

    assert (memory.recent, memory.theme("auto")) == ([], "auto")


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_breaks(tmp_path):
    Memory(tmp_path / "nowhere" / "screen.json").use("task.run")
    Memory(None).use("task.run")
    assert list(tmp_path.iterdir()) == []


# --- looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", themes.WORDS.values())
async def test_every_theme_shows_the_screen(show, client, theme):
    async with show(client, options=ScreenOptions(theme=theme)) as screen:
        assert themes.WORDS[screen.app.theme] == theme
        assert "backup" in screen.text


async def test_a_terminal_that_is_not_looked_at_is_told_the_time_every_ten_seconds(
    show, client, clock
):
    async with show(client) as screen:
        screen.app.post_message(events.AppBlur())
        await screen.until(lambda: not screen.app.app_focus)
        screen.app._tick()
        clock.advance(minutes=1)
        screen.app._ticked = clock() - UNWATCHED / 2
        screen.app._tick()
        assert "12:00" in screen.dashboard.status_bar.text
        clock.advance(seconds=6)
        screen.app._tick()
        assert "12:01" in screen.dashboard.status_bar.text

        clock.advance(minutes=1)
        screen.app.post_message(events.AppFocus())
        await screen.until(lambda: screen.app.app_focus)
        screen.app._tick()
        assert "12:02" in screen.dashboard.status_bar.text


async def test_ctrl_z_says_why_it_does_nothing(show, client):
    async with show(client) as screen:
        await screen.press("ctrl+z")
        await screen.until(lambda: "q, then b gives the prompt back" in screen.text)


async def test_ascii_can_be_asked_for(show, client):
    async with show(client, options=ScreenOptions(ascii=True)) as screen:
        assert screen.text.isascii()
