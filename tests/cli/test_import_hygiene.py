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


# What only an engine needs, or who writes definitions.
OURS = {"cronpilot.domain.task", "cronpilot.domain.schedule", "cronpilot.engine.engine"}


def loaded_by(*words: str) -> set[str]:
    """Our modules, and the top-level packages, in a fresh interpreter after that command."""
    return loaded_after(f"from cronpilot.cli import main\ncode = main({list(words)!r})\n")


def loaded_after(program: str) -> set[str]:
    """The same after a program that sets `code`."""
    program += (
        "import sys\n"
        "names = {name for name, module in sys.modules.items() if module}\n"
        "names |= {name.partition('.')[0] for name in names}\n"
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
    loaded = loaded_by(*words, "--connect", str(engine.path))

    assert loaded & (HEAVY | OURS | {"yaml", "croniter"}) == set()


def test_the_server_is_loaded_without_what_fastapi_has_for_others() -> None:
    loaded = loaded_after(
        "import cronpilot.api.server\n"
        "from fastapi.openapi.models import OpenAPI\n"
        "code = int(OpenAPI.__pydantic_complete__)\n"  # its validator is built when it is asked for
    )

    assert "fastapi" in loaded
    assert loaded & {"textual", "rich", "pydantic.v1.main"} == set()


def test_without_a_config_file_no_validator_of_it_is_built() -> None:
    loaded_after(
        "import pathlib\n"
        "from cronpilot.config import settings\n"
        "settings.load_settings(environ={}, cwd=pathlib.Path('/'))\n"
        "code = int(settings._Config.__pydantic_complete__)\n"
    )
