from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.client.messages import Gap, LogChunk, TaskRemoved
from cronpilot.client.streams import (
    LOG_BEAT,
    SSE_BEAT,
    pack_chunk,
    pack_event,
    unpack_chunks,
    unpack_events,
)


async def cut(data: bytes, places: list[int]) -> AsyncIterator[bytes]:
    """The bytes in pieces, as a network would hand them over."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    for begin, end in pairwise(edges):
        yield data[begin:end]


chunks = st.builds(
    LogChunk,
    run_id=st.just(7),
    offset=st.integers(0, 2**53),
    size=st.integers(0, 2**53),
    data=st.binary(max_size=40) | st.sampled_from([b"\n\n", b"0 0 1 3\n", b"\r\n"]),
    ended=st.booleans(),
)


@given(sent=st.lists(chunks, max_size=5), places=st.lists(st.integers(0, 500), max_size=9))
def test_a_followed_log_survives_any_cut(sent: list[LogChunk], places: list[int]) -> None:
    async def receive() -> list[LogChunk]:
        wire = LOG_BEAT + b"".join(pack_chunk(chunk) + LOG_BEAT for chunk in sent)
        return [chunk async for chunk in unpack_chunks(7, cut(wire, places))]

    assert asyncio.run(receive()) == sent


@given(
    ids=st.lists(st.integers(1, 2**53), max_size=5),
    places=st.lists(st.integers(0, 500), max_size=9),
)
def test_events_survive_any_cut(ids: list[int], places: list[int]) -> None:
    sent = [TaskRemoved(id=f"engine:{number}", task_id=number) for number in ids]

    async def receive() -> list[object]:
        wire = SSE_BEAT + b"".join(pack_event(event) + SSE_BEAT for event in sent)
        return [event async for event in unpack_events(cut(wire, places))]

    assert asyncio.run(receive()) == sent


async def test_an_unknown_kind_of_event_is_a_gap() -> None:
    wire = b'id: e:9\nevent: pool_changed\ndata: {"kind": "pool_changed"}\n\n'

    events = [event async for event in unpack_events(cut(wire, []))]

    assert events == [Gap(id="e:9")]


async def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match=r"invalid literal|unpack"):
        [chunk async for chunk in unpack_chunks(1, cut(b"<html>\n", []))]
