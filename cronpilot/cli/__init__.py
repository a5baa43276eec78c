"""The command line: `main` is the program."""

from __future__ import annotations

from cronpilot.cli.entry import main

__all__ = ["main"]
