"""What earlier versions left behind."""

from __future__ import annotations
