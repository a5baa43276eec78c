"""The screen on a made-up engine: to look at it, and for the tests that need a real terminal.

    python tests/terminal/demo_screen.py [--tasks N] [--attached] [--hostile] [--quiet] [--theme T]

Prints how the screen was left, as `LEFT: DETACH`, and stays for a moment after a hang-up.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.leave import Leave
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.terminal import run_app, screen_problem


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=0)
    parser.add_argument("--due", type=int, default=600, help="seconds before anything is due")
    parser.add_argument("--ticking", action="store_true", help="every row counts seconds")
    parser.add_argument("--attached", action="store_true")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--quiet", action="store_true", help="nothing runs, nothing is due soon")
    parser.add_argument("--crash", action="store_true", help="break after a second")
    parser.add_argument("--theme")
    parser.add_argument("--no-mouse", action="store_true")
    parser.add_argument("--state-dir", default="/var/lib/cronpilot")
    parser.add_argument("--left", help="file that is to say how the screen was left")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    if problem := screen_problem(os.environ, sys.stdin, sys.stdout):
        sys.exit(problem)
    client: Any = None
    background: set[asyncio.Task[None]] = set()

    async def connect() -> Any:
        from demo_data import live, make_client  # as an engine: not before the first paint

        nonlocal client
        if client is None:
            client = make_client(options)
            if not (options.quiet or options.tasks or options.hostile):
                background.add(asyncio.create_task(live(client)))
        return client

    app = CronPilotApp(
        connect, role="attached" if options.attached else "owner", host="example",
        state_dir=options.state_dir, clock=lambda: datetime.now(UTC), theme=options.theme,
        options=ScreenOptions(mouse=not options.no_mouse),
    )  # fmt: skip
    if options.crash:
        secret = "hunter2"

        def break_down() -> None:
            password = secret
            raise ValueError(f"no luck in {len(password)} letters")

        app.call_later(app.set_timer, 1.0, break_down)
    left = run_app(app)
    if options.left:
        before = time.process_time()
        time.sleep(0.5)
        cpu = time.process_time() - before
        Path(options.left).write_text(f"{left.name} {cpu:.2f}\n")
    if left is not Leave.HANGUP:
        print(f"LEFT: {left.name}")


if __name__ == "__main__":
    main()
