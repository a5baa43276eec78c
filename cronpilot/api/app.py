"""The API over one engine."""

from __future__ import annotations

import asyncio

from fastapi import Depends, FastAPI

from cronpilot import __version__
from cronpilot.api import problems
from cronpilot.api.auth import Gate
from cronpilot.api.front import NameFront, OneSlash
from cronpilot.api.late_routes import put_into
from cronpilot.api.openapi import describe
from cronpilot.api.parameters import only_known
from cronpilot.api.rights import permitted
from cronpilot.api.routes import (
    agenda,
    definitions,
    events,
    fire_times,
    incidents,
    live,
    logs,
    metrics,
    pages,
    pools,
    quiet,
    runs,
    scheduler,
    status,
    tasks,
    users,
)
from cronpilot.api.streams import Streams
from cronpilot.client import Client


def make_app(engine: Client, gate: Gate | None = None) -> FastAPI:
    """All routes over `engine`.

    It answers nobody by itself: `auth.Trusted` or `auth.Closed` around it say who asks.
    Setting `app.state.ending` ends the open streams. `app.state.public` names what strangers see.
    """
    app = FastAPI(
        title="CronPilot",
        version=__version__,
        description="Tasks, their schedules, their runs and their output.",
        docs_url=None,  # FastAPI's pages load their scripts from the internet
        redoc_url=None,
        openapi_url=None,  # this and a page of our own: see routes.pages
        redirect_slashes=False,
        responses=problems.ANSWERS,
        dependencies=[Depends(permitted), Depends(only_known)],
    )
    app.state.engine = engine
    app.state.gate = gate
    app.state.figures = getattr(engine, "figures", None)  # a fake has none
    app.state.info = getattr(engine, "info", None)  # nor this
    app.state.public = {"/healthz"}
    app.state.ending = asyncio.Event()
    app.state.streams = Streams()
    app.add_middleware(NameFront)
    lists: set[str] = set()
    for routes in (
        agenda,
        live,
        tasks,
        definitions,
        runs,
        logs,
        fire_times,
        incidents,
        events,
        status,
        scheduler,
        users,
        pools,
        quiet,
        metrics,
    ):
        lists |= {path for path in put_into(app, routes.router) if path.endswith("/")}
    app.router.routes.extend(pages.ROUTES)
    app.add_middleware(OneSlash, lists=lists)
    describe(app)
    problems.install(app)
    return app
