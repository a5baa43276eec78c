"""What /proc knows about processes, and signals that cannot hit a stranger."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import time

_TICKS = os.sysconf("SC_CLK_TCK")
_PIDFD_GET_INFO = (3 << 30) | (64 << 16) | (0xFF << 8) | 11
_PIDFD_INFO_EXIT = 1 << 3


class Stat:
    """One process. `start` in clock ticks since boot: with the pid and the boot, its identity."""

    __slots__ = ("exit_code", "parent", "session", "start", "state")

    def __init__(self, words: list[bytes]) -> None:
        self.state = words[0]
        self.parent, self.session = int(words[1]), int(words[3])
        self.start, self.exit_code = int(words[19]), int(words[49])


def stat_of(pid: int | str) -> Stat | None:
    """None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return Stat(file.read().rpartition(b")")[2].split())
    except (OSError, ValueError, IndexError):
        return None


def is_same(pid: int, start: int) -> Stat | None:
    """The process, if it is still the one that started then."""
    stat = stat_of(pid)
    return stat if stat and stat.start == start else None


def send(pid: int, start: int, sig: int) -> None:
    """Signal by pidfd, its start time compared after the open. The gone are passed over."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if is_same(pid, start):
            signal.pidfd_send_signal(fd, sig)
    except (ProcessLookupError, PermissionError):
        pass  # gone meanwhile, or it has become somebody else's (sudo)
    finally:
        os.close(fd)


def status_of_stranger(pidfd: int, pid: int, start: int) -> int | None:
    """The wait status of an ended process that is not our child.

    From a zombie's stat, or from PIDFD_INFO_EXIT (Linux 6.15), which is filled once its parent has
    reaped it: hence the second looks. None where nobody can know.
    """
    for _ in range(50):
        stat = is_same(pid, start)
        if stat and stat.state == b"Z":
            return stat.exit_code
        info = bytearray(64)
        struct.pack_into("Q", info, 0, _PIDFD_INFO_EXIT)
        try:
            fcntl.ioctl(pidfd, _PIDFD_GET_INFO, info)
        except OSError:
            return None
        if struct.unpack_from("Q", info, 0)[0] & _PIDFD_INFO_EXIT:
            return int(struct.unpack_from("i", info, 60)[0])
        time.sleep(0.002)
    return None


def members(
    wrapper: int, cookie: str, since: float, *, wrapper_gone: bool
) -> list[tuple[int, int]]:
    """Who belongs to a run: (pid, start) of its session, its descendants, its cookie's carriers.

    Parents before children: a shell that outlived its child would go on to its next command.
    Nobody older than `since` (seconds of CLOCK_BOOTTIME) does, whatever it says. Once the wrapper
    is gone, a process with its pid is a stranger, and so is that stranger's session.
    """
    known, children = _all_processes()
    own = os.getpid()
    oldest = (since - 0.02) * _TICKS
    session = 0 if wrapper_gone and wrapper in known else wrapper
    mark = f"\0CRONPILOT_RUN={cookie or '?'}\0".encode()
    found: set[int] = set()
    for pid, stat in known.items():
        if pid == own or stat.start < oldest:
            continue
        if (session and session in (pid, stat.session)) or mark in _environment(pid):
            _add_with_descendants(pid, children, found)
    found.discard(own)
    return sorted(((pid, known[pid].start) for pid in found if pid in known), key=_age)


def _age(process: tuple[int, int]) -> tuple[int, int]:
    pid, start = process
    return start, pid


def _all_processes() -> tuple[dict[int, Stat], dict[int, list[int]]]:
    known: dict[int, Stat] = {}
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        stat = stat_of(name) if name.isdigit() else None
        if stat and stat.state not in (b"Z", b"X"):
            known[int(name)] = stat
            children.setdefault(stat.parent, []).append(int(name))
    return known, children


def _add_with_descendants(pid: int, children: dict[int, list[int]], found: set[int]) -> None:
    todo = [pid]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += children.get(one, ())


def _environment(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return b"\0" + file.read()
    except OSError:
        return b""  # gone, or not ours to read
