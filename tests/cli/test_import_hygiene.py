"""Short commands load nothing that they do not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Running

HEAVY = {
    "textual", "fastapi", "starlette", "uvicorn", "sqlmodel", "sqlalchemy", "alembic",
    "apscheduler", "rich", "pygments", "psutil",
}  # fmt: skip


def loaded_by(*words: str) -> set[str]:
    """The top-level packages in a fresh interpreter after that command."""
    program = (
        "import sys\n"
        "from cronpilot.cli import main\n"
        f"code = main({list(words)!r})\n"
        "names = {name.partition('.')[0] for name, module in sys.modules.items() if module}\n"
        "print(code, *names, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    code, *names = done.stderr.split()
    assert code == "0", done.stderr
    return set(names)


def test_help_loads_neither_screen_nor_server_nor_client() -> None:
    assert loaded_by("--help") & (HEAVY | {"httpx", "croniter", "yaml"}) == set()


@pytest.mark.parametrize("words", [["list"], ["status", "--json"], ["history"], ["logs", "1"]])
def test_asking_an_engine_loads_neither_screen_nor_server(
    engine: Running, words: list[str]
) -> None:
    assert loaded_by(*words, "--connect", str(engine.path)) & (HEAVY | {"yaml"}) == set()
