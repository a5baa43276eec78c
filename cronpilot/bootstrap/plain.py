"""Whom a short command asks, without loading what all others need: see `clients` for these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from cronpilot.client.plain_client import NobodyThere, PlainClient, PlainSource, Unsure
from cronpilot.client.sockets import SOCKET_NAME
from cronpilot.config.places import DEFAULT_DATABASE, Search, find_state_dir

T = TypeVar("T")


def ask_plainly(
    question: Callable[[PlainSource], T],
    *,
    documents: bool,
    state_dir: Path | None,
    connect: str | None,
    environ: Mapping[str, str],
    cwd: Path,
) -> T:
    """The answer of the engine, else of the database.

    An engine is asked without reading config.yaml, which is its own affair: the socket lies in the
    state directory.

    Args:
        documents: of all fields, as JSON has them; a database alone is not asked for these here.
        connect: a socket's path, as `--connect` takes it.
    Raises:
        Unsure: the whole way answers it, or has the words for why not.
    """
    try:
        if connect is not None:
            path = Path(connect.removeprefix("unix://")).expanduser().absolute()
            return question(PlainClient(path))
        search = Search(environ, cwd.absolute(), [])
        config, _ = search.find("config.yaml", None, "--config", "CRONPILOT_CONFIG")
        for name, variable in (("tasks.yaml", "CRONPILOT_TASKS"), ("keys.toml", "CRONPILOT_KEYS")):
            search.find(name, None, "", variable)  # raises where there is none of that name
        state = find_state_dir(state_dir, environ, cwd.absolute())
        try:
            return question(PlainClient(state / SOCKET_NAME))
        except NobodyThere:
            if documents:
                raise
            return question(_database(state, config, environ, cwd))
    except Exception as error:  # whatever it is: the whole way says it
        raise Unsure from error


def _database(
    state: Path, config: Path | None, environ: Mapping[str, str], cwd: Path
) -> PlainSource:
    path, max_workers = state / DEFAULT_DATABASE, 10
    if config is not None:
        from cronpilot.config.settings import load_settings

        settings = load_settings(state_dir=state, environ=environ, cwd=cwd)
        path, max_workers = settings.database, settings.max_workers
    if not path.exists() or _is_locked(path):
        raise Unsure
    from cronpilot.engine.plain_reading import PlainDatabase

    return PlainDatabase(path, max_workers=max_workers)


def _is_locked(database: Path) -> bool:
    """Whether an engine has it: one that is about to listen, or to end."""
    from cronpilot.storage.lock import DatabaseLock

    lock = DatabaseLock(database)
    if not lock.take():
        return True
    lock.release()
    return False
