"""The API over one engine."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from cronpilot import __version__
from cronpilot.api import problems
from cronpilot.api.front import NameFront
from cronpilot.api.routes import (
    definitions,
    events,
    fire_times,
    logs,
    runs,
    scheduler,
    status,
    tasks,
)
from cronpilot.client import Client


def make_app(engine: Client) -> FastAPI:
    """All routes over `engine`.

    Nobody is asked for a password: serve it only where the socket's mode decides who gets in.
    Setting `app.state.ending` ends the open streams.
    """
    app = FastAPI(
        title="CronPilot",
        version=__version__,
        description="Tasks, their schedules, their runs and their output.",
        docs_url=None,  # FastAPI's pages load their scripts from the internet
        redoc_url=None,
    )
    app.state.engine = engine
    app.state.ending = asyncio.Event()
    app.add_middleware(NameFront)
    for routes in (tasks, definitions, runs, logs, fire_times, events, status, scheduler):
        app.include_router(routes.router)
    problems.install(app)
    return app
