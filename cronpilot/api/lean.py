"""What FastAPI would load and build at its import, and an engine does without: 0.15 s of a start.

Call `load_fastapi` before anything else imports FastAPI; later it does nothing.
"""

from __future__ import annotations

import sys
import warnings
from types import ModuleType
from typing import Any


class _NoModel:
    """The base class of models that nobody has."""


class _BuiltWhenUsed:
    """A TypeAdapter of pydantic, made when it is first asked for something: FastAPI makes one for
    each parameter and each answer of a route."""

    def __init__(self, type_: Any, *, config: Any = None) -> None:
        self._type, self._config = type_, config

    def __getattr__(self, name: str) -> Any:
        """What this one does not have: only the first time, then it is that of the real one."""
        if name == "_real":
            from pydantic import TypeAdapter
            from pydantic.warnings import UnsupportedFieldAttributeWarning

            with warnings.catch_warnings():  # as FastAPI does where it makes one
                warnings.simplefilter("ignore", category=UnsupportedFieldAttributeWarning)
                self._real = TypeAdapter(self._type, config=self._config)
            return self._real
        return getattr(self._real, name)


def load_fastapi() -> None:
    """Import FastAPI without what it needs for others.

    It asks of each model whether it is one of pydantic 1, and loads that whole library to know; it
    has models of the OpenAPI document, whose validators are built here when the document is asked
    for, and validators of each route, which are built when somebody comes there.
    """
    if "fastapi" in sys.modules:
        return
    if "pydantic.v1" not in sys.modules:
        stand_in = ModuleType("pydantic.v1")
        stand_in.__dict__["BaseModel"] = _NoModel
        sys.modules["pydantic.v1"] = stand_in
    from pydantic import BaseModel

    usual = BaseModel.model_config
    BaseModel.model_config = {**usual, "defer_build": True}
    try:
        import fastapi.openapi.models  # noqa: F401
    finally:
        BaseModel.model_config = usual
    from fastapi._compat import v2

    v2.__dict__["TypeAdapter"] = _BuiltWhenUsed
