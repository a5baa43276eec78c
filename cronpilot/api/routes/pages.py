"""Pages for people and probes: the documentation, and whether somebody is here at all.

They stand outside of the schema: one describes it, the other is asked by machines that read none.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cronpilot.api.docs_page import docs_page

_NO_SCRIPTS: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


async def _healthz(_: Request) -> Response:
    """Bare, and open to everybody: no word about what runs here."""
    return PlainTextResponse("ok\n")


# Both are made on a thread: the first time takes long, and the engine's loop must not wait.
async def _openapi(request: Request) -> Response:
    return await asyncio.to_thread(lambda: JSONResponse(request.app.openapi()))


async def _docs(request: Request) -> Response:
    page = await asyncio.to_thread(lambda: docs_page(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": _NO_SCRIPTS})


ROUTES: Final = [
    Route("/healthz", _healthz),
    Route("/openapi.json", _openapi),
    Route("/docs", _docs),
]
