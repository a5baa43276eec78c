"""The six lines that CronPilot has always promised, to the letter, against the real program."""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cronpilot.cli import main

from ..faults.product import Product, until
from ..runner.small_engine import keeper_pid

LINES = r"""
curl -u admin:admin123 http://localhost:7000/api/tasks/
curl -u admin:admin123 -X PUT http://localhost:7000/api/tasks/1/schedule -H "Content-Type: application/json" -d '{"schedule_type": "hourly", "schedule_config": "{}"}'
curl -u admin:admin123 -X PUT http://localhost:7000/api/tasks/2/schedule -H "Content-Type: application/json" -d '{"schedule_type": "daily", "schedule_config": "{\"hour\": 14, \"minute\": 30}"}'
curl -u admin:admin123 -X POST http://localhost:7000/api/tasks/1/run
curl -u admin:admin123 http://localhost:7000/api/tasks/1/runs
curl -u admin:admin123 http://localhost:7000/api/logs/
""".strip().splitlines()  # noqa: E501

TASKS = [
    {"name": "one", "command": "echo done", "schedule": "manual"},
    {"name": "two", "command": "true", "schedule": "daily 03:00"},
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Product]:
    """Headless, with the admin's password in its environment, on a port that was free."""
    product = Product(tmp_path, TASKS)
    product.start(CRONPILOT_API_PORT="0", CRONPILOT_ADMIN_PASSWORD="admin123")
    product.wait_ready()
    yield product
    product.clean_up()


@pytest.fixture
def curl(engine: Product) -> Callable[[str], Any]:
    """Runs one of the lines, but for its port; what it answered, as JSON."""
    found = re.search(r"The API answers at http://127\.0\.0\.1:(\d+)", engine.said())
    assert found, engine.said()

    def run(line: str) -> Any:
        words = shlex.split(line.replace("localhost:7000", f"localhost:{found[1]}"))
        ask = _by_curl if shutil.which("curl") else _by_httpx
        return json.loads(ask(words))

    return run


def _by_curl(words: list[str]) -> str:
    return subprocess.run(
        [words[0], "--silent", "--show-error", "--fail-with-body", *words[1:]],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip


def _by_httpx(words: list[str]) -> str:
    """The same bytes, where there is no curl."""
    method, headers, body, url = "GET", {"Accept": "*/*", "User-Agent": "curl/8"}, None, ""
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-u":
                said = base64.b64encode(next(rest).encode()).decode()
                headers["Authorization"] = f"Basic {said}"
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest)
            case _:
                url = word
    answer = httpx.request(method, url, headers=headers, content=body, timeout=60)
    return answer.raise_for_status().text


def test_the_six_lines_work_to_the_letter(
    engine: Product, curl: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tasks, hourly, daily, run, runs, logs = LINES

    first, second = curl(tasks)
    assert {
        "id", "name", "schedule_type", "schedule_config", "active", "next_run_at", "last_run",
        "success_rate", "average_duration_s",
    } <= set(first)  # fmt: skip
    assert (first["id"], first["name"], first["schedule_type"]) == (1, "one", "manual")
    assert second["schedule_config"] == {"hour": 3, "minute": 0}

    changed = curl(hourly)
    assert changed["schedule_type"] == "hourly"
    assert changed["schedule_words"].startswith("every hour at")
    assert changed["next_run_at"] is not None
    changed = curl(daily)
    assert changed["schedule_type"] == "daily"
    assert changed["schedule_config"] == {"hour": 14, "minute": 30}

    started = curl(run)
    assert started["actor"] == "api:admin"
    ended = until(lambda: [one for one in curl(runs) if one["status"] == "success"], "its end")
    assert [one["id"] for one in ended] == [started["id"]]
    assert curl(logs) == [
        {
            "run_id": started["id"], "task_id": 1, "task_name": "one", "status": "success",
            "started_at": ended[0]["started_at"], "size": 5,
            "url": f"/api/runs/{started['id']}/log",
        }
    ]  # fmt: skip
    last = curl(tasks)[0]["last_run"]
    assert (last["id"], last["status"]) == (started["id"], "success")
    assert last["started_at"] == ended[0]["started_at"]

    # The password is nobody else's: neither in the environment of what the engine starts ...
    keeper = Path(f"/proc/{keeper_pid(engine.state_dir)}/environ").read_bytes()
    assert b"ADMIN_PASSWORD" not in keeper
    # ... nor in a file; and who did what is known.
    assert not (engine.state_dir / "admin-password").exists()
    assert b"admin123" not in (engine.state_dir / "cronpilot.db").read_bytes()
    capsys.readouterr()
    assert main(["user", "list", "--json", "--state-dir", str(engine.state_dir)]) == 0
    assert [one["role"] for one in json.loads(capsys.readouterr().out)] == ["admin"]


def test_the_command_line_reaches_it_by_its_address(
    engine: Product, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = re.search(r"The API answers at (http://[^\s\"]+)", engine.said())
    assert found
    (tmp_path / "password").write_text("admin123\n")
    there = ["--connect", found[1], "--password-file", str(tmp_path / "password")]

    assert main(["run", "one", "--wait", *there]) == 0
    assert main(["status", *there]) == 0
    assert f"API: {found[1]}" in capsys.readouterr().out
    (tmp_path / "password").write_text("wrong\n")
    assert main(["list", *there]) == 4
    assert "User name or password is wrong." in capsys.readouterr().err
