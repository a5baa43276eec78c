"""APScheduler as the clock: the only modules that know it."""

from __future__ import annotations

from cronpilot.engine.scheduling.lean import load_apscheduler

load_apscheduler()  # before any module of this package imports it
