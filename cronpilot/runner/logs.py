"""Reading a run's output, of which a limit may have dropped the middle.

A dropped part is a hole in the file (keeper/log_limit.py). It reads as one line that says how much
is missing; offsets stay those of the file, so they never move under a reader.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class LogSlice(NamedTuple):
    """A piece of output.

    `data` is raw, with a line for each hole; so the next piece is not at offset + len(data), but at
    `next_offset`. `size` is the file's when it was read; `offset` that of the first byte.
    """

    data: bytes
    size: int
    offset: int
    next_offset: int


def read_slice(path: Path, offset: int, limit: int) -> LogSlice:
    """At most about `limit` bytes from `offset`; a negative one counts from the end.

    A log that does not exist (yet, or any more) reads as empty.

    Raises:
        OSError: it is not a plain file, or cannot be read.
    """
    fd = open_log(path)
    if fd is None:
        return LogSlice(b"", 0, 0, 0)
    try:
        size = os.fstat(fd).st_size
        start = max(0, size + offset) if offset < 0 else min(offset, size)
        data, end = _read(fd, start, size, limit)
        return LogSlice(data, size, start, end)
    finally:
        os.close(fd)


def open_log(path: Path) -> int | None:
    """A descriptor to read it by; None where there is no such log.

    Raises:
        OSError: it is not a plain file, or cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return fd


def data_parts(fd: int, at: int, size: int) -> Iterator[tuple[int, int]]:
    """From where to where there is output, holes left out, from `at` on."""
    while at < size:
        start = _next_data(fd, at, size)
        if start >= size:
            return
        end = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        yield start, end
        at = end


def dropped(path: Path) -> int:
    """How many bytes of this log were dropped. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size, at, total = os.fstat(fd).st_size, 0, 0
        while at < size:
            data = _next_data(fd, at, size)
            total += data - at
            at = os.lseek(fd, data, os.SEEK_HOLE) if data < size else size
        return total
    finally:
        os.close(fd)


def _read(fd: int, at: int, size: int, limit: int) -> tuple[bytes, int]:
    out = bytearray()
    while at < size and len(out) < limit:
        data = _next_data(fd, at, size)
        if data > at:
            out += b"" if not out or out.endswith(b"\n") else b"\n"
            out += f"[... {data - at:,} bytes dropped ...]\n".encode()
            at = data
            continue
        hole = min(os.lseek(fd, at, os.SEEK_HOLE), size)
        piece = os.pread(fd, min(hole - at, limit - len(out)), at)
        if not piece:
            break  # cut off meanwhile
        if os.lseek(fd, at, os.SEEK_HOLE) < at + len(piece):
            continue  # dropped while it was read: that was NUL bytes, look again
        out += piece
        at += len(piece)
    return bytes(out), at


def _next_data(fd: int, at: int, size: int) -> int:
    """Where data begins, at or after `at`; the end of the file if there is none."""
    try:
        return min(os.lseek(fd, at, os.SEEK_DATA), size)
    except OSError as problem:
        if problem.errno != errno.ENXIO:
            raise
        return size
