"""What a browser may say to its tab; whatever else it says is no word of ours."""

from __future__ import annotations

import json

import pytest

from cronpilot.web.messages import (
    LONGEST_TEXT,
    Focused,
    Nonsense,
    Pinged,
    Resized,
    Typed,
    read_message,
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["stdin", "\x1b[A"], Typed("\x1b[A")),
        (["stdin", "x" * LONGEST_TEXT], Typed("x" * LONGEST_TEXT)),
        (["resize", {"width": 120, "height": 36}], Resized(120, 36)),
        (["resize", {"width": 10**9, "height": -1}], Resized(500, 5)),
        (["ping", "17"], Pinged("17")),
        (["focus"], Focused(True)),
        (["blur"], Focused(False)),
    ],
)
def test_what_a_tab_says(said, meant):
    assert read_message(json.dumps(said)) == meant


@pytest.mark.parametrize(
    "nonsense",
    [
        "x", "{}", "[]", "7", '["stdin"]', '["stdin", 1]', '["stdin", "a", "b"]', '["resize", {}]',
        '["resize", {"width": "a", "height": null}]', '["resize", {"width": 1e999, "height": 9}]',
        '["open_url", "http://evil.example"]', '["ping", "' + "9" * 101 + '"]', "[" * 100_000,
        json.dumps(["stdin", "x" * (LONGEST_TEXT + 1)]),
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_what_no_tab_says(nonsense):
    with pytest.raises(Nonsense):
        read_message(nonsense)
