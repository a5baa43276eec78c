"""A state directory with real engines that come and go, and the settings to get at it."""

from __future__ import annotations

import pytest

from cronpilot.config.settings import Settings, settings_without_config
from tests.engine.conftest import Bench
from tests.engine.conftest import bench as bench


@pytest.fixture
def settings(bench: Bench) -> Settings:
    """For the state directory of `bench`."""
    return settings_without_config(
        state_dir=bench.state_dir, environ={"TZ": "UTC"}, cwd=bench.state_dir
    )
