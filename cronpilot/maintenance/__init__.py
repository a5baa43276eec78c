"""What is done to a state directory from outside an engine: look it over, restore, stop runs."""

from __future__ import annotations
