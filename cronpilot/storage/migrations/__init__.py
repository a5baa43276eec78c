"""Alembic's scripts: one file a schema change."""

from __future__ import annotations
