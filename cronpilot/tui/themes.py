"""The colours. Dark and light are ours; `plain` is the terminal's own 16, also for NO_COLOR."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import BUILTIN_THEMES, Theme

DARK, LIGHT, PLAIN = "cronpilot-dark", "cronpilot-light", "cronpilot-plain"

# What the stylesheet asks for beyond Textual's own names: a dimmed text, the row under the cursor
# (with and without the focus), the bars at the edges, and how a row is marked without any colour.
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
    variables={
        "muted": "#79839a",
        "busy": "#7dcfff",
        "strong": "#eef1f8",
        "bar": "#1d2129",
        "bar-text": "#a9b3c9",
        "cursor": "#2b3547",
        "cursor-blurred": "#20252e",
        "cursor-style": "none",
        "cursor-blurred-style": "none",
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
    success="#2f7a33",
    warning="#8f5a00",
    error="#b3223f",
    variables={
        "muted": "#6b7283",
        "busy": "#00647d",
        "strong": "#0c0f16",
        "bar": "#e9e9e2",
        "bar-text": "#4a5162",
        "cursor": "#d5def1",
        "cursor-blurred": "#ececE6",
        "cursor-style": "none",
        "cursor-blurred-style": "none",
        "alarm": "#b3223f",
        "alarm-text": "#ffffff",
        "rule": "#cfcfc6",
    },
)

_PLAIN = Theme(
    name=PLAIN,
    dark=True,
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    variables=BUILTIN_THEMES["ansi-dark"].variables
    | {
        "muted": "ansi_default",
        "busy": "ansi_cyan",
        "strong": "ansi_default",
        "bar": "ansi_default",
        "bar-text": "ansi_default",
        "cursor": "ansi_default",
        "cursor-blurred": "ansi_default",
        "cursor-style": "reverse",
        "cursor-blurred-style": "bold",
        "alarm": "ansi_red",
        "alarm-text": "ansi_white",
        "rule": "ansi_default",
    },
)

THEMES = (_DARK, _LIGHT, _PLAIN)
VARIABLES = dict(_DARK.variables)
"""A value for each of our names, so that the stylesheet can be read before a theme is chosen."""


def choose_theme(environ: Mapping[str, str]) -> str:
    """The theme for this terminal: NO_COLOR and 16-colour terminals get the terminal's own colours;
    one that says its background is light (COLORFGBG) gets the light one."""
    term = environ.get("TERM", "")
    few_colours = term in ("linux", "vt100", "vt102", "vt220", "ansi", "screen", "xterm", "rxvt")
    if "NO_COLOR" in environ or (few_colours and not environ.get("COLORTERM")):
        return PLAIN
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if background in ("7", "15") else DARK
