"""What concerns people: incidents judged, alarms looked for, messages sent. Joins those parts, and
answers what front ends ask about them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cronpilot.client.actor import actor
from cronpilot.client.messages import Banner
from cronpilot.config.telling_settings import SmtpSettings
from cronpilot.domain.text import clean
from cronpilot.domain.zones import find_zone
from cronpilot.engine import alarms
from cronpilot.engine.clock import Clock
from cronpilot.engine.incident_views import IncidentReader, story_of
from cronpilot.engine.incidents import Judge, Telling
from cronpilot.engine.notices import Notices
from cronpilot.engine.telling import Teller, Trouble, Troubles, Ways, test_message
from cronpilot.engine.usual import Usuals
from cronpilot.errors import NotFound, Refused, StorageProblem
from cronpilot.notify import smtp
from cronpilot.notify.failures import Failure
from cronpilot.notify.rules import CHANNEL, MAIL, Defaults, targets
from cronpilot.storage import incidents, meta, outbox
from cronpilot.storage.database import Connection, Database

if TYPE_CHECKING:
    from datetime import datetime

    from cronpilot.client.incidents import Delivered, IncidentStory
    from cronpilot.engine.config import EngineConfig
    from cronpilot.engine.reading import Reader

T = TypeVar("T")
log = logging.getLogger("cronpilot.concerns")
Write = Callable[[Callable[[Connection], T]], Awaitable[T]]

JUDGE_S = 1.0  # ends within it are judged together: a commit costs more than a decision
LOOK_S = 15.0  # between two looks at what goes on
SILENCE_S = 60.0  # and at who is silent
TIDY_S = 3600.0
MOST_AT_ONCE = 20  # ends in one transaction: the writer has others to serve
KEPT = timedelta(days=90)  # of closed incidents
KEPT_SENT = timedelta(days=7)  # of messages that were sent or given up
PING_ALL = "ping_all"  # the setting by which the database knows that every run is pinged


class Concerns:
    """Lives in the engine's loop; decides in the writer's transactions, sends on its own thread."""

    def __init__(
        self,
        database: Database,
        config: EngineConfig,
        *,
        clock: Clock,
        reader: Reader,
        notices: Notices,
        soon: Callable[..., None],
        changed: Callable[[], None],
        usuals: Usuals,
    ) -> None:
        """
        Args:
            soon: calls something in the engine's loop, from any thread.
            changed: told when incidents have changed.
        """
        self._database, self._clock, self._reader = database, clock, reader
        self._notices, self._changed, self._usuals = notices, changed, usuals
        self._wanted = asyncio.Event()
        self._troubles = Troubles()
        self._state_dir, self._installation = config.state_dir, ""
        self.dropped = 0
        self._next_look = self._next_silence = self._next_tidy = 0.0
        self._use(config)
        self._teller = Teller(
            database, clock, lambda: self._ways, lambda trouble: soon(self._tell_trouble, trouble)
        )
        questions = IncidentReader(reader)
        self.incidents, self.incident = questions.incidents, questions.incident

    def _use(self, config: EngineConfig) -> None:
        self._smtp, self._told = config.smtp, config.notifications
        zone = find_zone(config.timezone)
        self._telling = Telling(
            Defaults(self._told.to, self._told.use, self._told.ping),
            self._told.gather, self._told.daily, zone,
        )  # fmt: skip
        self._ways = Ways(
            socket.gethostname(), zone, self._state_dir, _server(self._smtp),
            {name: one.read for name, one in self._told.channels.items()}, self._installation,
        )  # fmt: skip

    # --- life ---

    async def start(self, installation: str) -> None:
        """Take up what the last engine left unsent."""
        self._installation = installation
        self._ways = replace(self._ways, installation=installation)
        await self._write(self._remember_pings)
        await asyncio.to_thread(self._teller.start)

    def reconfigure(self, config: EngineConfig) -> None:
        """Go by other settings from now on."""
        self._use(config)
        self._database.write(self._remember_pings)
        self._teller.wake()
        self.heard()

    def _remember_pings(self, connection: Connection) -> None:
        meta.put(connection, PING_ALL, "1" if self._told.ping is not None else None)

    async def stop(self) -> None:
        """Send no more; what is being sent gets a little time."""
        await asyncio.to_thread(self._teller.stop)

    def heard(self) -> None:
        """A run may have ended."""
        self._wanted.set()

    def wake(self) -> None:
        """Something may be due to be sent."""
        self._teller.wake()

    async def run(self) -> None:
        """Judge what ends, and look at what does not, until cancelled."""
        while True:
            try:
                await self.judge()
                await self._look_if_due()
            except StorageProblem as problem:  # tried again
                log.warning("What has ended is judged later: %s", problem)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wanted.wait()
            await asyncio.sleep(JUDGE_S)
            self._wanted.clear()

    # --- deciding ---

    async def judge(self) -> None:
        """Judge all ends that nobody has judged."""
        while await self._reader.read(incidents.has_news):
            await self._decide(self._judge_some)

    def _judge_some(self, connection: Connection, judge: Judge) -> None:
        rows = incidents.unjudged(connection, MOST_AT_ONCE)
        judge.news(rows)
        if not rows:  # of runs that retention has taken meanwhile
            incidents.forget_news(connection, [])

    async def _look_if_due(self) -> None:
        elapsed = self._clock.elapsed()
        if elapsed < self._next_look:
            return
        self._next_look = elapsed + LOOK_S
        silence = elapsed >= self._next_silence
        if silence:
            self._next_silence = elapsed + SILENCE_S
        await self.look(silence=silence)
        if elapsed >= self._next_tidy:
            self._next_tidy = elapsed + TIDY_S
            await self._write(self._tidy)

    async def look(self, *, silence: bool = True) -> None:
        """One look at what goes on, what stands and who is silent."""
        now = self._clock.now()
        acts = await self._reader.read(
            lambda c: alarms.look(c, self._telling, self._usuals, now, silence=silence)
        )
        if acts:
            await self._decide(lambda _, judge: [act(judge) for act in acts])

    async def _decide(self, work: Callable[[Connection, Judge], object]) -> None:
        now = self._clock.now()

        def write(connection: Connection) -> tuple[bool, int]:
            judge = Judge(connection, self._telling, self._usuals, now)
            work(connection, judge)
            return judge.changed, judge.finish()

        changed, dropped = await self._write(write)
        self.dropped += dropped
        self._teller.wake()
        if changed:
            self._changed()

    def _tidy(self, connection: Connection) -> None:
        now = self._clock.now()
        incidents.forget_closed(connection, now - KEPT)
        outbox.forget(connection, now - KEPT_SENT)

    def _tell_trouble(self, trouble: Trouble) -> None:
        newest = self._troubles.after(trouble)
        if newest is None:
            self._notices.clear("notifications")
            return
        text, hint = newest
        self._notices.show(Banner(key="notifications", text=text, hint=hint))

    # --- what people do ---

    async def acknowledge(self, incident_id: int, *, note: str = "") -> IncidentStory:
        now, who = self._clock.now(), actor()

        def write(connection: Connection) -> IncidentStory:
            row = _open_one(connection, incident_id)
            incidents.acknowledge(connection, incident_id, at=now, by=who)
            meta.note(connection, at=now, actor=who, action="acknowledge incident",
                      task_id=row["task_id"], detail=f"incident {incident_id}")  # fmt: skip
            incidents.note(
                connection,
                incidents.Note(incident_id, "acknowledged", now, who, detail=clean(note)),
            )
            return story_of(connection, incident_id)

        return self._and_told(await self._write(write))

    async def snooze(self, incident_id: int, *, until: datetime | None) -> IncidentStory:
        now, who = self._clock.now(), actor()
        if until is not None and until <= now:
            raise Refused("That moment has passed.", "Give one to come, such as 2h.")

        def write(connection: Connection) -> IncidentStory:
            row = _open_one(connection, incident_id)
            incidents.snooze(connection, incident_id, until)
            said = "no longer" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
            meta.note(connection, at=now, actor=who, action="snooze incident",
                      task_id=row["task_id"], detail=f"incident {incident_id} {said}")  # fmt: skip
            incidents.note(
                connection, incidents.Note(incident_id, "snoozed", now, who, detail=said)
            )
            return story_of(connection, incident_id)

        return self._and_told(await self._write(write))

    def _and_told(self, story: IncidentStory) -> IncidentStory:
        self._changed()
        return story

    async def test_notification(self, *, to: str | None = None) -> list[Delivered]:
        names = self._test_targets(to)
        if not names:
            raise Refused(
                "config.yaml names nobody to tell.",
                "Set notifications.to, or name somebody: cronpilot notify test --to ADDRESS",
            )
        return [await self._try(name) for name in names]

    def _test_targets(self, to: str | None) -> list[str]:
        from cronpilot.domain.notify import NotifyRules, check_address

        if to is None:
            return targets(NotifyRules(), self._telling.defaults)
        if to in self._told.channels:
            return [CHANNEL + to]
        try:
            return [MAIL + check_address(to)]
        except ValueError as error:
            raise Refused(f"{error}, nor a channel of config.yaml.") from error

    async def _try(self, target: str) -> Delivered:
        from cronpilot.client.incidents import Delivered

        began = time.monotonic()
        sending = self._teller.hand_over(target, test_message(self._ways), uuid.uuid4().hex, [])
        try:
            await asyncio.wrap_future(self._teller.ask(sending))
        except Failure as failure:
            return Delivered(
                target=target, error=failure.problem, took_s=time.monotonic() - began
            )  # fmt: skip
        return Delivered(target=target, took_s=time.monotonic() - began)

    # --- odds ---

    async def _write(self, closure: Callable[[Connection], T]) -> T:
        return await asyncio.wrap_future(self._database.write(closure))


def _open_one(connection: Connection, incident_id: int) -> Mapping[Any, Any]:
    row = incidents.one(connection, incident_id)
    if row is None:
        raise NotFound("incident", str(incident_id))
    if row["closed_at"] is not None:
        raise Refused(f"Incident {incident_id} is over.")
    return row


def _server(settings: SmtpSettings) -> smtp.Server | None:
    if settings.host is None:
        return None
    user = settings.user or ""
    sender = settings.sender or (user if "@" in user else f"cronpilot@{socket.gethostname()}")
    return smtp.Server(
        settings.host, settings.port_in_force, settings.security, settings.user,
        settings.password, sender, settings.timeout.total_seconds(),
        None if settings.ca_file is None else str(settings.ca_file),
    )  # fmt: skip
