"""`cronpilot` alone: which words open the screen at once, and with what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cronpilot.cli import opening
from cronpilot.config.places import PlainLooks, places_without_config
from cronpilot.config.settings import Settings, load_settings, whole


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("", {}),
        ("--state-dir a --ascii", {"--state-dir": "a", "--ascii": ""}),
        ("--no-mouse --tasks=b", {"--no-mouse": "", "--tasks": "b"}),
        ("--connect a.sock", {"--connect": "a.sock"}),
        ("--user me --connect=https://b", {"--user": "me", "--connect": "https://b"}),
    ],
)  # fmt: skip
def test_the_usual_words_open_it_at_once(typed: str, given: dict[str, str]) -> None:
    assert opening.understand(typed.split()) == given


@pytest.mark.parametrize(
    "typed",
    ["list", "--headless", "--help", "--connect", "--user x", "--config c", "--yes", "--tasks",
     "--tasks= x", "--ascii=1", "--tasks --ascii", "--", "-h"],
)  # fmt: skip
def test_other_words_go_the_whole_way(typed: str) -> None:
    assert opening.understand(typed.split()) is None


def test_so_does_a_config_yaml(somewhere: Path) -> None:
    (somewhere / "config.yaml").write_text("tui: {theme: mono}\n")

    assert opening.open_screen([]) is None


def test_so_does_a_file_that_is_not_there(somewhere: Path) -> None:
    assert opening.open_screen(["--tasks", "nowhere.yaml"]) is None


def test_no_terminal_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    assert opening.open_screen([]) == 2

    assert "cronpilot --headless" in capfd.readouterr().err


@pytest.mark.parametrize("port", ["off", "7777"])
def test_its_settings_are_those_of_the_whole_way(
    somewhere: Path, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("CRONPILOT_API_PORT", port)
    (somewhere / "tasks.yaml").write_text("tasks: []\n")
    (somewhere / "keys.toml").write_text("")
    state_dir = Path("somewhere")

    places = places_without_config(
        tasks=None, state_dir=state_dir, looks=PlainLooks(), environ=os.environ, cwd=somewhere
    )

    assert places is not None
    assert not isinstance(places, Settings)
    usual = load_settings(state_dir=state_dir, environ=os.environ, cwd=somewhere)
    assert whole(places, os.environ) == usual
    assert whole(usual, os.environ) is usual
