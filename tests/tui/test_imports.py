"""The first paint waits for nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

from ..databases import lay_ready

HEAVY = (
    "pydantic", "httpx", "fastapi", "sqlmodel", "sqlalchemy", "starlette", "apscheduler", "alembic",
    "argon2", "cronpilot.notify.message", "cronpilot.notify.smtp", "cronpilot.storage.database",
    "cronpilot.engine.engine", "cronpilot.domain.agenda", "cronpilot.domain.quiet",
)  # fmt: skip


def test_the_screen_is_painted_before_anything_heavy_is_imported():
    code = "import sys, cronpilot.tui.app; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_so_is_what_leads_to_it():
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cronpilot.cli import opening\n"
        "from cronpilot.config.places import PlainLooks, places_without_config\n"
        "places_without_config(tasks=None, state_dir=Path('x'), looks=PlainLooks(),"
        " environ={'TZ': 'UTC', 'HOME': '/'}, cwd=Path('/'))\n"
        "import cronpilot.bootstrap.screen, cronpilot.tui.app\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*HEAVY, "typer", "yaml", "psutil", "croniter", "tzlocal"} & set(done.stdout.split())


def test_the_tasks_as_last_known_are_read_without_the_models(tmp_path):
    lay_ready(tmp_path / "state")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cronpilot.bootstrap.screen import what_is_known\n"
        "from cronpilot.config.places import PlainLooks, places_without_config\n"
        "places = places_without_config(tasks=None, state_dir=Path('state'), looks=PlainLooks(),"
        " environ={'TZ': 'Europe/Berlin', 'HOME': '/'}, cwd=Path.cwd())\n"
        "known = what_is_known(places)\n"
        "assert (known.tasks(0, 60), known.timezone) == (([], 0), 'Europe/Berlin')\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert not set(HEAVY) & set(done.stdout.split())


def test_the_client_package_itself_is_light():
    code = "import sys, cronpilot.client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*HEAVY, "textual"} & set(done.stdout.split())
