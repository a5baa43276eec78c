"""`retention` in config.yaml: defaults, units, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cronpilot.config.settings import RetentionSettings, load_settings
from cronpilot.errors import InvalidFile


def read(folder: Path, text: str) -> RetentionSettings:
    config = folder / "config.yaml"
    config.write_text(text)
    return load_settings(
        config=config, state_dir=folder / "state", environ={"TZ": "UTC"}, cwd=folder
    ).retention


def test_the_defaults(tmp_path):
    assert read(tmp_path, "") == RetentionSettings(
        runs=10_000, age=timedelta(days=90), log_size=10**9
    )


def test_all_three_as_people_write_them(tmp_path):
    assert read(tmp_path, "retention: {runs: 50, age: 2w, log_size: 500MB}") == RetentionSettings(
        runs=50, age=timedelta(weeks=2), log_size=500_000_000
    )


@pytest.mark.parametrize(
    "section",
    ["{runs: 0}", "{runs: '5'}", "{age: 1h}", "{age: 90}", "{log_size: much}", "{log_size: 5}",
     "{rums: 5}"],
)  # fmt: skip
def test_what_is_refused_names_its_key(tmp_path, section):
    with pytest.raises(InvalidFile) as told:
        read(tmp_path, f"retention: {section}")

    (complaint,) = told.value.complaints
    assert complaint.key.startswith("retention.")
