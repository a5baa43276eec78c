"""The API over TCP with 10,000 tasks: answers, events, and what its clients cost the clock.

    python tests/bench/bench_api.py [SECONDS]

One connection is kept open for each client, as programs do. The lone task of the last lines fires
every second while eight users ask as often as they may (20 times a second each).
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench_lateness import percentile
from measuring import CRONPILOT, SECOND, Command, Row, environment, headless, make_tasks

PASSWORD = "benchmark"
CLIENTS, EACH_S = 8, 20
TASKS = 10_000
QUESTIONS = ("/api/status", "/api/tasks/?limit=20", "/api/runs/?limit=20", "/api/tasks/5000")


class Asker:
    """One user on one connection."""

    def __init__(self, port: int, user: str) -> None:
        said = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {said}", "Content-Type": "application/json"}
        self._port = port
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path: str, method: str = "GET", body: Any = None) -> tuple[float, bytes]:
        """Milliseconds, and what was answered."""
        began = time.perf_counter()
        sent = None if body is None else json.dumps(body)
        self._http.request(method, path, body=sent, headers=self._headers)
        answer = self._http.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
        return (time.perf_counter() - began) * 1e3, data

    def events(self) -> Iterator[tuple[float, bytes]]:
        """When each line of the stream of events came."""
        listening = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        listening.request("GET", "/api/events", headers=self._headers)
        answer = listening.getresponse()
        while line := answer.readline():
            yield time.perf_counter(), line


def latencies(asker: Asker, count: int) -> Iterator[Row]:
    questions = {
        "status": "/api/status",
        "a page of 200 tasks": "/api/tasks/?limit=200",
        "a page of 50, from the middle": "/api/tasks/?limit=50&after=5000",
        "tasks by words of their names": "/api/tasks/?text=0042&limit=50",
        "one task": "/api/tasks/5000",
        "metrics (1,000 tasks have their own)": "/metrics",
    }
    for what, path in questions.items():
        asker.ask(path)
        took = [asker.ask(path)[0] for _ in range(count)]
        for share in (0.5, 0.95):
            yield Row(f"{what}, p{share * 100:.0f}", percentile(took, share), "ms")
    took = [
        asker.ask("/api/tasks/77/schedule", "PUT",
                  {"schedule_type": "daily", "schedule_config": {"hour": n % 24, "minute": 5}})[0]
        for n in range(count)
    ]  # fmt: skip
    yield Row("a schedule is changed, durable, p50", percentile(took, 0.5), "ms")


def event_delay(asker: Asker, listener: Asker, count: int) -> Iterator[Row]:
    came: dict[int, float] = {}
    ready = threading.Event()

    def listen() -> None:
        for at, line in listener.events():
            ready.set()
            if line.startswith(b"data: ") and (found := re.search(rb'"priority":(\d+)', line)):
                came.setdefault(int(found[1]), at)

    threading.Thread(target=listen, daemon=True).start()
    ready.wait(30)
    asked: dict[int, float] = {}
    for number in range(1, count + 1):
        asked[number] = time.perf_counter()
        asker.ask("/api/tasks/99", "PATCH", {"priority": number})
        time.sleep(0.15)  # events within 50 ms are merged into one
    delays = [(came[number] - asked[number]) * 1e3 for number in asked if number in came]
    for share in (0.5, 0.95):
        yield Row(f"an edit is heard of by a listener, p{share * 100:.0f}",
                  percentile(delays, share), "ms", note=f"{len(delays)} of {count}")  # fmt: skip


def load(port: int, seconds: float) -> tuple[int, int]:
    """Eight users ask as often as they may; how many questions, and how many were too many."""
    asked, refused = [0] * CLIENTS, [0] * CLIENTS
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        asker = Asker(port, f"user{number}")
        due = time.monotonic()
        while due < end:
            due += 1 / EACH_S
            try:
                asker.ask(QUESTIONS[number % len(QUESTIONS)])
                asked[number] += 1
            except RuntimeError:
                refused[number] += 1
            time.sleep(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(asked), sum(refused)


def lateness(database: Path, since: float) -> list[float]:
    connection = sqlite3.connect(database)
    found = connection.execute(
        "SELECT started_at, scheduled_for FROM run WHERE scheduled_for > ? AND started_at > 0",
        (since * 1e6,),
    ).fetchall()
    connection.close()
    return [(started - slot) / 1e3 for started, slot in found]


def rows(seconds: float = 30) -> Iterator[Row]:
    os.environ["CRONPILOT_API_PORT"] = "0"
    os.environ["CRONPILOT_ADMIN_PASSWORD"] = PASSWORD
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state_dir = Path(folder)
        database = make_tasks(state_dir, TASKS)
        (state_dir / "config.yaml").write_text("api: {rate_limit: 100000}\n")
        arguments = ("--config", str(state_dir / "config.yaml"))
        with headless(state_dir, *arguments):
            port = _port(state_dir)
            admin = Asker(port, "admin")
            yield from latencies(admin, 100)
            yield from event_delay(admin, Asker(port, "admin"), 60)
        (state_dir / "config.yaml").write_text(f"api: {{rate_limit: {EACH_S}}}\n")
        _add_lone_task(database)
        with headless(state_dir, *arguments):
            _add_users(state_dir)
            yield from _under_load(state_dir, database, seconds)
    for name in ("CRONPILOT_API_PORT", "CRONPILOT_ADMIN_PASSWORD"):
        os.environ.pop(name, None)


def _under_load(state_dir: Path, database: Path, seconds: float) -> Iterator[Row]:
    time.sleep(3)
    began = time.time()
    time.sleep(seconds)
    alone = lateness(database, began)
    began = time.time()
    asked, refused = load(_port(state_dir), seconds)
    time.sleep(1)
    busy = lateness(database, began)
    note = f"{asked / seconds:.0f} questions/s, {refused} refused"
    yield Row("lateness of a lone task, nobody asks, p99", percentile(alone, 0.99), "ms", 10)
    yield Row(f"the same under {CLIENTS} clients, p50", percentile(busy, 0.5), "ms")
    yield Row(f"the same under {CLIENTS} clients, p99", percentile(busy, 0.99), "ms", 100,
              percentile(alone, 0.99), note)  # fmt: skip


def _port(state_dir: Path) -> int:
    found = re.search(rb"The API answers at http://127.0.0.1:(\d+)", _said(state_dir))
    assert found, _said(state_dir)
    return int(found[1])


def _said(state_dir: Path) -> bytes:
    return (state_dir / "stderr").read_bytes()


def _add_users(state_dir: Path) -> None:
    (state_dir / "password").write_text(PASSWORD + "\n")
    for number in range(CLIENTS):
        subprocess.run(
            [*CRONPILOT, "user", "add", f"user{number}", "--state-dir", str(state_dir),
             "--new-password-file", str(state_dir / "password")],
            check=True, env=environment(), stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _add_lone_task(database: Path) -> None:
    """The first task fires every second from now on."""
    anchor = datetime.now(UTC).replace(microsecond=0)
    connection = sqlite3.connect(database)
    connection.execute(
        "UPDATE task SET schedule = ?, resolved = ?, next_run_at = ? WHERE id = 1",
        (
            json.dumps({"type": "interval", "config": {"every": "1s"}}),
            f"{anchor.replace(tzinfo=None).isoformat()}Z/1s",
            int((anchor + 5 * SECOND).timestamp() * 1e6),
        ),
    )
    connection.commit()
    connection.close()


if __name__ == "__main__":
    command = Command(__doc__, "5 seconds of each")
    command.add_argument("seconds", nargs="?", type=float, default=30)
    command.show(lambda asked: rows(5 if asked.quick else asked.seconds))
