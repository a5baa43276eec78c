"""The colours: dark, light, high contrast, the terminal's own 16, and none at all.

A tone is never told by its colour alone; a test computes how well each can be read.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.terminal_theme import TerminalTheme
from textual.theme import BUILTIN_THEMES, Theme

DARK, LIGHT, CONTRAST = "cronpilot-dark", "cronpilot-light", "cronpilot-contrast"
SIXTEEN, MONO = "cronpilot-16", "cronpilot-mono"

# What the stylesheet asks for beyond Textual's own names: a dimmed text, the row under the cursor
# (with and without the focus), the bars at the edges, and what stands out without any colour.
_NO_STYLES = {"cursor-style": "none", "cursor-blurred-style": "none", "bad-style": "none",
              "warn-style": "none", "alarm-style": "none", "hint-style": "none"}  # fmt: skip
_DARK = Theme(
    name=DARK,
    dark=True,
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#7aa2f7",
    foreground="#c8d0e0",
    background="#14161b",
    surface="#1a1d23",
    panel="#20242c",
    success="#8fbf7f",
    warning="#e0af68",
    error="#f7768e",
    variables=_NO_STYLES
    | {
        "muted": "#949eb3",
        "busy": "#7dcfff",
        "strong": "#eef1f8",
        "bar": "#1d2129",
        "bar-text": "#a9b3c9",
        "cursor": "#263043",
        "cursor-blurred": "#20252e",
        "alarm": "#a3263f",
        "alarm-text": "#ffffff",
        "rule": "#333a47",
    },
)

_LIGHT = Theme(
    name=LIGHT,
    dark=False,
    primary="#2f5fc4",
    secondary="#00708a",
    accent="#2f5fc4",
    foreground="#2a2f3a",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#eaeae4",
    success="#216a26",
    warning="#7f4f00",
    error="#ad1f3b",
    variables=_NO_STYLES
    | {
        "muted": "#586070",
        "busy": "#00647d",
        "strong": "#0c0f16",
        "bar": "#e9e9e2",
        "bar-text": "#4a5162",
        "cursor": "#d5def1",
        "cursor-blurred": "#ecece6",
        "alarm": "#b3223f",
        "alarm-text": "#ffffff",
        "rule": "#cfcfc6",
    },
)

_CONTRAST = Theme(
    name=CONTRAST,
    dark=True,
    primary="#6cb6ff",
    secondary="#5ce1ff",
    accent="#ffd75f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#101010",
    success="#7dff7d",
    warning="#ffd75f",
    error="#ffa0a0",
    variables=_NO_STYLES
    | {
        "muted": "#d0d0d0",
        "busy": "#7ee8ff",
        "strong": "#ffffff",
        "bar": "#202020",
        "bar-text": "#ffffff",
        "cursor": "#000000",
        "cursor-blurred": "#202020",
        "cursor-style": "reverse",
        "cursor-blurred-style": "underline",
        "bad-style": "bold",
        "alarm": "#ffa0a0",
        "alarm-text": "#000000",
        "rule": "#ffffff",
    },
)


def _of_the_terminal(name: str, colours: Mapping[str, str], styles: Mapping[str, str]) -> Theme:
    """A theme in the terminal's own colours, for what has no other: `ansi_default` is none."""
    default = "ansi_default"
    told = {
        **dict.fromkeys(("primary", "good", "bad", "warn", "busy", "alarm"), default),
        **colours,
    }
    names = ("muted", "strong", "bar", "bar-text", "cursor", "cursor-blurred", "rule")
    return Theme(
        name=name,
        dark=True,
        ansi=True,
        primary=told["primary"],
        secondary=told["busy"],
        accent=told["busy"],
        foreground=default,
        background=default,
        surface=default,
        panel=default,
        boost=default,
        success=told["good"],
        warning=told["warn"],
        error=told["bad"],
        variables=BUILTIN_THEMES["ansi-dark"].variables
        | _NO_STYLES
        | dict.fromkeys(names, default)
        | {"busy": told["busy"], "alarm": told["alarm"], "cursor-style": "reverse",
           "alarm-text": "ansi_white" if "alarm" in colours else default,
           "cursor-blurred-style": "bold", "hint-style": "dim", **styles},
    )  # fmt: skip


_SIXTEEN = _of_the_terminal(
    SIXTEEN,
    {"primary": "ansi_blue", "busy": "ansi_cyan", "good": "ansi_green", "warn": "ansi_yellow",
     "bad": "ansi_red", "alarm": "ansi_red"},
    {},
)  # fmt: skip
_MONO = _of_the_terminal(
    MONO,
    {},
    {"bad-style": "bold", "warn-style": "bold", "alarm-style": "reverse",
     "input-cursor-background": "ansi_default", "input-cursor-foreground": "ansi_default",
     "input-cursor-text-style": "reverse"},
)  # fmt: skip

# A log's own 16 colours, on a light ground: what is white or yellow there has to be read here, too.
LOG_ON_LIGHT = TerminalTheme(
    (251, 251, 249),
    (42, 47, 58),
    [(0, 0, 0), (170, 40, 40), (33, 106, 38), (127, 79, 0), (40, 80, 180), (122, 62, 157),
     (0, 100, 125), (88, 96, 112)],
    [(100, 106, 118), (190, 30, 50), (20, 115, 20), (140, 88, 0), (0, 95, 190), (165, 40, 165),
     (0, 112, 138), (42, 47, 58)],
)  # fmt: skip

THEMES = (_DARK, _LIGHT, _CONTRAST, _SIXTEEN, _MONO)
WORDS = {DARK: "dark", LIGHT: "light", CONTRAST: "contrast", SIXTEEN: "16", MONO: "mono"}
"""What they are called in config.yaml and to people."""
LOOKS = {
    DARK: "Light text on dark",
    LIGHT: "Dark text on light",
    CONTRAST: "High contrast, on black",
    SIXTEEN: "The terminal's own 16 colours",
    MONO: "No colours but a log's own",
}
VARIABLES = dict(_DARK.variables)
"""A value for each of our names, so that the stylesheet can be read before a theme is chosen."""


def choose_theme(
    environ: Mapping[str, str], wanted: str = "auto", depth: str | None = "truecolor"
) -> str:
    """The theme for this terminal: none of its own with NO_COLOR, whatever was wanted; the 16
    colours of a terminal that has no others (`depth` is Rich's word); else what is wanted, one of
    `WORDS`; else light where the terminal says that its background is (COLORFGBG)."""
    if "NO_COLOR" in environ:
        return MONO
    chosen = next((name for name, word in WORDS.items() if word == wanted), None)
    if depth not in ("256", "truecolor"):
        return MONO if chosen == MONO else SIXTEEN
    if chosen is not None:
        return chosen
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if background in ("7", "15") else DARK
