"""The variables that a command got are kept with its run, and no secret is."""

from __future__ import annotations

import sqlite3

from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import Status
from tests.engine.conftest import finished, log_of, reached, start


async def test_the_variables_are_those_of_the_command_with_secrets_masked(bench):
    bench.tasks(
        "name: shop\ncommand: env\nschedule: manual\ntimezone: Asia/Tokyo\n"
        "env: {DB_PASSWORD: hunter2, DATABASE_URL: 'postgres://shop:hunter2@db/shop', COLOUR: red}"
    )
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "shop")).id)
        got = dict(line.split("=", 1) for line in (await log_of(engine, run.id)).splitlines())
        listed = (await engine.runs(RunQuery())).rows

    assert got["DB_PASSWORD"] == "hunter2"
    kept = {name: value for name, value in got.items() if name not in ("CRONPILOT_RUN", "PWD")}
    assert run.environment == {
        **kept, "DB_PASSWORD": "***", "DATABASE_URL": "postgres://shop:***@db/shop",
    }  # fmt: skip
    assert [row.environment for row in listed] == [None]


async def test_no_secret_of_an_env_file_reaches_the_database(bench, tmp_path):
    (tmp_path / "shop.env").write_text("API_TOKEN=hunter2\nPLACE=home\nCOLOUR=red\n")
    bench.tasks(
        f"name: shop\ncommand: echo $API_TOKEN $PLACE $COLOUR\nschedule: manual\n"
        f"env_file: {tmp_path}/shop.env\nenv: {{COLOUR: blue}}"
    )
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "shop")).id)
        said = await log_of(engine, run.id)

    assert said == "hunter2 home blue\n"
    assert (run.environment["API_TOKEN"], run.environment["PLACE"]) == ("***", "home")
    assert run.environment["COLOUR"] == "blue"
    database = sqlite3.connect(bench.database)
    assert "hunter2" not in "\n".join(database.iterdump())
    database.close()


async def test_a_run_that_was_never_claimed_has_none(bench):
    bench.tasks("name: slow\ncommand: sleep 300\nschedule: manual\noverlap: queue")
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        second = await start(engine, "slow")
        waiting = await engine.run(second.id)
        await engine.stop_run(second.id)
        await engine.stop_run(first.id)
        await finished(engine, first.id)

    assert (waiting.status, waiting.environment) == (Status.QUEUED, None)
