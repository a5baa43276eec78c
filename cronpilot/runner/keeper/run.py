"""One run that lives, by birth or by adoption."""

from __future__ import annotations

import os

from . import proc, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resource import struct_rusage

    from .loop import Timer
    from .record import Claim, Outcome, Record


class Run:
    """What the keeper knows of one launch while it lives. The record file knows the rest."""

    def __init__(self, run: int, launch: int, fd: int, *, adopted: bool) -> None:
        self.run, self.launch = run, launch
        self.fd = fd  # of the record, with the lock
        self.adopted = adopted  # its wrapper is not our child: an earlier keeper started it
        self.claim: Claim | None = None
        self.wrapper: int | None = None  # pid, which is also its session and group
        self.wrapper_gone = False
        self.command: int | None = None  # pid of the command, once its wrapper is gone
        self.watched: list[int] = []  # pidfds, adopted runs only
        self.usage: struct_rusage | None = None
        self.timers: list[Timer] = []
        self.why = ""  # of the stop that is under way
        self.kill_rounds = 0
        self.outcome: Outcome | None = None  # it ended; what its stop left behind has not yet
        self.over = False

    @property
    def key(self) -> tuple[int, int]:
        return self.run, self.launch

    def record(self) -> Record:
        return record.read(self.fd)

    def log(self) -> str:
        return record.log_path(".", self.claim.task if self.claim else 0, self.run)

    def members(self) -> list[tuple[int, int]]:
        """Its living processes as (pid, start), the wrapper among them."""
        if self.claim is None or self.wrapper is None:
            return []
        return proc.members(
            self.wrapper, self.claim.cookie, self.claim.booted, wrapper_gone=self.wrapper_gone
        )

    def has_children(self) -> bool:
        """Whether processes of its group are our children, living or not yet reaped."""
        return self._group()[0]

    def leaves_somebody(self) -> bool:
        """Whether such a child lives. Orphans of an adopted run are init's: nobody knows."""
        exists, dead = self._group()
        return exists and not dead

    def _group(self) -> tuple[bool, bool]:
        if self.wrapper is None:
            return False, False
        try:
            dead = os.waitid(os.P_PGID, self.wrapper, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False, False
        return True, dead is not None

    def close(self) -> None:
        """Forget it, and free the lock last: whoever gets it then reads the final word."""
        self.over = True
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
        os.close(self.fd)
        self.fd = -1
