"""Taking over what a machine has: crontabs, run-parts directories, anacron, systemd timers.

Looking changes nothing. What is taken over stays where it was, marked so that cron passes over it,
with a copy kept; one command brings it back.
"""

from __future__ import annotations

from cronpilot.adopt.entries import Entry, Kind, Notice
from cronpilot.adopt.finding import Machine, look, look_at
from cronpilot.adopt.taking import Adopted, adopted, give_back, set_aside

__all__ = [
    "Adopted",
    "Entry",
    "Kind",
    "Machine",
    "Notice",
    "adopted",
    "give_back",
    "look",
    "look_at",
    "set_aside",
]
