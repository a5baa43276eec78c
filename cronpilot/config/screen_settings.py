"""The `tui` section of config.yaml: how the screen looks and is used."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ScreenSettings(BaseModel):
    """Of the person who sits before it, not of the scheduler."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    theme: Literal["auto", "dark", "light", "contrast", "16", "mono"] = "auto"
    ascii: bool | None = Field(default=None, strict=True)  # None: as the terminal says
    mouse: bool = Field(default=True, strict=True)
