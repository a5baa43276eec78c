"""Short commands load nothing that they do not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..databases import lay_ready
from ..patience import PATIENCE_S
from .conftest import Running

HEAVY = {
    "textual", "fastapi", "starlette", "uvicorn", "sqlmodel", "sqlalchemy", "alembic",
    "apscheduler", "rich", "pygments", "psutil",
}  # fmt: skip


# What only an engine needs, or who writes definitions.
OURS = {"cronpilot.domain.task", "cronpilot.domain.schedule", "cronpilot.engine.engine"}
# What a question or two over a unix socket do without.
HTTP = {"httpx", "httpcore", "h11", "anyio"}
# What the usual questions do without: a parser of all others, models, an event loop.
PARSERS = {"typer", "pydantic", "asyncio", "importlib.metadata"}
# What few questions ask of a database without an engine.
PARTS = {
    f"cronpilot.engine.{name}"
    for name in (
        "accounts", "agenda", "comparing", "differences", "following", "health", "history",
        "incident_views", "ledger", "log_search", "usage", "why",
    )
}  # fmt: skip


def loaded_by(*words: str, code: int = 0) -> set[str]:
    """Our modules, and the top-level packages, in a fresh interpreter after that command."""
    program = f"from cronpilot.cli import main\ncode = main({list(words)!r})\n"
    return loaded_after(program, code)


def loaded_after(program: str, expected: int = 0) -> set[str]:
    """The same after a program that sets `code`."""
    program += (
        "import sys\n"
        "names = {name for name, module in sys.modules.items() if module}\n"
        "names |= {name.partition('.')[0] for name in names}\n"
        "print(code, *names, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    code, *names = done.stderr.splitlines()[-1].split()
    assert code == str(expected), done.stderr
    return set(names)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A state directory in which no engine runs."""
    lay_ready(tmp_path / "state")
    return tmp_path / "state"


def test_help_loads_neither_screen_nor_server_nor_client() -> None:
    assert loaded_by("--help") & (HEAVY | {"httpx", "croniter", "yaml"}) == set()


@pytest.mark.parametrize("words", [["list"], ["status", "--json"], ["next"], ["history"]])
def test_the_usual_questions_load_no_parser_and_no_model(engine: Running, words: list[str]) -> None:
    loaded = loaded_by(*words, "--connect", str(engine.path))

    assert loaded & (HEAVY | HTTP | OURS | PARSERS | {"yaml", "croniter", "tzlocal"}) == set()


def test_asking_an_engine_loads_neither_screen_nor_server(engine: Running) -> None:
    loaded = loaded_by("logs", "1", "--connect", str(engine.path))

    assert loaded & (HEAVY | HTTP | OURS | {"yaml", "croniter"}) == set()


def test_a_screen_finds_its_engine_before_it_paints_without_a_model(engine: Running) -> None:
    loaded = loaded_after(
        "from cronpilot.bootstrap.screen import knock\n"
        "from cronpilot.client.remote import Remote\n"
        "from cronpilot.domain.access import OWNER\n"
        f"code = int(knock(Remote({str(engine.path)!r})) != OWNER)\n"
    )

    assert loaded & (HEAVY | HTTP | {"pydantic", "typer"}) == set()


@pytest.mark.parametrize("words", [["list"], ["status"], ["history"]])
def test_a_database_without_an_engine_is_read_in_plain_sql(closed: Path, words: list[str]) -> None:
    code = 3 if words[0] == "status" else 0
    loaded = loaded_by(*words, "--state-dir", str(closed), code=code)

    assert loaded & (HEAVY | HTTP | OURS | PARSERS | {"yaml", "tzlocal"}) == set()


@pytest.mark.parametrize("words", [["list", "--json"], ["next"]])
def test_a_database_is_read_by_what_reads_it(closed: Path, words: list[str]) -> None:
    loaded = loaded_by(*words, "--state-dir", str(closed))

    unneeded = HEAVY - {"sqlmodel", "sqlalchemy"} | HTTP | PARTS | {"yaml", "argon2"}
    assert loaded & unneeded == set()


def test_no_table_has_a_validator_that_nobody_uses() -> None:
    loaded_after(
        "from sqlmodel import SQLModel\n"
        "from cronpilot.storage import tables\n"
        "rows = [one for one in vars(tables).values()\n"
        "        if isinstance(one, type) and issubclass(one, SQLModel) and one is not SQLModel]\n"
        "code = int(len(rows) < 10 or any(one.__pydantic_complete__ for one in rows))\n"
    )


def test_a_command_is_loaded_without_the_others() -> None:
    loaded = loaded_by("list", "--help")

    assert {name for name in loaded if name.startswith("cronpilot.cli.")} == {
        f"cronpilot.cli.{name}"
        for name in (
            "app", "catalogue", "document", "entry", "headless", "lazy", "opening",
            "options", "pipe", "session", "shortcut", "tasks", "telling",
        )
    }  # fmt: skip


def test_an_engine_is_ready_without_what_it_may_need_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONPILOT_API_PORT", "off")
    monkeypatch.setenv("CRONPILOT_KEEPER_IDLE", "0.1")
    tasks = tmp_path / "tasks.yaml"
    tasks.write_text("tasks: []\n")
    words = ["--headless", "--state-dir", str(tmp_path / "state"), "--tasks", str(tasks)]
    loaded = loaded_after(
        "import os, signal, sys\n"
        "from cronpilot.cli import main\n"
        "from cronpilot.engine.service import ServiceManager\n"
        "ServiceManager.ready = lambda self, words: os.kill(os.getpid(), signal.SIGTERM)\n"
        f"sys.argv = ['cronpilot', *{words!r}]\n"
        "code = main()\n"
    )

    assert {"fastapi", "apscheduler", "sqlmodel"} <= loaded
    later = {"alembic", "prometheus_client", "aiosmtplib", "apprise", "psutil", "argon2"}
    assert loaded & (later | {"textual", "rich", "typer", "httpx", "pydantic.v1.main"}) == set()


def test_an_engine_without_a_tasks_file_does_not_read_yaml() -> None:
    loaded = loaded_after(
        "import cronpilot.engine.engine, cronpilot.bootstrap.headless\ncode = 0\n"
    )

    assert loaded & {"yaml", "croniter", "cronpilot.config.strict_yaml"} == set()


def test_the_server_is_loaded_without_what_fastapi_has_for_others() -> None:
    loaded = loaded_after(
        "import cronpilot.api.server\n"
        "import gc\n"
        "from cronpilot.api.app import make_app\n"
        "from fastapi.openapi.models import OpenAPI\n"
        "from fastapi._compat.v2 import TypeAdapter\n"
        "routes = [one for one in make_app(None).routes if hasattr(type(one), 'within')]\n"
        # what a handler takes and answers is found out when somebody comes to its route
        "read = [one for one in routes if one._is_read]\n"
        "code = int(OpenAPI.__pydantic_complete__ or len(routes) < 50 or len(read) > 0)\n"
        # what a route needs to look at values is built when there are values
        "dependants = [one.dependant for one in routes]\n"
        "adapters = [one for one in gc.get_objects() if type(one) is TypeAdapter]\n"
        "built = [one for one in adapters if '_real' in vars(one)]\n"
        "code += 2 * int(len(adapters) < 100 or len(built) > 0)\n"
    )

    assert "fastapi" in loaded
    assert loaded & {"textual", "rich", "pydantic.v1.main"} == set()


def test_the_clock_is_loaded_without_a_search_for_plugins_that_we_have_not() -> None:
    loaded_after(
        "import importlib.metadata\n"
        "search = importlib.metadata.entry_points\n"
        "from cronpilot.engine.scheduling.scheduler import BackgroundScheduler as Clock\n"
        "found = Clock._trigger_plugins or Clock._executor_plugins or Clock._jobstore_plugins\n"
        "code = int(bool(found) or importlib.metadata.entry_points is not search)\n"
    )


def test_without_a_config_file_no_validator_of_it_is_built() -> None:
    loaded_after(
        "import pathlib\n"
        "from cronpilot.config import settings\n"
        "settings.load_settings(environ={}, cwd=pathlib.Path('/'))\n"
        "code = int(settings._Config.__pydantic_complete__)\n"
    )
