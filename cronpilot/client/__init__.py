"""What a front end may ask of an engine, and what comes back."""

from __future__ import annotations

from cronpilot.client.protocol import Client, StopSignal

__all__ = ["Client", "StopSignal"]
