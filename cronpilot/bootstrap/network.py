"""The engine's API on TCP: who may come in, where it listens, what changes with config.yaml."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.engine.accounts import PASSWORD_FILE
from cronpilot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI

    from cronpilot.api.auth import Gate
    from cronpilot.api.tcp import TcpFront
    from cronpilot.engine.engine import Engine, EngineConfig
    from cronpilot.progress import Say

ADMIN_PASSWORD = "CRONPILOT_ADMIN_PASSWORD"


def take_admin_password() -> str | None:
    """The password in the environment, which is taken out: what we start from then on inherits it
    no more."""
    return os.environ.pop(ADMIN_PASSWORD, None)


def make_front(
    engine: Engine, app: FastAPI, gate: Gate, config: EngineConfig, say: Say, password: str | None
) -> TcpFront:
    """What will serve `app` on TCP, as far as the settings want it to. `password`: the admin's."""
    from cronpilot.api.tcp import Surroundings, TcpFront

    def listens_at(address: str | None) -> None:
        engine.api_address = address

    surroundings = Surroundings(
        show=engine.notices.show, clear=engine.notices.clear, listens_at=listens_at,
        before=_admission(engine, config, say, password),
    )  # fmt: skip
    front = TcpFront(app, gate, config.api, surroundings, wanted=config.role == "headless")
    engine.on_reconfigure.append(lambda changed: front.configure(changed.api))
    return front


def _admission(
    engine: Engine, config: EngineConfig, say: Say, given: str | None
) -> Callable[[], Awaitable[None]]:
    """Sees to it, before anybody comes, that there is an admin who can log in."""

    async def admit() -> None:
        nonlocal given
        try:
            said = await engine.accounts.open(config.state_dir / PASSWORD_FILE, given)
        except ConfigError as error:
            raise ConfigError(f"{ADMIN_PASSWORD}: {error.problem}", error.hint) from error
        given = None
        if said is not None:
            say(clean(said))

    return admit
