from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.domain.run import Status

from ..client.serving import served
from ..patience import PATIENCE_S


@pytest.fixture
def engine() -> FakeClient:
    """Two tasks; run 1 goes on and has printed, run 2 failed, run 3 was skipped."""
    return FakeClient(
        tasks=[make_task(1, "backup-db"), make_task(2, "report", next_run_at=None)],
        runs=[
            make_run(1, log_path="logs/1/1.log"),
            make_run(2, task_id=2, task_name="report", status=Status.FAILED, exit_code=3,
                     log_path="logs/2/2.log", log_size=4),
            make_run(3, status=Status.SKIPPED, started_at=None, attempts=0),
        ],
        logs={1: b"one\n\xff\x1b[31mtwo\n", 2: b"bad\n"},
    )  # fmt: skip


@pytest.fixture
async def api(engine: FakeClient, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Plain HTTP to the engine's socket, as curl would speak it."""
    async with (
        served(engine, tmp_path) as path,
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(path)),
            base_url="http://cronpilot",
            timeout=PATIENCE_S,
        ) as http,
    ):
        yield http
