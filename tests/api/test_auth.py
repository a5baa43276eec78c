"""Who comes in, and as whom: passwords, sessions, tabs, and the owner's socket."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import httpx
import pytest

from cronpilot.api.app import make_app
from cronpilot.api.auth import Closed, Gate, Trusted, end_of_cookie, session_cookie
from cronpilot.api.sessions import Sessions
from cronpilot.client.fake import FakeClient, make_task
from cronpilot.domain.access import Identity, Role, Stay
from cronpilot.errors import LogInRefused, TooManyRequests

from .guarding import PASSWORD, Clock, FakeAccounts, asking, basic


@pytest.fixture
def accounts() -> FakeAccounts:
    """An admin, the operator olga and the viewer vera, all with one password."""
    return FakeAccounts()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(accounts: FakeAccounts, clock: Clock) -> Gate:
    return Gate(accounts, clock)


@pytest.fixture
def engine() -> FakeClient:
    return FakeClient([make_task(1, env={"API_TOKEN": "s3cr3t", "DEST": "/srv"})])


@pytest.fixture
def closed(engine: FakeClient, gate: Gate) -> Closed:
    app = make_app(engine, gate)
    return Closed(app, gate, app.state.public)


@pytest.mark.parametrize(
    "path", ["/api/tasks/", "/api/status", "/docs", "/openapi.json", "/metrics", "/nothing", "/"]
)
async def test_nothing_is_told_without_a_password(closed: Closed, path: str) -> None:
    async with asking(closed) as http:
        answer = await http.get(path)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_user_is_let_in_by_name_and_password(closed: Closed) -> None:
    async with asking(closed) as http:
        assert (await http.get("/api/tasks/", headers=basic("vera"))).status_code == 200
        assert (await http.get("/api/tasks/", headers=basic("vera", "x"))).status_code == 401
        assert (await http.get("/api/tasks/", headers=basic("nobody"))).status_code == 401


@pytest.mark.parametrize("said", ["Basic", "Basic !!!", "Basic Zm9v", "Digest x", "Bearer x"])
async def test_an_unreadable_log_in_is_refused(closed: Closed, said: str) -> None:
    async with asking(closed) as http:
        answer = await http.get("/api/tasks/", headers={"Authorization": said})

    assert answer.status_code == 401


async def test_a_right_password_is_verified_once_in_a_while(
    gate: Gate, accounts: FakeAccounts, clock: Clock
) -> None:
    for _ in range(50):
        assert await gate.log_in("vera", PASSWORD, "10.0.0.1") == Identity("vera", Role.VIEWER)
    assert accounts.checked == 1
    assert accounts.notes == [("api:vera", "log-in", "from 10.0.0.1")]

    clock.now += 301
    await gate.log_in("vera", PASSWORD, "10.0.0.1")
    assert accounts.checked == 2


async def test_a_log_in_by_browser_is_always_in_the_audit(
    gate: Gate, accounts: FakeAccounts
) -> None:
    for _ in range(2):
        await gate.log_in("vera", PASSWORD, "10.0.0.1", front="web")

    assert accounts.notes == [("web:vera", "log-in", "from 10.0.0.1")] * 2


async def test_an_endless_name_is_refused_without_a_look(
    gate: Gate, accounts: FakeAccounts
) -> None:
    with pytest.raises(LogInRefused):
        await gate.log_in("x" * 60_000, PASSWORD, "10.0.0.1")

    assert (accounts.checked, accounts.notes) == (0, [])


async def test_a_changed_password_ends_every_way_in(gate: Gate, accounts: FakeAccounts) -> None:
    vera = await gate.log_in("vera", PASSWORD, "10.0.0.1")
    token = gate.open_session(vera)
    tab = gate.open_tab(token)

    accounts.set_password("vera", "another one")

    assert gate.of_session(token) is None
    assert tab is not None
    assert gate.of_tab(tab) is None
    with pytest.raises(LogInRefused):
        await gate.log_in("vera", PASSWORD, "10.0.0.1")


async def test_a_thousand_wrong_passwords_cost_a_few_looks_and_lock_out_nobody_elsewhere(
    gate: Gate, accounts: FakeAccounts
) -> None:
    refused = 0
    for guess in range(1000):
        with pytest.raises((LogInRefused, TooManyRequests)) as caught:
            await gate.log_in("admin", f"guess {guess}", "203.0.113.9")
        refused += isinstance(caught.value, TooManyRequests)

    assert accounts.checked <= 5
    assert refused >= 995
    assert await gate.log_in("admin", PASSWORD, "198.51.100.7") == Identity("admin", Role.ADMIN)
    assert len(accounts.notes) <= 6


async def test_guesses_of_many_names_from_one_address_are_slowed_down(
    gate: Gate, accounts: FakeAccounts
) -> None:
    for number in range(100):
        with pytest.raises((LogInRefused, TooManyRequests)):
            await gate.log_in(f"name{number}", "guess", "2001:db8::1")
        with pytest.raises((LogInRefused, TooManyRequests)):
            await gate.log_in(f"name{number}", "guess", f"2001:db8::{number + 2:x}")

    assert accounts.checked <= 20


async def test_guesses_from_many_addresses_do_not_lock_out_who_was_here_before(
    gate: Gate, accounts: FakeAccounts, clock: Clock
) -> None:
    await gate.log_in("admin", PASSWORD, "198.51.100.7")
    for number in range(200):
        with pytest.raises((LogInRefused, TooManyRequests)):
            await gate.log_in("admin", "guess", f"203.0.113.{number}")
    assert accounts.checked <= 51

    clock.now += 301  # what was remembered is forgotten, but for the refilled tokens
    for number in range(100):
        with pytest.raises((LogInRefused, TooManyRequests)):
            await gate.log_in("admin", "guess", f"192.0.2.{number}")
    assert (await gate.log_in("admin", PASSWORD, "198.51.100.7")).name == "admin"


async def test_a_session_is_good_for_its_user_alone_until_its_end(
    closed: Closed, gate: Gate
) -> None:
    token = gate.open_session(Identity("vera", Role.VIEWER))
    cookie = session_cookie(token, secure=True)
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")

    async with asking(closed) as http:
        headers = {"Cookie": cookie.partition(";")[0]}
        assert (await http.get("/api/status", headers=headers)).status_code == 200
        assert (await http.get("/api/export", headers=headers)).status_code == 403
        gate.end_session(token)
        assert (await http.get("/api/status", headers=headers)).status_code == 401
    assert "Max-Age=0" in end_of_cookie()


def test_a_session_ends_when_it_is_idle_and_when_it_is_old() -> None:
    clock = Clock()
    sessions = Sessions(clock, idle_s=100, longest_s=1000)
    idle, used = sessions.open("vera"), sessions.open("vera")
    tab = sessions.open_tab(used)
    assert tab is not None

    for _ in range(10):
        clock.now += 99
        assert sessions.name_of(used) == "vera"
        assert sessions.name_of_tab(tab) == "vera"
    assert sessions.name_of(idle) is None
    clock.now += 99
    assert sessions.name_of(used) is None
    assert sessions.name_of_tab(tab) is None
    assert sessions.open_tab(used) is None


class Shelf(dict[str, Stay]):
    """Keeps sessions in memory."""

    def every(self) -> list[Stay]:
        return list(self.values())

    def keep(self, stay: Stay) -> None:
        self[stay.key] = stay

    def use(self, key: str, at: datetime) -> None:
        self[key] = self[key]._replace(used_at=at)

    def drop(self, keys: Collection[str]) -> None:
        for key in keys:
            self.pop(key, None)


def test_the_next_engine_knows_the_sessions_by_their_hashes_until_they_are_over() -> None:
    clock, shelf = Clock(), Shelf()
    sessions = Sessions(clock, idle_s=5000, shelf=shelf)
    kept, idle, ended = (sessions.open("vera") for _ in range(3))
    sessions.end(ended)
    clock.now += 3000
    assert sessions.name_of(kept) == "vera"

    clock.now += 3000
    following = Sessions(clock, idle_s=5000, shelf=shelf)
    assert [following.name_of(token) for token in (kept, idle, ended)] == ["vera", None, None]
    assert kept not in str(shelf)
    following.end_all("vera")
    assert shelf == {}


async def test_a_password_that_changes_during_the_log_in_is_the_old_one(
    gate: Gate, accounts: FakeAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def change(*_: str) -> None:
        accounts.set_password("admin", "another one")

    monkeypatch.setattr(accounts, "note", change)
    with pytest.raises(LogInRefused):
        await gate.log_in("admin", PASSWORD, "192.0.2.1", front="web")


def test_a_tab_ends_alone_and_never_outlives_its_session() -> None:
    sessions = Sessions(Clock())
    token = sessions.open("vera")
    first, second = sessions.open_tab(token), sessions.open_tab(token)
    assert first is not None
    assert second is not None

    sessions.end_tab(first)
    assert (sessions.name_of_tab(first), sessions.name_of_tab(second)) == (None, "vera")
    sessions.end(token)
    assert sessions.name_of_tab(second) is None
    assert sessions.name_of(second) is None


async def test_on_the_unix_socket_a_tab_is_its_user_and_nothing_beyond(
    engine: FakeClient, gate: Gate
) -> None:
    trusted = Trusted(make_app(engine, gate), gate)
    token = gate.open_session(Identity("vera", Role.VIEWER))
    tab = gate.open_tab(token)

    async with asking(trusted) as http:
        as_tab = {"Authorization": f"Bearer {tab}"}
        shown = (await http.get("/api/tasks/1", headers=as_tab)).json()
        assert shown["env"] == {"API_TOKEN": "***", "DEST": "/srv"}
        assert (await http.post("/api/tasks/1/run", headers=as_tab)).status_code == 403
        gate.end_tab(str(tab))
        assert (await http.get("/api/tasks/1", headers=as_tab)).status_code == 401
        # The session's own token is no tab's.
        as_session = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/api/tasks/1", headers=as_session)).status_code == 401
        # Without a token it is the owner.
        assert (await http.get("/api/tasks/1")).json()["env"]["API_TOKEN"] == "s3cr3t"


async def test_an_app_that_nobody_guards_answers_nobody(engine: FakeClient) -> None:
    async with asking(make_app(engine)) as http:
        answer: httpx.Response = await http.get("/api/tasks/")

    assert answer.status_code == 401


# --- roles ---------------------------------------------------------------------------------------

ASKS = {
    "read": ("GET", "/api/tasks/1", None),
    "start": ("POST", "/api/tasks/1/run", None),
    "pause": ("POST", "/api/tasks/1/pause", None),
    "schedule": ("PUT", "/api/tasks/1/schedule", {"schedule_type": "hourly"}),
    "when": ("PATCH", "/api/tasks/1", {"schedule": "daily 03:00", "active": False}),
    "what": ("PATCH", "/api/tasks/1", {"command": "rm -rf /"}),
    "test": ("POST", "/api/tasks/1/test", None),
    "test of fields": ("POST", "/api/tasks/1/test", {"spec": {"command": "id"}}),
    "create": ("POST", "/api/tasks/", {"name": "x", "command": "id", "schedule": "manual"}),
    "export": ("GET", "/api/export", None),
    "backup": ("POST", "/api/backup", {"path": "/tmp/x"}),
}
MAY = {
    "vera": {"read"},
    "olga": {"read", "start", "pause", "schedule", "when", "test", "export"},
    "admin": set(ASKS),
}


@pytest.mark.parametrize("name", MAY)
async def test_each_role_may_what_its_line_of_the_table_says(closed: Closed, name: str) -> None:
    async with asking(closed, headers=basic(name)) as http:
        answers = {
            what: await http.request(method, path, json=body)
            for what, (method, path, body) in ASKS.items()
        }

    assert {what for what, answer in answers.items() if answer.status_code != 403} == MAY[name]
    for answer in answers.values():
        assert answer.status_code < 500
        if answer.status_code == 403:
            assert answer.json()["kind"] == "NotAllowed"


async def test_a_viewer_sees_no_secrets(closed: Closed, engine: FakeClient) -> None:
    await engine.change_task(1, {
        "env": {"API_TOKEN": "another", "DEST": "/srv"},
        "notify": {"ping": "https://hc.example/s3cr3t-key"},
    })  # fmt: skip
    paths = ["/api/tasks/", "/api/tasks/1", "/api/tasks/find?name=backup-db",
             "/api/tasks/1/revisions"]  # fmt: skip

    async with asking(closed) as http:
        seen = [(await http.get(path, headers=basic("vera"))).text for path in paths]
        known = [(await http.get(path, headers=basic("olga"))).text for path in paths]

    assert all("s3cr3t" not in text and "another" not in text for text in seen)
    assert all("***" in text for text in seen)
    assert all("another" in text for text in known)


@pytest.mark.parametrize(("name", "found"), [("vera", "0"), ("olga", "1")])
async def test_a_viewer_cannot_guess_what_is_masked_by_searching_for_it(
    closed: Closed, engine: FakeClient, name: str, found: str
) -> None:
    await engine.change_task(1, {"command": "fetch 'https://host/?token=s3cr3t'"})

    async with asking(closed, headers=basic(name)) as http:
        query = {"text": "token=s3", "in_commands": True}
        answer = await http.get("/api/tasks/", params=query)

    assert (answer.headers["X-Total-Count"], len(answer.json())) == (found, int(found))
