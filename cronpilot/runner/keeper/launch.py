"""From a request to a running command: claim, C, log, spawn. And the test that it works here."""

from __future__ import annotations

import errno
import os
import signal
import time

from . import crash, record, wrapper
from .loop import now
from .record import Claim
from .run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .protocol import Message

_PASSING = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT)
# Python ignores PIPE and XFSZ, the keeper some more; what is ignored would survive the exec.
_TO_DEFAULT = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGTERM,
    signal.SIGXFSZ,
)
_SELF_TEST_SECONDS = 10.0


class StartRefusedError(Exception):
    """The command certainly did not start. `retry`: a later try may succeed."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(str(problem)[:300])
        self.retry = isinstance(problem, OSError) and problem.errno in _PASSING


class Launcher:
    """Starts commands. `soft_files` is the limit of open files that tasks get back."""

    def __init__(self, boot: str, soft_files: int | None) -> None:
        self._boot, self._soft_files = boot, soft_files
        self._null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)

    def launch(self, request: Message) -> Run | None:
        """None when the record was there already: revoked, or a request that came twice.

        Raises:
            StartRefusedError: nothing was started, and the record says so if it could be written.
        """
        run, launch = int(request["run"]), int(request["launch"])
        try:
            fd = record.create(record.record_path(".", run, launch))
        except FileExistsError:
            return None
        except OSError as problem:
            raise StartRefusedError(problem) from problem
        crash.here("keeper_claimed")
        if not record.lock(fd) or os.fstat(fd).st_size:
            os.close(fd)  # the engine is revoking it this very moment
            return None
        try:
            return self._claimed(request, Run(run, launch, fd, adopted=False))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
            _revoke(fd, problem)
            raise StartRefusedError(problem) from problem

    def _claimed(self, request: Message, run: Run) -> Run:
        run.claim = self._claim(request, run)
        record.put(run.fd, "C", **run.claim.fields())
        crash.here("keeper_c")
        if not request["cwd"].startswith("/"):
            raise ValueError(f"the working directory {request['cwd']!r} is not absolute")
        limits = request["limits"]
        words = [*wrapper.prefix(limits, request["user"], request["group"]), *request["argv"]]
        log = _open_log(run.log())
        try:
            if crash.hit("spawn_refused"):
                raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            text = wrapper.text(limits, self._soft_files)
            run.wrapper = self._spawn(text, [request["cwd"], *words], request["env"], log, run.fd)
        finally:
            os.close(log)
        crash.here("keeper_spawned")
        return run

    def _claim(self, request: Message, run: Run) -> Claim:
        return Claim(
            run=run.run,
            launch=run.launch,
            task=int(request["task"]),
            keeper=os.getpid(),
            boot=self._boot,
            started=time.time_ns(),
            booted=now(),
            timeout=float(request["timeout"]),
            grace=float(request["grace"]),
            limit=int(request["limit"]),
            cookie=request["cookie"],
        )

    def _spawn(self, text: str, words: list[str], env: dict[str, str], log: int, fd: int) -> int:
        return os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", text, "cronpilot-run", *words],
            env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, self._null, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, fd, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_TO_DEFAULT,
        )

    def self_test(self) -> str:
        """Run the wrapper on `exit 3`; an empty text when this machine's /bin/sh passes."""
        fd = os.memfd_create("cronpilot-self-test", os.MFD_CLOEXEC)
        try:
            text = wrapper.text({}, self._soft_files, may_crash=False)
            pid = self._spawn(text, ["/", "/bin/sh", "-c", "exit 3"], {}, self._null, fd)
            if not _wait(pid, _SELF_TEST_SECONDS):
                return f"/bin/sh did not finish a test within {_SELF_TEST_SECONDS:.0f} s."
            seen = record.read(fd)
        except OSError as problem:
            return f"/bin/sh cannot be started: {problem}."
        finally:
            os.close(fd)
        if seen.exit_code == 3 and seen.command and seen.command.parent == pid:
            return ""
        words = "; ".join(seen.words) or "no word of explanation"
        return f"/bin/sh failed a test: `exit 3` gave {seen.exit_code} ({words[:200]})."


def _open_log(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        return os.open(path, flags, 0o600)


def _revoke(fd: int, problem: Exception) -> None:
    """R is a help for who reads the record; an empty one says the same."""
    try:
        record.put(fd, "R", errno=getattr(problem, "errno", None) or 0, t=time.time_ns())
    except OSError:
        pass
    os.close(fd)


def _wait(pid: int, seconds: float) -> bool:
    """Reap `pid`; kill it first when it takes longer."""
    until = now() + seconds
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if now() > until:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return False
        time.sleep(0.001)
    return True
