"""A log never grows past its limit; its head and its tail stay, and what is missing is counted."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from cronpilot.runner.keeper import log_limit
from cronpilot.runner.logs import LogSlice, dropped, read_slice

from .small_engine import SmallEngine, kill_keeper, until_there

LINES = b"".join(b"line %07d\n" % number for number in range(200_000))  # 13 bytes each
LIMIT = 400_000


@pytest.fixture
def trimmed(tmp_path: Path) -> Path:
    """2.6 MB of numbered lines, cut back to 400 kB."""
    path = tmp_path / "log"
    path.write_bytes(LINES)
    log_limit.trim(str(path), LIMIT)
    return path


@pytest.mark.parametrize("limit", [1 << 16, LIMIT, 1_000_000, 2_599_999])
def test_a_cut_log_takes_no_more_than_its_limit_on_disk(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "log"
    path.write_bytes(LINES)

    log_limit.trim(str(path), limit)

    assert limit * 0.8 < path.stat().st_blocks * 512 <= limit
    assert path.stat().st_size == len(LINES)


def test_a_log_within_its_limit_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(LINES)

    log_limit.trim(str(path), 3_000_000)

    assert read_slice(path, 0, 1 << 30).data == LINES
    assert dropped(path) == 0


def test_a_hole_reads_as_one_line_that_counts_what_is_missing(trimmed: Path) -> None:
    data = read_slice(trimmed, 0, 1 << 30).data
    head, _, rest = data.partition(b"\n[... ")
    count, _, tail = rest.partition(b" bytes dropped ...]\n")

    missing = int(count.replace(b",", b""))
    assert count == f"{missing:,}".encode()
    assert len(head) + missing + len(tail) == len(LINES)
    assert LINES.startswith(head) and LINES.endswith(tail)
    assert len(head) == 98_304  # a quarter of the limit, in whole blocks
    assert dropped(trimmed) == missing


@pytest.mark.parametrize("limit", [1, 1000, 65_536])
def test_slices_put_together_are_the_whole(trimmed: Path, limit: int) -> None:
    whole = read_slice(trimmed, 0, 1 << 30).data
    offset = 98_304 - 3 * limit if limit < 65_536 else 0
    found, start = b"", offset
    for _ in range(10_000):
        piece = read_slice(trimmed, offset, limit)
        found, offset = found + piece.data, piece.next_offset
        if offset == piece.size or len(found) > 200_000:
            break

    # Where a piece ends exactly before the hole, the marker begins on the same line.
    assert (
        whole[start:].replace(b"\n[... ", b"[... ").startswith(found.replace(b"\n[... ", b"[... "))
    )
    assert b" bytes dropped ...]\n" in found


def test_a_slice_from_the_end(trimmed: Path) -> None:
    assert read_slice(trimmed, -26, 1 << 20) == LogSlice(
        b"line 0199998\nline 0199999\n", 2_600_000, 2_599_974, 2_600_000
    )


def test_a_slice_that_begins_within_a_hole_counts_from_there(trimmed: Path) -> None:
    piece = read_slice(trimmed, 1_000_000, 30)
    end = read_slice(trimmed, 0, 1 << 30).data.rpartition(b" bytes dropped ...]\n")[2]

    missing = len(LINES) - len(end) - 1_000_000
    assert piece.data == f"[... {missing:,} bytes dropped ...]\n".encode()
    assert piece.next_offset == 1_000_000 + missing


def test_edges(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"abc")

    assert read_slice(path, 3, 10) == LogSlice(b"", 3, 3, 3)
    assert read_slice(path, 99, 10) == LogSlice(b"", 3, 3, 3)
    assert read_slice(path, -99, 10) == LogSlice(b"abc", 3, 0, 3)
    assert read_slice(path, 1, 1) == LogSlice(b"b", 3, 1, 2)
    assert read_slice(tmp_path / "none", 0, 10) == LogSlice(b"", 0, 0, 0)


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")

    for name in ("link", "fifo", "."):
        with pytest.raises(OSError, match=r"symbolic links|not a plain file"):
            read_slice(tmp_path / name, 0, 10)


async def test_a_flood_is_cut_while_it_flows_and_after(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(
            "echo the very first line; timeout 0.5 yes; echo the very last line", log_limit=LIMIT
        )
        await engine.begun(run)
        await engine.until(lambda: dropped(engine.log_path(run)) > 0)
        end = await engine.end_of(run)
    log = engine.log_path(run)
    text = read_slice(log, 0, 1 << 30).data

    assert (end.exit_code, end.why) == (0, "")
    assert log.stat().st_blocks * 512 <= LIMIT
    assert text.startswith(b"the very first line\ny\n")
    assert text.endswith(b"\ny\nthe very last line\n")
    assert text.count(b"bytes dropped") == 1


async def test_an_adopted_run_is_watched_as_well(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(
            "sleep 0.5; head -c 5000000 /dev/zero | tr '\\0' x; sleep 60",
            log_limit=LIMIT,
            stop_grace=timedelta(),
        )
        await engine.begun(run)
        kill_keeper(engine.state_dir)
        await engine.until(lambda: engine.links == 2)
        await engine.until(lambda: dropped(engine.log_path(run)) > 0)
        engine.executor.stop(engine.key(run), why="stop")
        await engine.end_of(run)

    assert engine.log_path(run).stat().st_blocks * 512 <= LIMIT


async def test_a_log_that_was_deleted_under_a_task_stops_nobody(
    engine: SmallEngine, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with engine:
        run = engine.start(f"{until_there(go)}; exit 3", log_limit=LIMIT)
        await engine.begun(run)
        engine.log_path(run).unlink()
        await asyncio.sleep(0.2)
        go.touch()
        end = await engine.end_of(run)

    assert (end.exit_code, end.why) == (3, "")
