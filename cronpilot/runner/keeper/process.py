"""The keeper: what it is asked, what its children do, and how runs end.

It never blocks: no user's path, no name service, no network. A bug that raises is a crash, and a
crash loses nothing: the wrappers go on, the engine starts another keeper, which adopts.
"""

from __future__ import annotations

import fcntl
import functools
import gc
import os
import resource
import signal
import socket
import sys
import time

from . import (
    adoption,
    crash,
    launch,
    link,
    log_limit,
    loop,
    protocol,
    record,
    stopping,
    turns,
    upgrade,
)
from .record import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .protocol import Message
    from .run import Run

_LOCK_PATIENCE = 3.0  # seconds; a dead keeper's child shares the lock until its exec
_ENOUGH_FILES = 8192  # one descriptor a run, three for an adopted one
_LARGEST_LOG = 1 << 20  # bytes of keeper.log before it is put aside
_STRAYS_KEPT = 30.0  # seconds
_SUBREAPER, _NAME = 36, 15  # prctl


class Keeper:
    """Holds all runs of one state directory, which is its working directory."""

    def __init__(self, state_dir: str, state: dict[str, Any] | None) -> None:
        self.state_dir = state_dir
        self.loop = loop.Loop(self._reap)
        self.runs: dict[tuple[int, int], Run] = {}
        self._by_wrapper: dict[int, Run] = {}
        self._by_command: dict[int, Run] = {}
        self._strays: dict[int, tuple[int, resource.struct_rusage]] = {}
        self._boot = os.environ.get("CRONPILOT_FAKE_BOOT") or _boot_id()
        self._code = protocol.fingerprint(os.path.dirname(os.path.abspath(__file__)))
        self._idle_s = float(os.environ.get("CRONPILOT_KEEPER_IDLE", "10"))
        self._idle_at = 0.0
        self.soft_files = state["soft_files"] if state else _raise_open_files()
        self._launcher = launch.Launcher(self._boot, self.soft_files)
        self.lock: int = state["lock"] if state else _take_lock(self)
        self.problem: str = state["problem"] if state else self._launcher.self_test()
        if self.problem:
            self.log(self.problem)
        listener = socket.socket(fileno=state["listener"]) if state else link.listen()
        self.link = link.Link(self.loop, listener, greet=self._hello, ask=self._asked)
        if state:
            self._resume(state)
        self.log("upgraded" if state else "started")

    def run(self) -> None:
        """Until nothing runs and no engine has been linked for a while."""
        self._note_idleness()
        while not self._is_idle():
            self.link.flush()
            self.loop.turn()
        link.hide()  # the lock is still ours
        self.log("nothing to do: leaving")

    def log(self, text: str) -> None:
        """One line in keeper.log, which is our stderr."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        os.write(2, f"{stamp} keeper[{os.getpid()}]: {text}\n".encode("utf-8", "replace"))

    def later(self, run: Run, seconds: float, call: Callable[[], None]) -> None:
        """Call back unless the run has ended by then."""
        run.timers[:] = [timer for timer in run.timers if timer.call]
        run.timers.append(self.loop.after(seconds, call))

    # --- what it is asked ------------------------------------------------------------------------

    def _hello(self) -> Message:
        live = [(*run.key, run.wrapper or 0, _started(run)) for run in self.runs.values()]
        return protocol.hello(os.getpid(), self._boot, self._code, live, self.problem)

    def _asked(self, request: Message) -> None:
        """A request that makes no sense is answered, and nothing comes of it."""
        try:
            self._do(request)
        except (KeyError, TypeError, ValueError, OSError) as problem:
            self.log(f"refused a request: {problem!r}")
            self.link.tell(protocol.error(f"{request.get('op')}: {problem!r}"))

    def _do(self, request: Message) -> None:
        match request["op"]:
            case "start":
                self._start(request)
            case "stop":
                run = self.runs.get((request["run"], request["launch"]))
                if run is not None:
                    why = "_".join(request["why"].split()) or "stop"  # one word of a record
                    self.stop(run, why=why, sig=int(request["sig"]))
            case "adopt":
                adoption.adopt(self, request["run"], request["launch"])
            case "ping":
                self.link.tell(protocol.pong())
            case "reexec":
                upgrade.become(self, request["argv"])
            case other:
                raise ValueError(f"unknown verb {other!r}")

    def _start(self, request: Message) -> None:
        try:
            run = self._launcher.launch(request)
        except launch.StartRefusedError as refused:
            self.log(f"run {request['run']} refused: {refused}")
            self.link.tell(
                protocol.never(
                    request["run"], request["launch"], error=str(refused), retry=refused.retry
                )
            )
            return
        if run is None or run.wrapper is None:
            return
        self.runs[run.key] = self._by_wrapper[run.wrapper] = run
        self.watch_limits(run)
        self.tell_started(run)
        crash.here("keeper_told", after=self.link.flush)

    def stop(self, run: Run, *, why: str, sig: int = signal.SIGTERM) -> None:
        stopping.stop(self, run, why, sig)

    def watch_limits(self, run: Run) -> None:
        """Timeout and log limit, from its claim."""
        claim = run.claim
        if claim is None:
            return
        if claim.timeout:
            due = claim.booted + claim.timeout
            run.timers.append(self.loop.at(due, lambda: self.stop(run, why="timeout")))
        if claim.limit:
            log_limit.Watch(self, run, claim.limit)

    def tell_started(self, run: Run) -> None:
        self.link.tell(protocol.started(*run.key, pid=run.wrapper or 0, at=_started(run)))

    # --- what its children do --------------------------------------------------------------------

    def _reap(self) -> None:
        """wait4(-1): a subreaper must reap strangers, too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            run = self._by_wrapper.pop(pid, None) or self._by_command.pop(pid, None)
            if run is None:  # an orphan; perhaps the command of a wrapper not reaped yet
                self._strays[pid] = status, usage
                self.loop.after(_STRAYS_KEPT, functools.partial(self._strays.pop, pid, None))
                continue
            run.usage = usage
            if pid == run.wrapper:
                self._wrapper_gone(run)
            else:
                self.finish_by_status(run, status)

    def _wrapper_gone(self, run: Run) -> None:
        """Normally X is there. If not, it was killed, and its command is our child now."""
        if run.over:
            return
        run.wrapper_gone = True
        seen = run.record()
        crash.here("keeper_reaped")
        if seen.ended:
            self.finish(run, seen.seen(), seen)
        elif seen.command is not None:
            self._take_over(run, seen.command.pid)
        elif run.has_children():  # a forked shell may still write S and start the command
            self.later(run, 0.01, lambda: self._wrapper_gone(run))
        elif run.record().command is None:
            self.never(run, seen.words)
        else:
            self._wrapper_gone(run)

    def _take_over(self, run: Run, command: int) -> None:
        if command in self._strays:
            status, run.usage = self._strays.pop(command)
            self.finish_by_status(run, status)
            return
        try:
            os.waitid(os.P_PID, command, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # the wrapper had reaped it and died before X: unknowable
            self.finish(run, Outcome())
            return
        run.command = command
        self._by_command[command] = run

    # --- how runs end ----------------------------------------------------------------------------

    def never(self, run: Run, words: list[str]) -> None:
        """The command certainly did not start: the engine may try again."""
        try:
            record.put(run.fd, "R", errno=0, t=time.time_ns())
        except OSError as problem:
            self.log(f"run {run.run}: {problem}")
        self._forget(run)
        error = "; ".join(words) or "The shell was killed before the command."
        self.link.tell(protocol.never(run.run, run.launch, error=error, retry=True))

    def finish_by_status(self, run: Run, status: int | None) -> None:
        """By the true wait status of the command; None is unknown."""
        sig = code = None
        if status is not None:
            sig = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
            code = 128 + sig if sig else os.WEXITSTATUS(status)
        self.finish(run, Outcome(code=code, sig=sig))

    def finish(self, run: Run, outcome: Outcome, seen: record.Record | None = None) -> None:
        """The command has ended; after a stop, its run has when all that belongs to it has.

        `seen`: its record as it was read just now.
        """
        if run.over or run.outcome is not None:
            return
        outcome.ended = outcome.ended or time.time_ns()
        run.outcome = outcome
        if run.why:
            stopping.wait_for_rest(self, run)
        else:
            self.end(run, outcome, seen)

    def end(self, run: Run, outcome: Outcome, seen: record.Record | None = None) -> None:
        """Write the final word, free the lock, tell."""
        seen = seen or run.record()
        outcome.why = "setup" if seen.why == "setup" else run.why or seen.why
        outcome.pid = run.wrapper or outcome.pid
        outcome.started = _started(run) or None
        outcome.left = int(run.leaves_somebody())
        outcome.cpu, outcome.rss = _used(run)
        self._trim(run)
        try:
            record.put(run.fd, "K", **outcome.values())
        except OSError as problem:
            self.log(f"run {run.run}: its final word found no room: {problem}")
        crash.here("keeper_k")
        self._forget(run)
        self.link.tell(protocol.done(run.run, run.launch, outcome.values(), seen.words))

    def already_ended(self, run: Run, outcome: Outcome) -> None:
        """An earlier keeper had the final word."""
        words = run.record().words
        self._forget(run)
        self.link.tell(protocol.done(run.run, run.launch, outcome.values(), words))

    def _trim(self, run: Run) -> None:
        if run.claim and run.claim.limit:
            try:
                log_limit.trim(run.log(), run.claim.limit)
            except OSError as problem:
                self.log(f"run {run.run}: its log was not cut: {problem}")

    def _forget(self, run: Run) -> None:
        self.unwatch(run)
        run.close()
        self.runs.pop(run.key, None)
        self._by_command.pop(run.command or 0, None)

    def unwatch(self, run: Run) -> None:
        for fd in run.watched:
            self.loop.unwatch(fd)
            os.close(fd)
        run.watched.clear()

    # --- its own life ----------------------------------------------------------------------------

    def _resume(self, state: dict[str, Any]) -> None:
        """Go on where the program before us stopped."""
        for saved in state["runs"]:
            run = upgrade.restored(saved)
            self.runs[run.key] = run
            self.watch_limits(run)
            if run.why:
                stopping.resume(self, run)
            if run.adopted:
                adoption.look(self, run)
            elif run.command:
                self._by_command[run.command] = run
            elif run.wrapper_gone:
                self._wrapper_gone(run)
            elif run.wrapper:
                self._by_wrapper[run.wrapper] = run
        connection = upgrade.connection_of(state)
        if connection is not None:
            self.link.take(connection)
        self._reap()  # SIGCHLD of the moment in between went unheard

    def _is_idle(self) -> bool:
        if self.runs or self.link.connection is not None:
            self._idle_at = 0.0
            return False
        if not self._idle_at:
            self._note_idleness()
        return loop.now() >= self._idle_at

    def _note_idleness(self) -> None:
        self._idle_at = loop.now() + self._idle_s
        self.loop.at(self._idle_at, lambda: None)  # wakes the loop, which looks


def _started(run: Run) -> int:
    return run.claim.started if run.claim else 0


def _used(run: Run) -> tuple[float | None, int | None]:
    """CPU seconds and peak memory in bytes.

    A vfork child starts with its parent's peak as floor: below our own peak, nothing is known.
    """
    usage = run.usage
    if usage is None:
        return None, None
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    known = run.command is not None or usage.ru_maxrss > own
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 if known else None


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _raise_open_files() -> int | None:
    """Room for thousands of runs; the old soft limit, which the tasks get back, or None."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= min(_ENOUGH_FILES, hard) or hard == soft:
        return None
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 16), hard))
    return soft


def _take_lock(keeper: Keeper) -> int:
    """Hold keeper.lock for ever, or leave: another keeper lives."""
    fd = os.open("keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = loop.now() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_ino == os.stat("keeper.lock").st_ino:
                break
            os.close(fd)  # deleted and made again meanwhile
            fd = os.open("keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except BlockingIOError:
            if loop.now() > until:
                holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
                keeper.log(f"start refused: keeper {holder} holds {keeper.state_dir}")
                sys.exit(1)
            time.sleep(0.02)
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d\n" % os.getpid(), 0)  # a help for people; only the lock counts
    return fd


def _settle_in(state_dir: str) -> None:
    """Own name, own log, no terminal's signals, orphans come to us."""
    os.umask(0o077)
    os.chdir(state_dir)
    for folder in ("records", "logs"):
        os.makedirs(folder, 0o700, exist_ok=True)
    if os.path.exists("keeper.log") and os.path.getsize("keeper.log") > _LARGEST_LOG:
        os.replace("keeper.log", "keeper.log.old")
    log = os.open("keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(log, 2)
    os.close(log)
    libc = log_limit.libc
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_NAME, b"cronpilot-keep", 0, 0, 0)
    turns.take_short_turns()
    for sig in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)


def _begin_small() -> int:
    """Go on as a child of this process, which ends when the child is ready; where to say so.

    The peak memory of whoever started us stays with a process over exec, and our own peak is the
    floor below which a task's cannot be told. A forked child counts from its own size.
    """
    heard, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        return ready
    os.close(ready)
    if os.read(heard, 1):
        os._exit(0)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)


def main(arguments: list[str]) -> None:
    """STATE_DIR, and after an upgrade the descriptor of what the program before us left."""
    state_dir = os.path.abspath(arguments[0])
    ready = None
    if len(arguments) == 1:
        os.closerange(3, 1 << 20)  # what the engine's own parent left open is not for tasks
        ready = _begin_small()
    _settle_in(state_dir)
    state = upgrade.read_state(int(arguments[1])) if len(arguments) > 1 else None
    keeper = Keeper(state_dir, state)
    if ready is not None:
        os.write(ready, b"+")
        os.close(ready)
    gc.collect()
    gc.freeze()
    keeper.run()
