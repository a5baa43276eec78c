"""Editing over HTTP: versions, the seed's schedule route, and what goes wrong."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cronpilot.client.actor import FRONT
from cronpilot.client.fake import FakeClient
from cronpilot.client.messages import FieldChange, FileDifference, TaskView

NEW = {"name": "new", "command": ["true"], "schedule": "daily 02:30"}


async def test_a_task_is_made_and_says_where_it_is(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/tasks/", json=NEW)

    assert answer.status_code == 201
    assert (answer.headers["Location"], answer.headers["ETag"]) == ("/api/tasks/3", '"1"')
    assert answer.json()["schedule_config"] == {"hour": 2, "minute": 30}


@pytest.mark.parametrize(
    "config",
    [
        pytest.param('{"hour": 14, "minute": 30}', id="the text of an object, as in the seed"),
        pytest.param({"hour": 14, "minute": 30}, id="an object"),
    ],
)
async def test_a_schedule_is_put(api: httpx.AsyncClient, config: Any) -> None:
    answer = await api.put(
        "/api/tasks/1/schedule", json={"schedule_type": "daily", "schedule_config": config}
    )

    assert answer.status_code == 200
    assert answer.json()["schedule"] == "daily 14:30"
    assert answer.json()["schedule_config"] == {"hour": 14, "minute": 30}
    assert answer.headers["ETag"] == '"2"'


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param({"schedule_type": "fortnightly", "schedule_config": {}}, id="type"),
        pytest.param({"schedule_type": "daily", "schedule_config": '{"hour": 99}'}, id="range"),
        pytest.param({"schedule_type": "daily", "schedule_config": "{hour"}, id="no JSON"),
        pytest.param(
            {"schedule_type": "custom", "schedule_config": {"cron_expression": "61 * * * *"}},
            id="expression",
        ),
    ],
)
async def test_a_schedule_that_cannot_be_is_a_problem_with_its_field(
    api: httpx.AsyncClient, schedule: dict[str, Any]
) -> None:
    answer = await api.put("/api/tasks/1/schedule", json=schedule)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["field"] == "schedule"
    assert (await api.get("/api/tasks/1")).json()["version"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/tasks/1", {"timeout": "5m"}),
        ("PUT", "/api/tasks/1/schedule", {"schedule_type": "manual"}),
        ("POST", "/api/tasks/1/undo", None),
        ("DELETE", "/api/tasks/1", None),
    ],
)
async def test_an_edit_of_what_somebody_else_has_changed_is_refused_with_its_version(
    api: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    seen = (await api.get("/api/tasks/1")).headers["ETag"]
    await api.patch("/api/tasks/1", json={"description": "by somebody else"})

    refused = await api.request(method, path, json=body, headers={"If-Match": seen})
    allowed = await api.request(method, path, json=body, headers={"If-Match": '"2"'})

    assert (refused.status_code, refused.json()["kind"]) == (409, "Conflict")
    assert refused.json()["version"] == 2
    assert (allowed.status_code, allowed.headers["ETag"]) == (200, '"3"')


async def test_a_version_that_is_none_is_told(api: httpx.AsyncClient) -> None:
    answer = await api.patch("/api/tasks/1", json={}, headers={"If-Match": '"yesterday"'})

    assert answer.status_code == 400
    assert "no version" in answer.json()["detail"]


async def test_null_sets_a_field_back(api: httpx.AsyncClient) -> None:
    await api.patch("/api/tasks/1", json={"timeout": "5m", "max_retries": 3})
    answer = await api.patch("/api/tasks/1", json={"timeout": None, "max_retries": None})

    assert (answer.json()["timeout"], answer.json()["max_retries"]) == (None, 0)


@pytest.mark.parametrize("body", ["[]", '"x"', "{", ""], ids=["list", "text", "broken", "empty"])
async def test_a_body_that_is_no_object_is_a_problem(api: httpx.AsyncClient, body: str) -> None:
    answer = await api.patch(
        "/api/tasks/1", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_what_was_deleted_is_found_among_the_archived_and_comes_back(
    api: httpx.AsyncClient,
) -> None:
    await api.delete("/api/tasks/1")
    gone = await api.get("/api/tasks/1")
    found = await api.get("/api/tasks/find", params={"name": "backup-db", "archived": True})
    revisions = await api.get("/api/tasks/1/revisions")
    back = await api.post("/api/tasks/1/undo")

    assert (gone.status_code, found.json()["id"]) == (404, 1)
    assert [row["kind"] for row in revisions.json()] == ["archived"]
    assert back.json()["archived_at"] is None
    assert (await api.get("/api/tasks/1")).status_code == 200


@pytest.mark.parametrize(
    ("said", "front"),
    [({}, "api"), ({"x-cronpilot-front": "tui"}, "tui"), ({"x-cronpilot-front": "root"}, "api")],
    ids=["nothing", "the screen", "something else"],
)
async def test_an_edit_knows_which_front_end_asked(
    api: httpx.AsyncClient,
    engine: FakeClient,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, str],
    front: str,
) -> None:
    asked: list[str] = []
    create = engine.create_task

    async def watched(spec: dict[str, Any]) -> TaskView:
        asked.append(FRONT.get())
        return await create(spec)

    monkeypatch.setattr(engine, "create_task", watched)
    await api.post("/api/tasks/", json=NEW, headers=said)

    assert asked == [front]


async def test_the_export_is_yaml_and_the_differences_are_rows(
    api: httpx.AsyncClient, engine: FakeClient
) -> None:
    engine.definitions.in_file = [
        FileDifference(
            task_name="report",
            kind="differs",
            changes=[FieldChange(field="timeout", before=None, after="5m")],
        )
    ]
    text = await api.get("/api/export")
    rows = await api.get("/api/differences")

    assert text.headers["Content-Type"] == "text/yaml; charset=utf-8"
    assert text.text.startswith("tasks:\n  - name: ")
    assert rows.json() == [
        {
            "task_name": "report",
            "kind": "differs",
            "changes": [{"field": "timeout", "before": None, "after": "5m"}],
        }
    ]


@pytest.mark.parametrize("verb", ["run", "test", "pause", "resume"])
async def test_a_start_of_another_version_is_refused_when_that_is_asked(
    api: httpx.AsyncClient, engine: FakeClient, verb: str
) -> None:
    refused = await api.post(f"/api/tasks/1/{verb}", headers={"If-Match": '"7"'})
    taken = await api.post(f"/api/tasks/1/{verb}", headers={"If-Match": '"1"'})

    assert (refused.status_code, refused.json()["kind"]) == (409, "Conflict")
    assert refused.json()["version"] == 1
    assert taken.status_code < 300
