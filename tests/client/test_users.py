"""Users, pools, the audit and pages of tasks, whichever way a client goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cronpilot.client import Client
from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.client.messages import TaskQuery
from cronpilot.client.users import AuditQuery, PoolView
from cronpilot.domain.access import Role
from cronpilot.domain.run import Status
from cronpilot.engine.engine import Engine
from cronpilot.engine.offline import OfflineClient
from cronpilot.errors import Conflict, NoEngine, NotFound, Refused

from ..engine.conftest import Bench
from .serving import reached


@pytest.fixture(params=["in memory", "over the socket", "an engine"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Client]:
    """Nobody may come in yet."""
    if request.param == "an engine":
        async with Bench(tmp_path).engine() as engine:
            yield engine
        return
    async with reached(FakeClient(), request.param, tmp_path) as both:
        yield both.client


async def test_users_come_change_and_go(client: Client) -> None:
    anna = await client.add_user("anna", role=Role.ADMIN, password="correct horse")
    await client.add_user("b.jones@example", role=Role.VIEWER, password="correct horse")

    assert [user.name for user in await client.users()] == ["anna", "b.jones@example"]
    assert anna.role is Role.ADMIN
    changed = await client.change_user("b.jones@example", role=Role.OPERATOR)
    assert changed.role is Role.OPERATOR
    later = await client.change_user("b.jones@example", password="battery staple")
    assert later.password_set_at > changed.password_set_at
    assert (await client.remove_user("b.jones@example")).name == "b.jones@example"
    assert [user.name for user in await client.users()] == ["anna"]

    entries = await client.audit(AuditQuery(action="user add"))
    assert [entry.detail for entry in entries] == ["b.jones@example, viewer", "anna, admin"]
    assert all(":" in entry.actor for entry in entries)
    older = await client.audit(AuditQuery(before=entries[0].id, limit=1))
    assert [entry.id for entry in older] == [entries[0].id - 1]


async def test_the_last_admin_stays_and_names_are_taken_once(client: Client) -> None:
    await client.add_user("anna", role=Role.ADMIN, password="correct horse")

    with pytest.raises(Refused, match="anna is the only admin"):
        await client.remove_user("anna")
    with pytest.raises(Conflict, match="There is a user anna already"):
        await client.add_user("anna", role=Role.VIEWER, password="correct horse")
    for name in ("nobody", "..", "a/b"):
        with pytest.raises(NotFound, match="There is no user"):
            await client.change_user(name, role=Role.VIEWER)
        with pytest.raises(NotFound):
            await client.remove_user(name)


async def test_the_owner_has_no_name_and_may_do_everything(client: Client) -> None:
    me = await client.me()

    assert (me.name, me.role) == ("", Role.ADMIN)


async def test_pools_say_what_is_taken(tmp_path: Path) -> None:
    fake = FakeClient(
        [make_task()],
        [make_run(1, pool="db"), make_run(2, pool="db", status=Status.QUEUED), make_run(3)],
        pools={"db": 2, "net": 1},
    )
    async with reached(fake, "over the socket", tmp_path) as both:
        found = await both.client.pool_slots()

    assert found == await fake.pool_slots()
    assert found == [
        PoolView(name="", slots=10, busy=2, waiting=1),
        PoolView(name="db", slots=2, busy=1, waiting=1),
        PoolView(name="net", slots=1, busy=0, waiting=0),
    ]


async def test_an_engine_counts_its_pools(tmp_path: Path) -> None:
    async with Bench(tmp_path).engine(pools={"db": 2}, max_workers=3) as engine:
        assert await engine.pool_slots() == [
            PoolView(name="", slots=3, busy=0, waiting=0),
            PoolView(name="db", slots=2, busy=0, waiting=0),
        ]


async def test_without_an_engine_users_are_read_and_not_changed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with bench.engine() as engine:
        await engine.add_user("anna", role=Role.ADMIN, password="correct horse")
    offline = OfflineClient(bench.database, bench.state_dir, max_workers=1, timezone="UTC")

    assert [user.name for user in await offline.users()] == ["anna"]
    with pytest.raises(NoEngine):
        await offline.remove_user("anna")
    await offline.close()


SORTS = [
    TaskQuery(limit=2),
    TaskQuery(limit=2, descending=True),
    TaskQuery(limit=2, sort="name"),
    TaskQuery(limit=2, sort="next_run_at"),
    TaskQuery(limit=2, sort="next_run_at", descending=True),
]


@pytest.mark.parametrize("query", SORTS, ids=lambda query: f"{query.sort} {query.descending}")
async def test_pages_by_key_have_every_task_once(query: TaskQuery, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    schedules = ["daily 01:00", "manual", "daily 02:00", "manual", "daily 01:00"]
    bench.tasks(
        *(f"name: {'edcba'[n]}\ncommand: 'true'\nschedule: {said}" for n, said in
          enumerate(schedules))
    )  # fmt: skip
    async with bench.engine() as engine:
        whole = [task.id for task in (await _page(engine, query, limit=200)).rows]
        paged: list[int] = []
        while rows := (await _page(engine, query, after=paged[-1] if paged else None)).rows:
            paged += [task.id for task in rows]
        with pytest.raises(NotFound):
            await engine.tasks(TaskQuery(after=99))

    assert paged == whole
    assert sorted(whole) == [1, 2, 3, 4, 5]


async def _page(engine: Engine, query: TaskQuery, **changes: object):  # type: ignore[no-untyped-def]
    return await engine.tasks(query.model_copy(update=changes))
