"""What every test may count on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--campaign",
        choices=["short", "full"],
        default="full",
        help="how long the tests marked slow go on: a few minutes in all, or as long as it takes",
    )


@pytest.fixture
def is_short(request: pytest.FixtureRequest) -> bool:
    """Whether campaigns run in their short form."""
    return bool(request.config.getoption("--campaign") == "short")


@pytest.fixture(autouse=True)
def _own_surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Nothing of the user's own CronPilot, terminal or settings reaches a test."""
    # Programs that tests start would compile all of ours again, each time: 0.5 s of CPU.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    for name in list(os.environ):
        if name.startswith(("CRONPILOT_", "TEXTUAL", "SSH_")) or name in ("NO_COLOR", "TZ"):
            monkeypatch.delenv(name)
    home: Path = tmp_path_factory.mktemp("home")
    # Engines of many tests at once would all want one port.
    monkeypatch.setenv("CRONPILOT_API_PORT", "off")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    yield
