"""Routes that are read when they are asked for, in whatever app they were put into."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException

from cronpilot.api.app import make_app
from cronpilot.api.late_routes import LateRoute, put_into
from cronpilot.api.rights import permitted
from cronpilot.client.fake import FakeClient

router = APIRouter(prefix="/things", route_class=LateRoute)


@router.get("/")
async def things() -> list[int]:
    return [1]


@router.get("/first")
async def first() -> str:
    return "first"


@router.get("/{number}")
async def thing(number: int) -> int:
    return number


@router.post("/{number}/name")
async def name_it(number: int) -> int:
    return number


@router.delete("/{name:path}")
async def remove(name: str) -> str:
    return name


def made(**options: Any) -> FastAPI:
    app = FastAPI(**options)
    assert list(put_into(app, router))[:2] == ["/things/", "/things/first"]
    return app


async def answer(app: FastAPI, method: str, path: str) -> tuple[int, Any]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        got = await client.request(method, path)
        return got.status_code, got.json()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/things/", (200, [1])),
        ("GET", "/things/first", (200, "first")),
        ("GET", "/things/7", (200, 7)),
        ("DELETE", "/things/a/b%2Fc/d", (200, "a/b/c/d")),
        ("POST", "/things/7/name", (200, 7)),
        ("GET", "/things/7/name", (405, {"detail": "Method Not Allowed"})),
        ("PUT", "/things/", (405, {"detail": "Method Not Allowed"})),
        ("POST", "/things/7/other", (405, {"detail": "Method Not Allowed"})),  # as DELETE has it
        ("GET", "/thing/7", (404, {"detail": "Not Found"})),
    ],
)
async def test_a_path_leads_to_the_first_route_that_it_fits(
    method: str, path: str, expected: tuple[int, Any]
) -> None:
    assert await answer(made(), method, path) == expected


async def test_only_the_routes_like_the_path_are_read() -> None:
    app = made()
    await answer(app, "GET", "/things/first")

    read = [one.path for one in app.routes if isinstance(one, LateRoute) and one._is_read]
    assert read == ["/things/first"]


async def test_each_app_gives_its_own_to_the_same_routes() -> None:
    async def nobody() -> None:
        raise HTTPException(403)

    assert (await answer(made(dependencies=[Depends(nobody)]), "GET", "/things/7"))[0] == 403
    assert await answer(made(), "GET", "/things/7") == (200, 7)


def test_a_router_of_other_routes_is_refused() -> None:
    other = APIRouter()
    other.get("/x")(things)

    with pytest.raises(TypeError, match="route_class=LateRoute"):
        list(put_into(FastAPI(), other))


def test_every_route_of_the_api_asks_first_whether_it_is_permitted() -> None:
    routes = [one for one in make_app(FakeClient()).routes if isinstance(one, LateRoute)]

    assert len(routes) > 50
    assert {one.dependencies[0].dependency for one in routes} == {permitted}
