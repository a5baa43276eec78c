"""A disk without room: nothing starts without its row, and all goes on when there is room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .product import Product, until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 80 MB, a little more than below which nothing is started."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m,mode=700", "tmpfs", str(folder)],
        capture_output=True,
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("only root can make a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def full(small_disk: Path, tmp_path: Path) -> Iterator[Product]:
    """A product on that disk, with a task that writes each start elsewhere."""
    effects = tmp_path / "effects"
    effects.touch()
    made = Product(
        small_disk,
        [
            {
                "name": "tick",
                "command": f"echo $CRONPILOT_RUN_ID >>{effects}",
                "schedule": "every 1s",
                "missed": "all",
                "missed_limit": 100,
            }
        ],
    )
    made.effects = effects  # type: ignore[attr-defined]
    yield made
    made.clean_up()


def _fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def _starts(product: Product) -> list[int]:
    effects: Path = product.effects  # type: ignore[attr-defined]
    return [int(line) for line in effects.read_text().split()]


def test_no_run_without_its_row_and_none_lost_when_there_is_room_again(
    full: Product, small_disk: Path
) -> None:
    full.run_engine()
    until(lambda: len(_starts(full)) >= 2, "two runs")
    ballast = _fill(small_disk)
    until(lambda: [b for b in full.ask("status")["banners"] if b["key"] != "clock"], "a banner")
    assert full.engine is not None
    assert full.engine.poll() is None
    assert {*_starts(full)} <= {row["id"] for row in full.rows()}
    known = len(_starts(full))
    ballast.unlink()
    until(lambda: len(_starts(full)) >= known + 3, "work to go on by itself")

    slots = [row["scheduled_for"] // 1_000_000 for row in full.rows()]
    assert slots == [*range(slots[0], slots[-1] + 1)]
    assert len({*_starts(full)}) == len(_starts(full))
    until(lambda: not full.ask("status")["banners"], "the banner to go")
    assert full.end_engine() == 0


def test_an_engine_ends_on_a_full_disk(full: Product, small_disk: Path) -> None:
    full.run_engine()
    until(lambda: len(_starts(full)) >= 2, "two runs")
    _fill(small_disk)
    until(lambda: full.ask("status")["banners"], "a banner")

    assert full.end_engine() == 0
