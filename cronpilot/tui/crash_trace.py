"""Where the screen broke, for a file that may be sent to others. Pure."""

from __future__ import annotations

import re
import traceback

from cronpilot.domain.secrets import HIDDEN, mask_value

_QUOTED = re.compile(r"""(?<!\w)(['"])(?:\\.|(?!\1)[^\n])*\1""")


def crash_trace(error: BaseException) -> str:
    """The traceback of an error and of what led to it. Without the values of variables; nor are
    those told that an error quotes: pydantic, for one, quotes what it was given."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [crash_trace(before), "\nThen:\n\n"] if before is not None else []
    parts += traceback.format_tb(error.__traceback__)
    parts += [_without_values(line) for line in traceback.format_exception_only(error)]
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            parts += ["\nOne of these:\n\n", crash_trace(part)]
    return "".join(parts)


def _without_values(message: str) -> str:
    return _QUOTED.sub(HIDDEN, mask_value(message))
