"""What is refused before the engine hears of it: names, foreign pages, haste, tricks in paths."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from cronpilot.api.app import make_app
from cronpilot.api.auth import Closed, Gate, session_cookie
from cronpilot.api.limits import Pace
from cronpilot.api.tcp import guarded
from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.config.settings import ApiSettings
from cronpilot.domain.access import Identity, Role

from .guarding import Clock, FakeAccounts, asking, basic


@pytest.fixture
def engine() -> FakeClient:
    return FakeClient([make_task(1)], [make_run(1, log_path="logs/1/1.log")], {1: b"secret\n"})


@pytest.fixture
def gate() -> Gate:
    return Gate(FakeAccounts())


@pytest.fixture
def app(engine: FakeClient, gate: Gate) -> ASGIApp:
    """As it is put on TCP, with one more name."""
    return guarded(make_app(engine, gate), gate, ApiSettings(allowed_hosts=["cron.example"]))


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:7000", "127.0.0.1:7000", "[::1]:7000", "[::1]", "CRON.example"]
)
async def test_it_answers_to_its_own_names(app: ASGIApp, host: str) -> None:
    async with asking(app, headers=basic("vera")) as http:
        assert (await http.get("/api/status", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7000", "127.0.0.1:7000@evil",
     "localhost:70x0", "[::1", "", "xn--localhost"],
)  # fmt: skip
async def test_another_name_is_refused_even_with_the_right_password(
    app: ASGIApp, host: str
) -> None:
    async with asking(app, headers=basic("admin")) as http:
        answer = await http.get("/api/status", headers={"Host": host})

    assert answer.status_code == 421
    assert "is no name of this server" in answer.json()["detail"]


async def test_a_probe_needs_neither_name_nor_password_and_learns_nothing(app: ASGIApp) -> None:
    async with asking(app) as http:
        answer = await http.get("/healthz", headers={"Host": "10.1.2.3"})

    assert (answer.status_code, answer.text) == (200, "ok\n")


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8000"},
    {"Origin": "http://localhost:7000.evil.example"},
    {"Origin": "file://localhost:7000"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_foreign_page_changes_nothing_though_the_browser_sends_the_password(
    app: ASGIApp, engine: FakeClient, gate: Gate, headers: dict[str, str]
) -> None:
    token = gate.open_session(Identity("admin", Role.ADMIN))
    cookie = session_cookie(token, secure=False).partition(";")[0]

    async with asking(app) as http:
        for known in (basic("admin"), {"Cookie": cookie}):
            started = await http.post("/api/tasks/1/run", headers={**known, **headers})
            deleted = await http.delete("/api/tasks/1", headers={**known, **headers})
            assert (started.status_code, deleted.status_code) == (403, 403)
            assert started.json()["kind"] == "NotAllowed"

    assert engine.calls == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost:7000"}, {"Origin": "https://localhost:7000"},
     {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:7000"},
     {"Sec-Fetch-Site": "none"}],
    ids=str,
)  # fmt: skip
async def test_curl_and_our_own_pages_may_change_things(
    app: ASGIApp, headers: dict[str, str]
) -> None:
    async with asking(app, headers=basic("admin")) as http:
        answer = await http.post("/api/tasks/1/run", headers=headers)

    assert answer.status_code == 202


async def test_no_other_site_is_told_that_it_may_read(app: ASGIApp) -> None:
    async with asking(app, headers=basic("admin")) as http:
        read = await http.get("/api/tasks/", headers={"Origin": "https://evil.example"})
        asked = await http.options(
            "/api/tasks/1/run",
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
        )

    for answer in (read, asked):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/../../etc/passwd/log",
        "/api/runs/..%2f..%2fetc%2fpasswd/log",
        "/api/runs/%2e%2e/log",
        "/api/runs/1%00/log",
        "/api/runs/1/../../../etc/passwd",
        "/api/runs/-1/log",
        "/api/runs/99999999999999999999/log",
        "/api/logs/../../../etc/passwd",
        "/api/logs/..%2f..%2fcronpilot.db",
        "//etc/passwd",
    ],
)
async def test_no_trick_in_an_address_reads_another_file(app: ASGIApp, path: str) -> None:
    async with asking(app, headers=basic("admin")) as http:
        answer = await http.get(httpx.URL("http://localhost:7000" + path))

    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("given", "same_as"),
    [("/api/tasks", "/api/tasks/"), ("/api/tasks/1/runs/", "/api/tasks/1/runs"),
     ("/api/logs", "/api/logs/"), ("/api/status/", "/api/status")],
)  # fmt: skip
async def test_a_slash_more_or_less_means_the_same(app: ASGIApp, given: str, same_as: str) -> None:
    async with asking(app, headers=basic("admin")) as http:
        assert (await http.get(given)).json() == (await http.get(same_as)).json()


async def test_who_asks_too_often_is_told_when_to_ask_again(engine: FakeClient, gate: Gate) -> None:
    clock = Clock()
    inner = make_app(engine, gate)
    app = Closed(Pace(inner, 2, clock), gate, inner.state.public)

    async with asking(app) as http:
        for _ in range(10):
            assert (await http.get("/api/status", headers=basic("vera"))).status_code == 200
        refused = await http.get("/api/status", headers=basic("vera"))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["kind"] == "TooManyRequests"
        # Another user has a pace of his own, and time heals.
        assert (await http.get("/api/status", headers=basic("olga"))).status_code == 200
        clock.now += 0.5
        assert (await http.get("/api/status", headers=basic("vera"))).status_code == 200


async def test_a_body_that_nests_deeply_is_refused(app: ASGIApp) -> None:
    async with asking(app, headers=basic("admin")) as http:
        answer = await http.post(
            "/api/tasks/", content=b"[" * 500_000, headers={"Content-Type": "application/json"}
        )

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


# --- pages ---------------------------------------------------------------------------------------


async def test_the_documentation_needs_a_password_and_no_internet(app: ASGIApp) -> None:
    async with asking(app) as http:
        for path in ("/docs", "/openapi.json"):
            assert (await http.get(path)).status_code == 401
        page = await http.get("/docs", headers=basic("vera"))
        schema = (await http.get("/openapi.json", headers=basic("vera"))).json()

    assert page.status_code == 200
    assert "script" not in page.text.lower().split("</style>")[1].split("<h2>")[0]
    assert 'src="' not in page.text
    assert 'href="http' not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none';")
    for path in schema["paths"]:
        assert f"</span>{path}</code>" in page.text.replace("&#x27;", "'")


async def test_every_answer_that_a_problem_may_have_is_documented(app: ASGIApp) -> None:
    async with asking(app, headers=basic("vera")) as http:
        schema = (await http.get("/openapi.json")).json()

    for methods in schema["paths"].values():
        for operation in methods.values():
            assert {"401", "403", "404", "422", "429", "503"} <= set(operation["responses"])
    assert "Problem" in schema["components"]["schemas"]


def test_no_module_of_the_api_names_another_server() -> None:
    package = Path(__file__).parents[2] / "cronpilot" / "api"
    text = "".join(path.read_text() for path in package.rglob("*.py"))

    for word in ("cdn", "jsdelivr", "unpkg", "googleapis"):
        assert word not in text
