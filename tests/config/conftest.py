from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cronpilot.config.strict_yaml import Document, parse
from cronpilot.errors import Complaint, InvalidFile


@pytest.fixture
def complaints_about() -> Callable[[str | bytes], list[Complaint]]:
    """Parses YAML that must be refused; gives what was said about it."""

    def refuse(content: str | bytes) -> list[Complaint]:
        content = content.encode() if isinstance(content, str) else content
        with pytest.raises(InvalidFile) as caught:
            parse(content, file="tasks.yaml")
        return caught.value.complaints

    return refuse


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file below an empty directory; gives its path."""

    def write(text: str, name: str = "tasks.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def parsed() -> Callable[[str], Document]:
    """Parses YAML that must be accepted."""
    return lambda text: parse(text.encode(), file="tasks.yaml")
