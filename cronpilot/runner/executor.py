"""Who runs commands for an engine: the seam, and the executor of this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cronpilot.runner import keeper, paths
from cronpilot.runner.keeper import protocol
from cronpilot.runner.keeper.link import SOCKET
from cronpilot.runner.link import Link, reachable
from cronpilot.runner.messages import (
    AttemptKey,
    Linked,
    NeverStarted,
    Report,
    StartOrder,
    Trouble,
    Unlinked,
    ended_report,
    never_report,
    started_report,
)
from cronpilot.runner.settle import Adopt, forget, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from cronpilot.runner.keeper.protocol import Message

_KEEPER = str(Path(keeper.__file__).parent)
PROGRAM = [sys.executable, "-I", "-S", "-B", "-X", "utf8", _KEEPER]
_PATIENCE = 10.0  # seconds for a link, a greeting, an answer
_LONG = 3600.0  # seconds; as good as for ever
_PING = 15.0  # seconds of silence until we ask whether it lives
_LOOK = 0.02  # seconds between two looks for the socket of a keeper that starts
_SPAWN_PAUSES = (0.0, 0.1, 0.5, 2.0, 5.0)  # seconds before the nth keeper that is needed in a row
_HEALTHY = 1.0  # seconds of a link after which the next keeper is started without a pause
_BETWEEN_TESTS = 30.0  # seconds
_CRASH_AT = "CRONPILOT_CRASH_AT"
_FINGERPRINT = protocol.fingerprint(_KEEPER)
_log = logging.getLogger(__name__)
_LONGEST_ARGUMENT = (1 << 17) - 1  # bytes; the kernel's MAX_ARG_STRLEN without its NUL


class Executor(Protocol):
    """Starts and stops attempts, and reports what becomes of them to its one listener.

    The order that keeps every promise: rows committed, then `start`; final row committed, then
    `forget`. An order that gets lost on the way loses nothing: each `Linked` says what lives, and
    every other open attempt is given to `settle`.
    """

    @property
    def alive(self) -> bool:
        """Orders can be given now."""
        ...

    async def run(self) -> None:
        """Keep the link, for ever."""
        ...

    def start(self, order: StartOrder) -> None:
        """Ask for a start. Without a link nothing happens; the next settle revokes the launch."""
        ...

    def stop(self, key: AttemptKey, *, why: str, signal: int) -> None:
        """The signal to its whole tree, KILL after its grace. KILL means at once."""
        ...

    def settle(self, key: AttemptKey, *, boot_id: str | None) -> None:
        """Find out what became of an attempt that nobody reported; the answer is a report."""
        ...

    def forget(self, keys: list[AttemptKey]) -> None:
        """Drop what was kept for a crash: the outcome of these is committed."""
        ...


class Local:
    """Runs commands through the keeper of one state directory.

    Reports come from within the loop that runs `run`, one at a time, in the order of events.
    """

    def __init__(
        self, state_dir: Path, installation_id: str, report: Callable[[Report], None]
    ) -> None:
        self._state_dir = state_dir.absolute()
        self._installation_id = installation_id
        self._report = report
        self._link: Link | None = None  # while linked
        self._spawned: int | None = None  # pid of a keeper that is our child
        self._spawns = 0  # in a row, without a link
        self._rest = 0.0  # seconds until the next link
        self._replaced = False  # an older keeper was asked to become ours
        self._crash_at = os.environ.get(_CRASH_AT)  # tests; for the first keeper only

    @property
    def alive(self) -> bool:
        return self._link is not None

    def cookie(self, key: AttemptKey) -> str:
        """The value of CRONPILOT_RUN, by which the processes of a run are found."""
        return f"{self._installation_id}-{key.run_id}-{key.launch}"

    # --- orders ----------------------------------------------------------------------------------

    def start(self, order: StartOrder) -> None:
        if self._link is None:
            return
        try:
            self._send(self._request(order))
        except (ValueError, OSError) as problem:
            self._report(NeverStarted(order.key, str(problem), retry=False))

    def stop(self, key: AttemptKey, *, why: str, signal: int = signal.SIGTERM) -> None:
        self._send(protocol.stop(key.run_id, key.launch, why=why, sig=signal))

    def settle(self, key: AttemptKey, *, boot_id: str | None) -> None:
        verdict = settle(self._state_dir, key, boot_id=boot_id)
        if isinstance(verdict, Adopt):
            self._send(protocol.adopt(key.run_id, key.launch))
        else:
            self._report(verdict)

    def forget(self, keys: list[AttemptKey]) -> None:
        try:
            forget(self._state_dir, keys)
        except OSError as problem:  # what stays is swept after the next link
            _log.error("records cannot be removed: %s", problem)

    def _send(self, message: Message) -> None:
        if self._link is not None:
            self._link.send(message)

    def _request(self, order: StartOrder) -> Message:
        limits = order.limits
        wanted = {
            "nice": limits.nice,
            "memory": limits.memory,
            "cpu": limits.cpu,
            "open_files": limits.open_files,
        }
        return protocol.start(
            order.key.run_id,
            order.key.launch,
            task=order.task_id,
            argv=self._fitting(order),
            env={**order.env, "CRONPILOT_RUN": self.cookie(order.key)},
            cwd=order.working_dir,
            timeout=order.timeout.total_seconds() if order.timeout else 0,
            grace=order.stop_grace.total_seconds(),
            limit=order.log_limit,
            cookie=self.cookie(order.key),
            limits={name: value for name, value in wanted.items() if value is not None},
            user=order.user or "",
            group=_group_of(order.user) if order.user else 0,
        )

    def _fitting(self, order: StartOrder) -> list[str]:
        """The words of the command; shell text that is too long for one goes by a file."""
        argv = order.argv
        if all(len(os.fsencode(word)) <= _LONGEST_ARGUMENT for word in argv):
            return argv
        if len(argv) != 3 or argv[1] != "-c":
            raise ValueError("An argument is longer than 128 KiB, which the kernel refuses.")
        if order.user:
            raise ValueError("A command longer than 128 KiB cannot run as another user.")
        path = paths.script_path(self._state_dir, order.key)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(os.fsencode(argv[2]))
        return [argv[0], str(path)]

    # --- the link --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the link to a keeper until cancelled; start one whenever none answers."""
        paths.prepare(self._state_dir)
        while True:
            link = await self._connect()
            self._rest = 0.0
            try:
                hello = await self._greeting(link)
                if hello is not None:
                    await self._talk(hello, link)
            finally:
                if self._link is not None:
                    self._link = None
                    self._report(Unlinked())
                link.close()
            await asyncio.sleep(self._rest)

    async def _connect(self) -> Link:
        told = False
        began = time.monotonic()
        spawn_at = began + _SPAWN_PAUSES[min(self._spawns, len(_SPAWN_PAUSES) - 1)]
        loop = asyncio.get_running_loop()
        while True:
            try:
                with reachable(self._state_dir / SOCKET) as path:
                    return (await loop.create_unix_connection(Link, path))[1]
            except OSError:
                now = time.monotonic()
                if now >= spawn_at and not self._spawned_one_lives():
                    self._spawn()
                    spawn_at = now + _SPAWN_PAUSES[min(self._spawns, len(_SPAWN_PAUSES) - 1)]
            if not told and time.monotonic() - began > _PATIENCE:
                told = True
                self._report(Trouble("The keeper cannot be started.", self._last_words()))
            await asyncio.sleep(_LOOK)

    async def _greeting(self, link: Link) -> Message | None:
        """Its hello, once it is one that we can work with; None when the link is of no use."""
        patience = _PATIENCE
        while True:
            try:
                message = await link.next(patience)
            except TimeoutError:
                self._report(Trouble("The keeper does not answer.", self._how_to_end_it()))
                patience = _LONG
                continue
            if message is None:
                return None
            if message.get("ev") != "hello":
                continue
            ours = message["v"] == protocol.VERSION and message["code"] == _FINGERPRINT
            if not ours and not self._replaced:
                self._replaced = True
                link.send(protocol.reexec(PROGRAM))
                continue
            self._replaced = not ours
            return await self._accepted(message)

    async def _accepted(self, hello: Message) -> Message | None:
        """A keeper that cannot work here is left alone until it goes, and another one tries."""
        if hello["v"] == protocol.VERSION and not hello["problem"]:
            return hello
        said = hello["problem"] or f"The keeper speaks version {hello['v']} of its protocol."
        self._report(Trouble(said, "Nothing can be started until this is mended."))
        self._rest = _BETWEEN_TESTS
        return None

    async def _talk(self, hello: Message, link: Link) -> None:
        """Until the link breaks or the keeper falls silent."""
        self._link = link
        began = time.monotonic()
        live = [started_report(protocol.started(*who, pid=p, at=t)) for *who, p, t in hello["live"]]
        self._report(Linked(tuple(started.key for started in live)))
        for started in live:
            if started.pid:  # else its keeper is just looking for it, and tells
                self._report(started)
        link.hear(self._hear)
        if not await link.watch(ping_after=_PING, patience=_PATIENCE):
            self._report(Trouble("The keeper does not answer.", self._how_to_end_it()))
        if time.monotonic() - began > _HEALTHY:
            self._spawns = 0

    def _hear(self, message: Message) -> None:
        match message.get("ev"):
            case "started":
                self._report(started_report(message))
            case "done":
                self._report(ended_report(message))
            case "never":
                self._report(never_report(message))
            case "error":
                _log.error("the keeper refused a request: %s", message.get("error"))

    # --- the keeper's process --------------------------------------------------------------------

    def _spawned_one_lives(self) -> bool:
        if self._spawned is None:
            return False
        try:
            if os.waitpid(self._spawned, os.WNOHANG)[0] == 0:
                return True
        except ChildProcessError:
            pass  # reaped by somebody else
        self._spawned = None
        return False

    def _spawn(self) -> None:
        """Its own session, no terminal, nothing of ours but the environment."""
        env = {k: v for k, v in os.environ.items() if k not in ("CRONPILOT_RUN", _CRASH_AT)}
        if self._crash_at:
            env[_CRASH_AT] = self._crash_at
            self._crash_at = None
        self._spawns += 1
        null = "/dev/null"
        try:
            self._spawned = os.posix_spawn(
                sys.executable,
                [*PROGRAM, str(self._state_dir)],
                env,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
            )
        except OSError as problem:  # no memory, no process: tried again, and told in the end
            _log.error("the keeper cannot be started: %s", problem)

    def _last_words(self) -> str:
        """The last line of keeper.log: an exception ends with what it was."""
        try:
            lines = (self._state_dir / "keeper.log").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def _how_to_end_it(self) -> str:
        pid = ""
        with suppress(OSError):
            pid = (self._state_dir / "keeper.lock").read_text().strip()
        return f"`kill -9 {pid}` is safe: another one takes up what runs." if pid else ""


def _group_of(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        raise ValueError(f"There is no user {user!r}.") from None
