"""Files and settings: what a user wrote, read strictly or refused with file, line and key."""

from __future__ import annotations
