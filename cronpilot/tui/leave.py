"""How the screen was left."""

from __future__ import annotations

from enum import Enum


class Leave(Enum):
    """What the one who started the screen has to do next."""

    DETACH = "keep running in the background"
    STOP = "stop the scheduler"
    VIEWER_QUIT = "a viewer left"
    LOG_OUT = "the user of a browser logged out"
    HANGUP = "the terminal is gone"
    TERMINATED = "SIGTERM or SIGINT"
    CRASHED = "the screen broke"
