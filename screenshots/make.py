"""Draws the pictures of the README from the real program: real engine, real runs, real screen.

    python screenshots/make.py [FOLDER [PICTURE ...]]

What it shows is an example: the tasks of a small shop's server (`shop.py`), whose commands only
print and sleep, and ten days of their history (`past.py`). It takes about a minute and a half,
because what is seen running has to run.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import past
import shop
from browser import draw_in_browser
from textual.pilot import Pilot

from cronpilot.client.http import HttpClient
from cronpilot.client.messages import RunQuery
from cronpilot.client.sockets import SOCKET_NAME
from cronpilot.config.settings import Settings, load_settings
from cronpilot.tui.app import CronPilotApp

HERE = Path(__file__).parent
DARK, LIGHT, CONTRAST = "cronpilot-dark", "cronpilot-light", "cronpilot-contrast"
WIDE = (120, 32)
SOON, LATER = "wait:400", "wait:900"
Picture = tuple[tuple[int, int], str, list[str]]
WHILE_IT_RUNS: dict[str, Picture] = {
    "running": (WIDE, DARK, ["2", SOON, "j"]),
    "tasks": (WIDE, DARK, ["g", *"jjjjjj"]),
    "log": (WIDE, DARK, ["2", SOON, "g", "j", "L"]),
    "find": (
        WIDE,
        DARK,
        ["2", SOON, "g", "j", "L", LATER, "slash", SOON, *"below", "enter", LATER],
    ),
    "timeline": ((120, 30), DARK, ["3", SOON, "t", SOON, "plus", "plus", LATER]),
    "light": (WIDE, LIGHT, ["g", *"jjjj"]),
    "contrast": ((120, 26), CONTRAST, ["j"]),
    "small": ((80, 24), DARK, ["g"]),
    "quit": (WIDE, DARK, ["q"]),
    "palette": ((120, 26), DARK, ["colon", *"run b", LATER]),
    "history": (WIDE, DARK, ["4", SOON, "g", "j"]),
    "health": (WIDE, DARK, ["5", LATER, "g", "j"]),
    "incident": ((120, 20), DARK, ["5", LATER, "g", "enter", LATER]),
}
AT_ANY_TIME: dict[str, Picture] = {
    "upcoming": (WIDE, DARK, ["3", LATER]),
    "compare": (WIDE, DARK, ["4", "slash", SOON, *"price", "enter", LATER, "C", LATER]),
    "editor": (WIDE, DARK, ["g", "E", LATER, *["tab"] * 13, "backspace", "space", *"hours", LATER]),
    "quiet": (WIDE, DARK, ["slash", SOON, *"sitemap", "enter", SOON, "e", LATER]),
    "help": ((120, 34), DARK, ["question_mark"]),
}
AT_LAST: dict[str, Picture] = {  # when what failed has been tried again
    "run": (WIDE, DARK, ["4", "slash", SOON, *"payment", "enter", LATER, "g", "enter", LATER]),
}


async def main(folder: Path, wanted: list[str]) -> None:
    """Into that folder, the pictures of these names; all where none is named."""
    with tempfile.TemporaryDirectory(prefix="shop-") as made:
        root = Path(made)
        settings = prepare(root)
        past.write(settings, root / "shop", datetime.now(UTC))
        state = settings.state_dir
        with (root / "stderr").open("wb") as stderr:
            engine = subprocess.Popen(
                [sys.executable, "-m", "cronpilot", "--headless", "--state-dir", str(state),
                 "--tasks", str(settings.tasks_file), "--config", str(settings.config_file)],
                cwd=root / "shop", stderr=stderr,
                env={**os.environ, "CRONPILOT_KEEPER_IDLE": "0.1"},
            )  # fmt: skip
        client = HttpClient.over_socket(state / SOCKET_NAME)
        try:
            await until(lambda: answers(client))
            await set_going(client)
            for name in chosen(WHILE_IT_RUNS, wanted):
                await draw(folder / f"{name}.svg", state, *WHILE_IT_RUNS[name])
            for name in chosen(["browser"], wanted):
                await draw_in_browser(folder / f"{name}.png", state, client)
            (root / "shop" / shop.BUSY).unlink()
            for name in chosen(AT_ANY_TIME, wanted):
                await draw(folder / f"{name}.svg", state, *AT_ANY_TIME[name])
            await until(lambda: retried(client))
            for name in chosen(AT_LAST, wanted):
                await draw(folder / f"{name}.svg", state, *AT_LAST[name])
        finally:
            await end(client, engine)


async def end(client: HttpClient, engine: subprocess.Popen[bytes]) -> None:
    """The engine and all that it has started; the keeper leaves by itself when nothing runs."""
    try:
        await client.shutdown(with_tasks=True)
        await asyncio.to_thread(engine.wait, 60)
    finally:
        await client.close()
        engine.kill()
        engine.wait()


def chosen(names: Iterable[str], wanted: list[str]) -> list[str]:
    return [name for name in names if name in (wanted or names)]


def prepare(root: Path) -> Settings:
    """The example server in that folder, and the settings of its engine."""
    home, tasks, config = root / "shop", root / "tasks.yaml", root / "config.yaml"
    shop.write_scripts(home)
    config.write_text(shop.config_yaml(datetime.now(UTC)))
    tasks.touch()  # its history writes it
    return load_settings(
        config=config, tasks=tasks, state_dir=root / "cronpilot", environ={}, cwd=root
    )


async def answers(client: HttpClient) -> bool:
    try:
        await client.status()
    except Exception:  # noqa: BLE001  it is still starting
        return False
    return True


async def set_going(client: HttpClient) -> None:
    """Start some by hand, one after the other, so that they are seen at different moments."""
    await start(client, "search-index", "stock-sync", "backup-media")
    await asyncio.sleep(10)
    await start(client, "sales-report", "thumbnails", "resize-banners")
    await asyncio.sleep(9)
    await client.dismiss_downtime()  # a few seconds, between the history and this engine
    await start(client, "payment-sync", "invoices")
    await asyncio.sleep(4)


async def start(client: HttpClient, *names: str) -> None:
    for name in names:
        task = await client.find_task(name)
        await client.run_now(task.id, request_id=f"picture of {name}")


async def retried(client: HttpClient) -> bool:
    """Whether the task that failed has ended well by now."""
    rows = (await client.runs(RunQuery(active=True))).rows
    return not any(row.task_name == "payment-sync" for row in rows)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1200):
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the engine did not get there within two minutes")


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
    arguments = sys.argv[1:]
    asyncio.run(main(Path(arguments[0]) if arguments else HERE, arguments[1:]))
