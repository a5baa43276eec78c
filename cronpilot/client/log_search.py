"""Looking for text in a run's output: what is asked, and what was found."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from cronpilot.client.message import Message
from cronpilot.domain.log_search import LONGEST_PATTERN

PIECE = 32 << 20
"""Bytes looked through by one question at the most; it ends sooner when half a second is over."""
MOST_LINES = 1000
"""Lines that come with their text in one answer; of places alone there may be 50 times as many."""


class LogQuery(Message):
    """Lines of a run's output that match, from `offset` on, or backwards from there.

    One question looks through `most` bytes at the most, so that whoever asks can show how far it
    is and stop asking.
    """

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    pattern: Annotated[str, Field(min_length=1, max_length=LONGEST_PATTERN)]
    regex: bool = False
    case: bool = False  # whether capital letters matter
    offset: int = Field(default=0, ge=0)  # the start of a line; with `backwards` that after it
    backwards: bool = False  # the nearest ones before `offset`
    text: bool = True  # with the lines themselves
    raw: bool = False  # these with their colours and whatever else the run printed
    limit: int = Field(default=200, ge=1, le=50 * MOST_LINES)
    most: int = Field(default=PIECE, ge=1 << 16, le=2 * PIECE)


class LogMatch(Message):
    """A line that matches."""

    offset: int  # of its first byte in the file
    length: int  # in bytes, without the end of the line
    # As a reader sees it: no colours, no controls, at most 4096 characters. `raw`: whoever shows it
    # cleans it; at most 16384 characters, what is not UTF-8 replaced, and no spans.
    text: str
    spans: list[tuple[int, int]] = Field(default_factory=list)  # what matches, in characters


class LogMatches(Message):
    """Lines in the order of the file. The next question goes on at `end`, or at `start` where
    this one went backwards, until it is `done`."""

    run_id: int
    start: int  # from here ...
    end: int  # ... to here it was looked through
    size: int  # of the file when it was read
    done: bool  # there is nothing more in that direction now
    ended: bool  # the run is over: nothing will come
    offsets: list[int]  # where the matching lines begin
    lines: list[LogMatch] = Field(default_factory=list)  # the same lines, if their text was wanted
