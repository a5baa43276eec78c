"""People are told by a real mail server: once, in words, and whatever goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cronpilot.client.incidents import IncidentQuery
from cronpilot.config.telling_settings import NotificationSettings
from cronpilot.domain.run import Status
from cronpilot.engine.engine import Engine
from cronpilot.engine.telling import Trouble, Troubles
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, start, until
from tests.engine.mail import MailServer, mail_server

AT_ONCE = NotificationSettings.model_validate({"to": ["ops@example.org"], "gather": "0s"})


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server with STARTTLS and a password, which has taken nothing yet."""
    with mail_server() as made:
        yield made


@pytest.fixture
def told(server: MailServer, tmp_path: Path) -> dict[str, Any]:
    """What an engine needs to know of that server."""
    return {"smtp": server.settings(tmp_path), "notifications": AT_ONCE}


async def mails(server: MailServer, count: int) -> list[str]:
    """The subjects of so many mails, once they are there."""

    async def there() -> bool:
        return len(server.mails) >= count

    await until(there, f"{count} mails of which {server.subjects()} came")
    return server.subjects()


async def run(engine: Engine, name: str) -> None:
    await finished(engine, (await start(engine, name)).id)
    await engine.concerns.judge()


async def test_a_failure_is_told_once_and_its_recovery_once(bench, server, told):
    flag = bench.state_dir / "works"
    bench.tasks(f"""
name: backup-db
command: echo "dumping"; echo "no space left on device"; test -e {flag}
schedule: manual
""")
    async with bench.engine(**told) as engine:
        for _ in range(3):
            await run(engine, "backup-db")
        flag.touch()
        await run(engine, "backup-db")
        await run(engine, "backup-db")
        subjects = await mails(server, 2)
        story = (await engine.incidents(IncidentQuery(state="all")))[0]

        async def both_are_noted() -> bool:
            return [one.kind for one in (await engine.incident(story.id)).events].count("told") == 2

        await until(both_are_noted)

    assert [one.partition(" on ")[0] for one in subjects] == [
        "[CronPilot] backup-db failed with exit code 1", "[CronPilot] backup-db recovered",
    ]  # fmt: skip
    body = server.body()
    assert "  | no space left on device\n" in body
    assert "Result:    failed with exit code 1" in body
    assert "cronpilot show 1\n" in body
    assert (server.mails[0]["X-To"], server.mails[0]["To"]) == ("ops@example.org",) * 2
    assert (story.count, story.closed_at is not None) == (3, True)


async def test_nothing_is_sent_where_nobody_is_named(bench, server, tmp_path):
    bench.tasks("name: a\ncommand: exit 1\nschedule: manual")
    async with bench.engine(smtp=server.settings(tmp_path)) as engine:
        await run(engine, "a")
        health = await engine.health()

    assert server.mails == []
    assert [one.task_name for one in health.incidents] == ["a"]
    assert health.telling.waiting == 0


async def test_many_tasks_that_fail_alike_make_one_message(bench, server, told):
    names = [f"job-{number}" for number in range(6)]
    bench.tasks(
        *(f"name: {name}\ncommand: echo broken; exit 7\nschedule: manual" for name in names)
    )
    gathering = AT_ONCE.model_copy(update={"gather": timedelta(minutes=30)})
    clock = SetClock(datetime.now(UTC))
    async with bench.engine(clock=clock, **told | {"notifications": gathering}) as engine:
        for run_id in [(await start(engine, name)).id for name in names]:
            await finished(engine, run_id)
        await engine.concerns.judge()
        clock.pass_by(timedelta(hours=1))
        engine.concerns.wake()
        (subject,) = await mails(server, 1)

    assert subject.startswith("[CronPilot] 6 tasks failed on ")
    body = server.body()
    assert all(f"  {name} failed with exit code 7" in body for name in names)


async def test_a_server_that_is_down_or_busy_gets_it_later(bench, server, told, monkeypatch):
    monkeypatch.setattr("cronpilot.engine.telling.BACK_OFF_S", (0.05,))
    server.answers += ["451 Try again later", "421 Too busy"]
    bench.tasks("name: a\ncommand: exit 1\nschedule: manual")
    async with bench.engine(**told) as engine:
        await run(engine, "a")
        subjects = await mails(server, 1)

    assert len(subjects) == 1


async def test_a_recovery_never_comes_before_its_failure(bench, server, told, monkeypatch):
    monkeypatch.setattr("cronpilot.engine.telling.BACK_OFF_S", (0.3,))
    server.answers += ["451 Try again later"] * 2
    flag = bench.state_dir / "works"
    bench.tasks(f"name: a\ncommand: test -e {flag}\nschedule: manual")
    async with bench.engine(**told) as engine:
        await run(engine, "a")
        flag.touch()
        await run(engine, "a")
        subjects = await mails(server, 2)

    assert [one.split()[2] for one in subjects] == ["failed", "recovered"]


async def test_whom_the_server_does_not_know_is_given_up_and_told_in_health(bench, server, told):
    server.refused.add("ops@example.org")
    bench.tasks("name: a\ncommand: exit 1\nschedule: manual")
    async with bench.engine(**told) as engine:
        await run(engine, "a")

        async def gave_up() -> Any:
            telling = (await engine.health()).telling
            return telling if telling.gave_up else None

        telling = await until(gave_up)

    assert (telling.waiting, server.mails) == (0, [])
    assert "refuses ops@example.org: 550 No such user here" in telling.error


async def test_a_wrong_password_is_said_in_words_without_it(bench, server, told, tmp_path):
    (tmp_path / "password").write_text("wrong-secret")
    bench.tasks("name: a\ncommand: exit 1\nschedule: manual")
    async with bench.engine(**told) as engine:
        await run(engine, "a")

        async def failed() -> Any:
            telling = (await engine.health()).telling
            return telling if telling.error else None

        telling = await until(failed)
        banner = next(one for one in (await engine.status()).banners if one.key == "notifications")

    assert telling.waiting == 1
    assert "does not accept user and password" in telling.error
    assert "does not accept user and password" in banner.text
    assert "wrong-secret" not in f"{telling.error}{banner.text}"


def test_what_kept_us_from_telling_is_said_until_that_very_way_works():
    troubles = Troubles()
    pinging = ("No ping.", "It is tried again. Try: cronpilot notify test")

    assert troubles.after(Trouble("ping:1", "No ping.")) == pinging
    assert troubles.after(Trouble("mail:")) == pinging
    assert troubles.after(Trouble("mail:", "No such user.", given_up=True)) == (
        "No such user.", "That message is given up. Try: cronpilot notify test",
    )  # fmt: skip
    assert troubles.after(Trouble("mail:")) == pinging
    assert troubles.after(Trouble("ping:1")) is None


async def test_a_server_that_hangs_delays_no_run(bench, server, told):
    server.hold.clear()
    bench.tasks(
        "name: a\ncommand: exit 1\nschedule: manual", "name: b\ncommand: 'true'\nschedule: manual"
    )
    async with bench.engine(**told) as engine:
        await run(engine, "a")
        await until(lambda: _answer(server.asked.is_set()))
        run_b = await finished(engine, (await start(engine, "b")).id)
        server.hold.set()
        await mails(server, 1)

    assert run_b.status is Status.SUCCESS


async def _answer(value: bool) -> bool:
    return value


async def test_what_was_not_sent_is_sent_after_a_restart(bench, server, told):
    """Between the outbox and the mail the engine ends; the mail has the name it would have had."""
    bench.tasks("name: a\ncommand: exit 1\nschedule: manual")
    later = AT_ONCE.model_copy(update={"gather": timedelta(hours=1)})
    async with bench.engine(**told | {"notifications": later}) as engine:
        await run(engine, "a")
        assert (await engine.health()).telling.waiting == 1
    assert server.mails == []

    database = bench.database
    _rewrite(database, "UPDATE outbox SET status = 'sending', batch = 'name-of-before', tries = 1")
    async with bench.engine(**told) as engine:
        await mails(server, 1)

        async def settled() -> bool:
            return (await engine.health()).telling.waiting == 0

        await until(settled)

    assert [mail["Message-ID"] for mail in server.mails] == ["<name-of-before@example.org>"]


async def test_an_engine_that_stops_waits_only_a_moment_for_what_is_being_sent(
    bench, server, told, monkeypatch
):
    monkeypatch.setattr("cronpilot.engine.telling.LAST_WORDS_S", 0.1)
    bench.tasks("name: a\ncommand: exit 1\nschedule: manual")
    server.hold.clear()
    async with bench.engine(**told) as engine:
        await run(engine, "a")
        await until(lambda: _answer(server.asked.is_set()))
    assert server.mails == []

    server.hold.set()
    async with bench.engine(**told):
        await mails(server, 1)

    assert len({mail["Message-ID"] for mail in server.mails}) == 1


def _rewrite(path: Path, statement: str) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_a_test_message_says_what_became_of_it(bench, server, told):
    server.refused.add("nobody@example.org")
    async with bench.engine(**told) as engine:
        (good,) = await engine.test_notification()
        (bad,) = await engine.test_notification(to="nobody@example.org")

    assert (good.target, good.error) == ("mail:ops@example.org", "")
    assert "550 No such user here" in bad.error
    assert server.subjects()[0].startswith("[CronPilot] Test message from ")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_tls_from_the_first_byte(bench, tmp_path):
    with mail_server(tls=True) as server:
        told = {"smtp": server.settings(tmp_path, security="tls"), "notifications": AT_ONCE}
        async with bench.engine(**told) as engine:
            (sent,) = await engine.test_notification()

    assert (sent.error, len(server.mails)) == ("", 1)


async def test_a_certificate_that_nobody_knows_is_refused(bench, server, tmp_path):
    told = {"smtp": server.settings(tmp_path, ca_file=None), "notifications": AT_ONCE}
    async with bench.engine(**told) as engine:
        (sent,) = await engine.test_notification()

    assert "certificate is not trusted" in sent.error
    assert server.mails == []
