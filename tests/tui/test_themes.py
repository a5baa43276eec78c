"""Which colours a terminal gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.theme import Theme
from textual.widgets import Input

import cronpilot.tui
from cronpilot.client.fake import NOON, FakeClient
from cronpilot.config.screen_settings import ScreenSettings
from cronpilot.tui import themes
from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.themes_256 import themes_for

from .conftest import Show


@pytest.mark.parametrize(
    ("environ", "wanted", "expected"),
    [
        ({}, "auto", themes.DARK),
        ({"COLORFGBG": "0;15"}, "auto", themes.LIGHT),
        ({"COLORFGBG": "15;0"}, "auto", themes.DARK),
        ({"COLORFGBG": "0;15"}, "contrast", themes.CONTRAST),
        ({"NO_COLOR": "1"}, "dark", themes.MONO),
    ],
)
def test_the_theme_follows_what_is_wanted_and_the_terminal(environ, wanted, expected):
    assert themes.choose_theme(environ, wanted) == expected


@pytest.mark.parametrize(
    ("term", "colorterm", "wanted", "expected"),
    [
        ("xterm-256color", "", "light", themes.LIGHT),
        ("tmux-256color", "", "light", themes.LIGHT),
        ("linux", "", "auto", themes.SIXTEEN),
        ("linux", "", "light", themes.SIXTEEN),
        ("linux", "", "mono", themes.MONO),
        pytest.param("tmux", "", "auto", themes.SIXTEEN, id="a name that promises nothing"),
        ("xterm", "truecolor", "light", themes.LIGHT),
    ],
)
def test_a_terminal_without_enough_colours_keeps_its_own(
    monkeypatch, term, colorterm, wanted, expected
):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colorterm)

    assert an_app(ScreenOptions(theme=wanted)).theme == expected


def test_a_terminal_of_256_colours_gets_colours_that_it_has(monkeypatch):
    monkeypatch.setenv("COLORTERM", "")  # as over SSH, which does not hand it on

    ground = an_app(ScreenOptions(theme="dark")).current_theme.background

    assert (ground, colour(themes.DARK, "background")) == ("#121212", "#14161b")


def an_app(options: ScreenOptions) -> CronPilotApp:
    """A screen that nobody has opened."""

    async def connect() -> FakeClient:
        return FakeClient()

    return CronPilotApp(connect, role="owner", host="example", state_dir="/nowhere",
                        clock=lambda: NOON, options=options)  # fmt: skip


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


@pytest.mark.parametrize(
    ("name", "enough"), [(themes.DARK, 4.5), (themes.LIGHT, 4.5), (themes.CONTRAST, 7)]
)
@pytest.mark.parametrize("text", TEXTS)
def test_in_256_colours_every_text_can_be_read_as_well(name, enough, text):
    theme = next(one for one in themes_for("256") if one.name == name)
    grounds = [in_256(colour_of(theme, ground)) for ground in GROUNDS]
    assert min(contrast(in_256(colour_of(theme, text)), ground) for ground in grounds) >= enough


@pytest.mark.parametrize("theme", themes_for("256")[:3], ids=lambda theme: theme.name)
def test_in_256_colours_the_row_under_the_cursor_and_fields_stand_out(theme):
    ground = in_256(colour_of(theme, "background"))
    assert in_256(colour_of(theme, "panel")) != ground
    assert in_256(colour_of(theme, "cursor-blurred")) != ground
    if theme.variables["cursor-style"] == "none":
        cursor = in_256(colour_of(theme, "cursor"))
        assert cursor not in (ground, in_256(colour_of(theme, "cursor-blurred")))


@pytest.mark.parametrize("theme", themes_for("256")[:2], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["foreground", "muted", "bar-text", "background", "bar", "panel"])
def test_in_256_colours_what_is_grey_stays_grey(theme, name):
    assert len(set(Color.parse(in_256(colour_of(theme, name))).rgb)) == 1


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


async def test_without_colours_the_cursor_in_a_text_is_seen(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with show(FakeClient()) as screen:
        await screen.press("slash")
        await screen.until(lambda: isinstance(screen.app.focused, Input))
        assert screen.app.focused.get_component_rich_style("input--cursor").reverse


def colour(theme: str, name: str) -> str:
    chosen = next(one for one in themes.THEMES if one.name == theme)
    return colour_of(chosen, name)


def colour_of(theme: Theme, name: str) -> str:
    return theme.variables.get(name) or getattr(theme, name)


def in_256(colour: str) -> str:
    """The colour that is written for this one where there are only 256."""
    number = RichColor.parse(colour).downgrade(ColorSystem.EIGHT_BIT).number
    return RichColor.from_ansi(number).get_truecolor().hex


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
