"""What differs between two texts, line by line. Pure, and quick for long ones.

Lines that stand once in each text hold it in place (Bram Cohen's patience diff); only the short
stretches between them are compared line with line, which takes time by the square.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

CONTEXT = 3
"""Equal lines that are shown around what differs."""
_SHORT = 400
"""Lines of a stretch that are compared with each other; of a longer one all count as different."""
_DEEPEST = 50
"""Stretches within stretches; further ones are compared line with line."""

_PASSING = re.compile(
    r"""
    \b \d{4}-\d\d-\d\d (?: [T\ ] \d\d:\d\d (?: :\d\d (?: [.,]\d+ )? )? (?: Z | [+-]\d\d:?\d\d )? )?
    | \b \d\d? / (?: \d\d? | [A-Z][a-z]{2} ) / \d{2,4} (?: : \d\d:\d\d:\d\d )?
    | \b (?: (?: Mon|Tue|Wed|Thu|Fri|Sat|Sun ),?\  )? (?: Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct
        |Nov|Dec )\ {1,2}\d{1,2} (?: \ \d\d:\d\d:\d\d )?
    | \b \d\d? : \d\d (?: : \d\d )? (?: [.,]\d+ )? (?: Z | \ ?[+-]\d\d:?\d\d )?
    | \b 1[6-9]\d{8} (?: \d{3} | \.\d+ )? \b                           # seconds since 1970
    | \b \d+ (?: [.,]\d+ )? \ ? (?: ns|us|µs|ms|s|sec|secs|seconds?|minutes?|min|hours?|h|m ) \b
    | \b 0x[0-9a-fA-F]{4,} \b
    | \b [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} \b
    | (?<= \[ ) \d{2,7} (?= \] )                                       # cron[1234]
    | (?<= \bpid[=:\ ] ) \d+
    """,
    re.VERBOSE,
)


def without_passing(line: str) -> str:
    """A line without what differs each time: times, durations, process ids, addresses."""
    return _PASSING.sub("~", line)


class Block(NamedTuple):
    """Lines `a` to `a_end` of the one text stand where `b` to `b_end` of the other do."""

    equal: bool
    a: int
    a_end: int
    b: int
    b_end: int


def blocks(a: Sequence[str], b: Sequence[str]) -> list[Block]:
    """The two texts as blocks that are equal or differ, in turn."""
    found: list[Block] = []
    for block in _blocks(a, b, 0, len(a), 0, len(b), 0):
        if block.a == block.a_end and block.b == block.b_end:
            continue
        if found and found[-1].equal == block.equal:
            before = found.pop()
            block = Block(block.equal, before.a, block.a_end, before.b, block.b_end)  # noqa: PLW2901
        found.append(block)
    return found


def unified(a: Sequence[str], b: Sequence[str], *, passing: bool = True) -> Iterator[str]:
    """The differences as lines that begin with `-` (only in `a`), `+` (only in `b`), a blank (in
    both; as `b` has it) or `@` (how many equal lines are left out).

    `passing`: also what differs each time counts.
    """
    left = a if passing else [without_passing(line) for line in a]
    right = b if passing else [without_passing(line) for line in b]
    all_blocks = blocks(left, right)
    for number, block in enumerate(all_blocks):
        if not block.equal:
            yield from ("-" + line for line in a[block.a : block.a_end])
            yield from ("+" + line for line in b[block.b : block.b_end])
            continue
        head = CONTEXT if number else 0
        tail = CONTEXT if number < len(all_blocks) - 1 else 0
        lines = b[block.b : block.b_end]
        if len(lines) <= head + tail + 1:
            yield from (" " + line for line in lines)
            continue
        yield from (" " + line for line in lines[:head])
        yield f"@{len(lines) - head - tail}"
        yield from (" " + line for line in lines[len(lines) - tail :])


def _blocks(
    a: Sequence[str], b: Sequence[str], low: int, high: int, start: int, end: int, depth: int
) -> Iterator[Block]:
    """Those of lines `low` to `high` of `a` and `start` to `end` of `b`."""
    head = 0
    while low + head < high and start + head < end and a[low + head] == b[start + head]:
        head += 1
    tail = 0
    while high - tail > low + head and end - tail > start + head and (
        a[high - tail - 1] == b[end - tail - 1]
    ):  # fmt: skip
        tail += 1
    yield Block(True, low, low + head, start, start + head)
    yield from _middle(a, b, low + head, high - tail, start + head, end - tail, depth)
    yield Block(True, high - tail, high, end - tail, end)


def _middle(
    a: Sequence[str], b: Sequence[str], low: int, high: int, start: int, end: int, depth: int
) -> Iterator[Block]:
    if low == high or start == end:
        yield Block(False, low, high, start, end)
        return
    anchors = _anchors(a[low:high], b[start:end]) if depth < _DEEPEST else []
    if not anchors:
        yield from _closely(a, b, low, high, start, end)
        return
    at, other = low, start
    for one, two in [*((low + i, start + j) for i, j in anchors), (high, end)]:
        yield from _blocks(a, b, at, one, other, two, depth + 1)
        if one < high:
            yield Block(True, one, one + 1, two, two + 1)
        at, other = one + 1, two + 1


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The longest row of lines that stand once in each text and in the same order."""
    in_a, in_b = Counter(a), Counter(b)
    place = {line: j for j, line in enumerate(b) if in_b[line] == 1}
    pairs = [(i, place[line]) for i, line in enumerate(a) if in_a[line] == 1 and line in place]
    ends: list[int] = []
    best: list[int] = []  # the pair that ends the row of each length
    before: list[int | None] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(best[length - 1] if length else None)
        ends[length : length + 1] = [j]
        best[length : length + 1] = [number]
    row: list[tuple[int, int]] = []
    last: int | None = best[-1] if best else None
    while last is not None:
        row.append(pairs[last])
        last = before[last]
    return row[::-1]


def _closely(
    a: Sequence[str], b: Sequence[str], low: int, high: int, start: int, end: int
) -> Iterator[Block]:
    if high - low > _SHORT or end - start > _SHORT:
        yield Block(False, low, high, start, end)
        return
    matcher = SequenceMatcher(None, a[low:high], b[start:end], autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        yield Block(tag == "equal", low + i, low + i_end, start + j, start + j_end)
