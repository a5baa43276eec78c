"""An engine in numbers, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from cronpilot.api.metrics import text_of
from cronpilot.engine.engine import Engine
from cronpilot.engine.tally import Histogram

from .conftest import Bench, finished, start, until

BACKUP = "name: backup\ncommand: 'true'\nschedule: manual\npool: db"
BAD = "name: 'bad \"one\" \\'\ncommand: 'exit 3'\nschedule: daily 03:00"


async def numbers(engine: Engine) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    text = text_of(await engine.figures()).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_ended_is_counted_once(bench: Bench) -> None:
    bench.tasks(BACKUP, BAD)
    async with bench.engine(pools={"db": 2}) as engine:
        for name in ("backup", "backup", 'bad "one" \\'):
            await finished(engine, (await start(engine, name)).id)
        await numbers(engine)
        found = await numbers(engine)

    assert found["cronpilot_runs_total", "success", "manual"] == 2
    assert found["cronpilot_runs_total", "failed", "manual"] == 1
    assert found["cronpilot_run_duration_seconds_bucket", "+Inf"] == 3
    assert found["cronpilot_run_lateness_seconds_bucket", "+Inf"] == 0
    assert found["cronpilot_tasks", "total"] == 2
    assert found["cronpilot_pool_slots", "db"] == 2
    assert found["cronpilot_pool_busy", ""] == 0
    assert found["cronpilot_keeper_linked",] == 1
    assert found["cronpilot_task_runs_total", "backup"] == 2
    assert found["cronpilot_task_failing", 'bad "one" \\'] == 1
    assert found["cronpilot_next_run_timestamp_seconds",] > 0
    assert found["cronpilot_write_seconds",] >= 0
    assert found["cronpilot_database_bytes",] > 10_000
    assert found["process_resident_memory_bytes",] > 1_000_000


async def test_a_slot_that_starts_by_schedule_has_a_lateness(bench: Bench) -> None:
    bench.tasks("name: often\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:

        async def counted() -> bool:
            return (await numbers(engine))["cronpilot_run_lateness_seconds_bucket", "+Inf"] >= 1

        await until(counted, "a start by schedule")
        found = await numbers(engine)

    assert found["cronpilot_runs_total", "success", "schedule"] >= 1


async def test_only_so_many_tasks_have_figures_of_their_own(bench: Bench) -> None:
    from cronpilot.config.settings import ApiSettings

    bench.tasks(BACKUP, BAD)
    async with bench.engine(api=ApiSettings(metrics_tasks=1)) as engine:
        found = await numbers(engine)

    assert found["cronpilot_tasks_left_out",] == 1
    assert ("cronpilot_task_runs_total", 'bad "one" \\') not in found


def test_a_value_on_a_bound_lies_below_it() -> None:
    histogram = Histogram((1, 5))
    for seconds in (0.5, 1, 1.5, 5, 9):
        histogram.add(seconds)

    assert histogram.cumulative() == [2, 4, 5]
    assert histogram.total_s == 17
