"""`cronpilot --headless`: which words start the engine at once, and with what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cronpilot.cli import headless
from cronpilot.cli.session import Session


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("--headless", {}),
        ("--state-dir a --headless --tasks=b", {"--state-dir": "a", "--tasks": "b"}),
        ("--headless --config c --log-level warning", {"--config": "c", "--log-level": "warning"}),
    ],
)
def test_the_usual_words_start_it_at_once(typed: str, given: dict[str, str]) -> None:
    assert headless.understand(typed.split()) == given


@pytest.mark.parametrize(
    "typed",
    ["", "--state-dir a", "list --headless", "--headless --help", "--headless --yes",
     "--headless --connect x", "--headless --json", "--headless --tasks", "--headless --tasks= x",
     "--headless --state-dir --ascii", "--headless --log-level debug", "--headless=1",
     "--headless -- x"],
)  # fmt: skip
def test_other_words_go_the_whole_way(typed: str) -> None:
    assert headless.understand(typed.split()) is None


def test_it_is_started_with_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def run(session: Session, **how: Any) -> int:
        started.append((session.options.state_dir, session.options.tasks, how))
        return 6

    monkeypatch.setattr(Session, "run_engine", run)

    assert headless.run_engine(["--headless", "--state-dir=a", "--log-level", "warning"]) == 6
    assert started == [(Path("a"), None, {"log_level": "warning"})]


def test_what_is_wrong_is_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--headless", "--state-dir", str(tmp_path), "--config", str(tmp_path / "nowhere.yaml")]

    assert headless.run_engine(words) == 2
    assert "nowhere.yaml" in capfd.readouterr().err
