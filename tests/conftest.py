"""What every test may count on."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--campaign",
        choices=["short", "full"],
        default="full",
        help="how long the tests marked slow go on: a few minutes in all, or as long as it takes",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: a third of the time tests wait for processes, terminals and browsers."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_configure() -> None:
    """Signals mean here what they mean at a terminal: under nohup, and in the background of a
    script, hang-up and ctrl+c would be ignored, by whatever the tests start as well."""
    settings.register_profile("usual", max_examples=50, deadline=None)
    settings.register_profile("thorough", max_examples=2000, deadline=None)
    settings.load_profile("usual")  # another one: --hypothesis-profile=thorough
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: a tenth of the time went into looking for garbage in it."""
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


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
