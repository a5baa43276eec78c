"""Telling people: who hears of what, in which words, and by which way."""

from __future__ import annotations
