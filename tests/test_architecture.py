"""Each lower layer loads without what it must not know."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "fastapi", "uvicorn", "sqlmodel", "sqlalchemy", "alembic", "apscheduler")


def loaded_by(module: str) -> set[str]:
    """The heavy packages that a fresh interpreter holds after importing `module`."""
    code = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "may_load"),
    [
        ("cronpilot.errors", set()),
        ("cronpilot.domain.plan", set()),
        ("cronpilot.client.http", set()),
        ("cronpilot.config.tasks_file", set()),
        ("cronpilot.runner.executor", set()),
        ("cronpilot.cli", set()),
        ("cronpilot.bootstrap", set()),
        ("cronpilot.storage.runs", {"sqlmodel", "sqlalchemy"}),
        ("cronpilot.engine.engine", {"sqlmodel", "sqlalchemy", "apscheduler"}),
        ("cronpilot.api.server", {"fastapi", "uvicorn"}),
        ("cronpilot.web.routes", set()),
        ("cronpilot.web.process", set()),
        ("cronpilot.tui.app", {"textual"}),
    ],
)
def test_a_layer_loads_only_what_it_is_about(module, may_load):
    assert loaded_by(module) <= may_load
