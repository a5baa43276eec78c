"""What goes wrong, told: a sentence and an exit code; nothing leaves here as a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, InvalidFile, UsageProblem

CRASHED = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT
_NO_PATH = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP}  # what was typed leads nowhere
_LONGEST_PATH = 100


def guarded(work: Callable[[], int], state_dir: Callable[[], Path | None]) -> int:
    """Do it; the exit code. `state_dir`: where a report of a bug of ours is left."""
    try:
        return work()
    except CronPilotError as error:
        _tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bug: say so in one sentence, keep the traceback
        if isinstance(error, OSError) and error.errno in _NO_PATH:
            said = (error.strerror or "").lower()
            say(clean(f"{_shortened(str(error.filename))} cannot be used: {said}."))
            return UsageProblem.exit_code
        say(_crashed(error, state_dir()))
        return CRASHED


def _shortened(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."


def say(sentence: str) -> None:
    """To people, on the standard error."""
    print(f"cronpilot: {sentence}", file=sys.stderr)


def _tell(error: CronPilotError) -> None:
    if isinstance(error, InvalidFile):
        for complaint in error.complaints:
            print(clean(str(complaint)), file=sys.stderr)
    else:
        say(clean(f"{error.problem} {error.hint}".strip()))


def _crashed(error: Exception, state_dir: Path | None) -> str:
    import traceback
    from datetime import UTC, datetime

    from cronpilot import __version__

    now = datetime.now(UTC)
    report = f"CronPilot {__version__}, Python {sys.version}, {now:%Y-%m-%dT%H:%M:%SZ}\n\n"
    report += "".join(traceback.format_exception(error))
    where = _write_report(report, f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt", state_dir)
    return f"this should not have happened: {type(error).__name__}. What is known of it: {where}"


def _write_report(report: str, name: str, state_dir: Path | None) -> str:
    """Into the state directory if there is one, else among the temporary files; mode 0600."""
    import tempfile

    data = report.encode(errors="backslashreplace")
    for directory in (state_dir, Path(tempfile.gettempdir())):
        if directory is None or not os.path.isdir(directory):  # noqa: PTH112 - it never raises
            continue
        path = directory / name
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        except OSError:
            continue  # read-only or full: the next place
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return clean(str(path))
    return "no directory could be written to."
