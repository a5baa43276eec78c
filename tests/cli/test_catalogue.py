"""The commands that `--help` lists are those that the modules have."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot import cli
from cronpilot.cli.catalogue import COMMANDS
from cronpilot.cli.lazy import commands_of

MODULES = sorted({listed.module for listed in COMMANDS.values()})
WIDE = 1_000  # characters: no line is shortened


@pytest.mark.parametrize("module", MODULES)
def test_the_help_lists_every_command_of_a_module_in_its_own_words(module):
    own = {
        name: "" if command.hidden else command.get_short_help_str(WIDE)
        for name, command in commands_of(module).items()
    }

    listed = {name: one.help for name, one in COMMANDS.items() if one.module == module}
    assert listed == own


def test_every_module_that_has_commands_is_in_the_catalogue():
    folder = Path(cli.__file__).parent
    registering = {
        path.stem for path in folder.glob("*.py") if "\ndef register(" in path.read_text()
    }

    assert registering == set(MODULES)
