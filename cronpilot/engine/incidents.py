"""Judges what has ended: faults, their incidents, and what is to be told of them.

All of it happens in the writer's transaction: what was judged, what stands and what waits to be
sent are committed together, so each end is judged once, whatever dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from cronpilot.domain.alarms import SKIPPED_LEAST, Auto, bound, skip_bound
from cronpilot.domain.incident import (
    Fault,
    Standing,
    Word,
    after_bad,
    after_good,
    reminded,
)
from cronpilot.domain.plan import spread_offset
from cronpilot.domain.run import BAD, Reason, Status
from cronpilot.engine.usual import Usuals
from cronpilot.notify.rules import PING, Defaults, alike, is_told, ping_url, targets
from cronpilot.storage import incidents, outbox, usual
from cronpilot.storage.database import Connection
from cronpilot.storage.incidents import Kept

PASSED = frozenset({Reason.ALREADY_RUNNING, Reason.QUEUE_FULL, Reason.DEADLINE, Reason.REPLACED})
"""Why a slot passed without a run to its end though somebody wanted one."""
_NOTED = frozenset({2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000})
"""Repeats that are a line of the timeline; all of them would bury the rest."""

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """What of config.yaml decides who is told, and when."""

    defaults: Defaults = field(default_factory=Defaults)
    gather: timedelta = timedelta(minutes=1)  # what is alike within it makes one message
    daily: time | None = time(8)  # None: no daily lines
    zone: tzinfo = UTC


class Judge:
    """One use of the writer's transaction. Call `finish` at its end."""

    def __init__(
        self, connection: Connection, telling: Telling, usuals: Usuals, now: datetime
    ) -> None:
        self._connection, self._telling, self._usuals = connection, telling, usuals
        self._now = now
        self._standing: dict[tuple[int, Fault], Kept] = {}
        self._known: set[int] = set()
        self._letters: list[outbox.Letter] = []
        self._kept: dict[int, Kept] = {}  # to be written
        self._notes: list[incidents.Note] = []
        self.changed = False

    def finish(self) -> int:
        """Write what has changed, and what is to be told into the outbox; how much there was no
        room for."""
        incidents.keep(self._connection, list(self._kept.values()))
        incidents.note(self._connection, *self._notes)
        letters, self._letters, self._kept, self._notes = self._letters, [], {}, []
        return outbox.add(self._connection, letters, self._now)

    def know(self, task_ids: Sequence[int]) -> None:
        """Look up what stands for these tasks."""
        new = [task_id for task_id in task_ids if task_id not in self._known]
        if new:
            self._standing |= incidents.standing(self._connection, new)
            self._known |= set(new)

    # --- ends of runs ---

    def news(self, rows: Sequence[Row]) -> None:
        """Judge these ends (and starts) in their order, and forget them."""
        self.know([row["task_id"] for row in rows])
        for row in rows:
            if row["archived_at"] is None:
                self._judge(row)
        incidents.forget_news(self._connection, [row["news_id"] for row in rows])

    def _judge(self, row: Row) -> None:
        if row["what"] == "start":
            self._ping(row, "start")
            return
        status: Status = row["status"]
        at = row["finished_at"] or self._now
        if status is Status.SUCCESS:
            self._ping(row, "success")
            self.good(row, Fault.SILENT, at)
            self.good(row, Fault.FAILURE, at, state="succeeded")
        elif status in BAD:
            self._ping(row, "fail")
            self.bad(
                row, Fault.FAILURE, at, state=state_words(row), detail=row["detail"],
                after=row["notify"].after,
            )  # fmt: skip
        if status in BAD or status is Status.SUCCESS:
            self.good(row, Fault.SKIPPED, at)
        elif row["reason"] in PASSED:
            self._passed(row)
        self._ended_in_time(row, at)

    def _passed(self, row: Row) -> None:
        """One more slot without a run; the first ones are only counted."""
        kept = self._standing.get((row["task_id"], Fault.SKIPPED))
        slot = row["scheduled_for"] or row["queued_at"]
        count = (kept.standing.count if kept else 0) + 1
        limit = self._skip_limit(row, kept, slot, count)
        if limit is not None:
            detail = f"{count} slots in a row passed without a run: {_WHY_PASSED[row['reason']]}."
            self.bad(row, Fault.SKIPPED, slot, detail=detail, after=limit)

    def _skip_limit(self, row: Row, kept: Kept | None, slot: datetime, count: int) -> int | None:
        setting = row["alarms"].skipped
        if setting is Auto.AUTO and count < SKIPPED_LEAST:
            return SKIPPED_LEAST
        between = (slot - kept.standing.since) / (count - 1) if kept and count > 1 else None
        history = self._usuals.of(self._connection, row["task_id"], row["successes"])
        length = bound(row["alarms"].long, history.length)
        return skip_bound(setting, length, between)

    def _ended_in_time(self, row: Row, at: datetime) -> None:
        """An end takes the alarm about that very run back; a start in time the one about starts."""
        long = self._standing.get((row["task_id"], Fault.LONG))
        if long is not None and long.run_id in (None, row["run_id"]):
            self.good(row, Fault.LONG, at, state=state_words(row))
        late = self._standing.get((row["task_id"], Fault.LATE))
        if late is None or row["started_at"] is None or row["scheduled_for"] is None:
            return
        history = self._usuals.of(self._connection, row["task_id"], row["successes"])
        limit = bound(row["alarms"].late, history.delay)
        if limit is None or delay_of(row, row["started_at"]) <= limit:
            self.good(row, Fault.LATE, at)

    # --- what is observed ---

    def bad(
        self,
        row: Row,
        fault: Fault,
        at: datetime,
        *,
        state: str = "",
        detail: str = "",
        after: int = 1,
    ) -> None:
        """Something is wrong with the task of `row` (once more)."""
        self.know([row["task_id"]])
        kept = self._standing.get((row["task_id"], fault))
        standing, word = after_bad(kept.standing if kept else None, at, after=after)
        run_id = row.get("run_id")
        text = detail or state
        if kept is None:
            incident_id = incidents.add(
                self._connection, row["task_id"], fault, standing, run_id=run_id, detail=text
            )
        else:
            incident_id = kept.id
        now = Kept(incident_id, row["task_id"], fault, standing, run_id, text)
        self._standing[row["task_id"], fault] = now
        if kept is not None:
            self._kept[incident_id] = now
        if word is Word.OPENED or (word is Word.REPEATED and standing.count in _NOTED):
            so_often = f", {standing.count} in a row" if word is Word.REPEATED else ""
            self._note(incident_id, word, run_id, text + so_often)
        self.changed |= word is not Word.BREWING
        shown = incident_id if standing.is_open else None
        self._tell(row, word, fault, standing, shown, state, detail)

    def good(self, row: Row, fault: Fault, at: datetime, *, state: str = "") -> None:
        """That is all right now."""
        kept = self._standing.pop((row["task_id"], fault), None)
        word = after_good(kept.standing if kept else None)
        if kept is not None:
            self._kept.pop(kept.id, None)
        if kept is not None and word is Word.RECOVERED:
            incidents.close(self._connection, kept.id, at)
            self._note(kept.id, word, row.get("run_id"), state)
            self.changed = True
        elif kept is not None:
            incidents.drop(self._connection, kept.id)
        if word is Word.RECOVERED or fault is Fault.FAILURE:
            standing = kept.standing if kept else None
            shown = kept.id if kept is not None and word is Word.RECOVERED else None
            self._tell(row, word, fault, standing, shown, state, "")

    def end(self, kept: Kept, why: str) -> None:
        """Nothing can come of it any more: its task is gone, or is not looked at."""
        self._standing.pop((kept.task_id, kept.fault), None)
        self._kept.pop(kept.id, None)
        if kept.standing.is_open:
            incidents.close(self._connection, kept.id, self._now)
            self._note(kept.id, "closed", None, why)
            self.changed = True
        else:
            incidents.drop(self._connection, kept.id)

    def remind(self, row: Row, kept: Kept) -> None:
        """Tell its daily line."""
        standing = reminded(kept.standing, self._now)
        now = kept._replace(standing=standing)
        self._standing[kept.task_id, kept.fault] = self._kept[kept.id] = now
        if self._tell(row, Word.REMINDED, kept.fault, standing, kept.id, "", kept.detail):
            self._note(kept.id, Word.REMINDED, None, "")
        self.changed = True

    def is_over(self, run_id: int | None) -> bool:
        """Whether that run has ended meanwhile."""
        return run_id is not None and bool(usual.final_status(self._connection, [run_id]))

    # --- what is told ---

    def _note(self, incident_id: int, kind: str, run_id: int | None, detail: str) -> None:
        self._notes.append(
            incidents.Note(incident_id, str(kind), self._now, run_id=run_id, detail=detail)
        )

    def _tell(
        self,
        row: Row,
        word: Word,
        fault: Fault,
        standing: Standing | None,
        incident_id: int | None,
        state: str,
        detail: str,
    ) -> bool:
        """Whether anybody is to be told."""
        rules = row["notify"]
        if not is_told(rules.on, word, fault):
            return False
        facts = {
            "word": str(word), "fault": str(fault), "task": row["name"], "state": state,
            "detail": detail, "count": standing.count if standing else 1,
            "since": standing.since.isoformat() if standing else None,
        }  # fmt: skip
        names = targets(rules, self._telling.defaults)
        self._letters += [
            outbox.Letter(
                target, alike(word, fault), self._now + self._telling.gather, row["task_id"],
                incident_id, row.get("run_id"), facts,
            )
            for target in names
        ]  # fmt: skip
        return bool(names)

    def _ping(self, row: Row, what: str) -> None:
        url = ping_url(row["notify"], self._telling.defaults, what, row["name"])
        if url is not None:
            lane = f"{PING}:{row['task_id']}"
            self._letters.append(
                outbox.Letter(
                    lane, f"{what} {row['run_id']}", self._now, row["task_id"], None,
                    row["run_id"], {"url": url},
                )
            )  # fmt: skip


_WHY_PASSED = {
    Reason.ALREADY_RUNNING: "the one before still ran",
    Reason.QUEUE_FULL: "one was waiting already",
    Reason.DEADLINE: "they waited beyond their deadline",
    Reason.REPLACED: "each run was stopped for the next one",
}


def delay_of(row: Row, at: datetime) -> timedelta:
    """How late a start at that moment is; the task's own spread is not late."""
    planned: datetime = row["scheduled_for"] + spread_offset(row["name"], row["spread"])
    return at - planned


def state_words(row: Row) -> str:
    """How a run ended: `failed with exit code 2`, `timed out`."""
    status, code, number = row["status"], row["exit_code"], row["signal"]
    match status:
        case Status.FAILED if number:
            return f"failed: ended by signal {number}"
        case Status.FAILED if code is not None:
            return f"failed with exit code {code}"
        case Status.TIMEOUT:
            return "timed out"
        case Status.ERROR:
            return "could not be started"
        case Status.LOST:
            return "was lost: nobody knows how it ended"
        case Status.SUCCESS:
            return "succeeded"
        case Status.STOPPED:
            return "was stopped"
    return str(status)
