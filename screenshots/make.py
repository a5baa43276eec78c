"""Draws the pictures of the README from the real program: real engine, real tasks, real screen.

    python screenshots/make.py [FOLDER]

It takes about half a minute, because runs have to happen before they can be shown.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from browser import draw_in_browser
from textual.pilot import Pilot

from cronpilot.client.http import HttpClient
from cronpilot.client.incidents import IncidentQuery
from cronpilot.client.messages import RunQuery
from cronpilot.client.sockets import SOCKET_NAME
from cronpilot.tui.app import CronPilotApp

HERE = Path(__file__).parent
TASKS = HERE.parent / "tasks.yaml"
FIRST = ("heartbeat", "disk-space", "load-and-memory", "probe-state-directory", "backup-cronpilot")
LAST = ("flaky-errand", "minute-report")
PICTURES: dict[str, tuple[tuple[int, int], str, list[str]]] = {
    "tasks": ((120, 32), "cronpilot-dark", ["g"]),
    "running": ((120, 32), "cronpilot-dark", ["2", "j"]),
    "find": (
        (120, 32),
        "cronpilot-dark",
        ["2", "j", "L", "wait:800", "slash", "wait:300", *"available", "enter", "wait:800"],
    ),
    "log": ((120, 32), "cronpilot-dark", ["2", "j", "L"]),
    "upcoming": ((120, 32), "cronpilot-dark", ["3", "wait:800"]),
    "timeline": (
        (120, 26),
        "cronpilot-dark",
        ["3", "wait:500", "t", "wait:500", "plus", "plus", "plus", "plus", "wait:800"],
    ),
    "history": ((120, 32), "cronpilot-dark", ["4", "g"]),
    "run": ((120, 32), "cronpilot-dark", ["4", "wait:800", "j", "enter"]),
    "health": ((120, 32), "cronpilot-dark", ["5"]),
    "small": ((80, 24), "cronpilot-dark", ["g"]),
    "light": ((120, 32), "cronpilot-light", ["g"]),
    "help": ((120, 40), "cronpilot-dark", ["question_mark"]),
    "palette": ((120, 26), "cronpilot-dark", ["colon", *"run b", "wait:800"]),
    "contrast": ((120, 26), "cronpilot-contrast", ["j"]),
    "editor": ((120, 32), "cronpilot-dark", ["j", "j", "j", "j", "e"]),
    "quit": ((120, 32), "cronpilot-dark", ["q"]),
}
COMPARE = (
    (120, 32), "cronpilot-dark",
    ["4", "slash", "wait:300", *"nightly", "enter", "wait:800", "j", "C", "wait:800"],
)  # fmt: skip
INCIDENT = ((120, 20), "cronpilot-dark", ["5", "wait:800", "g", "enter", "wait:800"])
QUIET = (
    (120, 32), "cronpilot-dark",
    ["slash", "wait:300", *"rest", "enter", "wait:500", "e", "wait:1500"],
)  # fmt: skip
COPY = """\
echo "$(date +%T) copying /srv/shop to $DEST"
for part in customers orders invoices; do echo "$(date +%T) read $part"; done
if ! cp /etc/hostname "$DEST"; then exit 3; fi
echo "$(date +%T) 3 parts copied"
"""


async def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as state:
        config = Path(state) / "config.yaml"
        # Port 0: whatever else listens on this machine.
        config.write_text(f"api: {{port: 0}}\nquiet:\n{quiet_times()}")
        engine = subprocess.Popen(
            [sys.executable, "-m", "cronpilot", "--headless", "--state-dir", state,
             "--tasks", str(TASKS), "--config", str(config)],
            cwd=state,
        )  # fmt: skip
        client = HttpClient.over_socket(Path(state) / SOCKET_NAME)
        try:
            await until(lambda: answers(client))
            await fill(client)
            for name, (size, theme, keys) in PICTURES.items():
                await draw(folder / f"{name}.svg", Path(state), size, theme, keys)
            await draw_in_browser(folder / "browser.png", Path(state), client)
            await fail_and_mend(client)
            await draw(folder / "compare.svg", Path(state), *COMPARE)
            await fail_again_and_again(client)
            await draw(folder / "incident.svg", Path(state), *INCIDENT)
            await rest(client)
            await draw(folder / "quiet.svg", Path(state), *QUIET)
            await client.shutdown(with_tasks=True)
        finally:
            await client.close()
            engine.terminate()
            engine.wait()


async def answers(client: HttpClient) -> bool:
    try:
        await client.status()
    except Exception:  # noqa: BLE001  it is still starting
        return False
    return True


async def fill(client: HttpClient) -> None:
    """Let something have happened, and something be going on."""
    for name in FIRST:
        await start(client, name)
    await until(lambda: nothing_runs(client))
    for name in LAST:
        await start(client, name)
    await asyncio.sleep(12)


async def fail_and_mend(client: HttpClient) -> None:
    """A task fails, is changed, and ends well."""
    task = await client.create_task(
        {"name": "nightly-copy", "schedule": "daily 03:00", "command": COPY,
         "env": {"DEST": "/proc/copy", "PASSWORD": "hunter2"}}
    )  # fmt: skip
    await client.run_now(task.id, request_id="screenshot-failed")
    await until(lambda: nothing_runs(client))
    await client.change_task(task.id, {"env": {"DEST": "/dev/null", "PASSWORD": "hunter3"}})
    await client.run_now(task.id, request_id="screenshot-well")
    await until(lambda: nothing_runs(client))


async def fail_again_and_again(client: HttpClient) -> None:
    """A task fails until somebody looks after it."""
    task = await client.create_task(
        {"name": "sync-mirror", "schedule": "hourly :05", "command": "exit 23",
         "notify": {"to": []}}
    )  # fmt: skip
    for number in range(5):
        await client.run_now(task.id, request_id=f"screenshot-mirror-{number}")
        await until(lambda: nothing_runs(client))
        await asyncio.sleep(1.5)  # so that each is judged in a second of its own
    (incident,) = await client.incidents(IncidentQuery(task_id=task.id))
    await client.acknowledge(incident.id, note="the mirror's disk is being replaced")
    await client.snooze(incident.id, until=datetime.now(UTC) + timedelta(hours=4))


def quiet_times() -> str:
    """Two days off that are near, and a window each night."""
    days = [datetime.now(UTC).date() + timedelta(days=ahead) for ahead in (2, 3)]
    return (
        f"  days-off: {{days: [{days[0]}, {days[1]}]}}\n"
        "  maintenance: {windows: [sun 02:00-04:00, wed 02:00-04:00], then: after}\n"
    )


async def rest(client: HttpClient) -> None:
    """A task that keeps quiet times."""
    await client.create_task(
        {"name": "rest-of-the-copies", "schedule": "daily 02:30", "command": "true",
         "quiet": ["days-off", "maintenance"]}
    )  # fmt: skip


async def start(client: HttpClient, name: str) -> None:
    task = await client.find_task(name)
    await client.run_now(task.id, request_id=f"screenshot-{name}")


async def nothing_runs(client: HttpClient) -> bool:
    return not (await client.runs(RunQuery(active=True))).rows


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the engine did not get there within a minute; see what it printed")


async def draw(path: Path, state: Path, size: tuple[int, int], theme: str, keys: list[str]) -> None:
    """Open the screen on that engine, press the keys, and keep what it shows."""

    async def connect() -> HttpClient:
        return HttpClient.over_socket(state / SOCKET_NAME)

    app = CronPilotApp(
        connect, role="owner", host="web-1", state_dir="~/.local/state/cronpilot",
        clock=lambda: datetime.now(UTC), theme=theme,
    )  # fmt: skip
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        path.write_text(without_web_fonts(app.export_screenshot(title="cronpilot")))
    print(path)


async def settled(pilot: Pilot[object]) -> None:
    await pilot.pause(1.0)
    await pilot.wait_for_scheduled_animations()


def without_web_fonts(svg: str) -> str:
    """A picture asks no other server for anything: the viewer's own monospace font will do."""
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
