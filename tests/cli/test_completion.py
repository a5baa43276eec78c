"""Tab: what bash offers, run in bash itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cronpilot.client.fake import make_task

from ..patience import PATIENCE_S
from .conftest import HOSTILE, Cronpilot, Running

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")


@pytest.fixture
def program(somewhere: Path) -> Path:
    """A program named cronpilot, as an installation has it, that waits longer for an engine."""
    path = somewhere / "cronpilot"
    code = (
        "import sys; from cronpilot.cli import completion, main;"
        f" completion.PATIENCE_S = {PATIENCE_S}; sys.exit(main())"
    )
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    path.chmod(0o755)
    return path


def offered(program: Path, *words: str) -> list[str]:
    """What bash has to offer when Tab is pressed at the end of these words."""
    script = (
        'source <("$1" completion bash); program=$1; shift\n'
        'COMP_WORDS=("$program" "$@"); COMP_CWORD=$#\n'
        '_cronpilot "$program"\n'
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", str(program), *words],
        capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@needs_bash
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["hist"], ["history"], id="a command"),
        pytest.param(["history", "--lim"], ["--limit"], id="an option of a command"),
        pytest.param(["--head"], ["--headless"], id="an option of the program"),
        pytest.param(["completion", "z"], ["zsh"], id="a shell"),
        pytest.param(["history", "--limit", ""], [""], id="nothing for the value of an option"),
        pytest.param(["nonsense", ""], [""], id="nothing after an unknown word"),
    ],
)
def test_commands_and_options(program: Path, words: list[str], expected: list[str]) -> None:
    assert offered(program, *words) == expected


def offered_by_fish(program: Path, line: str) -> list[str]:
    """What fish has to offer at the end of this line, where there is one file: hist.yaml."""
    script = "$argv[1] completion fish | source; complete -C $argv[2]"
    return _said(program, ["fish", "--no-config", "-c", script, str(program), line])


def offered_by_zsh(program: Path, line: str) -> list[str]:
    """The same of zsh; what it does itself with the words and files stands in for it."""
    script = (
        "compdef() { : }; compadd() { shift; print -l -- $@ }; _files() { print -l -- * }\n"
        'source <($1 completion zsh); words=(${(z)2}); [[ $2 == *" " ]] && words+=("")\n'
        "CURRENT=$#words; _cronpilot"
    )
    return _said(program, ["zsh", "-f", "-c", script, "zsh", str(program), line])


def _said(program: Path, command: list[str]) -> list[str]:
    folder = program.parent / "a folder"
    folder.mkdir()
    (folder / "hist.yaml").touch()
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": path},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("cronpilot hist", ["history"], id="a command, and no file"),
        pytest.param("cronpilot completion ", ["bash", "fish", "zsh"], id="the shells"),
        pytest.param("cronpilot validate h", ["hist.yaml"], id="files, where nothing else is"),
    ],
)
@pytest.mark.parametrize(("shell", "ask"), [("fish", offered_by_fish), ("zsh", offered_by_zsh)])
def test_the_other_shells_offer_the_same(
    program: Path, shell: str, ask: Callable[[Path, str], list[str]], line: str,
    expected: list[str],
) -> None:  # fmt: skip
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")

    assert sorted(ask(program, line)) == expected


@needs_bash
def test_task_names_come_from_the_engine_as_data(program: Path, engine: Running) -> None:
    for number, name in enumerate(["backup all", "back$(touch /tmp/x)", "back*", "other"], 10):
        engine.do(lambda n=number, name=name: engine.fake.put_task(make_task(n, name)))
    there = ["--connect", str(engine.path)]

    assert offered(program, *there, "run", "back") == [
        "'back$(touch /tmp/x)'", "'back*'", "'backup all'", "backup-db",
    ]  # fmt: skip
    assert offered(program, *there, "logs", "'backup a") == ["'backup all'"]
    assert offered(program, *there, "run", "backup-db", "") == [""]


@needs_bash
def test_nothing_is_offered_and_nothing_said_where_nobody_answers(program: Path) -> None:
    assert offered(program, "run", "") == [""]
    assert offered(program, "--connect", "/nope/engine.sock", "run", "b") == [""]


def test_names_that_hide_what_they_are_are_not_offered(cronpilot: Cronpilot) -> None:
    assert HOSTILE not in cronpilot("complete", "fish", "2", "--", "cronpilot", "run", "").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(alone: Cronpilot, shell: str) -> None:
    said = alone("completion", shell)

    assert said.code == 0
    assert f"complete {shell}" in said.out


def test_another_shell_is_named(alone: Cronpilot) -> None:
    said = alone("completion", "tcsh")

    assert (said.code, said.err) == (
        2, "cronpilot: There is no completion for 'tcsh'. Use bash, zsh or fish.\n",
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_is_one_that_its_shell_can_read(alone: Cronpilot, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    script = alone("completion", shell).out
    subprocess.run([program, "-n"], input=script, text=True, check=True, timeout=PATIENCE_S)
