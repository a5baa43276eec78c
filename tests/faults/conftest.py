from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from .campaign import Campaign
from .product import Product


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Callable[..., Campaign]]:
    """Makes a campaign; at the end nothing of it lives."""
    made: list[Campaign] = []

    def make(tasks: int) -> Campaign:
        made.append(Campaign(tmp_path, tasks))
        return made[-1]

    yield make
    for each in made:
        each.product.clean_up()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Makes a product with these tasks; at the end nothing of it lives."""
    made: list[Product] = []

    def make(
        tasks: Sequence[Mapping[str, Any]], settings: Mapping[str, Any] | None = None
    ) -> Product:
        made.append(Product(tmp_path, tasks, settings))
        return made[-1]

    yield make
    for each in made:
        each.clean_up()
