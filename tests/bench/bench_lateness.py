"""How late a lone task starts in a headless engine.

    python tests/bench/bench_lateness.py [FIRES]

From the slot to the keeper's start of the command. The bare limit is a process that sleeps until
each full second and does nothing else.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from measuring import SECOND, Row, count_rows, headless, make_tasks, show, wait_until


def percentile(figures: list[float], share: float) -> float:
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bare(fires: int) -> list[float]:
    """Milliseconds after the second at which a sleeper wakes."""
    late = []
    for _ in range(fires):
        time.sleep(1 - time.time() % 1)
        late.append(time.time() % 1 * 1e3)
    return late


def fired(state_dir: Path, fires: int) -> list[float]:
    """Milliseconds from slot to start, the first fire left out."""
    anchor = datetime.now(UTC).replace(microsecond=0)
    database = make_tasks(
        state_dir, 1, schedule="every 1s",
        resolved=f"{anchor.replace(tzinfo=None).isoformat()}Z/1s",
        next_run_at=anchor + 3 * SECOND,
    )  # fmt: skip
    with headless(state_dir):
        wait_until(lambda: count_rows(database, "status = 'success'") > fires, fires + 30)
    connection = sqlite3.connect(database)
    late = [
        (started - slot) / 1e3
        for slot, started in connection.execute(
            "SELECT scheduled_for, started_at FROM run WHERE started_at IS NOT NULL ORDER BY id"
        )
    ]
    connection.close()
    return late[1 : fires + 1]


def rows(fires: int = 60) -> Iterator[Row]:
    least = bare(min(fires, 20))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        late = fired(Path(folder), fires)
    for share, budget in ((0.5, None), (0.99, 10)):
        figures = percentile(late, share), "ms", budget, percentile(least, share)
        yield Row(f"lateness of a lone task, p{share * 100:.0f}", *figures)


if __name__ == "__main__":
    show(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
