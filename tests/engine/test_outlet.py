"""What an engine says on a stderr that blocks: nobody waits, nothing goes missing uncounted."""

from __future__ import annotations

import os
import re
import threading

import pytest

from cronpilot.bootstrap.outlet import MOST, Outlet

from ..patience import PATIENCE_S


@pytest.fixture
def pipe():
    """Its two ends; nobody reads yet."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def _read_until(descriptor, last):
    text = b""
    while not text.endswith(last):
        text += os.read(descriptor, 1 << 20)
    return text.decode()


def test_lines_come_out_whole_and_in_order(pipe):
    source, sink = pipe
    outlet = Outlet(sink, str)
    for number in range(500):
        outlet.write(f"line {number}\n")

    assert _read_until(source, b"line 499\n").splitlines() == [f"line {n}" for n in range(500)]


def test_of_a_flood_that_nobody_reads_what_is_missing_is_counted_in_its_place(pipe):
    source, sink = pipe
    outlet = Outlet(sink, "{} are missing\n".format)
    flood = 3 * MOST
    for number in range(flood):
        outlet.write(f"a line that is long enough for a pipe to be full soon {number:6}\n")
    drained = threading.Thread(target=outlet.drain, args=[PATIENCE_S])
    drained.start()
    come, missing, rest = 0, 0, ""
    while come < flood:
        *lines, rest = (rest + os.read(source, 1 << 20).decode()).split("\n")
        for line in lines:
            if gap := re.fullmatch(r"(\d+) are missing", line):
                missing += int(gap[1])
                come += int(gap[1])
            else:
                assert int(line.split()[-1]) == come
                come += 1
    drained.join()

    assert (come, rest) == (flood, "")
    assert missing > 0


def test_an_end_does_not_wait_for_somebody_who_never_reads(pipe):
    source, sink = pipe
    outlet = Outlet(sink, str)
    outlet.write("." * (1 << 20) + "\n")
    outlet.drain(0.01)

    # Else its thread would write the rest to whatever is opened next under that number.
    _read_until(source, b"\n")


def test_where_nobody_can_read_any_more_nothing_is_kept(pipe):
    source, sink = os.pipe()
    os.close(source)
    outlet = Outlet(sink, str)
    outlet.write("lost\n")
    outlet.drain(PATIENCE_S)
    os.close(sink)


def test_a_descriptor_that_somebody_made_non_blocking_gets_all_of_it(pipe):
    source, sink = pipe
    os.set_blocking(sink, False)
    outlet = Outlet(sink, str)
    outlet.write("." * (1 << 20) + "\n")

    assert len(_read_until(source, b"\n")) == (1 << 20) + 1
