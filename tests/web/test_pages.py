"""The pages around the cockpit: they log in and out without a script, and load nothing foreign."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cronpilot.web import routes
from cronpilot.web.tabs import Limits

from ..api.guarding import PASSWORD, asking
from .serving import COOKIE, Panel, served_panel

ROOT = Path(routes.__file__).parent


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    async with served_panel(None, tmp_path) as panel:
        yield panel


def form(name: str, password: str) -> dict[str, str]:
    return {"name": name, "password": password}


async def test_who_has_logged_in_sees_the_cockpit_and_all_others_the_log_in_page(
    panel: Panel,
) -> None:
    async with panel.http() as http:
        before = await http.get("/")
        logged_in = await http.post("/login", data=form("vera", PASSWORD))
        after = await http.get("/")
        logged_out = await http.post("/logout")
        at_last = await http.get("/")

    assert 'type="password"' in before.text
    assert (logged_in.status_code, logged_in.headers["location"]) == (303, "/")
    cookie = logged_in.headers["set-cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert 'data-session-websocket-url="/cockpit"' in after.text
    assert (logged_out.status_code, logged_out.headers["location"]) == (303, "/")
    assert "Max-Age=0" in logged_out.headers["set-cookie"]
    assert at_last.text == before.text


async def test_a_wrong_password_is_said_and_the_name_kept_as_text(panel: Panel) -> None:
    async with panel.http() as http:
        answer = await http.post("/login", data=form('"><script>alert(1)</script>', "x"))

    assert answer.status_code == 401
    assert "User name or password is wrong." in answer.text
    assert "<script>" not in answer.text
    assert "&quot;&gt;&lt;script&gt;" in answer.text
    assert "www-authenticate" not in answer.headers  # the browser's own dialog would come up


async def test_whoever_guesses_has_to_wait(panel: Panel) -> None:
    async with panel.http() as http:
        answers = [await http.post("/login", data=form("admin", "x")) for _ in range(7)]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Try again in" in answers[-1].text


@pytest.mark.parametrize(
    "content", [b"", b"name=admin", b"\xff\xfe", b"name=admin&password=" + b"x" * 5000]
)
async def test_what_is_not_our_form_lets_nobody_in(panel: Panel, content: bytes) -> None:
    async with panel.http() as http:
        assert (await http.post("/login", content=content)).status_code == 401


async def test_a_foreign_page_logs_nobody_in_or_out(panel: Panel) -> None:
    evil = {"Origin": "http://evil.example"}
    async with panel.http() as http:
        for path in ("/login", "/logout"):
            answer = await http.post(path, data=form("admin", PASSWORD), headers=evil)
            assert answer.status_code == 403


async def test_a_cookie_of_a_session_that_is_over_is_taken_back(panel: Panel) -> None:
    async with panel.http() as http:
        answer = await http.get("/", headers={"Cookie": "cronpilot_session=old"})

    assert "Max-Age=0" in answer.headers["set-cookie"]


# --- nothing from outside ------------------------------------------------------------------------


async def test_all_that_the_pages_load_is_served_here_under_a_strict_policy(panel: Panel) -> None:
    async with panel.http() as http:
        await http.post("/login", data=form("admin", PASSWORD))
        page = await http.get("/")
        loaded = set(re.findall(r'(?:href|src)="([^"]+)"', page.text))
        loaded |= set(re.findall(r'url\("([^"]+)"\)', (ROOT / "static/page.css").read_text()))
        loaded |= set(re.findall(r'"(/assets/[^"]+)"', (ROOT / "static/cockpit.js").read_text()))
        answers = [await http.get(path) for path in sorted(loaded)]

    assert len(answers) >= 7
    for answer in answers:
        assert answer.status_code == 200, answer.url
        assert answer.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "<script>" not in page.text and "style=" not in page.text


@pytest.mark.parametrize("file", sorted((ROOT / "static").iterdir()), ids=lambda file: file.name)
def test_no_file_of_ours_names_another_server(file: Path) -> None:
    named = re.findall(r"(?:https?|wss?)://[^\s\"']+", file.read_text())

    assert [url for url in named if url != "http://www.w3.org/2000/svg"] == []


@pytest.mark.parametrize(
    "path", ["/assets/", "/assets/textual", "/assets/../pages.py", "/assets/%2e%2e/pages.py",
             "/assets/textual/../app_service.py"]
)  # fmt: skip
async def test_only_files_that_are_meant_are_given_away(panel: Panel, path: str) -> None:
    async with panel.http() as http:
        answer = await http.get(httpx.URL(panel.address + path))

    assert answer.status_code in (401, 404)  # 401: no path of the panel


# --- without the extra ---------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["textual_serve", "websockets"])
async def test_without_the_extra_a_page_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    find = routes.importlib.util.find_spec
    monkeypatch.setattr(
        routes.importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    app = FastAPI(routes=routes.panel_routes(COOKIE, Limits(), lambda *_: []))

    async with asking(app) as http:
        page = await http.get("/")

    assert "pip install 'cronpilot[web]'" in page.text
    assert "/cockpit" not in [getattr(route, "path", "") for route in app.routes]
