"""The admin panel: the cockpit in a browser tab, behind a log-in page of its own."""

from __future__ import annotations
