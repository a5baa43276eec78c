"""Every end is judged once, whatever the order, the portions and the crashes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cronpilot.domain.run import Reason
from cronpilot.notify.rules import Defaults
from cronpilot.storage import incidents, outbox
from cronpilot.storage.migrate import prepare
from tests.engine.life import DAY, HOUR, MINUTE, TELLING, Life


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """An empty database; ops@example.org is told."""
    prepare(tmp_path / "cronpilot.db")
    made = Life(tmp_path / "cronpilot.db")
    yield made
    made.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database that is copied, because migrating takes a second."""
    path = tmp_path_factory.mktemp("template") / "cronpilot.db"
    prepare(path)
    life = Life(path)
    for name, notify in (("a", {}), ("b", {"after": 2}), ("c", {"on": "always"})):
        life.task(name, notify=notify)
    life.close()
    return path


ENDS = st.lists(
    st.tuples(
        st.integers(1, 3), st.sampled_from(["success", "failed", "timeout", "lost", "stopped"])
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ends=ENDS, most=st.integers(1, 7), judged_after=st.sets(st.integers(0, 30)))
def test_each_fault_is_told_once_and_its_recovery_once(template, ends, most, judged_after):
    """Whenever the judge comes, after each end or after all of them, in whatever portions."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, folder)
        life = Life(Path(folder) / "cronpilot.db")
        for number, (task_id, status) in enumerate(ends):
            life.ran(task_id, status)
            if number in judged_after:
                life.judge(most)
        life.judge(most)
        told = {task_id: life.told(task_id) for task_id in (1, 2, 3)}
        life.close()

    for task_id, after in ((1, 1), (2, 2), (3, 1)):
        verdicts = [status for task, status in ends if task == task_id and status != "stopped"]
        streaks = "".join("g" if one == "success" else "b" for one in verdicts).split("g")
        faults = sum(len(streak) >= after for streak in streaks)
        still_open = len(streaks[-1]) >= after
        assert told[task_id].count("opened failure") == faults
        assert told[task_id].count("recovered failure") == faults - still_open
        if task_id == 3:  # always: one message for each end
            assert len(told[3]) == len(verdicts)
        else:
            assert len(told[task_id]) == 2 * faults - still_open


def test_a_judgement_that_is_not_committed_has_not_happened(life: Life):
    life.ran(life.task(), "failed")

    def crash(connection):
        life._judge(connection, 50)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        life.write(crash)
    assert life.told() == []

    life.judge()
    assert life.told() == ["opened failure"]


def test_tests_and_successes_that_end_nothing_leave_no_trace(life: Life):
    task_id = life.task()
    life.ran(task_id)
    life.end(life.start(task_id, trigger="test", scheduled_for=None), "failed")

    assert not life.database.read(incidents.has_news)


@pytest.mark.parametrize(("notify", "told"), [
    ("never", []), ("failure", ["opened failure", "recovered failure"]),
    ("success", ["succeeded failure", "recovered failure", "succeeded failure"]),
    ("always", ["succeeded failure", "opened failure", "repeated failure", "recovered failure",
                "succeeded failure"]),
    ({"to": []}, []),
])  # fmt: skip
def test_who_hears_of_what(life: Life, notify, told):
    task_id = life.task(notify=notify)
    for status in ("success", "failed", "failed", "success", "success"):
        life.ran(task_id, status)
    life.judge()

    assert life.told() == told


def test_slots_that_pass_without_a_run_are_an_incident_of_their_own(life: Life):
    task_id = life.task(alarms={"skipped": 3})
    for _ in range(5):
        life.passed(task_id)
    life.judge()
    assert life.told() == ["opened skipped"]
    assert life.detail() == "3 slots in a row passed without a run: the one before still ran."

    life.ran(task_id, "failed")
    life.judge()
    assert life.told() == ["opened skipped", "opened failure", "recovered skipped"]


@pytest.mark.parametrize("reason", [Reason.PAUSED, Reason.DOWN])
def test_slots_that_somebody_or_nobody_kept_still_are_none(life: Life, reason):
    task_id = life.task(alarms={"skipped": 1})
    life.passed(task_id, reason)
    life.judge()

    assert life.told() == []


def test_an_open_incident_has_a_daily_line_until_it_is_acknowledged(life: Life):
    life.ran(life.task(), "failed")
    life.judge()
    days = []
    for day in range(4):
        if day == 2:
            life.write(lambda c: incidents.acknowledge(c, 1, at=life.now, by="me"))
        for _ in range(24):
            life.now += HOUR
            life.look()
        days.append(len(life.told()) - 1)

    assert days == [1, 2, 2, 2]
    assert life.look() == 0


def test_an_incident_of_a_task_that_is_gone_ends_in_silence(life: Life):
    task_id = life.task()
    life.ran(task_id, "failed")
    life.judge()
    life.write(
        lambda c: c.exec_driver_sql("UPDATE task SET archived_at = 1 WHERE id = ?", (task_id,))
    )
    life.look()

    assert life.open_faults() == []
    assert life.told() == ["opened failure"]


def test_the_outbox_is_bounded_and_counts_what_it_did_not_take(life: Life, monkeypatch):
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    letters = [outbox.Letter("mail:a@x", "x", life.now) for _ in range(5)]

    assert life.write(lambda c: outbox.add(c, letters, life.now)) == 2
    assert life.write(lambda c: outbox.add(c, letters, life.now)) == 5


def test_what_is_alike_goes_when_the_first_of_it_is_due_and_only_once(life: Life):
    first = outbox.Letter("mail:a@x", "x", life.now + MINUTE)
    second = outbox.Letter("mail:a@x", "x", life.now + 2 * MINUTE)
    other = outbox.Letter("mail:b@x", "x", life.now + 2 * MINUTE)
    for letter in (first, second, other):
        life.write(lambda c, letter=letter: outbox.add(c, [letter], life.now))
    names = iter("mnop")

    def claim(after):
        return life.write(
            lambda c: outbox.claim(c, "mail:", life.now + after, 4, lambda: next(names))
        )

    (batch,) = claim(MINUTE)
    assert (batch.name, batch.target, len(batch.rows)) == ("m", "mail:a@x", 2)
    assert claim(MINUTE) == []  # it is being sent
    assert life.write(lambda c: outbox.take_up(c, life.now)) == 2  # the engine died meanwhile
    assert [(one.name, one.tries) for one in claim(5 * MINUTE)] == [("m", 2), ("n", 1)]


def test_a_ping_for_each_start_and_end(tmp_path: Path):
    prepare(tmp_path / "cronpilot.db")
    life = Life(tmp_path / "cronpilot.db", TELLING)
    task_id = life.task("Backup DB", notify={"to": [], "ping": "https://hc.example/{task}"})
    run_id = life.start(task_id, "starting", attempts=0, started_at=None)
    life.move(run_id, "running", attempts=1, started_at=life.now)
    life.move(run_id, "retrying")
    life.move(run_id, "running", attempts=2)
    life.end(run_id, "success")

    assert _pings(life) == ["/backup-db/start", "/backup-db"]


def test_a_run_that_is_over_before_its_start_is_written_pings_for_both(tmp_path: Path):
    prepare(tmp_path / "cronpilot.db")
    life = Life(tmp_path / "cronpilot.db", TELLING)
    task_id = life.task("true", notify={"to": [], "ping": "https://hc.example/{task}"})
    for verdict in ("success", "failed"):
        run_id = life.start(task_id, "starting", attempts=0, scheduled_for=None)
        life.end(run_id, verdict, attempts=1, started_at=life.now)
    never = life.start(task_id, "starting", attempts=0, scheduled_for=None)
    life.end(never, "error")

    assert _pings(life) == ["/true/start", "/true", "/true/start", "/true/fail", "/true/fail"]


def _pings(life: Life) -> list[str]:
    """The addresses that are asked for, in their order; `life` ends with it."""
    life.judge()
    batches = life.write(lambda c: outbox.claim(c, "ping", life.now, 9, lambda: "x"))
    life.close()
    return [row["facts"]["url"].removeprefix("https://hc.example")
            for batch in batches for row in batch.rows]  # fmt: skip


def test_defaults_of_the_configuration_reach_every_task(life: Life):
    life.telling = TELLING.__class__(Defaults(to=["a@x"], channels=["chat"]))
    life.ran(life.task(), "failed")
    life.judge()

    assert life.told() == ["opened failure"] * 2


def test_old_incidents_and_messages_are_forgotten(life: Life):
    task_id = life.task()
    life.ran(task_id, "failed")
    life.ran(task_id)
    life.judge()

    assert life.write(lambda c: incidents.forget_closed(c, life.now + DAY)) == 1
    assert life.write(lambda c: outbox.forget(c, life.now + DAY)) == 0  # not sent yet
