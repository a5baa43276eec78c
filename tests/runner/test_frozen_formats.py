"""Record and protocol, version 1: what is written today must be readable for years.

The golden files are the specification. A change that breaks these tests breaks running tasks of
the version before, so it needs a version 2 beside them, and never an update of the files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cronpilot.runner.keeper import protocol, record
from cronpilot.runner.keeper.record import Claim, Outcome, Record

GOLDEN = Path(__file__).parent / "golden"


def test_the_lines_of_a_record_are_written_as_ever(tmp_path: Path) -> None:
    fd = record.create(str(tmp_path / "record"))
    claim = Claim(
        run=7, launch=2, task=3, keeper=100, boot="b-1", started=1_700_000_000_123_456_789,
        booted=12.345, timeout=90.0, grace=10.0, limit=50_000_000, cookie="abc-7-2",
    )  # fmt: skip
    record.put(fd, "C", **claim.fields())
    record.put(fd, "T", why="timeout", t=1_700_000_090_000_000_000)
    outcome = Outcome(
        code=143, sig=15, why="timeout", pid=101, started=1_700_000_000_123_456_789,
        ended=1_700_000_091_000_000_000, cpu=0.25, rss=1_048_576, left=1,
    )  # fmt: skip
    record.put(fd, "K", **outcome.values())
    record.put(fd, "K", **Outcome().values())
    record.put(fd, "R", errno=11, t=1_700_000_000_000_000_000)
    os.close(fd)

    assert (tmp_path / "record").read_text() == (GOLDEN / "written.record").read_text()


def test_a_whole_record_is_read_as_ever() -> None:
    seen = Record((GOLDEN / "whole.record").read_text())

    claim, command, final = seen.claim, seen.command, seen.final()
    assert claim and command and final
    assert (claim.run, claim.launch) == (7, 2)
    assert (claim.task, claim.keeper, claim.boot, claim.cookie) == (3, 100, "b-1", "abc-7-2")
    assert (claim.started, claim.booted) == (1_700_000_000_123_456_789, 12.345)
    assert (claim.timeout, claim.grace, claim.limit) == (90.0, 10.0, 50_000_000)
    assert (command.pid, command.parent, command.start) == (102, 101, 185517)
    assert (seen.ended, seen.exit_code, seen.why, seen.words) == (
        True,
        143,
        "timeout",
        ["Terminated"],
    )
    assert final.values() == {
        "code": 143, "sig": 15, "why": "timeout", "pid": 101,
        "started": 1_700_000_000_123_456_789, "ended": 1_700_000_091_000_000_000,
        "cpu": 0.25, "rss": 1_048_576, "left": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [
        ("S 1\nX 0\n", 0, None),
        ("Killed\nX 137\n", 137, 9),
        ("X 137\n", 137, None),
        ("Segmentation fault (core dumped)\nX 139\n", 139, 11),
        ("Killed\nX 143\n", 143, None),
        ("X 3\nX 4\n", 3, None),
        ("X 3", None, None),
        ("X three\n", None, None),
        ("XY 3\n", None, None),
    ],
)
def test_code_and_signal_are_read_from_code_and_words(
    text: str, code: int | None, number: int | None
) -> None:
    seen = Record(text)

    assert record.code_sig(seen.exit_code, seen.words) == (code, number)


@pytest.mark.parametrize("length", range(0, 900, 7))
def test_a_torn_record_is_read_up_to_its_last_whole_line(length: int) -> None:
    text = (GOLDEN / "whole.record").read_text()[:length]
    whole = text.count("\n")

    seen = Record(text)

    known = [bool(seen.claim), bool(seen.command), seen.has("T"), bool(seen.words)]
    known += [seen.exit_code is not None, seen.has("K")]
    assert known == [True] * whole + [False] * (6 - whole)


def test_the_messages_are_written_as_ever() -> None:
    messages = [
        protocol.start(
            7, 2, task=3, argv=["echo", "ü"], env={"A": "b"}, cwd="/", timeout=90.0, grace=10.0,
            limit=50_000_000, cookie="abc-7-2", limits={"nice": 5}, user="", group=0,
        ),
        protocol.stop(7, 2, why="stop", sig=15),
        protocol.adopt(7, 2),
        protocol.ping(),
        protocol.reexec(["python", "-I", "keeper"]),
        protocol.hello(100, "b-1", 42, [(7, 2, 101, 1_700_000_000_123_456_789)], ""),
        protocol.started(7, 2, pid=101, at=1_700_000_000_123_456_789),
        protocol.done(7, 2, Outcome(code=0, cpu=0.001).values(), ["Killed"]),
        protocol.never(7, 2, error="no", retry=True),
        protocol.pong(),
        protocol.error("no"),
    ]  # fmt: skip

    written = b"".join(map(protocol.encode, messages)).decode()

    assert written == (GOLDEN / "protocol.jsonl").read_text()


def test_messages_are_found_however_the_stream_is_cut() -> None:
    stream = (GOLDEN / "protocol.jsonl").read_bytes()
    whole = [json.loads(line) for line in stream.splitlines()]

    for size in (1, 2, 3, 100, 1000):
        lines = protocol.Lines()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [message for piece in pieces for message in lines.feed(piece)] == whole
