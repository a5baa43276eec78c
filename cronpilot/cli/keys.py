"""keys: what the screen's keys are, as a keys.toml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.domain.text import clean


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "keys")(keys)


def keys(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: the keys.toml in use here.")
    ] = None,
) -> None:
    """Print the keys of the screen, with what each does, as a keys.toml.

    A keys.toml is checked first: every mistake is named with its line (exit code 2). It may hold
    just the lines that differ; it is looked for where config.yaml is.
    """
    session.keys_file = file or session.keys_file
    used = session.settings.keys_file
    from cronpilot.tui.key_catalogue import catalogue  # Textual, which no other command loads
    from cronpilot.tui.keymap import Keymap, as_toml, load_keymap

    keymap = load_keymap(used, catalogue()) if used is not None else Keymap()
    if session.options.as_json:
        show_json({known.id: list(keymap.keys_of(known)) for known in catalogue().values()})
        return
    print(f"cronpilot: keys from {clean(str(used))}" if used else
          "cronpilot: no keys.toml; these are the built-in keys", file=sys.stderr)  # fmt: skip
    print(as_toml(keymap, catalogue()), end="")
