"""The global options, on every command as well as before it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from cronpilot.cli.pipe import PIPE_CLOSED, drop_output
from cronpilot.cli.session import Session

P = ParamSpec("P")
Command = Callable[Concatenate[Session, P], int | None]

_ANNOTATIONS: dict[str, Any] = {
    "config": Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings: config.yaml.")
    ],
    "tasks": Annotated[
        Path | None, typer.Option("--tasks", metavar="FILE", help="Tasks: tasks.yaml.")
    ],
    "state_dir": Annotated[
        Path | None,
        typer.Option("--state-dir", metavar="DIR", help="Database, logs and the engine's socket."),
    ],
    "connect": Annotated[
        str | None,
        typer.Option(
            "--connect", metavar="URL", help="Another engine: https://host:7000, a socket."
        ),
    ],
    "user": Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="With --connect: who asks.")
    ],
    "password_file": Annotated[
        Path | None,
        typer.Option(
            "--password-file", metavar="FILE", help="With --connect: instead of asking for it."
        ),
    ],
    "ca_file": Annotated[
        Path | None,
        typer.Option("--ca-file", metavar="FILE", help="With --connect: certificates to trust."),
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")],
}
GLOBALS = [
    inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if name == "as_json" else None,
        annotation=annotation,
    )
    for name, annotation in _ANNOTATIONS.items()
]
_CONTEXT = inspect.Parameter(
    "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
)


def command(
    app: typer.Typer, name: str, *, epilog: str | None = None
) -> Callable[[Command[P]], Command[P]]:
    """Make a function a command of `app` that takes the global options, too.

    The function gets the Session first and then its own parameters; it returns an exit code, or
    None for 0. Typer reads a function's signature, so the options are added to it there: they are
    parsed like all others, wherever they stand, and `--` ends them.
    """

    def register(function: Command[P]) -> Command[P]:
        app.command(name, epilog=epilog)(with_globals(function))
        return function

    return register


def with_globals(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """`function` as Typer wants it: the Session and the global options are taken care of."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()

    def run(ctx: typer.Context, **given: Any) -> int | None:
        session: Session = ctx.obj
        session.subcommand = ctx.invoked_subcommand
        session.take({one.name: given.pop(one.name) for one in globals_here})
        try:
            code = function(session, **given)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_output()
            raise typer.Exit(PIPE_CLOSED) from None
        return code

    named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    # A word that the command has a meaning of its own for is left to it.
    taken = {flag for parameter in named for flag in _flags(parameter)}
    globals_here = [one for one in GLOBALS if taken.isdisjoint(_flags(one))]
    parameters = [_CONTEXT, *named, *globals_here]
    run.__name__ = getattr(function, "__name__", "run")
    run.__doc__ = function.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _flags(parameter: inspect.Parameter) -> set[str]:
    """The name of a parameter, and the words by which it is given."""
    flags = {parameter.name}
    for meaning in getattr(parameter.annotation, "__metadata__", ()):
        flags.update(getattr(meaning, "param_decls", None) or ())
    return flags
