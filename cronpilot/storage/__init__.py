"""The only SQL: tables, stores, and the one connection that writes."""

from __future__ import annotations
