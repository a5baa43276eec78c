"""What is true: tasks, schedules, fire times, verdicts. No clock, disk, network or screen."""

from __future__ import annotations
