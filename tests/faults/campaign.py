"""Kill the product at random, let it finish, and hold its books against what really happened.

The commands themselves write when they begin and end: the only witness that cannot be fooled.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from sqlite3 import Row
from typing import Any

from .product import Product, until

SECOND = 1_000_000  # microseconds
TASKS = 10
CODES = 8  # a slot's second and its task's number give 0-5, or an end by KILL (6) or TERM (7)
# Between a command's last word and its recorded end lies what the machine needs to tell the keeper
# of it: 3 s were seen where twenty processes shared two cores. No order of events bounds it, as it
# does a start.
LATE_S = 20.0
COARSE_S = 0.05  # a file's time of change comes from a clock that ticks

COMMAND = """\
now() { date +%s%N; }
tell() { echo "$1 $NUMBER $CRONPILOT_SCHEDULED_FOR $CRONPILOT_ATTEMPT $$ $(now)" >>"$EFFECTS"; }
tell B
echo "begin $CRONPILOT_RUN_ID"
sleep "$SECONDS"
echo "end $CRONPILOT_RUN_ID"
tell E
second=${CRONPILOT_SCHEDULED_FOR%Z}; second=${second##*:}; second=${second#0}
code=$(( (NUMBER + second) % 8 ))
case $code in 6) kill -KILL $$;; 7) kill -TERM $$;; esac
exit $code
"""


def telling_tasks(effects: Path, count: int = TASKS) -> list[dict[str, Any]]:
    """Tasks that fire each second and write what they do; every fourth waits for the one before."""
    return [
        {
            "name": f"task {number}",
            "command": COMMAND,
            "schedule": "every 1s",
            "overlap": "queue" if number % 4 == 0 else "allow",
            "missed": "all",
            "missed_limit": 100,
            "env": {
                "EFFECTS": str(effects),
                "NUMBER": str(number),
                "SECONDS": str(0.03 * number),
            },
        }
        for number in range(count)
    ]


def true_end(number: int, slot: int) -> tuple[int, int | None]:
    """What a run of `telling_tasks` ends with: exit code as a shell says it, and signal."""
    code = (number + slot // SECOND % 60) % CODES
    killed_by: Mapping[int, int] = {6: signal.SIGKILL, 7: signal.SIGTERM}
    if code in killed_by:
        return 128 + killed_by[code], int(killed_by[code])
    return code, None


@dataclass
class Report:
    """What was found. `faults` must be empty; the rest are figures."""

    kills: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    worst_time_ms: int = 0
    seconds: float = 0.0

    def fault(self, kind: str, what: str) -> None:
        self.figures[kind] += 1
        self.faults.append(f"{kind}: {what}")

    def table(self) -> str:
        kills = ", ".join(f"{count} {who}" for who, count in self.kills.most_common())
        lines = [("killed", kills or "nobody"), ("took", f"{self.seconds:.1f} s")]
        lines += [(name, str(count)) for name, count in self.figures.items()]
        lines.append(("worst error of a recorded time", f"{self.worst_time_ms} ms"))
        return "\n".join(f"{name:<32} {value}" for name, value in lines)


@dataclass(frozen=True, slots=True)
class Effect:
    """A line that a command wrote."""

    attempt: int
    pid: int
    at: int  # microseconds since 1970


class Campaign:
    """A product with telling tasks, from the first kill to the verdict."""

    def __init__(self, root: Path, tasks: int = TASKS) -> None:
        self.effects = root / "effects"
        self.effects.touch()
        self.product = Product(root, telling_tasks(self.effects, tasks))
        self.report = Report()
        self._began = time.monotonic()

    def kill(self, kills: int, weights: Mapping[str, float], seed: int) -> None:
        """One fault a round, drawn by weight: engine, keeper, both, wrapper, wrapper+keeper.

        A third of the engines die while they start, the others somewhere in their first second of
        work: the times are drawn, they wait for nothing.
        """
        rng = random.Random(seed)
        began = time.monotonic()
        self.product.run_engine()
        usual = time.monotonic() - began
        for kind in rng.choices(list(weights), list(weights.values()), k=kills):
            if self.product.has_ended():
                raise AssertionError(f"the engine ended by itself: {self.product.said()}")
            if rng.random() < 1 / 3:
                time.sleep(rng.uniform(0, usual))
            else:
                self.product.wait_ready()
                time.sleep(rng.uniform(0, 0.8))
            self._strike(kind, rng)
        self.drain()

    def crash_engine_at(self, point: str) -> None:
        """Kill the engine; the next one kills itself at that point. Returns when it is dead."""
        if not self.product.has_ended():
            self.product.kill_engine()
            self.report.kills["engine"] += 1
        self.product.start(CRONPILOT_CRASH_AT=point)
        self.product.wait_killed()
        self.report.kills["engine"] += 1

    def crash_keeper_at(self, point: str) -> None:
        """Kill both; the next keeper kills itself at that point. Returns when one lives again."""
        if not self.product.has_ended():
            until(self.product.keepers_started, "the first keeper")
            self.product.kill_engine()
            self.product.kill_keeper()
        known = self.product.keepers_started()
        self.product.start(CRONPILOT_CRASH_AT=point)
        until(lambda: self.product.keepers_started() == known + 2, "the keeper after that one")
        self.report.kills["keeper"] += 1

    def _strike(self, kind: str, rng: random.Random) -> None:
        if kind in ("keeper", "wrapper+keeper"):
            self._wait_for_a_keeper(rng)
        if kind.startswith("wrapper"):
            self._kill_a_wrapper(rng)
        if kind in ("keeper", "wrapper+keeper"):
            self.report.kills["keeper"] += self.product.kill_keeper()
        if kind == "both" and (first := rng.random() < 0.5):
            self.report.kills["keeper"] += self.product.kill_keeper()
        if kind in ("engine", "both"):
            self.product.kill_engine()
            self.report.kills["engine"] += 1
            if kind == "both" and not first:
                self.report.kills["keeper"] += self.product.kill_keeper()
            if rng.random() < 0.3:
                time.sleep(rng.uniform(0, 0.6))
            self.product.start()

    def _wait_for_a_keeper(self, rng: random.Random) -> None:
        """Until there is one, and some more, often so long that it counts as healthy: of keepers
        that die young the next one is started only after a pause of up to 5 s."""
        until(self.product.keeper, "a keeper to kill")
        time.sleep(rng.uniform(0, 1.6))

    def _kill_a_wrapper(self, rng: random.Random) -> None:
        """One of those that hold a command now, or as soon as there is one."""
        wrappers = until(self.product.wrappers, "a command to kill the wrapper of")
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(wrappers), signal.SIGKILL)
            self.report.kills["wrapper"] += 1

    def drain(self) -> None:
        """Let it catch up, take every task off its schedule, and end when the last run is over."""
        product = self.product
        product.wait_ready()
        # Slots that passed without an engine are made up for one after the other.
        patience_s = 60 + time.monotonic() - self._began
        until(self._has_caught_up, "what was missed to be made up for", patience_s)
        # In the middle of a second, so that no slot is due in the very moment of the edit.
        until(lambda: 0.3 < time.time() % 1 < 0.5, "the middle of a second")
        self.last_second = int(time.time())
        product.write_tasks([{**task, "active": False} for task in product.tasks])
        assert product.engine is not None
        product.engine.send_signal(signal.SIGHUP)
        until(lambda: not self._planned(), "the tasks to be taken off their schedules")
        until(lambda: not product.open_rows(), "the last run to end", 120)
        until(lambda: not product.records(), "the last record to be removed")
        assert product.end_engine() == 0
        product.kill_keeper()
        self.report.seconds = time.monotonic() - self._began

    def _has_caught_up(self) -> bool:
        waiting = self.product.query("SELECT count(*) FROM run WHERE status = 'queued'")[0][0]
        now = time.time_ns() // 1000
        due = self.product.query("SELECT count(*) FROM task WHERE next_run_at <= ?", now)[0][0]
        return not waiting and not due

    def _planned(self) -> int:
        return int(
            self.product.query("SELECT count(*) FROM task WHERE next_run_at IS NOT NULL")[0][0]
        )

    # --- the verdict ---

    def verify(self) -> Report:
        """Compare rows, effects, logs and records. Prints the table."""
        begun, ended = _effects(self.effects, "B"), _effects(self.effects, "E")
        for number, task in enumerate(self.product.tasks):
            rows = self.product.rows(task["name"])
            self._every_slot_has_its_row(number, rows)
            for row in rows:
                slot = (number, row["scheduled_for"])
                self._one_run(row, slot, begun.get(slot, []), ended.get(slot, []))
            self._totals(task["name"], rows)
            if task["overlap"] == "queue":
                self._in_a_row(rows)
        self._nothing_else(set(begun))
        print(self.report.table())
        print(*self.report.faults[:20], sep="\n")
        return self.report

    def _every_slot_has_its_row(self, number: int, rows: Sequence[Row]) -> None:
        slots = [row["scheduled_for"] // SECOND for row in rows]
        self.report.figures["slots"] += len(slots)
        self.report.figures["missing"] += 0
        made = self.product.query("SELECT created_at FROM task WHERE id = ?", rows[0]["task_id"])
        if slots[0] > made[0][0] / SECOND + 1:
            self.report.fault("missing", f"task {number}: the first slots")
        for slot in sorted({*range(slots[0], self.last_second + 1)} - {*slots}):
            self.report.fault("missing", f"task {number} at {slot}")
        for slot, count in Counter(slots).items():
            if count > 1:
                self.report.fault("recorded twice", f"task {number} at {slot}")

    def _one_run(
        self, row: Row, slot: tuple[int, int], begun: list[Effect], ended: list[Effect]
    ) -> None:
        report = self.report
        who = f"run {row['id']} of {slot}: {row['status']} {row['reason']} {row['detail']}"
        if row["status"] == "skipped" and row["reason"] == "queue_full":
            report.figures["skipped: queue_full"] += 1
            if begun:
                report.fault("skipped but begun", who)
            return
        report.figures["started by a later launch"] += row["launches"] > 1
        report.figures["lost"] += 0
        report.figures["doubled"] += 0
        report.figures["wrong code"] += 0
        if not begun:
            report.fault("lost", who)
            return
        if len(begun) > 1 or row["attempts"] != 1 or begun[0].attempt != 1:
            report.fault("doubled", f"{who}, {row['attempts']} attempts, {begun}")
        if row["status"] == "lost" and report.kills["wrapper"]:
            report.figures["end unknown"] += 1  # its wrapper was killed just before it wrote X
        elif (row["exit_code"], row["signal"]) != true_end(*slot):
            report.fault("wrong code", f"{who} {row['exit_code']} {row['signal']}")
        elif row["status"] != ("failed" if row["exit_code"] else "success"):
            report.fault("wrong status", who)
        if (log := self.product.log(row)) != f"begin {row['id']}\nend {row['id']}\n":
            report.fault("bad log", f"{who} {log!r}")
        self._times(row, who, begun[0], ended)

    def _times(self, row: Row, who: str, begun: Effect, ended: list[Effect]) -> None:
        if row["started_at"] is None or row["finished_at"] is None or not ended:
            self.report.fault("no time", who)
            return
        coarse = COARSE_S * SECOND
        if not self._requested_at(row) - coarse <= row["started_at"] <= begun.at + coarse:
            self.report.fault("start out of order", who)
        if row["finished_at"] < ended[0].at - coarse:
            self.report.fault("ended before its end", who)
        late = begun.at - row["started_at"]
        if row["status"] != "lost":  # else the end is that of finding out, perhaps a restart later
            off = row["finished_at"] - ended[0].at
            if off > LATE_S * SECOND:
                self.report.fault("wrong end", f"{who} by {off / SECOND:.2f} s")
            late = max(late, off)
        self.report.worst_time_ms = max(self.report.worst_time_ms, late // 1000)

    def _requested_at(self, row: Row) -> int:
        """When the engine wrote down that it would ask for the launch that was started."""
        [asked] = self.product.query(
            "SELECT max(requested_at) AS at FROM attempt WHERE run_id = ? AND launch <= ?",
            row["id"], row["launches"],
        )  # fmt: skip
        return int(asked["at"])

    def _in_a_row(self, rows: Sequence[Row]) -> None:
        """A task that queues asks for a run when the one before has ended, and no earlier."""
        over = 0
        for row in (row for row in rows if row["launches"]):
            if self._requested_at(row) + COARSE_S * SECOND < over:
                self.report.fault("asked for before the last one ended", f"run {row['id']}")
            over = row["finished_at"] or over

    def _totals(self, name: str, rows: Sequence[Row]) -> None:
        """The task's own figures are the sum of its runs."""
        [task] = self.product.query("SELECT runs, successes FROM task WHERE name = ?", name)
        statuses = Counter(row["status"] for row in rows)
        counted = sum(statuses[word] for word in ("success", "failed", "timeout", "error", "lost"))
        if (task["runs"], task["successes"]) != (counted, statuses["success"]):
            self.report.fault("wrong totals", f"{name}: {dict(task)} for {dict(statuses)}")

    def _nothing_else(self, begun: set[tuple[int, int]]) -> None:
        product, report = self.product, self.report
        known = {(int(row["task_name"].split()[1]), row["scheduled_for"]) for row in product.rows()}
        for slot in begun - known:
            report.fault("begun without a row", str(slot))
        if product.open_rows():
            report.fault("left open", str(product.open_rows()))
        if product.records():
            report.fault("left-over records", str(product.records()))
        [check] = product.query("PRAGMA integrity_check")
        if check[0] != "ok":
            report.fault("damaged database", check[0])


def _effects(path: Path, kind: str) -> dict[tuple[int, int], list[Effect]]:
    found: dict[tuple[int, int], list[Effect]] = {}
    for line in path.read_text().splitlines():
        word, number, slot, attempt, pid, at = line.split()
        if word == kind:
            instant = round(datetime.fromisoformat(slot).timestamp() * SECOND)
            effect = Effect(int(attempt), int(pid), int(at) // 1000)
            found.setdefault((int(number), instant), []).append(effect)
    return found


def main() -> None:
    """By hand: python -m tests.faults.campaign KILLS SEED [KIND=WEIGHT ...]"""
    kills, seed, *words = sys.argv[1:]
    weights = {kind: float(weight) for kind, _, weight in (word.partition("=") for word in words)}
    campaign = Campaign(Path(tempfile.mkdtemp()))
    try:
        campaign.kill(int(kills), weights or {"engine": 1}, int(seed))
        report = campaign.verify()
    finally:
        campaign.product.clean_up()
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
