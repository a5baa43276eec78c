"""The schema changes, oldest first."""

from __future__ import annotations
