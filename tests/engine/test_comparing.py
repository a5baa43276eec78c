"""Failed at 03:00, works by hand: how two runs of a task differ."""

from __future__ import annotations

import pytest

from cronpilot.engine.offline import OfflineClient
from cronpilot.errors import Refused

from .conftest import Bench, finished, start

TASK = """name: report
command: |
  echo "$(date +%T) start"; seq 100; echo "for $WHO in $PWD"; test $WHO = me
schedule: manual
working_dir: /
env: {WHO: somebody, TOKEN: secret-1}
"""


async def test_a_failure_beside_the_success_that_an_edit_brought(bench: Bench) -> None:
    bench.tasks(TASK)
    async with bench.engine() as engine:
        failed = await finished(engine, (await start(engine, "report")).id)
        changes = {
            "env": {"WHO": "me", "TOKEN": "secret-2"},
            "working_dir": "/tmp",
            "timeout": "1h",
        }
        await engine.change_task(failed.task_id, changes)
        well = await finished(engine, (await start(engine, "report")).id)
        found = await engine.compare(failed.id)
        exact = await engine.compare(failed.id, against=well.id, exact=True)
        with pytest.raises(Refused, match="does not differ from itself"):
            await engine.compare(failed.id, against=failed.id)

    assert (found.run.id, found.against.id) == (failed.id, well.id)
    facts = {one.field: (one.before, one.after) for one in found.facts}
    assert facts["status"] == ("success", "failed")
    assert facts["exit_code"] == (0, 1)
    assert found.versions == (2, 1)
    changed = {one.field: (one.before, one.after) for one in found.definition}
    assert changed["working_dir"] == ("/tmp", "/")
    assert changed["env"] == (
        {"WHO": "me", "TOKEN": "***"},
        {"WHO": "somebody", "TOKEN": "*** (another one)"},
    )
    assert changed["timeout"] == ("1h", None)
    # That the secret differs cannot be seen: only its mask was kept.
    assert [(one.field, one.before, one.after) for one in found.environment] == [
        ("WHO", "me", "somebody")]  # fmt: skip
    assert found.output.lines == [
        "@98", " 98", " 99", " 100", "-for me in /tmp", "+for somebody in /"]  # fmt: skip
    assert "CRONPILOT_RUN_ID" in [one.field for one in exact.environment]
    assert exact.chosen == "named"

    offline = OfflineClient(bench.database, bench.state_dir, max_workers=1, timezone="UTC")
    try:
        assert (await offline.compare(failed.id)).output == found.output
    finally:
        await offline.close()


async def test_runs_of_two_tasks_are_not_compared(bench: Bench) -> None:
    one = "name: {}\ncommand: 'true'\nschedule: manual\n"
    bench.tasks(one.format("a"), one.format("b"))
    async with bench.engine() as engine:
        first = await finished(engine, (await start(engine, "a")).id)
        other = await finished(engine, (await start(engine, "b")).id)
        with pytest.raises(Refused, match="Compare runs of one task"):
            await engine.compare(first.id, against=other.id)
        with pytest.raises(Refused, match="No other run of 'a' ended well"):
            await engine.compare(first.id)


async def test_of_huge_outputs_beginning_and_end_are_compared(bench: Bench) -> None:
    bench.tasks(
        "name: noisy\nschedule: manual\n"
        "command: 'echo begin $CRONPILOT_RUN_ID; seq 400000; echo end $CRONPILOT_RUN_ID'\n"
    )
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "noisy")).id)
        second = await finished(engine, (await start(engine, "noisy")).id)
        found = await engine.compare(second.id)

    assert [line for line in found.output.lines if line[0] in "+-"] == [
        "-begin 1", "+begin 2", "-end 1", "+end 2"]  # fmt: skip
    assert len(found.output.not_compared) == 2
    assert "are left out" in found.output.not_compared[0]
