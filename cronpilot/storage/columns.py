"""How values of the domain lie in columns.

The processors are given directly, without what TypeDecorator wraps around `process_bind_param`:
a pass over due tasks converts some twenty values of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, BigInteger, CheckConstraint, Dialect, String, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, stored as microseconds since 1970 UTC; naive values are refused."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        return to_microseconds

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], datetime | None]:
        return _instant


def to_microseconds(value: datetime | None) -> int | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return (value - EPOCH) // _MICROSECOND


def _instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + value * _MICROSECOND


class Milliseconds(TypeDecorator[timedelta]):
    """A duration, stored as whole milliseconds."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[timedelta | None], int | None]:
        return _milliseconds

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], timedelta | None]:
        return _duration


def _milliseconds(value: timedelta | None) -> int | None:
    return None if value is None else round(value / _MILLISECOND)


def _duration(value: int | None) -> timedelta | None:
    return None if value is None else value * _MILLISECOND


class Word(TypeDecorator[Any]):
    """A StrEnum, stored as its text (its table adds the CHECK: see `one_of`)."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        texts: dict[str | None, str | None] = {word: str(word) for word in self.kind}
        return _Words(self.kind, texts | {None: None}).__getitem__

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], StrEnum | None]:
        words: dict[str | None, StrEnum | None] = {str(word): word for word in self.kind}
        return _Words(self.kind, words | {None: None}).__getitem__


class _Words(dict[Any, Any]):
    """What stands for each word of an enumeration: a look-up, since each row has some."""

    def __init__(self, kind: type[StrEnum], words: dict[Any, Any]) -> None:
        super().__init__(words)
        self._kind = kind

    def __missing__(self, word: object) -> None:
        raise ValueError(f"{word!r} is no {self._kind.__name__}")


class Model(TypeDecorator[Any]):
    """A small pydantic model, stored as JSON."""

    impl = JSON
    cache_ok = True

    def __init__(self, kind: type[BaseModel]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: BaseModel | None, dialect: Dialect) -> Any:
        return None if value is None else value.model_dump(mode="json")

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], BaseModel | None]:
        """From the stored text: thousands of rows share a few, and validating costs most."""
        return partial(_validated, self.kind)


class ModelText(Model):
    """The same in a column that was made for text."""

    impl = String  # type: ignore[assignment]
    cache_ok = True

    def process_bind_param(self, value: BaseModel | None, dialect: Dialect) -> Any:
        return None if value is None else json.dumps(value.model_dump(mode="json"))


@lru_cache(maxsize=16_384)
def _validated(kind: type[BaseModel], text: str | None) -> BaseModel | None:
    """The models are frozen, so rows can share them."""
    return None if text is None else kind.model_validate(json.loads(text))


def any_of(column: str, words: Iterable[str]) -> str:
    """The condition that a column holds one of these words, for a CHECK or an index.

    Not as an IN: whenever such a row is written, SQLite makes a table of the words of each IN. That
    was half of what an INSERT of a run cost (24 µs, 11 without).
    """
    return "(" + " OR ".join(f"{column} = '{word}'" for word in words) + ")"


def one_of(column: str, kind: type[StrEnum], name: str) -> CheckConstraint:
    """The CHECK that keeps a column to the words of an enumeration."""
    return CheckConstraint(any_of(column, kind), name=name)
