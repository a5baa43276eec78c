"""Joins the admin panel to the API's app: the same port, the same users, the same engine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from cronpilot.config.web_settings import WebSettings


def add_panel(app: FastAPI, state_dir: Path, settings: WebSettings) -> None:
    """Let `app` serve the panel of the engine that answers in `state_dir`, if it is wanted."""
    if not settings.enabled:
        return
    from cronpilot.api.auth import end_of_cookie, session_cookie, session_token
    from cronpilot.web.gate import Cookie
    from cronpilot.web.program import tab_program
    from cronpilot.web.routes import PUBLIC, panel_routes
    from cronpilot.web.tabs import Limits

    cookie = Cookie(session_token, session_cookie, end_of_cookie)
    limits = Limits(settings.tabs, settings.idle.total_seconds())
    app.router.routes.extend(panel_routes(cookie, limits, partial(tab_program, state_dir)))
    app.state.public.update(PUBLIC)
