"""The record file of one launch: `records/<run>.<launch>`. Format version 1, frozen.

Whoever creates it (O_CREAT|O_EXCL) decides whether the command may start: the keeper claims, the
engine revokes. Keeper and wrapper share one open file with its flock, the command does not: "the
lock is free" proves that both are gone, and "free, and no S" that the command never started.

Lines, each one write() with O_APPEND; a torn last line is ignored, the first of a kind counts:

    C  keeper: claimed. Also reserves the disk block, so that no later line can meet a full disk
    S  the forked shell, last thing before exec: its own /proc/self/stat
    X  wrapper: the exit code as the shell saw it; the file's mtime is the time of the end
    T  keeper: about to stop it, and why
    K  keeper: the final word, with the resources used
    F  setup failed (directory, limits);  R  this launch will never start
    anything else: the shell's own words ("Killed", "Cannot fork")

Fields are name=value without blanks; `?` is unknown, `-` is empty. Times are ns since 1970, `bt`
seconds of CLOCK_BOOTTIME, `cpu` seconds, `rss` bytes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal

VERSION = 1

_OPEN = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_LARGEST = 65536  # bytes read of a record; a whole one has some 900


def record_path(state_dir: str, run: int, launch: int) -> str:
    return f"{state_dir}/records/{run}.{launch}"


def log_path(state_dir: str, task: int, run: int) -> str:
    return f"{state_dir}/logs/{task}/{run}.log"


def create(path: str) -> int:
    """Create the record and so decide about the launch. Raises FileExistsError: decided already."""
    return os.open(path, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)


def reopen(path: str) -> int:
    return os.open(path, _OPEN)


def lock(fd: int) -> bool:
    """Take the lock; False while a keeper or a wrapper of this launch lives."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def put(fd: int, kind: str, **fields: object) -> None:
    """Append one line. Raises OSError, also when only a part of it found room."""
    words = [f" {k}={'?' if v is None else str(v) or '-'}" for k, v in fields.items()]
    line = f"{kind}{''.join(words)}\n".encode()
    if os.write(fd, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Command:
    """The S line: the process of the command itself. `start` in clock ticks since boot."""

    __slots__ = ("parent", "pid", "start")

    def __init__(self, pid: int, parent: int, start: int) -> None:
        self.pid, self.parent, self.start = pid, parent, start

    @classmethod
    def parse(cls, stat: str) -> Command | None:
        words = stat.rpartition(")")[2].split()
        try:
            return cls(int(stat.split()[0]), int(words[1]), int(words[19]))
        except (ValueError, IndexError):
            return None


class Outcome:
    """How a run ended, as far as anybody can know; None is unknown.

    `code` is as a shell says it (128+n after signal n), `why` is empty for an end of its own.
    """

    __slots__ = ("code", "cpu", "ended", "left", "pid", "rss", "sig", "started", "why")

    def __init__(
        self,
        *,
        code: int | None = None,
        sig: int | None = None,
        why: str = "",
        pid: int | None = None,
        started: int | None = None,
        ended: int | None = None,
        cpu: float | None = None,
        rss: int | None = None,
        left: int = 0,
    ) -> None:
        self.code, self.sig, self.why, self.pid = code, sig, why, pid
        self.started, self.ended = started, ended
        self.cpu, self.rss, self.left = cpu, rss, left

    def values(self) -> dict[str, int | float | str | None]:
        """In the order in which K and the `done` message carry them."""
        return {
            "code": self.code,
            "sig": self.sig,
            "why": self.why,
            "pid": self.pid,
            "started": self.started,
            "ended": self.ended,
            "cpu": None if self.cpu is None else round(self.cpu, 6),
            "rss": self.rss,
            "left": self.left,
        }

    @classmethod
    def from_final(cls, fields: dict[str, str]) -> Outcome:
        """Read back a K line."""
        cpu = fields.get("cpu", "?")
        return cls(
            code=_number(fields, "code"),
            sig=_number(fields, "sig"),
            why=_text(fields, "why"),
            pid=_number(fields, "pid"),
            started=_number(fields, "started"),
            ended=_number(fields, "ended"),
            cpu=None if cpu == "?" else float(cpu),
            rss=_number(fields, "rss"),
            left=_number(fields, "left") or 0,
        )


class Claim:
    """The C line: what was asked for. A timeout or limit of 0 is none."""

    def __init__(
        self,
        *,
        run: int,
        launch: int,
        task: int,
        keeper: int,
        boot: str,
        started: int,
        booted: float,
        timeout: float,
        grace: float,
        limit: int,
        cookie: str,
    ) -> None:
        self.run, self.launch, self.task, self.keeper = run, launch, task, keeper
        self.boot, self.started, self.booted = boot, started, booted
        self.timeout, self.grace, self.limit, self.cookie = timeout, grace, limit, cookie

    def fields(self) -> dict[str, object]:
        """In the order in which the line carries them."""
        return {
            "v": VERSION,
            "run": self.run,
            "launch": self.launch,
            "task": self.task,
            "keeper": self.keeper,
            "boot": self.boot,
            "t": self.started,
            "bt": f"{self.booted:.3f}",
            "timeout": self.timeout,
            "grace": self.grace,
            "limit": self.limit,
            "cookie": self.cookie,
        }

    @classmethod
    def from_fields(cls, fields: dict[str, str]) -> Claim:
        return cls(
            run=_number(fields, "run") or 0,
            launch=_number(fields, "launch") or 0,
            task=_number(fields, "task") or 0,
            keeper=_number(fields, "keeper") or 0,
            boot=_text(fields, "boot"),
            started=_number(fields, "t") or 0,
            booted=float(fields.get("bt", 0)),
            timeout=float(fields.get("timeout", 0)),
            grace=float(fields.get("grace", 10)),
            limit=_number(fields, "limit") or 0,
            cookie=_text(fields, "cookie"),
        )


def _number(fields: dict[str, str], name: str) -> int | None:
    text = fields.get(name, "?")
    return None if text in ("?", "-") else int(text)


def _text(fields: dict[str, str], name: str) -> str:
    text = fields.get(name, "-")
    return "" if text in ("?", "-") else text


class Record:
    """What a record says so far."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, str] = {}  # of C T K F R, as they are written
        self.command: Command | None = None  # S
        self.exit_code: int | None = None  # X
        self.words: list[str] = []  # of the shell itself
        for line in text.split("\n")[:-1]:
            self._add(line)

    def _add(self, line: str) -> None:
        # The whole first word counts: "Segmentation fault" starts with S, too.
        kind, _, rest = line.partition(" ")
        if kind == "S" and self.command is None:
            self.command = Command.parse(rest)
        elif kind == "X" and rest.isdigit():
            if self.exit_code is None:
                self.exit_code = int(rest)
        elif kind in ("C", "T", "K", "F", "R"):
            self._lines.setdefault(kind, rest)
        elif line:
            self.words.append(line)

    def has(self, kind: str) -> bool:
        """Whether there is a line C, T, K, F or R."""
        return kind in self._lines

    def fields(self, kind: str) -> dict[str, str]:
        """Of such a line; nothing where there is none. (Read when asked for: of most records
        nobody wants more than S and X.)"""
        line = self._lines.get(kind, "")
        return dict(word.split("=", 1) for word in line.split() if "=" in word)

    @property
    def claim(self) -> Claim | None:
        return Claim.from_fields(self.fields("C")) if self.has("C") else None

    @property
    def ended(self) -> bool:
        """The wrapper saw the end of the command, or of the setup that failed."""
        return self.exit_code is not None and (self.command is not None or self.has("F"))

    @property
    def why(self) -> str:
        """What a keeper or the setup had to do with the end: stop, timeout ..., setup, or empty."""
        return "setup" if self.has("F") else _text(self.fields("T"), "why")

    def final(self) -> Outcome | None:
        """The K line."""
        return Outcome.from_final(self.fields("K")) if self.has("K") else None

    def seen(self) -> Outcome:
        """The outcome from all lines but K; the caller knows the time of the end."""
        code, sig = code_sig(self.exit_code, self.words)
        return Outcome(
            code=code,
            sig=sig,
            why=self.why,
            pid=self.command.parent if self.command else None,
            started=_number(self.fields("C"), "t"),
        )


def read(fd: int) -> Record:
    return Record(os.pread(fd, _LARGEST, 0).decode("utf-8", "replace"))


_SIGNAL_WORDS = {
    (signal.strsignal(number) or "").lower(): int(number) for number in signal.valid_signals()
}


def code_sig(code: int | None, words: list[str]) -> tuple[int | None, int | None]:
    """Code and signal from what the shell wrote.

    128+n is either. dash adds a word such as "Killed" when a signal ended the command (not for INT
    and PIPE; bash words it otherwise): without it, the code stays just a code.
    """
    for line in words:
        number = _SIGNAL_WORDS.get(line.split(" (core")[0].strip().lower())
        if number and code == 128 + number:
            return code, number
    return code, None
