"""One engine per database: a lock that the kernel frees whatever dies."""

from __future__ import annotations

import fcntl
import os
import re
import time
from pathlib import Path

from cronpilot.errors import StateDirectoryBusy, StorageProblem

# A child that the dead engine had just forked shares the lock until its exec.
PATIENCE_S = 2.0
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}
_MOUNTS = Path("/proc/self/mounts")


class DatabaseLock:
    """An flock on `<database>.lock`, held open and never unlinked. The pid in it is only a hint."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._fd: int | None = None

    def take(self) -> bool:
        """Try once; whether it is ours now."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        self._fd = fd
        return True

    def take_patiently(self, patience_s: float = PATIENCE_S) -> None:
        """Try for a while. Raises StateDirectoryBusy, naming who holds it."""
        deadline = time.monotonic() + patience_s
        while not self.take():
            if time.monotonic() >= deadline:
                raise self.busy()
            time.sleep(0.05)

    def busy(self) -> StateDirectoryBusy:
        """Who holds it, in words."""
        return StateDirectoryBusy(
            f"Another engine{self._holder()} runs on {self._path.parent}.",
            "Attach to it with: cronpilot. End it with: cronpilot shutdown",
        )

    def silent(self) -> StateDirectoryBusy:
        """Somebody holds it and says nothing."""
        return StateDirectoryBusy(
            f"Another engine{self._holder()} has {self._path.parent} and does not answer.",
            "engine.log there may say why. Tasks go on running when it is killed.",
        )

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _holder(self) -> str:
        try:
            pid = self._path.read_text().strip()
        except OSError:
            return ""
        return f" (pid {pid})" if pid.isdigit() else ""


def refuse_network_disk(directory: Path) -> None:
    """Raise StorageProblem where neither flock nor SQLite's WAL can be trusted."""
    kinds = _mounts()
    nearest = next((kinds[path] for path in (directory, *directory.parents) if path in kinds), "")
    if nearest in _NETWORK:
        raise StorageProblem(
            f"{directory} is on a network disk ({nearest}), where locks cannot be trusted.",
            "Choose a local one: --state-dir DIR",
        )


def _mounts() -> dict[Path, str]:
    """Where disks are mounted, and of which kind each is; see proc_mounts(5). (psutil knows, too,
    and would cost the first paint 15 ms.)"""
    found = {}
    for line in _MOUNTS.read_bytes().splitlines():
        _, where, kind = line.split(b" ")[:3]
        path = re.sub(rb"\\([0-7]{3})", lambda code: bytes([int(code[1], 8)]), where)
        found[Path(os.fsdecode(path))] = kind.decode()
    return found
