"""compare: how a run differs from the last success of its task."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import NOON, make_run
from cronpilot.domain.run import Status

from .conftest import HOSTILE, Cronpilot, Running


@pytest.fixture
def two_runs(engine: Running) -> None:
    """Of report: run 5 ended well, run 6 did not."""
    for number, status, log in (
        (5, Status.SUCCESS, b"12:00:00 start\nall well\n"),
        (6, Status.FAILED, b"03:00:00 start\n\x1b]0;x\x07no space left\n"),
    ):
        run = make_run(
            number, task_id=2, task_name="report", status=status, duration_s=1.0, started_at=NOON,
            exit_code=2 if status is Status.FAILED else 0, log_size=len(log), scheduled_for=None,
            environment={"HOME": "/root", "WHO": f"{number}\x1b[2J", "TOKEN": "***"},
        )  # fmt: skip
        engine.do(lambda number=number, log=log: engine.fake.append_log(number, log))
        engine.do(lambda run=run: engine.fake.put_run(run))


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize("words", [["6"], ["6", "5"], ["report"]])
def test_a_failure_beside_a_success(cronpilot: Cronpilot, words: list[str]) -> None:
    said = cronpilot("compare", *words)

    assert said.code == 0
    assert said.out.startswith("Run 6 of report beside run 5, ")
    lines = {" ".join(line.split()) for line in said.out.splitlines()}
    assert lines >= {
        "RUN 5 RUN 6", "verdict success, exit 0 failed, exit 2", "took 1.0s 1.0s",
        "Both ran the same definition (version 1).", "Variables that differ, secrets masked:",
        r"WHO 5\x1b[2J -> 6\x1b[2J", "03:00:00 start", "-all well", "+no space left",
    }  # fmt: skip
    assert "\x1b" not in said.out


@pytest.mark.usefixtures("two_runs")
def test_exactly_and_as_json(cronpilot: Cronpilot) -> None:
    document = cronpilot("compare", "6", "--exact", "--json").json

    assert (document["run"]["id"], document["against"]["id"]) == (6, 5)
    assert document["chosen"] == "last success"
    assert document["output"]["lines"] == [
        "-12:00:00 start", "-all well", "+03:00:00 start", "+no space left"]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["99"], 2, "There is no run '99'. See: cronpilot history"),
        (["nope"], 2, "There is no task 'nope'. See: cronpilot list"),
        (["2"], 4, "ended well, so run 2 has no match. Name a run to compare it with."),
    ],
)
def test_nothing_to_compare_is_said(
    cronpilot: Cronpilot, words: list[str], code: int, sentence: str
) -> None:
    said = cronpilot("compare", *words)

    assert said.code == code
    assert said.err.endswith(f"{sentence}\n")
    assert HOSTILE not in said.err
