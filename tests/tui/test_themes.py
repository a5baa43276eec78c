"""Which colours a terminal gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cronpilot.tui
from cronpilot.tui import themes


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, themes.DARK),
        ({"TERM": "tmux-256color"}, themes.DARK),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, themes.LIGHT),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, themes.DARK),
        ({"TERM": "linux"}, themes.PLAIN),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, themes.PLAIN),
    ],
)
def test_the_theme_follows_the_terminal(environ, expected):
    assert themes.choose_theme(environ) == expected


def test_every_theme_has_all_our_names():
    for theme in themes.THEMES:
        assert set(themes.VARIABLES) <= set(theme.variables)


def test_the_stylesheet_says_what_every_tone_looks_like():
    from cronpilot.tui.formatting import TONES

    sheet = (Path(cronpilot.tui.__file__).parent / "app.tcss").read_text()
    assert {f".tone--{tone}" for tone in TONES} <= set(re.findall(r"\.tone--\w+", sheet))


@pytest.mark.parametrize("theme", [themes.DARK, themes.LIGHT])
@pytest.mark.parametrize("name", ["muted", "busy", "strong", "bar-text", "success", "warning",
                                  "error"])  # fmt: skip
def test_text_can_be_read_on_its_background(theme, name):
    chosen = next(one for one in themes.THEMES if one.name == theme)
    colour = chosen.variables.get(name) or getattr(chosen, name)
    backgrounds = (chosen.background, chosen.variables["bar"], chosen.variables["cursor"])
    assert min(contrast(colour, background) for background in backgrounds) >= 3


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
