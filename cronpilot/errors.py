"""Every exception we raise.

CronPilotError                      problem + hint + exit code: what a person is told
├── UsageProblem              2     a wrong word on the command line, an unknown name
│   └── NotFound              2     no such task or run; offers the nearest known name
├── ConfigError               2     a file or a value that cannot be used
│   ├── InvalidSchedule       2     (also a ValueError) an expression, a zone, a date
│   └── InvalidFile           2     one file with all its complaints (file, line, key)
├── Refused                   4     the state of things forbids it now
│   ├── Conflict              4     somebody else changed it meanwhile
│   ├── AlreadyRunning        4     overlap policy of a run that was asked for by hand
│   ├── LogInRefused          4     no such user, a wrong password, a session that is over
│   ├── NotAllowed            4     the role does not allow it, or the way it was asked
│   └── TooManyRequests       4     wait a little, then ask again
├── NoEngine                  5     nobody answers for this state directory
│   └── EngineStarts          5     nobody does yet: it is in this process
├── StateDirectoryBusy        6     another engine owns the database
├── StorageProblem            7     the database is locked, full, corrupt or too new
└── KeeperProblem             8     the process that holds the tasks cannot be started

Exit code 3 is not an error: `cronpilot status` exits with it when no engine runs.
"""

from __future__ import annotations

from typing import NamedTuple


class CronPilotError(Exception):
    """Something a person can understand and mend.

    Attributes:
        problem: one sentence that names the thing.
        hint: what to do about it; may be empty.
        field: the field of what was sent that is wrong, where one is.
    """

    exit_code = 1
    field: str | None = None

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem} {hint}".strip())
        self.problem = problem
        self.hint = hint


class UsageProblem(CronPilotError):
    """What was asked for makes no sense as it was said."""

    exit_code = 2


class NotFound(UsageProblem):
    """No such task, run or revision."""

    def __init__(self, what: str, name: str, nearest: str | None = None) -> None:
        hint = f"Did you mean {nearest!r}?" if nearest else f"See: cronpilot {_LISTS[what]}"
        super().__init__(f"There is no {what} {name!r}.", hint)
        self.what, self.name = what, name


_LISTS = {
    "user": "user list",
    "task": "list",
    "run": "history",
    "log": "history",
    "revision": "revisions NAME",
    "entry": "adopt",
    "incident": "incidents --all",
}


class ConfigError(CronPilotError):
    """A file or a value cannot be used."""

    exit_code = 2


class InvalidSchedule(ConfigError, ValueError):
    """A schedule, an expression, a date or a time zone cannot be used."""


class Complaint(NamedTuple):
    """One thing that is wrong in a file."""

    file: str
    line: int  # from 1; 0 when it concerns the whole file
    key: str  # dotted path such as tasks[2].schedule; empty for the whole file
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        return f"{where}:{key} {self.problem} {self.hint}".rstrip()


class InvalidFile(ConfigError):
    """A file that cannot be used, with everything that is wrong in it."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__("\n".join(map(str, complaints)))
        self.complaints = complaints


class Refused(CronPilotError):
    """It cannot be done now; nothing was changed."""

    exit_code = 4


class Conflict(Refused):
    """Somebody else changed it meanwhile.

    Attributes:
        version: the one it is at now, where that is what stands in the way.
    """

    version: int | None = None


class AlreadyRunning(Refused):
    """A run asked for by hand met its task still going."""


class LogInRefused(Refused):
    """Nobody is let in by these words."""

    def __init__(self, problem: str = "User name or password is wrong.", hint: str = "") -> None:
        super().__init__(
            problem, hint or "An admin can set another one: cronpilot user passwd NAME"
        )


class NotAllowed(Refused):
    """This user may not do that, or not in this way."""


class TooManyRequests(Refused):
    """Too much was asked in a short time.

    Attributes:
        wait_s: seconds until it is worth asking again.
    """

    wait_s: float = 1.0


class NoEngine(CronPilotError):
    """No engine answers for this state directory."""

    exit_code = 5

    def __init__(self, where: str) -> None:
        super().__init__(f"No engine runs on {where}.", "Start one: cronpilot --headless")


class EngineStarts(NoEngine):
    """The engine of this very process does not answer yet."""

    def __init__(self) -> None:
        CronPilotError.__init__(self, "The engine is starting.", "Press the key again in a moment.")


class StateDirectoryBusy(CronPilotError):
    """Another engine owns the database."""

    exit_code = 6


class StorageProblem(CronPilotError):
    """The database cannot be used now."""

    exit_code = 7


class KeeperProblem(CronPilotError):
    """The keeper, the process that starts and holds the tasks, cannot do its work here."""

    exit_code = 8
