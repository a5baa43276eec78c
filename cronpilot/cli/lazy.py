"""The group of all commands: each is loaded when it is used, and listed without that."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from cronpilot.cli.catalogue import COMMANDS


class LazyGroup(TyperGroup):
    """Holds a line of help in the place of each command that was not used yet."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, listed in COMMANDS.items():
            line = TyperCommand(name, help=listed.help, hidden=not listed.help)
            self.commands.setdefault(name, line)

    def load(self, name: str) -> Any:
        """The command of that name, ready to be used; None where there is none."""
        if name in COMMANDS:
            self.commands.update(commands_of(COMMANDS[name].module))
        return self.commands.get(name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.load(args[0])
        return super().resolve_command(ctx, args)


def commands_of(module: str) -> dict[str, Any]:
    """What that module of `cronpilot.cli` registers."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    import_module(f"cronpilot.cli.{module}").register(app)
    return dict(get_group(app).commands)
