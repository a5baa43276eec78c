"""Looks through a log in bounded steps; a regular expression in a process that can be ended.

`main` is that process: it reads what to look for from standard input, the log from the descriptor
that it is given, and prints what it found.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

import cronpilot
from cronpilot.domain.log_search import Pattern, compile_pattern, matching_lines
from cronpilot.domain.log_text import LONGEST, shown
from cronpilot.errors import Refused
from cronpilot.runner.logs import data_parts, open_log

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 256 << 10
"""Bytes looked through at once: some milliseconds, in which no other thread gets a turn."""
STEP_S = 0.5
"""A step ends after that time, however much it was to look through."""
PATIENCE_S = 10.0
"""How long a regular expression may take for one block, before its process is ended."""
MANY = 1000
"""Places asked for at once. Who wants more counts: that disturbs an engine less from outside."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to look for, and where; see `client.log_search.LogQuery`."""

    pattern: Pattern
    offset: int = 0
    backwards: bool = False
    text: bool = True
    raw: bool = False
    limit: int = 200
    most: int = 32 << 20


@dataclass(slots=True)
class Found:
    """Lines in the order of the file: (offset, length, text, spans), or only their offsets."""

    start: int
    end: int
    size: int
    unfinished: int | None = None  # where a last line begins that does not match and has no end
    offsets: list[int] = field(default_factory=list)
    lines: list[tuple[int, int, str, list[tuple[int, int]]]] = field(default_factory=list)


def search(path: Path, step: Step) -> Found:
    """The matching lines of one step. A log that does not exist has none.

    Raises:
        OSError: it cannot be read.
        UsageProblem: the pattern cannot be used.
        Refused: the pattern takes too long.
    """
    compile_pattern(step.pattern)
    fd = open_log(path)
    if fd is None:
        return Found(0, 0, 0)
    try:
        outside = step.pattern.regex or step.limit > MANY
        return _in_a_process(fd, step) if outside else search_file(fd, step)
    finally:
        os.close(fd)


def search_file(fd: int, step: Step) -> Found:
    """The same on an open file, in this process."""
    size, latest = os.fstat(fd).st_size, time.monotonic() + STEP_S
    at = min(step.offset, size)
    found = Found(at, at, size)
    blocks = _backwards(fd, at, size) if step.backwards else _forwards(fd, at, size)
    for offset, block in blocks:
        hits = [(offset + start, end - start) for start, end in matching_lines(block, step.pattern)]
        room = step.limit - len(found.offsets)
        if step.backwards:
            hits, full = hits[-room:], len(hits) > room
            found.start = hits[0][0] if full else offset
        else:
            hits, full = hits[:room], len(hits) > room
            found.end = sum(hits[-1]) + 1 if full else offset + len(block)
        _take(found, hits, offset, block, step)
        if offset + len(block) == size and not block.endswith(b"\n"):
            last = offset + block.rfind(b"\n") + 1
            found.unfinished = None if last in found.offsets else last
        if full or len(found.offsets) >= step.limit or found.end - found.start >= step.most:
            break
        if time.monotonic() > latest:
            break
    else:
        found.start, found.end = (0, found.end) if step.backwards else (found.start, size)
    return found


def _take(
    found: Found, hits: list[tuple[int, int]], offset: int, block: bytes, step: Step
) -> None:  # fmt: skip
    lines = []
    if step.text:
        for at, length in hits:
            lines.append((at, length, *_told(block[at - offset : at - offset + length], step)))
    offsets = [at for at, _ in hits]
    if step.backwards:
        found.offsets[:0], found.lines[:0] = offsets, lines
    else:
        found.offsets += offsets
        found.lines += lines


def _told(line: bytes, step: Step) -> tuple[str, list[tuple[int, int]]]:
    if step.raw:
        return line[: 4 * LONGEST].decode("utf-8", "replace"), []
    text = shown(line)
    return text, step.pattern.spans(text)


def _forwards(fd: int, at: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines; a line longer than a block comes in pieces."""
    for start, end in data_parts(fd, at, size):
        at = start
        while at < end:
            block = os.pread(fd, min(BLOCK, end - at), at)
            if not block:
                return
            if at + len(block) < end and (newline := block.rfind(b"\n")) >= 0:
                block = block[: newline + 1]
            yield at, block
            at += len(block)


def _backwards(fd: int, upto: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The same, the last block first."""
    parts = list(takewhile(lambda part: part[0] < upto, data_parts(fd, 0, size)))
    for start, end in reversed(parts):
        at = min(end, upto)
        while at > start:
            begin = max(start, at - BLOCK)
            block = os.pread(fd, at - begin, begin)
            if begin > start and 0 <= (newline := block.find(b"\n")) < len(block) - 1:
                begin, block = begin + newline + 1, block[newline + 1 :]
            yield begin, block
            at = begin


# --- the process ---------------------------------------------------------------------------------

# Without the package's own __init__, which would load the executor, and without `site`: all that is
# needed is the standard library and a few modules of ours. That makes it five times as quick.
_BOOT = """
import sys, types
runner = types.ModuleType("cronpilot.runner")
runner.__path__ = [sys.argv[1] + "/cronpilot/runner"]
sys.path.insert(0, sys.argv[1])
sys.modules[runner.__name__] = runner
from cronpilot.runner.log_search import main
main(int(sys.argv[2]))
"""
_ROOT = os.path.dirname(os.path.dirname(cronpilot.__file__))  # noqa: PTH120  pathlib takes time
_PROGRAM = [sys.executable, "-I", "-S", "-X", "utf8", "-c", _BOOT, _ROOT]


def _in_a_process(fd: int, step: Step) -> Found:
    import subprocess  # the process itself needs none

    asked = json.dumps(asdict(step))
    try:
        done = subprocess.run(
            [*_PROGRAM, str(fd)], input=asked.encode(), capture_output=True, pass_fds=[fd],
            timeout=PATIENCE_S, cwd="/", check=False, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise _too_long() from error
    if done.returncode < 0:
        raise _too_long()
    if done.returncode:
        raise OSError(f"the search failed: {done.stderr.decode(errors='replace')[-500:]}")
    return Found(**json.loads(done.stdout))


def _too_long() -> Refused:
    return Refused(
        "The regular expression takes too long on this log.",
        "Try a simpler one, or plain text.",
    )


def main(fd: int) -> None:
    """Answer one question about an open log, and use no more of the processor than it may."""
    limit = int(PATIENCE_S) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    asked = json.load(sys.stdin)
    step = Step(**{**asked, "pattern": Pattern(**asked["pattern"])})
    json.dump(asdict(search_file(fd, step)), sys.stdout)
