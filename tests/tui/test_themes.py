"""Which colours a terminal gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.color import Color
from textual.css.stylesheet import Stylesheet

import cronpilot.tui
from cronpilot.client.fake import FakeClient
from cronpilot.config.screen_settings import ScreenSettings
from cronpilot.tui import themes
from cronpilot.tui.options import ScreenOptions

from .conftest import Show


@pytest.mark.parametrize(
    ("environ", "wanted", "expected"),
    [
        ({"TERM": "xterm-256color"}, "auto", themes.DARK),
        ({"TERM": "tmux-256color"}, "auto", themes.DARK),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "auto", themes.LIGHT),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "auto", themes.DARK),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "contrast", themes.CONTRAST),
        ({"TERM": "linux"}, "auto", themes.SIXTEEN),
        ({"TERM": "linux"}, "light", themes.SIXTEEN),
        ({"TERM": "linux"}, "mono", themes.MONO),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "light", themes.LIGHT),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "dark", themes.MONO),
    ],
)
def test_the_theme_follows_what_is_wanted_and_the_terminal(environ, wanted, expected):
    assert themes.choose_theme(environ, wanted) == expected


def test_config_yaml_knows_every_theme_by_its_word():
    words = ScreenSettings.model_fields["theme"].annotation
    assert {"auto", *themes.WORDS.values()} == set(words.__args__)
    assert set(themes.WORDS) == {theme.name for theme in themes.THEMES}


def test_every_theme_has_all_our_names():
    for theme in themes.THEMES:
        assert set(themes.VARIABLES) <= set(theme.variables)


def test_the_stylesheet_says_what_every_tone_looks_like():
    from cronpilot.tui.formatting import TONES

    sheet = (Path(cronpilot.tui.__file__).parent / "app.tcss").read_text()
    assert {f".tone--{tone}" for tone in TONES} <= set(re.findall(r"\.tone--\w+", sheet))


TEXTS = ("foreground", "muted", "busy", "strong", "bar-text", "success", "warning", "error")
GROUNDS = ("background", "panel", "bar", "cursor", "cursor-blurred")


@pytest.mark.parametrize(
    ("theme", "enough"),
    [(themes.DARK, 4.5), (themes.LIGHT, 4.5), (themes.CONTRAST, 7)],  # WCAG's AA and AAA
)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_can_be_read_wherever_it_stands(theme, enough, text):
    assert min(contrast(colour(theme, text), colour(theme, ground)) for ground in GROUNDS) >= enough


@pytest.mark.parametrize("number", range(16))
def test_every_colour_of_a_log_can_be_read_on_a_light_ground(number):
    red, green, blue = themes.LOG_ON_LIGHT.ansi_colors[number]
    of_log = f"#{red:02x}{green:02x}{blue:02x}"
    assert contrast(of_log, colour(themes.LIGHT, "background")) >= 4.5


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT, themes.CONTRAST])
def test_an_alarm_can_be_read(theme):
    assert contrast(colour(theme, "alarm"), colour(theme, "alarm-text")) >= 4.5


def test_without_colours_nothing_has_one_and_what_is_bad_is_bold():
    mono = next(one for one in themes.THEMES if one.name == themes.MONO)
    assert {colour(themes.MONO, text) for text in (*TEXTS, *GROUNDS, "alarm", "alarm-text")} == {
        "ansi_default"
    }
    assert (mono.variables["bad-style"], mono.variables["cursor-style"]) == ("bold", "reverse")


def colour(theme: str, name: str) -> str:
    chosen = next(one for one in themes.THEMES if one.name == theme)
    return chosen.variables.get(name) or getattr(chosen, name)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two #rrggbb colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


async def test_the_stylesheet_is_read_once_for_the_first_paint(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_again: list[Stylesheet] = []
    monkeypatch.setattr(Stylesheet, "reparse", read_again.append)

    async with show(FakeClient(), options=ScreenOptions(theme="light")) as screen:
        assert screen.app.theme == themes.LIGHT
        assert screen.app.screen.styles.background == Color.parse("#fbfbf9")

    assert read_again == []
