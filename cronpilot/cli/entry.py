"""From the words on the command line to an exit code; nothing leaves here as a traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from cronpilot.cli.app import app
from cronpilot.cli.session import OpenClient, Session
from cronpilot.cli.telling import INTERRUPTED, guarded, say
from cronpilot.domain.text import clean


def main(argv: Sequence[str] | None = None, *, open_client: OpenClient | None = None) -> int:
    """Do what `argv` (default: the command line) asks; the exit code.

    Args:
        open_client: makes the client that the commands ask; default: that of `bootstrap.clients`.
    """
    session = Session(open_client)
    arguments = sys.argv[1:] if argv is None else list(argv)
    return guarded(lambda: _do(arguments, session), lambda: session.known_state_dir)


_PLAINER = {
    "Input should be a valid integer, unable to parse string as an integer": "it must be a whole"
    " number",
    "Input should be greater than or equal to": "it must be at least",
    "Input should be less than or equal to": "it must be at most",
}


def _plain(said: str) -> str:
    """Pydantic's words for what a person has typed, in ours."""
    for theirs, ours in _PLAINER.items():
        said = said.replace(theirs, ours)
    return said


def _do(arguments: list[str], session: Session) -> int:
    try:
        return app(arguments, prog_name="cronpilot", standalone_mode=False, obj=session) or 0
    except typer.TyperException as error:  # a word that Typer does not understand
        said = _plain(clean(error.format_message()))
        say(f"{said}{'' if said.endswith(('.', '?', ')')) else '.'} See: cronpilot --help")
        return error.exit_code
    except typer.Abort:
        return INTERRUPTED
