"""What every Client does, whichever way it goes: in memory, over a unix socket, over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cronpilot.client import Client
from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.http import HttpClient
from cronpilot.client.log_search import LogQuery
from cronpilot.client.messages import (
    Banner,
    FileDifference,
    Gap,
    LogChunk,
    RunQuery,
    TaskChanged,
    TaskQuery,
)
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.errors import (
    AlreadyRunning,
    Complaint,
    ConfigError,
    Conflict,
    CronPilotError,
    InvalidFile,
    InvalidSchedule,
    KeeperProblem,
    NoEngine,
    NotFound,
    Refused,
    StorageProblem,
    UsageProblem,
)

from ..api.guarding import PASSWORD
from .serving import Both, reached
from .serving_tcp import served_on_tcp

HOSTILE = "../../etc/[/]\x1b[31m\n\u202e?&#%2F 日本"
DAY = timedelta(days=1)


@pytest.fixture(params=["in memory", "over the socket", "over TCP"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    """Three tasks, the second of them with a name that means harm; run 1 of the first goes on."""
    engine = FakeClient(
        tasks=[
            make_task(1, "backup-db", tags=["db"]),
            make_task(2, HOSTILE, command=["echo", "$HOME"]),
            make_task(3, "report", next_run_at=None),
        ],
        runs=[
            make_run(1),
            make_run(2, task_id=2, task_name=HOSTILE, status=Status.FAILED, exit_code=3),
        ],
        logs={1: b"one\ntwo\xff\x00\n", 2: b"x" * 300_000},
        banners=[Banner(key="disk", text="The disk is nearly full.", hint="Make room.")],
    )
    if request.param == "over TCP":
        async with served_on_tcp(engine) as on_tcp:
            client = HttpClient.at(on_tcp.address, user="admin", password=PASSWORD)
            yield Both(client, engine)
            await client.close()
        return
    async with reached(engine, request.param, tmp_path) as both:
        yield both


async def test_status_has_the_figures_and_the_banners(both: Both) -> None:
    status = await both.client.status()

    assert (status.total_tasks, status.scheduled_tasks, status.max_workers) == (3, 2, 10)
    assert status.engine is not None
    assert status.engine.id == "fake"
    assert [banner.text for banner in status.banners] == ["The disk is nearly full."]


async def test_health_arrives_as_it_is(both: Both) -> None:
    health = await both.client.health()

    assert [banner.key for banner in health.banners] == ["disk"]
    assert health.engine is not None
    assert health.disk_free == 42_000_000_000
    assert health == (await both.engine.health()).model_copy(update={
        "at": health.at, "copied_at": health.copied_at})  # fmt: skip


async def test_a_window_of_tasks_knows_the_total(both: Both) -> None:
    page = await both.client.tasks(TaskQuery(offset=1, limit=1))

    assert [task.name for task in page.rows] == [HOSTILE]
    assert page.total == 3


async def test_tasks_are_filtered_and_sorted_by_the_other_side(both: Both) -> None:
    found = [
        await both.client.tasks(TaskQuery(text="true", in_commands=yes)) for yes in (True, False)
    ]
    assert [page.total > 0 for page in found] == [True, False]
    page = await both.client.tasks(TaskQuery(text="DB", sort="name", descending=True))

    assert [task.id for task in page.rows] == [1]


async def test_nothing_is_started_or_paused_of_another_version_than_was_seen(both: Both) -> None:
    client, seen = both.client, (await both.client.task(1)).version
    asked = [
        lambda version: client.run_now(1, request_id="a", if_version=version),
        lambda version: client.test_task(1, request_id="b", if_version=version),
        lambda version: client.pause_task(1, if_version=version),
        lambda version: client.resume_task(1, if_version=version),
    ]
    for ask in asked:
        with pytest.raises(Conflict) as refused:
            await ask(seen + 1)
        assert refused.value.version == seen
    assert both.engine.calls == []
    for ask in asked:
        await ask(seen)
    assert len(both.engine.calls) == len(asked)


async def test_a_task_arrives_as_it_is(both: Both) -> None:
    task = await both.client.task(2)

    assert task == await both.engine.task(2)
    assert task.command == ["echo", "$HOME"]


@pytest.mark.parametrize(("name", "found"), [("backup-db", 1), (HOSTILE, 2), ("3", 3)])
async def test_a_task_is_found_by_name_and_by_number(both: Both, name: str, found: int) -> None:
    assert (await both.client.find_task(name)).id == found


@pytest.mark.parametrize(
    ("ask", "what", "name"),
    [
        pytest.param(lambda client: client.task(99), "task", "99", id="task by id"),
        pytest.param(lambda client: client.find_task("bakcup"), "task", "bakcup", id="by name"),
        pytest.param(lambda client: client.run(99), "run", "99", id="run"),
        pytest.param(lambda client: client.attempts(99), "run", "99", id="attempts"),
        pytest.param(lambda client: client.test_task(99, request_id="r"), "task", "99", id="test"),
        pytest.param(lambda client: client.stop_run(99), "run", "99", id="stop"),
        pytest.param(lambda client: client.pause_task(99), "task", "99", id="pause"),
        pytest.param(lambda client: client.why(99), "task", "99", id="why"),
        pytest.param(lambda client: client.run_now(99, request_id="r"), "task", "99", id="start"),
        pytest.param(lambda client: client.read_log(99), "run", "99", id="log"),
        pytest.param(lambda client: client.compare(99), "run", "99", id="compare"),
        pytest.param(lambda client: anext(client.follow_log(99)), "run", "99", id="follow"),
        pytest.param(
            lambda client: client.search_log(99, LogQuery(pattern="x")), "run", "99", id="search"
        ),
    ],
)
async def test_what_does_not_exist_is_named(
    both: Both, ask: Callable[[Client], object], what: str, name: str
) -> None:
    with pytest.raises(NotFound, match=f"There is no {what} '{name}'.") as caught:
        await ask(both.client)  # type: ignore[misc]

    assert (caught.value.what, caught.value.name) == (what, name)


async def test_planned_starts_of_all_and_of_one(both: Both) -> None:
    of_all = await both.client.fire_times(limit=5)
    of_one = await both.client.fire_times(task_id=2)
    of_none = await both.client.fire_times(task_id=3)

    assert [start.task_id for start in of_all] == [1, 2]
    assert [(start.task_name, start.starts_at) for start in of_one] == [
        (HOSTILE, datetime(2026, 3, 5, 2, 30, tzinfo=UTC))
    ]
    assert of_none == []


async def test_why_is_answered_for_now_and_for_a_moment(both: Both) -> None:
    now = await both.client.why(1)
    slot = await both.client.why(1, at=datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC))
    future = await both.client.why(1, at=datetime(2100, 3, 5, 2, 30, tzinfo=UTC))

    assert now.task_name == "backup-db"
    assert now.because[0] == "Run 1 is running since 2026-03-04 12:00 UTC."
    assert slot.verdict == "It is running since 2026-03-04 12:00 UTC."
    assert [run.id for run in slot.runs] == [1]
    assert future.verdict == "It is planned for 2100-03-05 02:30 UTC."


async def test_runs_come_newest_first_and_are_paged_by_id(both: Both) -> None:
    newest = await both.client.runs(RunQuery(limit=1))
    older = await both.client.runs(RunQuery(before=2))
    failed = await both.client.runs(RunQuery(status=[Status.FAILED, Status.TIMEOUT]))
    bad = await both.client.runs(RunQuery(bad=True, text="日本", since=NOON, until=NOON + DAY))
    none = await both.client.runs(RunQuery(bad=True, text="backup"))
    active = await both.client.runs(RunQuery(active=True))

    assert [run.id for run in newest.rows] == [2]
    assert [run.id for run in bad.rows] == [2]
    assert none.rows == []
    assert [run.id for run in older.rows] == [1]
    assert [run.exit_code for run in failed.rows] == [3]
    assert [run.id for run in active.rows] == [1]


async def test_a_start_that_is_resent_starts_once(both: Both) -> None:
    first = await both.client.run_now(3, request_id="abc")
    again = await both.client.run_now(3, request_id="abc")

    assert first.id == again.id == 3
    assert (first.trigger, first.scheduled_for) == (Trigger.MANUAL, None)
    assert both.engine.calls == [("run_now", 3)]


async def test_a_start_that_meets_its_own_task_is_answered_with_the_skipped_row(both: Both) -> None:
    await both.client.run_now(3, request_id="first")
    skipped = await both.client.run_now(3, request_id="second")

    assert (skipped.status, skipped.reason) == (Status.SKIPPED, Reason.ALREADY_RUNNING)


async def test_a_test_is_a_run_of_its_own_kind(both: Both) -> None:
    test = await both.client.test_task(
        3, spec={"command": "false"}, as_scheduled=True, request_id="abc"
    )
    again = await both.client.test_task(3, request_id="abc")

    assert test.id == again.id == 3
    assert (test.trigger, test.scheduled_for) == (Trigger.TEST, None)
    assert both.engine.calls == [("test_task", 3, {"command": "false"}, True)]


async def test_the_variables_of_a_run_come_with_it_alone(both: Both) -> None:
    both.engine.put_run(make_run(1, environment={"HOME": "/root", "TOKEN": "***"}))

    assert (await both.client.run(1)).environment == {"HOME": "/root", "TOKEN": "***"}
    assert [run.environment for run in (await both.client.runs(RunQuery())).rows] == [None, None]


async def test_the_attempts_of_a_run(both: Both) -> None:
    (attempt,) = await both.client.attempts(1)

    assert (attempt.number, attempt.pid, attempt.outcome) == (1, 4242, None)


async def test_stop_passes_the_signal_on(both: Both) -> None:
    stopped = await both.client.stop_run(1, signal="KILL")

    assert (stopped.status, stopped.signal) == (Status.STOPPED, 9)
    assert both.engine.calls == [("stop_run", 1, "KILL")]


async def test_changes_are_answered_with_the_changed_row(both: Both) -> None:
    end = datetime(2030, 1, 1, 18, tzinfo=UTC)
    assert (await both.client.pause_task(1, until=end)).paused_until == end
    assert (await both.client.pause_task(1, run_after=True)).run_after_pause is True
    assert (await both.client.resume_task(1)).paused_at is None
    assert (await both.client.pause_scheduler()).paused is True
    assert (await both.client.pause_scheduler(until=end)).paused_until == end
    assert (await both.client.resume_scheduler()).paused_until is None
    assert (await both.client.reload()).added == []
    assert await both.client.backup("/srv/b.db") == "/srv/b.db"
    await both.client.shutdown(with_tasks=True)

    assert both.engine.calls == [
        ("pause_task", 1),
        ("pause_task", 1),
        ("resume_task", 1),
        ("pause_scheduler",),
        ("pause_scheduler",),
        ("resume_scheduler",),
        ("reload",),
        ("backup", "/srv/b.db"),
        ("shutdown", True),
    ]


async def test_a_task_is_made_changed_deleted_and_brought_back(both: Both) -> None:
    made = await both.client.create_task(
        {"name": HOSTILE + "2", "command": "true", "schedule": "daily 02:30"}
    )
    changed = await both.client.change_task(made.id, {"timeout": "5m"}, if_version=1)
    deleted = await both.client.delete_task(made.id, if_version=2)
    gone = await both.client.find_task(HOSTILE + "2", archived=True)
    back = await both.client.undo(made.id)
    revisions = await both.client.revisions(made.id)

    assert (made.name, made.version, made.schedule) == (HOSTILE + "2", 1, "daily 02:30")
    assert (changed.timeout, changed.version) == ("5m", 2)
    assert deleted.archived_at is not None
    assert gone.id == made.id
    assert (back.timeout, back.archived_at) == ("5m", None)
    assert [(one.version, one.kind) for one in revisions] == [
        (4, "restored"),
        (3, "archived"),
        (2, "changed"),
        (1, "created"),
    ]
    assert [(one.field, one.before, one.after) for one in revisions[2].changes] == [
        ("timeout", None, "5m")
    ]


async def test_a_revision_is_undone_by_its_number(both: Both) -> None:
    await both.client.change_task(1, {"description": "one"})
    await both.client.change_task(1, {"description": "two"})
    first = (await both.client.revisions(1))[-1]

    undone = await both.client.undo(1, revision_id=first.id, if_version=3)

    assert undone.description == ""
    assert len(await both.client.revisions(1, limit=1)) == 1


@pytest.mark.parametrize(
    ("edit", "kind", "field"),
    [
        pytest.param(lambda c: c.change_task(1, {"comand": "x"}), ConfigError, "comand", id="key"),
        pytest.param(
            lambda c: c.change_task(1, {"schedule": "dayly"}), ConfigError, "schedule", id="value"
        ),
        pytest.param(
            lambda c: c.change_task(1, {"name": "report"}), Conflict, "name", id="name is taken"
        ),
        pytest.param(
            lambda c: c.change_task(1, {}, if_version=7), Conflict, None, id="other version"
        ),
        pytest.param(lambda c: c.delete_task(1, if_version=7), Conflict, None, id="delete"),
        pytest.param(lambda c: c.delete_task(99), NotFound, None, id="no such task"),
        pytest.param(lambda c: c.revisions(99), NotFound, None, id="no revisions"),
        pytest.param(lambda c: c.undo(1, revision_id=99), NotFound, None, id="no such revision"),
        pytest.param(lambda c: c.undo(1), Refused, None, id="nothing to undo"),
    ],
)
async def test_an_edit_that_cannot_be_says_why_and_where(
    both: Both, edit: Callable[[Client], object], kind: type[CronPilotError], field: str | None
) -> None:
    with pytest.raises(kind) as caught:
        await edit(both.client)  # type: ignore[misc]

    assert caught.value.field == field
    assert getattr(caught.value, "version", None) in (None, 1)
    assert (await both.client.task(1)).version == 1


async def test_export_and_differences_arrive_as_they_are(both: Both) -> None:
    both.engine.definitions.in_file = [FileDifference(task_name=HOSTILE, kind="only here")]

    assert await both.client.export() == await both.engine.export()
    assert await both.client.differences() == both.engine.definitions.in_file


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        pytest.param(0, 4, LogChunk(run_id=1, offset=0, size=10, data=b"one\n", ended=False),
                     id="from the start"),
        pytest.param(-3, 99, LogChunk(run_id=1, offset=7, size=10, data=b"\xff\x00\n", ended=False),
                     id="from the end, bytes as they are"),
        pytest.param(99, 9, LogChunk(run_id=1, offset=10, size=10, data=b"", ended=False),
                     id="beyond the end"),
    ],
)  # fmt: skip
async def test_a_piece_of_a_log(both: Both, offset: int, limit: int, expected: LogChunk) -> None:
    assert await both.client.read_log(1, offset=offset, limit=limit) == expected


async def test_a_log_is_searched_in_bounded_steps(both: Both) -> None:
    both.engine.append_log(1, b"\x1b[31mTWO\x1b[0m again [two]\n")

    first = await both.client.search_log(1, LogQuery(pattern="two", limit=1))
    more = await both.client.search_log(1, LogQuery(pattern="two", offset=first.end))
    last = await both.client.search_log(
        1, LogQuery(pattern="TWO", case=True, offset=more.size, backwards=True, text=False)
    )
    found = await both.client.search_log(1, LogQuery(pattern=r"\[\w+\]$", regex=True))

    raw = await both.client.search_log(1, LogQuery(pattern="again", raw=True))

    assert [line.text for line in raw.lines] == ["\x1b[31mTWO\x1b[0m again [two]"]
    assert [(line.offset, line.length, line.spans) for line in first.lines] == [(4, 5, [(0, 3)])]
    assert (first.done, first.end, more.done, more.ended) == (False, 10, True, False)
    assert [line.text for line in more.lines] == ["TWO again [two]"]
    assert (last.offsets, last.lines, last.done) == ([10], [], True)
    assert [line.spans for line in found.lines] == [[(10, 15)]]


async def test_a_run_is_compared_with_the_last_success(both: Both) -> None:
    for number, status, log in (
        (5, Status.SUCCESS, b"12:00:00 start\nall well\n"),
        (6, Status.FAILED, b"03:00:00 start\nno space left\n"),
        (7, Status.SUCCESS, b"13:00:00 start\nall well\n"),
    ):
        both.engine.append_log(number, log)
        both.engine.put_run(
            make_run(number, task_id=3, task_name="report", status=status, duration_s=1.0,
                     exit_code=2 if status is Status.FAILED else 0, started_at=NOON,
                     environment={"HOME": "/root", "N": str(number), "CRONPILOT_RUN_ID": "x"})
        )  # fmt: skip

    found = await both.client.compare(6)
    before = await both.client.compare(7)
    named = await both.client.compare(6, against=5, exact=True)

    assert (found.against.id, found.chosen) == (7, "last success")
    assert (before.against.id, before.chosen) == (5, "success before")
    assert (named.against.id, named.chosen) == (5, "named")
    assert [(one.field, one.before, one.after) for one in found.facts] == [
        ("status", "success", "failed"), ("exit_code", 0, 2)]  # fmt: skip
    assert [(one.field, one.before, one.after) for one in found.environment] == [("N", "7", "6")]
    assert found.output.lines == [" 03:00:00 start", "-all well", "+no space left"]
    assert (found.output.removed, found.output.added) == (1, 1)
    assert named.output.lines[:2] == ["-12:00:00 start", "-all well"]


async def test_without_a_success_there_is_nothing_to_compare_with(both: Both) -> None:
    with pytest.raises(Refused, match="No other run of"):
        await both.client.compare(2)


async def test_a_pattern_that_is_none_is_refused(both: Both) -> None:
    with pytest.raises(UsageProblem, match="The pattern cannot be used") as caught:
        await both.client.search_log(1, LogQuery(pattern="(", regex=True))

    assert caught.value.field == "pattern"


async def test_a_log_is_followed_until_the_run_has_ended(both: Both) -> None:
    chunks = both.client.follow_log(1, offset=4)
    seen = [await anext(chunks)]
    both.engine.append_log(1, b"three\n")
    seen.append(await anext(chunks))
    both.engine.finish(1)
    async for chunk in chunks:
        seen.append(chunk)

    assert b"".join(chunk.data for chunk in seen) == b"two\xff\x00\nthree\n"
    assert [chunk.offset for chunk in seen[:2]] == [4, 10]
    assert seen[-1].ended


async def test_a_long_log_arrives_whole(both: Both) -> None:
    data = b"".join([chunk.data async for chunk in both.client.follow_log(2)])

    assert data == b"x" * 300_000


async def test_events_tell_what_changed_and_can_be_resumed(both: Both) -> None:
    events = both.client.events()
    paused = asyncio.create_task(_first_pause(events))
    while not paused.done():  # until the stream has begun, nobody hears of it
        await both.engine.pause_task(1)
        await asyncio.sleep(0.01)
    await events.aclose()  # type: ignore[attr-defined]
    seen = await paused
    both.engine.remove_task(3)

    resumed = both.client.events(after=seen.id)
    kinds = [await anext(resumed) for _ in range(2)]
    await resumed.aclose()  # type: ignore[attr-defined]

    assert seen.task.id == 1
    assert seen.task.paused_at is not None
    assert seen.id.startswith("fake:")
    assert kinds[0].id != seen.id


async def _first_pause(events: AsyncIterator[object]) -> TaskChanged:
    async for event in events:
        if isinstance(event, TaskChanged):
            return event
    raise AssertionError("the events ended")


async def test_events_that_are_forgotten_leave_a_gap(both: Both) -> None:
    events = both.client.events(after="another-engine:7")

    assert isinstance(await anext(events), Gap)

    await events.aclose()  # type: ignore[attr-defined]


async def test_streams_break_off_when_the_engine_goes(both: Both) -> None:
    chunks, events = both.client.follow_log(1), both.client.events(after="unknown")
    await anext(chunks)
    await anext(events)
    both.engine.lose()

    with pytest.raises(NoEngine):
        await anext(chunks)
    with pytest.raises(NoEngine):
        await anext(events)


ERRORS: list[CronPilotError] = [
    AlreadyRunning("'a' is already running.", "Wait for it."),
    Conflict("Somebody else changed 'a'."),
    InvalidSchedule("The minute is out of range.", "Use 0 to 59."),
    StorageProblem("The disk is full.", "Make room."),
    KeeperProblem("/bin/sh cannot do it.", "Install dash."),
    InvalidFile([Complaint("tasks.yaml", 3, "tasks[0].name", "is not text.", "Quote it.")]),
    CronPilotError("Something else.", "Look."),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_arrives_as_the_same_error(
    both: Both, error: CronPilotError, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise error

    monkeypatch.setattr(both.engine, "reload", fail)

    with pytest.raises(type(error)) as caught:
        await both.client.reload()

    assert type(caught.value) is type(error)
    assert (caught.value.problem, caught.value.hint) == (error.problem, error.hint)
    assert caught.value.exit_code == error.exit_code
    assert vars(caught.value).get("complaints") == vars(error).get("complaints")
