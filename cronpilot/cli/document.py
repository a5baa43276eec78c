"""Answers as JSON: one document, its lists bare arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel


def show_json(value: Any) -> None:
    """Print a document of plain values. ASCII only, so that no byte of it steers a terminal."""
    print(json.dumps(value, indent=2))


def show_row(row: BaseModel) -> None:
    """One message as an object."""
    show_json(row.model_dump(mode="json"))


def show_rows(rows: Sequence[BaseModel]) -> None:
    """Messages as a bare array."""
    show_json([row.model_dump(mode="json") for row in rows])
