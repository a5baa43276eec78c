"""One use of the command line: its global options, its settings, and whom it asks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.remote import Remote
    from cronpilot.config.settings import Settings

T = TypeVar("T")


class OpenClient(Protocol):
    """How a client is had; raises NoEngine when one is needed and none answers."""

    def __call__(self, settings: Settings, *, need_engine: bool) -> Client: ...


class Options(NamedTuple):
    """What may stand before or after every command."""

    config: Path | None = None
    tasks: Path | None = None
    state_dir: Path | None = None
    connect: str | None = None
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    as_json: bool = False


class Session:
    """What a command is given: the options, and the way to an engine."""

    def __init__(self, open_client: OpenClient | None = None) -> None:
        self.options = Options()
        self.keys_file: Path | None = None  # a keys.toml that was named
        self.subcommand: str | None = None  # the word that follows, while the root is at work
        self._open_client = open_client or _from_bootstrap

    def take(self, given: dict[str, Any]) -> None:
        """Add options that were given; the one that stands last wins."""
        said = {name: value for name, value in given.items() if value not in (None, False)}
        self.options = self.options._replace(**said)

    @cached_property
    def settings(self) -> Settings:
        """From config.yaml, the environment and the options. Raises ConfigError."""
        from cronpilot.config.settings import load_settings

        return load_settings(
            config=self.options.config,
            tasks=self.options.tasks,
            state_dir=self.options.state_dir,
            connect=self.options.connect,
            keys=self.keys_file,
            environ=os.environ,
            cwd=Path.cwd(),
        )

    @property
    def known_state_dir(self) -> Path | None:
        """The state directory, if anybody has asked for it yet."""
        settings: Settings | None = vars(self).get("settings")
        return settings.state_dir if settings else self.options.state_dir

    def ask(self, question: Callable[[Client], Awaitable[T]], *, need_engine: bool = False) -> T:
        """The answer of an engine; without one, and unless it is needed, of the database."""
        client = self._client(need_engine)

        async def answer() -> T:
            try:
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(answer())

    def run_engine(self, *, take_over: bool = False, log_level: str = "info") -> int:
        """The engine in this process, without a screen, until it is told to end."""
        from cronpilot.bootstrap.headless import run_headless

        return run_headless(replace(self.settings, take_over=take_over), log_level=log_level)

    def run_screen(
        self, *, take_over: bool = False, ascii_only: bool = False, mouse: bool = True
    ) -> int:
        """The screen, and the engine behind it if none runs yet.

        Args:
            ascii_only: nothing but ASCII, whatever config.yaml says.
            mouse: False leaves the mouse to the terminal.
        """
        from cronpilot.bootstrap.screen import run_screen

        looks = self.settings.tui.model_copy(
            update=({"ascii": True} if ascii_only else {}) | ({} if mouse else {"mouse": False})
        )
        settings = replace(self.settings, take_over=take_over, tui=looks)
        return run_screen(settings, self.remote)

    @cached_property
    def remote(self) -> Remote | None:
        """The engine that --connect names. Raises UsageProblem."""
        said = self.options
        if said.connect is None:
            if said.user or said.password_file or said.ca_file:
                raise UsageProblem(
                    "--user, --password-file and --ca-file need --connect.",
                    "Such as --connect https://host:7000",
                )
            return None
        from cronpilot.client.remote import Remote

        return Remote(said.connect, said.user, said.password_file, said.ca_file)

    def _client(self, need_engine: bool) -> Client:
        if self.remote is not None:
            return self.remote.open("cli")
        return self._open_client(self.settings, need_engine=need_engine)


def _from_bootstrap(settings: Settings, *, need_engine: bool) -> Client:
    from cronpilot.bootstrap.clients import open_client

    return open_client(settings, need_engine=need_engine)
