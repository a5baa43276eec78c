"""Ten days of history, as the engine itself would have written them.

Time is moved on from one event to the next; what happens then is decided and written by the
product's own parts: the planner gives slots their verdicts, the queue says what may start, reports
of ends become final rows, and each end is judged. Only the commands are pretended.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from shop import FEED_FAILS, NEW_FEED, OLD_FEED, PLAYS, ZONE, Play, tasks_yaml

from cronpilot.config.settings import Settings
from cronpilot.config.tasks_file import read_tasks_file
from cronpilot.engine.definitions import Ground
from cronpilot.engine.incidents import Judge, Telling
from cronpilot.engine.launch import Launcher, claim_of
from cronpilot.engine.planner import decide_due
from cronpilot.engine.reports import apply_reports
from cronpilot.engine.tasks_file import apply_tasks_file
from cronpilot.engine.usual import Usuals
from cronpilot.runner.messages import AttemptKey, Ended
from cronpilot.runner.paths import log_path, prepare
from cronpilot.storage import incidents, meta, migrate, runs, tasks
from cronpilot.storage.database import Connection, Database

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEN_DAYS = 10 * DAY
ANNA = "api:anna"
Event = Callable[["Past", datetime], None]


def write(settings: Settings, folder: Path, now: datetime, *, span: timedelta = TEN_DAYS) -> None:
    """Fill the state directory of `settings` with what happened in `folder` in the `span` until
    `now`; six hours at least."""
    prepare(settings.state_dir)
    migrate.prepare(settings.database)
    database = Database(settings.database)
    try:
        database.write(lambda c: Past(c, settings, folder, now, span).live()).result()
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class Going:
    """A run of which the end is known already."""

    ended: Ended
    task_id: int
    said: str


class Past:
    """Lives through `span` until `now`; one use of the writer's transaction."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        folder: Path,
        now: datetime,
        span: timedelta,
    ) -> None:
        self._connection, self._settings, self._folder, self._now = (
            connection, settings, folder, now
        )  # fmt: skip
        self._counts: Counter[str] = Counter()
        self._pids = itertools.count(1200, 7)
        self._order = itertools.count()
        self._events: list[tuple[datetime, int, Event]] = []
        self._going: dict[int, Going] = {}
        self._launcher, self._usuals = Launcher(settings.state_dir), Usuals()
        self._due: datetime | None = None  # the next slot, while nothing has moved it
        self._waits = False  # something is queued that had no room
        self._watched_since = now - span - 3 * MINUTE
        self._clock = self._watched_since
        self._down_since: datetime | None = None
        self._feed_breaks = now - 5 * HOUR
        self._long_indexing = now - 3 * HOUR

    def live(self) -> None:
        """Everything that happened, in its order."""
        self._file(OLD_FEED, self._watched_since)
        for at, event in self._story():
            if at > self._watched_since:
                self._at(at, event)
        while (at := self._next()) <= self._now:
            self._clock = at
            while self._events and self._events[0][0] <= at:
                heapq.heappop(self._events)[2](self, at)
            if self._down_since is None:
                self._pass(at)

    def _story(self) -> list[tuple[datetime, Event]]:
        """What people did, and how the machine was restarted after an update."""
        now = self._now
        return [
            (
                now - 3 * DAY - 40 * MINUTE,
                lambda past, at: past._start_by_hand("resize-banners", at),
            ),
            (now - 26 * HOUR, lambda past, at: past._pause("import-catalog", at)),
            (self._feed_breaks, lambda past, at: past._file(NEW_FEED, at)),
            (now - 3 * HOUR, lambda past, at: past._acknowledge("price-feed", at)),
            (now - 13 * MINUTE + timedelta(seconds=3), Past._go_down),
            (now - 2 * MINUTE, Past._come_back),
        ]

    def _at(self, at: datetime, event: Event) -> None:
        heapq.heappush(self._events, (at, next(self._order), event))

    def _next(self) -> datetime:
        known = [self._events[0][0]] if self._events else []
        if self._down_since is None:
            self._due = self._due or tasks.earliest(self._connection)
            known += [self._due] if self._due is not None else []
        return max(min(known, default=self._now + DAY), self._clock)

    # --- the engine's work ---

    def _pass(self, at: datetime) -> None:
        due = self._due is not None and self._due <= at
        if due:
            ids = [row["id"] for row in tasks.due(self._connection, at)]
            decide_due(self._connection, ids, at, self._watched_since)
            self._due = None
        if due or self._waits:
            self._start(at)
        if incidents.has_news(self._connection):
            judge = Judge(self._connection, self._telling, self._usuals, at)
            judge.news(incidents.unjudged(self._connection, 100))
            judge.finish()

    @property
    def _telling(self) -> Telling:
        return Telling(zone=ZoneInfo(ZONE))

    def _start(self, at: datetime) -> None:
        """Start what waits, as far as there is room."""
        most, pools = self._settings.max_workers, self._settings.pools
        busy = runs.busy(self._connection)
        full = [name for name, slots in pools.items() if busy.get(name, 0) >= slots]
        waiting = runs.next_in_queue(
            self._connection, most=most, full_pools=full, held=[], scheduler_paused=False
        )
        self._waits = any(run["pool"] in pools for run, _ in waiting) or bool(full)
        for run, task in waiting:
            pool = run["pool"]
            if pool in pools and busy.get(pool, 0) >= pools[pool]:
                continue
            busy[pool] = busy.get(pool, 0) + 1
            claim = claim_of(self._launcher, run, task)
            runs.claim(
                self._connection, [run], [claim.environment],
                boot_id=self._launcher.boot_id, at=at,
            )  # fmt: skip
            self._play(claim.key, task["id"], task["name"], run["attempts"] + 1, at)

    def _play(self, key: AttemptKey, task_id: int, name: str, attempt: int, at: datetime) -> None:
        """Decide how it will end, and when."""
        self._counts[name] += 1
        dice = random.Random(f"{name} {self._counts[name]}")
        play, why = self._fate(name, PLAYS[name], attempt, at, dice)
        started = at + timedelta(milliseconds=dice.randint(3, 19))
        takes = play.seconds * dice.gauss(1, 0.07)
        ended = min(
            started + timedelta(seconds=max(0.05, takes)), self._now - 2 * timedelta.resolution
        )
        report = Ended(
            key, play.exit_code, 15 if why == "timeout" else None, why, next(self._pids), started,
            ended, cpu_s=play.seconds * dice.uniform(0.1, 0.4),
            max_rss=int(play.memory_mb * dice.uniform(0.95, 1.05) * 1_000_000),
        )  # fmt: skip
        self._going[key.run_id] = Going(report, task_id, _said(play.lines, started, ended))
        self._at(ended, lambda past, moment: past._end(key.run_id, moment))

    def _fate(
        self, name: str, play: Play, attempt: int, at: datetime, dice: random.Random
    ) -> tuple[Play, str]:
        """What becomes of it, and the runner's word for that."""
        if name == "price-feed" and at > self._feed_breaks:
            return replace(play, seconds=3.1, lines=FEED_FAILS, exit_code=65), ""
        if name == "search-index" and self._long_indexing - 10 * MINUTE < at <= self._long_indexing:
            return replace(play, seconds=1500, exit_code=0), ""
        if name == "backup-media" and self._now - at < DAY:
            return replace(play, seconds=3600, exit_code=143, lines=play.lines[:30]), "timeout"
        if play.fails and attempt < 3 and dice.randrange(play.fails) == 0:
            return replace(play, lines=[*play.lines[:1], *play.trouble]), ""
        return replace(play, exit_code=0), ""

    def _end(self, run_id: int, at: datetime) -> None:
        going = self._going.pop(run_id, None)
        if going is None:
            return  # it was lost
        self._write_log(run_id, going)
        applied = apply_reports(self._connection, [going.ended], self._launcher.log_size, at)
        if applied.retries:
            again = runs.next_retry(self._connection)
            assert again is not None
            self._at(again, Past._again)

    def _again(self, at: datetime) -> None:
        self._waits = bool(runs.due_retries(self._connection, at)) or self._waits

    def _write_log(self, run_id: int, going: Going) -> None:
        path = log_path(self._settings.state_dir, going.task_id, run_id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with path.open("a") as log:
            log.write(going.said)

    # --- what people and the machine did ---

    def _file(self, feed: str, at: datetime) -> None:
        """The tasks file is written and applied."""
        path = self._settings.tasks_file
        assert path is not None
        path.write_text(tasks_yaml(self._folder, feed, self._now + 5 * DAY))
        ground = Ground(self._settings.timezone, self._settings.quiet)
        apply_tasks_file(
            self._connection, read_tasks_file(path, timezone=ZONE, now=at), ground=ground, now=at,
            watched_since=self._watched_since,
        )  # fmt: skip
        self._due = None

    def _task(self, name: str) -> int:
        found = tasks.id_of(self._connection, name)
        assert found is not None
        return found

    def _start_by_hand(self, name: str, at: datetime) -> None:
        task = tasks.definition(self._connection, self._task(name))
        runs.add_manual(
            self._connection, task, request_id=f"past {name}", actor="tui:1000", at=at, refused=None
        )
        self._waits = True

    def _pause(self, name: str, at: datetime) -> None:
        task_id = self._task(name)
        tasks.set_columns(self._connection, task_id, paused_at=at)
        self._due = None
        meta.note(self._connection, at=at, actor=ANNA, action="pause", task_id=task_id)

    def _acknowledge(self, name: str, at: datetime) -> None:
        (row,) = incidents.page(
            self._connection, state="open", task_id=self._task(name), most=1, before=None
        )
        incidents.acknowledge(self._connection, row["id"], at=at, by=ANNA)
        said = "the supplier sends prices as text since v2, mail is out"
        incidents.note(
            self._connection, incidents.Note(row["id"], "acknowledged", at, ANNA, detail=said)
        )

    def _go_down(self, at: datetime) -> None:
        self._down_since, self._due = at, None
        going, self._going = list(self._going.values()), {}
        for one in going:
            report = one.ended._replace(
                exit_code=None, signal=None, why="host_restart", ended_at=None
            )
            apply_reports(self._connection, [report], self._launcher.log_size, at)

    def _come_back(self, at: datetime) -> None:
        self._down_since, self._watched_since = None, at
        meta.note(self._connection, at=at, actor="engine", action="engine start")


def _said(lines: list[str], started: datetime, ended: datetime) -> str:
    """The output, each line with the time at which it came."""
    step = (ended - started) / len(lines)
    times = (started + n * step for n in range(len(lines)))
    zone = ZoneInfo(ZONE)
    return "".join(
        f"{at.astimezone(zone):%H:%M:%S}  {line}\n" for at, line in zip(times, lines, strict=True)
    )
