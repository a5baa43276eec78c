"""Figures of an engine as Prometheus reads them.

Labels have few values: verdicts, triggers, pools, and tasks, of which at most
`api.metrics_tasks` (1000) have figures of their own, those with the lowest ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cronpilot.domain.run import BAD, Status
from cronpilot.engine.figures import Figures
from cronpilot.engine.tally import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LONGEST_NAME = 200  # characters of a task's name


def text_of(figures: Figures) -> bytes:
    """All metrics. Takes a thread of its own: 1,000 tasks are 6,000 lines."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Engine(figures))
    return generate_latest(registry)


class _Engine(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield from _runs(self._figures)
        yield from _now(self._figures)
        yield from _health(self._figures)
        yield from _tasks(self._figures)


def _runs(figures: Figures) -> Iterator[Metric]:
    verdicts = CounterMetricFamily(
        "cronpilot_runs", "Runs that met a verdict since the engine started; skipped and missed"
        " slots too.", labels=["status", "trigger"],
    )  # fmt: skip
    for (status, trigger), count in sorted(figures.tally.verdicts.items()):
        verdicts.add_metric([status, trigger], count)
    yield verdicts
    yield _histogram("cronpilot_run_duration_seconds", "From the first start to the end.",
                     figures.tally.durations)  # fmt: skip
    yield _histogram(
        "cronpilot_run_lateness_seconds",
        "Of runs by schedule: how long after its time the command was started.",
        figures.tally.lateness,
    )


def _now(figures: Figures) -> Iterator[Metric]:
    status = figures.status
    tasks = _gauge("cronpilot_tasks", "Tasks by what holds for them.", "state")
    for state, count in [
        ("total", status.total_tasks), ("active", status.active_tasks),
        ("scheduled", status.scheduled_tasks), ("failing", status.failing_tasks),
    ]:  # fmt: skip
        tasks.add_metric([state], count)
    yield tasks
    going = _gauge("cronpilot_runs_open", "Runs that are not over.", "status")
    for state, count in [
        ("running", status.running), ("queued", status.queued), ("retrying", status.retrying),
    ]:  # fmt: skip
        going.add_metric([state], count)
    yield going
    slots = _gauge("cronpilot_pool_slots", "Slots; the pool without a name is all.", "pool")
    busy = _gauge("cronpilot_pool_busy", "Slots that are taken.", "pool")
    waiting = _gauge("cronpilot_pool_waiting", "Runs that wait for a slot.", "pool")
    for pool in figures.pools:
        slots.add_metric([pool.name], pool.slots)
        busy.add_metric([pool.name], pool.busy)
        waiting.add_metric([pool.name], pool.waiting)
    yield from (slots, busy, waiting)
    if status.next_run_at is not None:
        yield GaugeMetricFamily("cronpilot_next_run_timestamp_seconds",
                                "When the next run of any task starts.",
                                value=status.next_run_at.timestamp())  # fmt: skip
    yield GaugeMetricFamily("cronpilot_paused", "1: the whole scheduler is paused.",
                            value=float(status.paused))  # fmt: skip


def _health(figures: Figures) -> Iterator[Metric]:
    info = figures.status.engine
    if info is not None:
        yield InfoMetricFamily("cronpilot_engine", "Who answers.",
                               value={"version": info.version, "role": info.role})  # fmt: skip
        yield GaugeMetricFamily("cronpilot_engine_start_timestamp_seconds", "When it started.",
                                value=info.started_at.timestamp())  # fmt: skip
    banners = _gauge("cronpilot_banners", "What the user should know now.", "severity")
    shown = Counter(banner.severity for banner in figures.status.banners)
    for severity in ("information", "warning", "error"):
        banners.add_metric([severity], shown[severity])
    yield banners
    for name, said, value in [
        ("loop_lag_seconds", "The longest wait of the engine's loop since the last scrape.",
         figures.loop_lag_s),
        ("write_seconds", "An empty transaction; NaN: the writer did not answer.",
         float("nan") if figures.write_s is None else figures.write_s),
        ("clock_age_seconds", "Since the scheduler last looked at what is due.",
         figures.clock_age_s),
        ("keeper_linked", "1: the keeper, which holds the tasks, answers.",
         float(figures.keeper_linked)),
        ("event_listeners", "Those who listen to events.", figures.listeners),
        ("database_bytes", "The database and its log.", figures.database_bytes),
        ("disk_free_bytes", "On the disk of the state directory.", figures.disk_free_bytes),
    ]:  # fmt: skip
        yield GaugeMetricFamily(f"cronpilot_{name}", said, value=value)


def _tasks(figures: Figures) -> Iterator[Metric]:
    runs = CounterMetricFamily("cronpilot_task_runs", "Runs that count.", labels=["task"])
    good = CounterMetricFamily("cronpilot_task_successes", "Those that succeeded.", labels=["task"])
    spent = CounterMetricFamily(
        "cronpilot_task_success_seconds", "Their durations, summed.", labels=["task"]
    )
    failing = _gauge("cronpilot_task_failing", "1: its last verdict was bad.", "task")
    last = _gauge("cronpilot_task_last_start_timestamp_seconds", "Its last start.", "task")
    upcoming = _gauge("cronpilot_task_next_run_timestamp_seconds", "Its next start.", "task")
    for row in figures.tasks:
        label = [row["name"][:_LONGEST_NAME]]
        runs.add_metric(label, row["runs"])
        good.add_metric(label, row["successes"])
        spent.add_metric(label, row["duration_ms"] / 1000)
        failing.add_metric(label, float(_is_bad(row)))
        _add_instant(last, label, row["last_started_at"])
        _add_instant(upcoming, label, row["next_run_at"])
    yield from (runs, good, spent, failing, last, upcoming)
    left_out = max(0, figures.status.total_tasks - len(figures.tasks))
    yield GaugeMetricFamily("cronpilot_tasks_left_out", "Tasks without figures of their own.",
                            value=left_out)  # fmt: skip


def _is_bad(row: Mapping[Any, Any]) -> bool:
    return row["last_status"] is not None and Status(row["last_status"]) in BAD


def _add_instant(family: GaugeMetricFamily, label: list[str], at: datetime | None) -> None:
    if at is not None:
        family.add_metric(label, at.timestamp())


def _gauge(name: str, said: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, labels=[label])


def _histogram(name: str, said: str, histogram: Histogram) -> Metric:
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, histogram.cumulative(), strict=True))
    return HistogramMetricFamily(name, said, buckets=buckets, sum_value=histogram.total_s)
