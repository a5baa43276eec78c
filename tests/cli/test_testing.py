"""test: what it prints, and what its exit code says."""

from __future__ import annotations

import threading
import time

import pytest

from cronpilot.domain.run import Reason, Status

from ..patience import PATIENCE_S
from .conftest import Cronpilot, Running


def end_the_test(engine: Running, status: Status, code: int) -> threading.Thread:
    """Let the test print something and end, as soon as it has been asked for."""

    def work() -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not any(
            call[0] == "test_task" for call in engine.do(lambda: list(engine.fake.calls))
        ):
            time.sleep(0.01)
        engine.do(lambda: engine.fake.append_log(3, b"hello\n"))
        engine.do(lambda: engine.fake.finish(3, status, exit_code=code))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("status", "code", "expected", "words"),
    [
        (Status.SUCCESS, 0, 0, "Run 3 of report: success after 0"),
        (Status.FAILED, 3, 1, "Run 3 of report: failed after 0"),
    ],
)
def test_its_output_is_shown_and_how_it_ended(
    cronpilot: Cronpilot, engine: Running, status: Status, code: int, expected: int, words: str
) -> None:
    ending = end_the_test(engine, status, code)
    said = cronpilot("test", "report")
    ending.join()

    assert (said.code, said.raw) == (expected, b"hello\n")
    assert said.err.startswith(words)
    assert engine.fake.calls == [("test_task", 2, None, False)]


def test_as_json_it_is_one_document(cronpilot: Cronpilot, engine: Running) -> None:
    ending = end_the_test(engine, Status.SUCCESS, 0)
    said = cronpilot("test", "report", "--as-scheduled", "--json")
    ending.join()

    assert (said.json["text"], said.json["run"]["trigger"], said.err) == ("hello\n", "test", "")
    assert engine.fake.calls == [("test_task", 2, None, True)]


def test_a_test_that_overlap_refuses_exits_with_4(
    cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(task_id: int, **_: object) -> object:
        run = await engine.fake.run(1)
        return run.model_copy(
            update={"status": Status.SKIPPED, "reason": Reason.ALREADY_RUNNING}
        )  # fmt: skip

    monkeypatch.setattr(engine.fake, "test_task", refuse)
    said = cronpilot("test", "backup-db", "--as-scheduled")

    assert said.code == 4
    assert said.err.startswith("cronpilot: 'backup-db' is already running: not started")
