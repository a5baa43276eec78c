"""Incidents and telling, as every Client answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_task
from cronpilot.client.fake_incidents import make_incident
from cronpilot.client.incidents import IncidentQuery
from cronpilot.domain.incident import Fault
from cronpilot.engine.offline import OfflineClient
from cronpilot.errors import NoEngine, NotFound, Refused
from cronpilot.storage.migrate import prepare

from .serving import Both, reached

HOUR = timedelta(hours=1)


@pytest.fixture(params=["in memory", "over the socket"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    """Incident 1 is over, 2 and 3 are open."""
    engine = FakeClient(tasks=[make_task(1), make_task(2, "report")])
    engine.put_incident(make_incident(1, closed_at=NOON - HOUR))
    engine.put_incident(make_incident(2))
    engine.put_incident(make_incident(3, task_id=2, task_name="report", fault=Fault.LONG))
    engine.recipients = ["mail:ops@example.org", "channel:refused"]
    async with reached(engine, request.param, tmp_path) as both:
        yield both


async def test_what_is_open_comes_newest_first(both: Both) -> None:
    found = await both.client.incidents(IncidentQuery())

    assert [(one.id, one.fault) for one in found] == [(3, Fault.LONG), (2, Fault.FAILURE)]
    assert (await both.client.status()).open_incidents == 2
    assert [one.id for one in (await both.client.health()).incidents] == [3, 2]


@pytest.mark.parametrize(("query", "ids"), [
    (IncidentQuery(state="all"), [3, 2, 1]), (IncidentQuery(state="closed"), [1]),
    (IncidentQuery(task_id=2), [3]), (IncidentQuery(state="all", before=3, limit=1), [2]),
])  # fmt: skip
async def test_others_are_asked_for(both: Both, query: IncidentQuery, ids: list[int]) -> None:
    assert [one.id for one in await both.client.incidents(query)] == ids


async def test_one_has_its_timeline(both: Both) -> None:
    story = await both.client.incident(2)

    assert [(event.kind, event.run_id) for event in story.events] == [("opened", 1), ("told", None)]
    with pytest.raises(NotFound, match="no incident '9'"):
        await both.client.incident(9)


async def test_acknowledging_and_snoozing_are_lines_of_it(both: Both) -> None:
    until = datetime(2026, 3, 5, 12, tzinfo=UTC)

    await both.client.acknowledge(2, note="on it")
    story = await both.client.snooze(2, until=until)

    assert [event.kind for event in story.events[2:]] == ["acknowledged", "snoozed"]
    assert (story.events[2].detail, story.snoozed_until) == ("on it", until)
    assert (await both.client.snooze(2, until=None)).snoozed_until is None


async def test_what_is_over_is_left_alone(both: Both) -> None:
    with pytest.raises(Refused, match="Incident 1 is over"):
        await both.client.acknowledge(1)


async def test_a_test_message_tells_what_became_of_it(both: Both) -> None:
    good, bad = await both.client.test_notification()

    assert (good.target, good.error) == ("mail:ops@example.org", "")
    assert bad.error == "It is refused."
    both.engine.recipients = []
    with pytest.raises(Refused, match="names nobody"):
        await both.client.test_notification()


async def test_without_an_engine_they_are_read_and_not_changed(tmp_path: Path) -> None:
    prepare(tmp_path / "cronpilot.db")
    client = OfflineClient(tmp_path / "cronpilot.db", tmp_path, max_workers=1, timezone="UTC")

    assert await client.incidents(IncidentQuery(state="all")) == []
    with pytest.raises(NotFound):
        await client.incident(1)
    for question in (client.acknowledge(1), client.snooze(1, until=None),
                     client.test_notification()):  # fmt: skip
        with pytest.raises(NoEngine):
            await question
    await client.close()
