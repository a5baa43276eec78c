"""service: what goes into the unit, and what cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cronpilot


def test_the_files_in_force_here_go_into_the_unit(
    cronpilot: Cronpilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("config.yaml", "tasks.yaml"):
        (tmp_path / name).touch()
    unit = cronpilot("service", "install", "--user", "--print").out

    assert f" --tasks {tmp_path}/tasks.yaml --config {tmp_path}/config.yaml\n" in unit


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--user", "--system"], "exclude one another"),
        (["--user", "--name", "caf\u00e9"], "is no name of a unit"),
        (["--user", "--run-as", "root"], "--run-as needs --system"),
        (["--system", "--run-as", "root\nExecStartPre=/bin/sh"], "There is no user"),
    ],
)
def test_what_makes_no_unit_is_a_sentence(
    cronpilot: Cronpilot, words: list[str], sentence: str
) -> None:
    said = cronpilot("service", "install", "--print", *words)

    assert (said.code, sentence in said.err, said.out) == (2, True, "")
