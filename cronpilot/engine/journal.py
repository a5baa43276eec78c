"""Lines of the log for machines and people: time, level, then words as name=value.

    2026-03-04T12:00:00.120Z INFO event=run_started task=backup-db run=12 attempt=1 pid=4242
    2026-03-04T12:00:03.070Z INFO event=run_ended task=backup-db run=12 status=success took_s=2.95

Under systemd's journal, which keeps the time itself, the level is its prefix: `<6>event=...`.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cronpilot.domain.plan import Final, Retry
from cronpilot.domain.text import clean

log = logging.getLogger("cronpilot.runs")

_PLAIN = re.compile(r"[^\s\"=]+")
_PRIORITIES = (
    (logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6),
)  # fmt: skip


def note(event: str, **words: object) -> None:
    """One event at level INFO; words that are None are left out."""
    if log.isEnabledFor(logging.INFO):
        log.info("%s", event, extra={"words": {"event": event, **words}})


def run_started(run: Mapping[Any, Any], *, attempt: int, pid: int | None) -> None:
    """A command was started. `run` is a row of `storage.runs.state`."""
    note("run_started", task=run["task_name"], run=run["id"], attempt=attempt, pid=pid)


def run_retries(run: Mapping[Any, Any], retry: Retry, *, attempt: int) -> None:
    """An attempt ended badly and another one follows."""
    note("run_retries", task=run["task_name"], run=run["id"], outcome=retry.outcome,
         attempt=attempt, delay_s=retry.delay.total_seconds())  # fmt: skip


def run_ended(
    run: Mapping[Any, Any],
    final: Final,
    *,
    exit_code: int | None = None,
    took: timedelta | None = None,
) -> None:
    """A run is final, whatever became of it."""
    took_s = None if took is None else round(took.total_seconds(), 3)
    note("run_ended", task=run["task_name"], run=run["id"], status=final.status,
         reason=final.reason, exit=exit_code, took_s=took_s)  # fmt: skip


class LineFormatter(logging.Formatter):
    """Each record one line; a traceback follows as further ones."""

    def __init__(self, *, for_journal: bool = False) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        words: Mapping[str, object] | None = getattr(record, "words", None)
        text = said(words or {"msg": record.getMessage()})
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        if self._for_journal:
            prefix = f"<{_priority(record.levelno)}>"
            return "\n".join(prefix + line for line in text.split("\n"))
        at = datetime.fromtimestamp(record.created, UTC)
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{stamp} {record.levelname} {text}"


def said(words: Mapping[str, object]) -> str:
    """name=value for each that is not None; what has blanks, quotes or an = stands in quotes."""
    return " ".join(f"{name}={_value(value)}" for name, value in words.items() if value is not None)


def _value(value: object) -> str:
    text = clean(str(value))
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _priority(level: int) -> int:
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def is_journal(environ: Mapping[str, str], descriptor: int) -> bool:
    """Whether systemd's journal reads that descriptor: JOURNAL_STREAM is its device and inode."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def stderr_handler(environ: Mapping[str, str]) -> logging.Handler:
    """Writes these lines to stderr, for the journal or for people."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(for_journal=is_journal(environ, sys.stderr.fileno())))
    return handler


def dropped(handler: logging.Handler, lines: int) -> str:
    """The line that says how many are missing where it stands."""
    words = {"event": "log_dropped", "lines": lines}
    about = {"levelno": logging.WARNING, "levelname": "WARNING", "words": words}
    return handler.format(logging.makeLogRecord(about)) + "\n"
