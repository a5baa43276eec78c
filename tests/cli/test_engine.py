"""status, reload, backup, shutdown; and every command that needs an engine without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot.cli import main
from cronpilot.client import Client
from cronpilot.client.fake import FakeClient, make_task
from cronpilot.client.messages import Banner, ReloadResult
from cronpilot.config.settings import Settings
from cronpilot.errors import NoEngine

from .conftest import Cronpilot, Running


def test_status_in_words(cronpilot: Cronpilot, engine: Running) -> None:
    engine.do(
        lambda: engine.fake.set_banners(
            Banner(key="disk", text="The disk is\x1b[2J full.", hint="Make room.", severity="error")
        )
    )

    said = cronpilot("status")

    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("CronPilot 0.1 on example, pid 1, beside a screen, since 20")
    assert lines[1:] == [
        "State directory: /var/lib/cronpilot",
        "Tasks file: none",
        "Tasks: 3, 3 active, 2 scheduled, 0 failing",
        "Runs: 1 running of at most 10, 0 waiting, 0 to be retried",
        "Next: backup-db at 2026-03-05 03:30 CET",
        "error: The disk is\\x1b[2J full. Make room.",
    ]


def test_status_as_json_has_the_documented_fields(cronpilot: Cronpilot) -> None:
    status = cronpilot("status", "--json").json

    assert {
        "total_tasks", "active_tasks", "scheduled_tasks", "running", "queued", "max_workers",
        "engine",
    } <= set(status)  # fmt: skip
    assert (status["total_tasks"], status["running"], status["engine"]["id"]) == (3, 1, "fake")


def test_status_without_an_engine_exits_with_3(alone: Cronpilot, tmp_path: Path) -> None:
    words = ["status", "--connect", str(tmp_path / "engine.sock")]

    in_words, as_json = alone(*words), alone(*words, "--json")

    assert (in_words.code, as_json.code) == (3, 3)
    assert in_words.out.startswith(f"No engine runs on {tmp_path}/engine.sock.")
    assert as_json.json["engine"] is None


def test_status_reads_a_database_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    class Offline(FakeClient):
        async def status(self):  # type: ignore[no-untyped-def]
            return (await super().status()).model_copy(update={"engine": None})

    code = main(
        ["status", "--state-dir", "/srv/cp"],
        open_client=lambda settings, *, need_engine: Offline([make_task()]),
    )

    out = capsys.readouterr().out
    assert code == 3
    assert out.startswith("No engine runs on /srv/cp. Start one: cronpilot --headless\nTasks: 1,")


@pytest.mark.parametrize(
    "words",
    [
        ["run", "x"], ["test", "x"], ["stop", "1"],
        ["stop", "--all"], ["pause", "x"], ["resume", "--all"],
        ["reload"], ["backup", "b.db"], ["shutdown"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_changing_commands_ask_for_an_engine_and_exit_with_5_without(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bool] = []

    def none_there(settings: Settings, *, need_engine: bool) -> Client:
        asked.append(need_engine)
        raise NoEngine(str(settings.state_dir))

    code = main([*words, "--state-dir", "/srv/cp"], open_client=none_there)

    assert (code, asked) == (5, [True])
    assert capsys.readouterr().err == (
        "cronpilot: No engine runs on /srv/cp. Start one: cronpilot --headless\n"
    )


@pytest.mark.parametrize(
    "words", [["list"], ["next"], ["history"], ["logs", "x"], ["show", "1"], ["status"]]
)
def test_reading_commands_need_none(words: list[str]) -> None:
    asked: list[bool] = []

    def offline(settings: Settings, *, need_engine: bool) -> Client:
        asked.append(need_engine)
        return FakeClient()

    main(words, open_client=offline)

    assert asked == [False]


def test_reload_tells_what_it_did(
    cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reload() -> ReloadResult:
        return ReloadResult(
            file="/srv/tasks.yaml", added=["a", "b\x1b"], refused=["The name 'c' is taken."]
        )

    monkeypatch.setattr(engine.fake, "reload", reload)

    assert cronpilot("reload").out == (
        "Read /srv/tasks.yaml.\nAdded: a, b\\x1b\nRefused: The name 'c' is taken.\n"
    )
    assert cronpilot("reload", "--json").json["added"] == ["a", "b\x1b"]


def test_backup_names_the_file_by_its_whole_path(
    cronpilot: Cronpilot, engine: Running, somewhere: Path
) -> None:
    said = cronpilot("backup", "copy.db")

    assert said.out == f"The database is saved in {somewhere}/copy.db.\n"
    assert engine.fake.calls == [("backup", f"{somewhere}/copy.db")]


def test_shutdown_waits_for_the_end(cronpilot: Cronpilot, engine: Running) -> None:
    said = cronpilot("shutdown")

    assert said.out == "The engine has ended. 1 running tasks go on.\n"
    assert engine.fake.calls == [("shutdown", False)]


def test_shutdown_with_tasks_as_json(cronpilot: Cronpilot, engine: Running) -> None:
    said = cronpilot("shutdown", "--with-tasks", "--json")

    assert (said.json["with_tasks"], said.json["ended"]) == (True, True)
    assert said.json["engine"]["id"] == "fake"
    assert engine.fake.calls == [("shutdown", True)]
