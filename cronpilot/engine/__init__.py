"""What happens: where the parts meet and time passes."""

from __future__ import annotations
