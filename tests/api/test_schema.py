"""Whatever the schema allows is answered as the schema says: no 5xx, no status it does not name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from cronpilot.api.app import make_app
from cronpilot.client.fake import FakeClient
from cronpilot.domain.access import Role

from ..client.serving_tcp import served_on_tcp
from ..engine.conftest import Bench
from .guarding import FakeAccounts, basic

# Streams never end; these end the engine, or write where a generated path says.
LEFT_OUT = {"/api/events", "/api/shutdown", "/api/backup"}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A real engine on a TCP port, on a thread of its own; two tasks and a run."""
    bench = Bench(tmp_path)
    bench.tasks(
        "name: one\ncommand: 'true'\nschedule: manual",
        "name: two\ncommand: [echo, hi]\nschedule: daily 03:00\nenv: {A: b}\npool: db",
    )
    ready, where = threading.Event(), []

    async def serve() -> None:
        stop = asyncio.Event()
        async with (
            bench.engine(pools={"db": 1}) as engine,
            served_on_tcp(engine, FakeAccounts(admin=Role.ADMIN)) as served,
        ):
            await engine.run_now(1, request_id="first")
            where.append((asyncio.get_running_loop(), stop, served.address))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield where[0][2]
    finally:
        for loop, stop, _ in where:
            loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        bench.kill_keeper()


def ask_everything(address: str, *, examples: int, wrong: bool) -> None:
    """Ask every operation so many generated questions, and look at every answer."""
    import schemathesis  # 2 s: not while tests are collected
    from schemathesis import GenerationMode

    schema = schemathesis.openapi.from_dict(make_app(FakeClient()).openapi())
    assert set(schema.raw_schema["paths"]) >= LEFT_OUT
    failures: list[Exception] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue
        modes = [GenerationMode.POSITIVE]
        if wrong and (operation.body or list(operation.iter_parameters())):
            modes.append(GenerationMode.NEGATIVE)
        for mode in modes:
            try:
                ask(address, operation, mode, examples)
            except Exception as failure:
                failure.add_note(operation.label)
                failures.append(failure)
    if failures:
        raise ExceptionGroup("the API does not keep to its schema", failures)


def ask(address: str, operation: Any, mode: Any, examples: int) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as of_openapi

    checks = [
        not_a_server_error, of_openapi.status_code_conformance,
        of_openapi.content_type_conformance, of_openapi.response_schema_conformance,
    ]  # fmt: skip

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        if isinstance(case.query, dict):
            case.query.pop("follow", None)  # for ever
        case.call_and_validate(base_url=address, headers=basic("admin"), checks=checks, timeout=60)

    answered()


def test_answers_are_those_of_the_schema(address: str) -> None:
    ask_everything(address, examples=2, wrong=False)


@pytest.mark.slow
def test_many_answers_are_those_of_the_schema(address: str, is_short: bool) -> None:
    ask_everything(address, examples=5 if is_short else 100, wrong=True)
