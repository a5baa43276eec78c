"""The crontab of a user on this very machine: read and written by the crontab program.

The program here is one of ours: it keeps the text in a file and, as Debian's, adds lines to that.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cronpilot.adopt import Kind, Machine, adopted, give_back, look, set_aside

PROGRAM = """\
#!/bin/sh
case "$1" in
-l) cat {text} 2>/dev/null ;;
-) cat >{text}; {{ echo "# DO NOT EDIT"; cat {text}; }} >{text}.installed ;;
*) exit 2 ;;
esac
"""
TEXT = "# mine\nA=b\n*/7 * * * * probe %in\n"


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `crontab -l` prints."""
    text = tmp_path / "text"
    text.write_text(TEXT)
    program = tmp_path / "crontab"
    program.write_text(PROGRAM.format(text=text))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("cronpilot.adopt.finding._users", lambda machine: [machine.me])
    return text


def test_a_line_is_set_aside_and_given_back_by_the_program(crontab: Path, tmp_path: Path):
    machine, copies = Machine.here(), tmp_path / "copies"
    [entry] = [entry for entry in look(machine) if entry.kind is Kind.CRONTAB and entry.owner]
    copy = set_aside(machine, entry, copies)
    between = crontab.read_text()
    [mine] = [one for one in adopted(machine, copies) if one.user]
    give_back(machine, mine, copies)

    assert (entry.name, entry.line) == ("probe", 3)
    assert between == TEXT.replace("*/7", '# cronpilot adopted "probe": */7')
    assert copy is not None
    assert (copy.read_text(), crontab.read_text()) == (TEXT, TEXT)
