"""What FastAPI would load and build at its import, and an engine does without: 0.1 s of a start.

Call `load_fastapi` before anything else imports FastAPI; later it does nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType


class _NoModel:
    """The base class of models that nobody has."""


def load_fastapi() -> None:
    """Import FastAPI without what it needs for others.

    It asks of each model whether it is one of pydantic 1, and loads that whole library to know; it
    has models of the OpenAPI document, whose validators are built here when the document is asked
    for.
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
