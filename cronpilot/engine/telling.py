"""Sends what waits in the outbox: on a thread and a loop of its own, so that a mail server that
hangs (or a name that is not resolved) keeps neither a run nor a key waiting.

Never twice, as far as that can be had: a try is committed before it is made and settled after it.
Only a crash between the server's yes and our commit, a few milliseconds, sends again what was
taken, and then under the same Message-ID, by which mail systems know it for the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from cronpilot.domain.incident import Fault, Word
from cronpilot.engine.clock import Clock
from cronpilot.engine.letters import told_of
from cronpilot.errors import StorageProblem
from cronpilot.notify import channels, smtp
from cronpilot.notify.failures import Failure
from cronpilot.notify.message import Message, Place, Told, as_mail, compose
from cronpilot.notify.rules import CHANNEL, MAIL, PING
from cronpilot.storage import incidents, outbox
from cronpilot.storage.database import Connection, Database
from cronpilot.storage.outbox import Batch
from cronpilot.storage.tables import Delivery

T = TypeVar("T")
log = logging.getLogger("cronpilot.telling")

BACK_OFF_S = (30, 60, 120, 300, 600, 1200, 1800, 3600)
GIVE_UP = timedelta(days=3)
GIVE_UP_PING = timedelta(hours=1)
WIDTH = 4  # messages of one kind that are sent at once
LOOK_S = 30.0  # how long a lane sleeps at most: the clock may be set
LAST_WORDS_S = 5.0  # how long a stop waits for what is being sent


@dataclass(frozen=True, slots=True)
class Ways:
    """How messages leave this machine.

    Attributes:
        server: None: no mail server is named.
        channels: name -> what reads its URL.
        installation: its id, in the threads of mail programs.
    """

    host: str
    zone: tzinfo
    state_dir: Path
    server: smtp.Server | None = None
    channels: Mapping[str, Callable[[], str | None]] = field(default_factory=dict)
    installation: str = ""


class Trouble(NamedTuple):
    """Why somebody could not be told.

    Attributes:
        way: by which; all mail goes one way, a channel and the pings of a task each another.
        problem: None: by that way, somebody was just told.
        given_up: it is not tried again.
    """

    way: str
    problem: str | None = None
    given_up: bool = False


class Troubles:
    """Those that are not over: a way that works again says nothing of the others."""

    def __init__(self) -> None:
        self._by_way: dict[str, Trouble] = {}  # the newest last

    def after(self, trouble: Trouble) -> tuple[str, str] | None:
        """The newest one when this was heard, and what becomes of it; None when all is well."""
        self._by_way.pop(trouble.way, None)
        if trouble.problem is not None:
            self._by_way[trouble.way] = trouble
        if not self._by_way:
            return None
        newest = list(self._by_way.values())[-1]
        then = "That message is given up." if newest.given_up else "It is tried again."
        return newest.problem or "", f"{then} Try: cronpilot notify test"


class Teller:
    """Three lanes (mail, channels, pings), none of which waits for another."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ways: Callable[[], Ways],
        trouble: Callable[[Trouble], None],
    ) -> None:
        """
        Args:
            trouble: told on any thread why a try failed, and that one has worked.
        """
        self._database, self._clock, self._ways, self._trouble = database, clock, ways, trouble
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: list[asyncio.Event] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="telling", daemon=True)
        self._ready = threading.Event()

    # --- for other threads ---

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def wake(self) -> None:
        """Something may be due."""
        for event in self._wanted:
            self._soon(event.set)

    def stop(self) -> None:
        """End; blocks for `LAST_WORDS_S` at most while something is being sent."""
        self._stopping = True
        self.wake()
        self._thread.join(2 * LAST_WORDS_S)

    def ask(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it in the loop of this thread."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _soon(self, call: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed between the two
                self._loop.call_soon_threadsafe(call)

    # --- the thread ---

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:
            log.critical("Nobody is told of anything any more", exc_info=error)
            problem = "Messages are not sent any more: a mistake of CronPilot, see its log."
            self._trouble(Trouble("all", problem, given_up=True))
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        lanes = [MAIL, CHANNEL, PING]
        self._wanted = [asyncio.Event() for _ in lanes]
        self._ready.set()
        await self._patiently(self._take_up)
        async with asyncio.TaskGroup() as group:
            for lane, wanted in zip(lanes, self._wanted, strict=True):
                group.create_task(self._lane(lane, wanted))

    async def _take_up(self) -> None:
        now = self._clock.now()
        await self._write(lambda c: outbox.take_up(c, now))

    async def _patiently(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Try again while the database refuses; its own trouble is told by those who write runs."""
        done = False
        while not done:
            try:
                await work()
                done = True
            except StorageProblem as problem:
                log.warning("The outbox cannot be used now: %s", problem)
                done = self._stopping
                await asyncio.sleep(0 if done else 1)

    async def _lane(self, lane: str, wanted: asyncio.Event) -> None:
        while not self._stopping:
            wanted.clear()
            await self._patiently(lambda: self._turn(lane))
            pause = await self._until_due(lane)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await wanted.wait()

    async def _turn(self, lane: str) -> None:
        """Send what is due, some at once, until nothing is."""
        while not self._stopping:
            now = self._clock.now()
            due = await self._next_due(lane, now)
            if due is None or due > now:
                return
            batches = await self._claim(lane)
            if not batches:
                return
            whose: dict[str, list[Batch]] = {}
            for batch in batches:
                whose.setdefault(batch.target, []).append(batch)
            await self._finish([asyncio.create_task(self._send_all(own)) for own in whose.values()])

    async def _next_due(self, lane: str, now: datetime) -> datetime | None:
        return await self._read(lambda c: outbox.next_due(c, lane, now))

    async def _claim(self, lane: str) -> list[Batch]:
        now = self._clock.now()
        return await self._write(
            lambda c: outbox.claim(c, lane, now, WIDTH, lambda: uuid.uuid4().hex)
        )

    async def _finish(self, jobs: list[asyncio.Task[None]]) -> None:
        """Wait for them; once a stop is asked for, only a little longer."""
        pending: set[asyncio.Task[None]] = set(jobs)
        stopping_since: float | None = None
        while pending:
            done, pending = await asyncio.wait(pending, timeout=0.5)
            for job in done:
                job.result()
            if self._stopping:
                now = asyncio.get_running_loop().time()
                stopping_since = stopping_since or now
                if now - stopping_since > LAST_WORDS_S:
                    for job in pending:
                        job.cancel()  # stays `sending`: the next engine sends it again
                    await asyncio.gather(*pending, return_exceptions=True)
                    return

    async def _until_due(self, lane: str) -> float:
        now = self._clock.now()
        try:
            due = await self._next_due(lane, now)
        except StorageProblem:
            return 1.0
        if due is None:
            return LOOK_S
        return min(LOOK_S, max(0.01, (due - now).total_seconds()))

    # --- one message ---

    async def _send_all(self, batches: list[Batch]) -> None:
        """What one target is told, in its order; after a failure the rest waits for its turn."""
        for number, batch in enumerate(batches):
            if not await self._send(batch):
                await self._patiently(partial(self._put_back, batches[number + 1 :]))
                return

    async def _put_back(self, batches: list[Batch]) -> None:
        names = [batch.name for batch in batches]
        await self._write(lambda c: outbox.put_back(c, names))

    async def _send(self, batch: Batch) -> bool:
        """Whether it is settled for good."""
        try:
            await self._hand_over(batch)
        except Failure as failure:
            log.warning("Not told: %s", failure.problem)
            outcome: Failure | None = failure
        except Exception as error:  # a message that cannot be made stops no other one
            log.exception("A message cannot be made")
            outcome = Failure(f"{type(error).__name__}: {error}", permanent=batch.tries > 3)
        else:
            outcome = None
        await self._patiently(partial(self._settle, batch, outcome))
        return outcome is None or outcome.permanent

    async def _settle(self, batch: Batch, outcome: Failure | None) -> None:
        await (self._sent(batch) if outcome is None else self._failed(batch, outcome))

    async def _hand_over(self, batch: Batch) -> None:
        if batch.target.startswith(PING):
            await channels.ping(batch.rows[0]["facts"]["url"])
            return
        ways = self._ways()
        told = await asyncio.to_thread(told_of, self._database, batch.rows, ways.state_dir)
        threads = [
            f"incident-{one.incident_id}-{ways.installation[:12]}"
            for one in told
            if one.incident_id is not None
        ]
        await self.hand_over(batch.target, compose(told, _place(ways)), batch.name, threads)

    async def hand_over(self, target: str, message: Message, name: str, threads: list[str]) -> None:
        """Send a message by its way. Raises Failure."""
        ways = self._ways()
        if target.startswith(CHANNEL):
            channel = target.removeprefix(CHANNEL)
            if channel not in ways.channels:
                raise Failure(f"config.yaml names no channel {channel!r} under notifications.")
            await channels.send(channel, ways.channels[channel], message)
            return
        if ways.server is None:
            raise Failure("config.yaml names no mail server: set smtp.host.")
        to = target.removeprefix(MAIL)
        mail = as_mail(
            message, sender=ways.server.sender, to=to, name=name, host=ways.host,
            at=self._clock.now(), threads=threads,
        )  # fmt: skip
        await smtp.send(ways.server, mail, to)

    async def _sent(self, batch: Batch) -> None:
        now = self._clock.now()

        def write(connection: Connection) -> None:
            outbox.settle(connection, batch.name, Delivery.SENT, at=now)
            _note(connection, batch, "told", now, batch.target.partition(":")[2])

        await self._write(write)
        self._trouble(Trouble(_way(batch.target)))

    async def _failed(self, batch: Batch, failure: Failure) -> None:
        now = self._clock.now()
        age = now - batch.rows[0]["created_at"]
        limit = GIVE_UP_PING if batch.target.startswith(PING) else GIVE_UP
        gives_up = failure.permanent or age > limit
        due = now + timedelta(seconds=BACK_OFF_S[min(batch.tries, len(BACK_OFF_S)) - 1])

        def write(connection: Connection) -> None:
            if not gives_up:
                outbox.settle(
                    connection, batch.name, Delivery.WAITING, at=now, error=failure.problem,
                    due_at=due,
                )  # fmt: skip
                return
            outbox.settle(connection, batch.name, Delivery.GAVE_UP, at=now, error=failure.problem)
            _note(connection, batch, "not told", now, failure.problem)

        await self._write(write)
        self._trouble(Trouble(_way(batch.target), failure.problem, gives_up))

    # --- the database, from this loop ---

    async def _write(self, closure: Callable[[Connection], T]) -> T:
        return await asyncio.wrap_future(self._database.write(closure))

    async def _read(self, closure: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._database.read, closure)


def _way(target: str) -> str:
    return MAIL if target.startswith(MAIL) else target


def _note(connection: Connection, batch: Batch, kind: str, at: datetime, detail: str) -> None:
    about = {row["incident_id"] for row in batch.rows} - {None}
    incidents.note(
        connection, *(incidents.Note(one, kind, at, detail=detail) for one in sorted(about))
    )


def _place(ways: Ways) -> Place:
    return Place(ways.host, ways.zone, str(ways.state_dir))


def test_message(ways: Ways) -> Message:
    """What `cronpilot notify test` sends."""
    told = Told(Word.SUCCEEDED, Fault.FAILURE, "A test message", state="this way works")
    made = compose([told], _place(ways))
    return Message(f"[CronPilot] Test message from {ways.host}", made.body)
