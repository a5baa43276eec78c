"""init and schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Cronpilot


def test_init_writes_files_that_are_valid_and_name_the_schema(tmp_path: Path, alone: Cronpilot):
    said = alone("init", str(tmp_path / "new"))
    first = (tmp_path / "new/tasks.yaml").read_text().splitlines()[0]
    schema = Path(first.split("$schema=file://")[1])

    assert said.code == 0, said.err
    assert json.loads(schema.read_text())["title"] == "CronPilot's tasks.yaml"
    assert alone("--config", str(tmp_path / "new/config.yaml"), "validate",
                 str(tmp_path / "new/tasks.yaml")).code == 0  # fmt: skip


def test_what_stands_commented_in_them_can_be_used(tmp_path: Path, alone: Cronpilot):
    alone("init", str(tmp_path / "new"))
    for path in (tmp_path / "new").iterdir():
        text = re.sub(r"^( *)# ((?:- |  )? *\w+:)", r"\1\2", path.read_text(), flags=re.MULTILINE)
        path.write_text(text)
    said = alone("--config", str(tmp_path / "new/config.yaml"), "validate",
                 str(tmp_path / "new/tasks.yaml"))  # fmt: skip

    assert said.code == 0, said.out + said.err
    assert "2 tasks" in said.out


def test_init_never_writes_over_a_file(tmp_path: Path, alone: Cronpilot):
    (tmp_path / "config.yaml").write_text("scheduler: {}\n")
    said = alone("init", str(tmp_path))

    assert (said.code, "is there already" in said.err) == (4, True)
    assert not (tmp_path / "tasks.yaml").exists()
    assert (tmp_path / "config.yaml").read_text() == "scheduler: {}\n"


def test_schema_prints_the_published_one(alone: Cronpilot):
    from cronpilot.config.schema import PUBLISHED

    assert alone("schema").out == PUBLISHED.read_text()


def test_a_directory_whose_name_steers_a_terminal_is_shown_and_not_obeyed(
    tmp_path: Path, alone: Cronpilot
):
    said = alone("init", str(tmp_path / "\x1b[31m"))

    assert (said.code, "\x1b" in said.out) == (0, False)


@pytest.mark.parametrize(
    "words",
    [["init"], ["list", "--state-dir"], ["doctor", "--state-dir"], ["adopt", "--root"]],
)
def test_a_name_too_long_for_the_disk_is_a_sentence(alone: Cronpilot, words: list[str]):
    said = alone(*words, "a" * 5000)

    assert said.code in (2, 4)
    assert "file name too long" in said.err
    assert len(said.err.splitlines()) == 1
