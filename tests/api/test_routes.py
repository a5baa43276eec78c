"""The API as its callers see it: paths, headers, bodies, problems."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest

from cronpilot import __version__
from cronpilot.api import routes
from cronpilot.api.parameters import parameters_of
from cronpilot.client import plain_http
from cronpilot.client.fake import FakeClient
from cronpilot.errors import StorageProblem

from ..client.serving import served
from ..patience import PATIENCE_S


async def test_meta_says_who_answers_and_in_which_version(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/meta")

    assert answer.json() == {"api": 1, "engine": "fake", "version": __version__}


async def test_meta_counts_nothing(
    engine: FakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = (await engine.status()).engine
    monkeypatch.setattr(engine, "info", lambda: info, raising=False)
    monkeypatch.delattr(FakeClient, "status")
    async with served(engine, tmp_path) as path:
        answer = await plain_http.ask(
            str(path), "GET", "/api/meta", headers={}, connect_s=PATIENCE_S, answer_s=PATIENCE_S
        )

    assert answer.json()["engine"] == "fake"


async def test_lists_are_bare_arrays_with_the_total_in_a_header(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/tasks/", params={"limit": 1})

    assert [task["name"] for task in answer.json()] == ["backup-db"]
    assert answer.headers["X-Total-Count"] == "2"
    assert answer.json()[0]["next_run_at"] == "2026-03-05T02:30:00Z"


async def test_the_runs_of_one_task(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/tasks/1/runs", params={"limit": 1})

    assert [run["id"] for run in answer.json()] == [3]


async def test_a_start_is_accepted_with_its_row(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/tasks/2/run")

    assert answer.status_code == 202
    assert (answer.json()["task_id"], answer.json()["trigger"]) == (2, "manual")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"json": {"request_id": "r1"}}, id="in the body"),
        pytest.param({"headers": {"X-Request-Id": "r1"}}, id="in a header"),
    ],
)
async def test_a_request_id_makes_a_start_repeatable(
    api: httpx.AsyncClient, parts: dict[str, Any]
) -> None:
    first = await api.post("/api/tasks/2/run", **parts)
    again = await api.post("/api/tasks/2/run", **parts)

    assert first.json()["id"] == again.json()["id"]


async def test_why_takes_a_moment_with_an_offset(api: httpx.AsyncClient) -> None:
    said = await api.get("/api/tasks/1/why", params={"at": "2026-03-04T13:00:10+01:00"})
    naive = await api.get("/api/tasks/1/why", params={"at": "2026-03-04T13:00:10"})

    assert said.json()["verdict"] == "It was skipped: run 1 was still going."
    assert [run["id"] for run in said.json()["runs"]] == [1, 3]
    assert naive.status_code == 422


async def test_a_stop_takes_a_signal(api: httpx.AsyncClient, engine: FakeClient) -> None:
    answer = await api.post("/api/runs/1/stop", json={"signal": "INT"})

    assert answer.status_code == 202
    assert answer.json()["status"] == "stopped"
    assert engine.calls == [("stop_run", 1, "INT")]


async def test_a_log_is_its_raw_bytes(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/runs/1/log", params={"offset": 4, "limit": 6})

    assert answer.content == b"\xff\x1b[31m"
    assert {
        name: answer.headers[name] for name in ("X-Log-Offset", "X-Log-Size", "X-Log-Ended")
    } == {
        "X-Log-Offset": "4",
        "X-Log-Size": "14",
        "X-Log-Ended": "false",
    }


async def test_the_log_of_a_run_that_is_over_has_ended(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/runs/2/log")

    assert (answer.content, answer.headers["X-Log-Ended"]) == (b"bad\n", "true")


async def test_a_followed_log_comes_in_frames(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/runs/2/log", params={"follow": 1, "offset": 1})

    assert answer.content == b"\n1 4 4 1 3\nad\n"


async def test_the_logs_that_exist_newest_first(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/logs/")

    assert answer.json() == [
        {"run_id": 2, "task_id": 2, "task_name": "report", "started_at": "2026-03-04T12:00:00Z",
         "status": "failed", "size": 4, "url": "/api/runs/2/log"},
        {"run_id": 1, "task_id": 1, "task_name": "backup-db", "started_at": "2026-03-04T12:00:00Z",
         "status": "running", "size": 14, "url": "/api/runs/1/log"},
    ]  # fmt: skip


async def test_events_are_server_sent_and_numbered(
    api: httpx.AsyncClient, engine: FakeClient
) -> None:
    async with asyncio.timeout(PATIENCE_S), api.stream("GET", "/api/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        hello = await anext(lines)
        await engine.pause_task(1)
        told = [line async for line in _until_empty(lines)]

    assert hello == ": here"
    assert told[:2] == ["id: fake:1", "event: task_changed"]
    assert json.loads(told[2].removeprefix("data: "))["task"]["id"] == 1


async def _until_empty(lines: Any) -> Any:
    await anext(lines)  # the empty line after the greeting
    async for line in lines:
        if not line:
            return
        yield line


async def test_events_go_on_after_the_last_one_seen(
    api: httpx.AsyncClient, engine: FakeClient
) -> None:
    await engine.pause_task(1)
    headers = {"Last-Event-ID": "fake:1"}

    async with (
        asyncio.timeout(PATIENCE_S),
        api.stream("GET", "/api/events", headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        told = [line async for line in _until_empty(lines)]

    assert told[:2] == ["id: fake:2", "event: status_changed"]


# --- problems ------------------------------------------------------------------------------------


async def test_what_does_not_exist_is_a_problem_in_words(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/tasks/99")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:cronpilot:problem:NotFound",
        "title": "No such task, run or revision.",
        "status": 404,
        "detail": "There is no task '99'.",
        "hint": "See: cronpilot list",
        "field": None,
        "kind": "NotFound",
        "what": "task",
        "name": "99",
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/tasks/?limit=201", "limit"),
        ("/api/tasks/0", "task_id"),
        ("/api/tasks/x", "task_id"),
        (f"/api/runs/{2**53 + 1}", "run_id"),
        ("/api/runs/?status=tired", "status.0"),
        ("/api/runs/1/log?limit=0", "limit"),
        ("/api/tasks/find", "name"),
    ],
)
async def test_a_wrong_value_names_its_field(api: httpx.AsyncClient, path: str, field: str) -> None:
    answer = await api.get(path)

    assert answer.status_code == 422
    assert (answer.json()["kind"], answer.json()["field"]) == ("UsageProblem", field)
    assert answer.json()["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("path", "field", "hint"),
    [
        pytest.param("/api/runs/?stauts=failed", "stauts", "Did you mean status?", id="runs"),
        pytest.param("/api/tasks/?limit=1&Name=x", "Name", "Did you mean name?", id="tasks"),
        pytest.param("/api/tasks/1/runs?before_id=3", "before_id", "Did you mean before?",
                     id="the runs of a task"),
        pytest.param("/api/logs/?task=1", "task", "Did you mean task_id?", id="logs"),
        pytest.param("/api/tasks/1/revisions?max=1", "max", "Known here: limit.", id="revisions"),
        pytest.param("/api/incidents/?sate=open", "sate", "Did you mean state?", id="incidents"),
        pytest.param("/api/audit?befor=1", "befor", "Did you mean before?", id="the audit"),
        pytest.param("/api/usage?limit=1", "limit", "It takes none.", id="what takes none"),
        pytest.param("/api/fire-times?x=1", "x", "Known here: limit.", id="fire times"),
    ],
)  # fmt: skip
async def test_a_parameter_that_a_list_does_not_read_is_refused(
    api: httpx.AsyncClient, path: str, field: str, hint: str
) -> None:
    answer = await api.get(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert (answer.json()["field"], answer.json()["hint"]) == (field, hint)


async def test_the_parameters_that_are_known_are_those_of_the_document(
    api: httpx.AsyncClient,
) -> None:
    document = (await api.get("/openapi.json")).json()
    documented = {
        f"{method.upper()} {path}": {
            one["name"] for one in operation.get("parameters", []) if one["in"] == "query"
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    modules = [
        import_module(f"{routes.__name__}.{one.name}") for one in iter_modules(routes.__path__)
    ]
    known = {
        f"{method} {route.path}".replace(":path", ""): set(parameters_of(route.endpoint))
        for module in modules
        for route in (module.router.routes if hasattr(module, "router") else [])
        for method in route.methods
    }

    assert known == documented
    assert known["GET /api/tasks/find"] == {"name", "archived"}


async def test_a_body_that_is_no_json_is_a_problem(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/api/runs/1/stop", content=b"{", headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()["kind"]) == (422, "UsageProblem")


async def test_an_unknown_address_is_a_problem(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/nothing")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "GET /api/nothing: Not Found."


async def test_a_wrong_method_is_a_problem_that_says_which_are_right(
    api: httpx.AsyncClient,
) -> None:
    answer = await api.get("/api/reload")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["kind"] == "UsageProblem"


@pytest.mark.parametrize(
    ("error", "status", "kind", "hint"),
    [
        pytest.param(StorageProblem("The disk is full.", "Make room."), 503, "StorageProblem",
                     "Make room.", id="ours"),
        pytest.param(ValueError("secret"), 500, "CronPilotError",
                     "Its log says where: engine.log, or its standard error when headless.",
                     id="a bug"),
    ],
)  # fmt: skip
async def test_what_fails_inside_is_a_problem_without_a_traceback(
    api: httpx.AsyncClient,
    engine: FakeClient,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    kind: str,
    hint: str,
) -> None:
    async def fail() -> None:
        raise error

    monkeypatch.setattr(engine, "status", fail)
    answer = await api.get("/api/status")

    assert answer.status_code == status
    assert (answer.json()["kind"], answer.json()["hint"]) == (kind, hint)
    assert "secret" not in answer.text
    assert capfd.readouterr() == ("", "")


async def test_the_openapi_document_has_every_route(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]

    assert {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    } == {
        "GET /metrics",
        "GET /api/me",
        "GET /api/pools",
        "GET /api/audit",
        "GET /api/users/",
        "POST /api/users/",
        "PATCH /api/users/{name}",
        "DELETE /api/users/{name}",
        "GET /api/incidents/",
        "GET /api/incidents/{incident_id}",
        "POST /api/incidents/{incident_id}/acknowledge",
        "POST /api/incidents/{incident_id}/snooze",
        "POST /api/notifications/test",
        "GET /api/status",
        "GET /api/health",
        "GET /api/meta",
        "GET /api/runs/{run_id}/attempts",
        "POST /api/tasks/{task_id}/test",
        "GET /api/tasks/",
        "GET /api/tasks/find",
        "GET /api/tasks/{task_id}",
        "GET /api/tasks/{task_id}/runs",
        "GET /api/tasks/{task_id}/fire-times",
        "GET /api/tasks/{task_id}/why",
        "POST /api/tasks/",
        "PATCH /api/tasks/{task_id}",
        "DELETE /api/tasks/{task_id}",
        "PUT /api/tasks/{task_id}/schedule",
        "GET /api/tasks/{task_id}/revisions",
        "POST /api/tasks/{task_id}/undo",
        "GET /api/export",
        "GET /api/differences",
        "POST /api/tasks/{task_id}/run",
        "POST /api/tasks/{task_id}/pause",
        "POST /api/tasks/{task_id}/resume",
        "GET /api/runs/",
        "GET /api/runs/{run_id}",
        "POST /api/runs/{run_id}/stop",
        "GET /api/runs/{run_id}/log",
        "GET /api/fire-times",
        "GET /api/quiet",
        "GET /api/runs/{run_id}/log/search",
        "GET /api/runs/{run_id}/compare",
        "GET /api/upcoming",
        "GET /api/outlook",
        "GET /api/timeline",
        "GET /api/usage",
        "GET /api/downtime",
        "POST /api/downtime/dismiss",
        "GET /api/logs/",
        "GET /api/events",
        "POST /api/scheduler/pause",
        "POST /api/scheduler/resume",
        "POST /api/reload",
        "POST /api/backup",
        "POST /api/shutdown",
    }
