"""The last lines of an output whose middle a limit has dropped."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from cronpilot.cli.log_tail import start_of_last
from cronpilot.client import Client
from cronpilot.client.messages import LogChunk
from cronpilot.runner.logs import read_slice

BLOCK = 4096
HEAD = b"the first line\n" + b"h" * (BLOCK - 16) + b"\n"
TAIL = b"cut\n" + b"".join(b"%06d\n" % number for number in range(100_000))


class Disk:
    """Reads a log as an engine does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def read_log(self, run_id: int, *, offset: int = 0, limit: int) -> LogChunk:
        data, size, start, end = read_slice(self.path, offset, limit)
        return LogChunk(run_id=run_id, offset=start, size=size, data=data, ended=True, end=end)


@pytest.fixture(params=[pytest.param(1, id="a small part"), pytest.param(300, id="a large part")])
def dropped(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Client, int]:
    """A log with a hole of so many blocks behind its head, and the bytes that are missing."""
    path, missing = tmp_path / "log", request.param * BLOCK
    with path.open("wb") as file:
        file.write(HEAD)
        file.seek(missing, 1)
        file.write(TAIL)
    return cast(Client, Disk(path)), missing


@pytest.mark.parametrize("lines", [1, 4, 50_000, 100_000])
async def test_lines_behind_the_dropped_part(dropped: tuple[Client, int], lines: int) -> None:
    client, missing = dropped

    start = await start_of_last(client, 1, lines)

    assert start == len(HEAD) + missing + len(TAIL) - 7 * lines


async def test_the_line_that_was_cut_comes_with_the_whole_dropped_part(
    dropped: tuple[Client, int],
) -> None:
    client, missing = dropped

    start = await start_of_last(client, 1, 100_001)

    assert start == len(HEAD)
    said = (await client.read_log(1, offset=start, limit=100)).data
    assert said.startswith(b"[... %s bytes dropped ...]\ncut\n" % f"{missing:,}".encode())


@pytest.mark.parametrize(("lines", "start"), [(100_002, 15), (100_003, 0), (200_000, 0)])
async def test_lines_before_it(dropped: tuple[Client, int], lines: int, start: int) -> None:
    client, _ = dropped

    assert await start_of_last(client, 1, lines) == start
