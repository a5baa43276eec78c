"""Builds the parts and joins them; the only package that knows them all: one module for each way of
starting.

Whatever is not needed before the first paint, or by a short command, is imported where it is used.
"""

from __future__ import annotations
