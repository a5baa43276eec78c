"""Sizes are read and written as people say them."""

from __future__ import annotations

import pytest

from cronpilot.domain.size import format_size, parse_size


@pytest.mark.parametrize(
    ("said", "size"),
    [(512, 512), ("512", 512), ("1GB", 10**9), ("1.5 mb", 1_500_000), ("20kB", 20_000)],
)
def test_a_size_in_bytes(said, size):
    assert parse_size(said) == size


@pytest.mark.parametrize("said", ["", "much", "1 GiB", "1.5", "-1", True, None, 1.5])
def test_what_is_no_size(said):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(said)


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (3_140_000, "3.1 MB"), (64_000_000, "64 MB")]
)
def test_a_size_in_words(size, said):
    assert format_size(size) == said
