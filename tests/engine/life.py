"""Runs that are written into a database as an engine would, and judged; time is ours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine import alarms
from cronpilot.engine.incidents import Judge, Telling
from cronpilot.engine.usual import Usuals
from cronpilot.notify.rules import Defaults
from cronpilot.storage import incidents
from cronpilot.storage.database import Connection, Database
from cronpilot.storage.outbox import OUTBOX
from cronpilot.storage.run_views import views
from cronpilot.storage.tables import Attempt, Run
from tests.storage.making import add_task

RUN = Run.__table__  # type: ignore[attr-defined]
ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))
TELLING = Telling(Defaults(to=["ops@example.org"]), timedelta(), time(8), UTC)


class Life:
    """Tasks and their runs from noon on; `now` moves only by hand."""

    def __init__(self, path: Path, telling: Telling = TELLING) -> None:
        self.database, self.telling = Database(path), telling
        self.now = NOON
        self._usuals = Usuals()

    def task(self, name: str = "backup", **fields: Any) -> int:
        return add_task(self.database, name, **fields)

    def write(self, closure: Any) -> Any:
        return self.database.write(closure).result()

    def start(self, task_id: int, status: str = "running", **fields: Any) -> int:
        """A run of its slot now; the id."""
        given = {
            "task_id": task_id, "task_version": 1, "trigger": Trigger.SCHEDULE,
            "scheduled_for": self.now, "queued_at": self.now, "status": Status(status),
            "started_at": self.now if status == "running" else None, "attempts": 1,
            "launches": 1, "priority": 0, "detail": "", "actor": "", "folded_count": 1, **fields,
        }  # fmt: skip
        return int(
            self.write(lambda c: c.execute(insert(RUN).values(given).returning(RUN.c.id)).scalar())
        )

    def attempt(self, run_id: int, number: int, began: datetime) -> None:
        """One try of it was started then."""
        given = {"run_id": run_id, "launch": number, "number": number, "boot_id": "",
                 "requested_at": began, "started_at": began}  # fmt: skip
        self.write(lambda c: c.execute(insert(ATTEMPT).values(given)))

    def end(self, run_id: int, status: str, **fields: Any) -> None:
        """It ends now."""
        self.move(run_id, status, finished_at=self.now, **fields)

    def move(self, run_id: int, status: str, **fields: Any) -> None:
        """It is in another state."""
        values = {"status": Status(status), **fields}
        self.write(lambda c: c.execute(update(RUN).where(RUN.c.id == run_id).values(values)))

    def ran(self, task_id: int, status: str = "success", took: timedelta = SECOND) -> int:
        """A run that began and ended, a minute after the one before."""
        self.now += MINUTE
        run_id = self.start(task_id)
        self.now += took
        self.end(run_id, status, exit_code=0 if status == "success" else 2)
        if status == "success":
            self.succeeded(task_id)
        return run_id

    def succeeded(self, task_id: int) -> None:
        """The figures of a task know of one success more."""
        self.write(
            lambda c: c.exec_driver_sql(
                "UPDATE task SET successes = successes + 1 WHERE id = ?", (task_id,)
            )
        )

    def passed(self, task_id: int, reason: Reason = Reason.ALREADY_RUNNING) -> None:
        """A slot that passes without a run, a minute after the one before."""
        self.now += MINUTE
        self.start(task_id, "skipped", reason=reason, attempts=0, finished_at=self.now)

    def judge(self, most: int = 50) -> None:
        """Judge what has ended, so many in a transaction."""
        while self.database.read(incidents.has_news):
            self.write(lambda c: self._judge(c, most))

    def _judge(self, connection: Connection, most: int) -> None:
        judge = Judge(connection, self.telling, self._usuals, self.now)
        judge.news(incidents.unjudged(connection, most))
        judge.finish()

    def look(self) -> int:
        """One look at what goes on; how much there was to do."""
        acts = self.database.read(
            lambda c: alarms.look(c, self.telling, self._usuals, self.now, silence=True)
        )

        def write(connection: Connection) -> None:
            judge = Judge(connection, self.telling, self._usuals, self.now)
            for act in acts:
                act(judge)
            judge.finish()

        if acts:
            self.write(write)
        return len(acts)

    def told(self, task_id: int | None = None) -> list[str]:
        """What was put into the outbox, oldest first: `opened failure`."""
        query = select(OUTBOX.c.facts, OUTBOX.c.task_id).order_by(OUTBOX.c.id)
        rows = self.database.read(lambda c: list(c.execute(query)))
        return [
            f"{row.facts['word']} {row.facts['fault']}"
            for row in rows
            if "word" in row.facts and task_id in (None, row.task_id)
        ]

    def detail(self) -> str:
        """The sentence of what was told last."""
        query = select(OUTBOX.c.facts).order_by(OUTBOX.c.id.desc()).limit(1)
        return str(self.database.read(lambda c: c.execute(query).scalar_one())["detail"])

    def open_faults(self) -> list[str]:
        """What is open now."""
        rows = self.database.read(
            lambda c: incidents.page(c, state="open", task_id=None, most=200, before=None)
        )
        return sorted(str(row["fault"]) for row in rows)

    def view(self, run_id: int) -> Any:
        return self.database.read(lambda c: views(c, [run_id]))[0]

    def close(self) -> None:
        self.database.close()
