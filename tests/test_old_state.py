"""What an earlier version left is opened by this one, and means the same.

Until 0.1 is released its schema may still change. When a test here fails for that reason, make the
database anew: `python -m tests.data.make`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cronpilot.client.messages import RunQuery, TaskQuery
from cronpilot.config.tasks_file import read_tasks_file
from cronpilot.domain.run import Status
from cronpilot.domain.task import TaskSpec
from tests.engine.conftest import Bench, finished, start

OLD = Path(__file__).parent / "data" / "0.1"


@pytest.fixture
def bench(tmp_path):
    """The state of 0.1, and the tasks file that it came from at another place."""
    made = Bench(tmp_path)
    shutil.copy(OLD / "cronpilot.db", made.database)
    shutil.copy(OLD / "tasks.yaml", made.tasks_file)
    yield made
    made.kill_keeper()


def test_an_old_tasks_file_is_read_without_a_word():
    file = read_tasks_file(OLD / "tasks.yaml", pools={"db"})
    first = file.entries[0].spec

    assert len(file.entries) == 12
    assert [str(warning) for warning in file.warnings] == []
    # `user` needs root, and what came later is not in it; all else has not its default value.
    assert first.model_fields_set == set(TaskSpec.model_fields) - {"user", "alarms", "quiet"}


async def test_an_old_database_is_opened_with_all_that_is_in_it(bench):
    bench.tasks_file.unlink()
    async with bench.engine() as engine:
        tasks = {task.name: task for task in (await engine.tasks(TaskQuery())).rows}
        runs = (await engine.runs(RunQuery())).rows
        revisions = await engine.revisions(tasks["edited"].id)
        back = await engine.undo((await engine.find_task("deleted", archived=True)).id)
        again = await finished(engine, (await start(engine, "manual")).id)

    assert len(tasks) == 12
    assert tasks["every-field"].limits == {
        "nice": 5, "memory": 100_000_000, "cpu": "10m", "open_files": 100,
    }  # fmt: skip
    assert (tasks["weekly"].paused_at is None, tasks["by hand"].origin) == (False, "api")
    assert [(run.task_name, run.status) for run in runs] == [
        ("by hand", Status.FAILED),
        ("manual", Status.SUCCESS),
    ]
    assert [(one.kind, one.version) for one in revisions] == [("changed", 2), ("created", 1)]
    assert back.name == "deleted"
    assert again.status is Status.SUCCESS
    assert again.id > max(run.id for run in runs)  # no id is given out twice


async def test_an_old_tasks_file_means_what_it_meant(bench):
    async with bench.engine(take_over=True, pools={"db": 1}) as engine:
        result = await engine.reload()
        edited = await engine.find_task("edited")
        names = [task.name for task in (await engine.tasks(TaskQuery())).rows]
        (hourly,) = await engine.fire_times(task_id=(await engine.find_task("cron")).id, limit=1)

    assert (result.added, result.changed, result.archived, result.refused) == ([], [], [], [])
    assert (edited.version, edited.timeout, edited.differs_from_file) == (2, "5m", True)
    assert "deleted" not in names
    assert hourly.scheduled_for.minute in (0, 15, 30, 45)
