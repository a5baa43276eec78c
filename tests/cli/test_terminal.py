"""On a real terminal: its width, its colours, and nothing that steers it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest

from cronpilot.client.fake import make_task

from ..patience import PATIENCE_S
from .conftest import Running


def shown(engine: Running, *words: str, columns: int = 80, **environ: str) -> str:
    """What the command wrote to a terminal of 24 lines, until its end."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "cronpilot", *words, "--connect", str(engine.path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
        dimensions=(24, columns),
        timeout=PATIENCE_S,
    )
    child.expect(pexpect.EOF)
    child.close()
    return child.before.decode().replace("\r\n", "\n")


def test_eighty_columns_are_complete(engine: Running) -> None:
    long = make_task(4, "a-name-that-goes-on-and-on-until-it-hits-the-very-end-of-the-line")
    engine.do(lambda: engine.fake.put_task(long))

    lines = shown(engine, "list").splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ID", "NAME", "SCHEDULE", "NEXT", "RUN", "LAST"]
    assert lines[4].startswith(" 4  a-name-that-goes")
    assert "…  every day at 02:30" in lines[4]
    assert lines[4].endswith("2026-03-05 03:30 CET  -")


def test_colours_on_a_terminal(engine: Running) -> None:
    assert "\x1b[31mfailed\x1b[0m" in shown(engine, "history")


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_colours_where_they_are_not_wanted(engine: Running, environ: dict[str, str]) -> None:
    out = shown(engine, "history", **environ)

    assert "failed" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("words", [["list"], ["next"], ["status"], ["history"], ["run", "3"],
                                   ["pause", "3"], ["stop", "2"], ["list", "--json"],
                                   ["logs", "2"], ["logs", "2", "--json"], ["logs", "nope\x1b]"]],
                         ids=" ".join)  # fmt: skip
def test_nothing_from_outside_steers_the_terminal(engine: Running, words: list[str]) -> None:
    out = shown(engine, *words)

    ours = re.sub(r"\x1b\[(0|3[1236])m", "", out)
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", ours) == []


def test_a_log_keeps_its_colours_and_nothing_else(engine: Running) -> None:
    engine.do(lambda: engine.fake.append_log(2, b"\x1b[1;32mok\x1b[0m\r\n50%\r100%\x1b]0;t\x07\n"))

    assert shown(engine, "logs", "2") == (
        "\\x1b[2Jbad\n\x1b[1;32mok\x1b[0m\n50%\n100%\\x1b]0;t\\x07\n"
    )
    assert shown(engine, "logs", "2", NO_COLOR="1").splitlines()[1] == "ok"
