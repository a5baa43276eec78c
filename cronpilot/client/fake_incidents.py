"""Incidents in a fake: kept in a dictionary, acknowledged and snoozed as an engine would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cronpilot.client.fake_rows import NOON
from cronpilot.client.fake_store import FakeStore
from cronpilot.client.incidents import (
    Delivered,
    IncidentEventView,
    IncidentQuery,
    IncidentStory,
)
from cronpilot.client.messages import IncidentView
from cronpilot.domain.incident import Fault
from cronpilot.errors import NotFound, Refused


def make_incident(id: int = 1, **fields: Any) -> IncidentStory:  # noqa: A002
    """A task that has been failing since two hours before noon; any field may be given."""
    since = fields.get("since", NOON - timedelta(hours=2))
    given: dict[str, Any] = {
        "task_id": 1, "task_name": "backup-db", "fault": Fault.FAILURE, "since": since,
        "last_at": since, "opened_at": since, "told_at": since, "run_id": 1, "first_run_id": 1,
        "detail": "failed with exit code 2",
        "events": [IncidentEventView(at=since, kind="opened", run_id=1,
                                     detail="failed with exit code 2"),
                   IncidentEventView(at=since + timedelta(minutes=1), kind="told",
                                     detail="ops@example.org")],
        **fields,
    }  # fmt: skip
    return IncidentStory(id=id, **given)


class FakeIncidents(FakeStore):
    """The part of `FakeClient` that answers for incidents and telling."""

    def put_incident(self, story: IncidentStory) -> IncidentStory:
        """Add or replace an incident."""
        self._incidents[story.id] = story
        self._emit_status()
        return story

    def open_incidents(self) -> list[IncidentView]:
        """Newest first."""
        newest = sorted(self._incidents.values(), key=lambda one: -one.id)
        return [_view(one) for one in newest if one.closed_at is None]

    async def incidents(self, query: IncidentQuery) -> list[IncidentView]:
        self.answer()
        found = [
            _view(one)
            for one in sorted(self._incidents.values(), key=lambda one: -one.id)
            if query.task_id in (None, one.task_id)
            and (query.before is None or one.id < query.before)
            and (query.state == "all" or (one.closed_at is None) == (query.state == "open"))
        ]
        return found[: query.limit]

    async def incident(self, incident_id: int) -> IncidentStory:
        self.answer()
        if incident_id not in self._incidents:
            raise NotFound("incident", str(incident_id))
        return self._incidents[incident_id]

    async def acknowledge(self, incident_id: int, *, note: str = "") -> IncidentStory:
        now = self._clock()
        changes = {"acknowledged_at": now, "acknowledged_by": "cli:1000"}
        return await self._act(incident_id, "acknowledged", note, changes)

    async def snooze(self, incident_id: int, *, until: datetime | None) -> IncidentStory:
        said = "no longer" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
        return await self._act(incident_id, "snoozed", said, {"snoozed_until": until})

    async def _act(
        self, incident_id: int, kind: str, detail: str, changes: dict[str, Any]
    ) -> IncidentStory:
        story = await self.incident(incident_id)
        if story.closed_at is not None:
            raise Refused(f"Incident {incident_id} is over.")
        self.calls.append((kind, incident_id, detail))
        event = IncidentEventView(at=self._clock(), kind=kind, actor="cli:1000", detail=detail)
        return self.put_incident(
            story.model_copy(update={**changes, "events": [*story.events, event]})
        )

    async def test_notification(self, *, to: str | None = None) -> list[Delivered]:
        self.answer()
        targets = self.recipients if to is None else [f"mail:{to}"]
        if not targets:
            raise Refused("config.yaml names nobody to tell.", "Set notifications.to.")
        self.calls.append(("test_notification", to))
        return [
            Delivered(target=one, error="It is refused." if "refused" in one else "", took_s=0.5)
            for one in targets
        ]


def _view(story: IncidentStory) -> IncidentView:
    return IncidentView.model_validate(story.model_dump(exclude={"events"}))
