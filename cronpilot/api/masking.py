"""What a viewer sees of an engine: everything, but what looks like a secret is masked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from cronpilot.client import Client
from cronpilot.client.comparison import Comparison
from cronpilot.client.messages import (
    Event,
    FieldChange,
    FileDifference,
    RevisionView,
    TaskChanged,
    TaskPage,
    TaskQuery,
    TaskView,
)
from cronpilot.domain.command_secrets import mask_command, mask_words
from cronpilot.domain.notify import NotifyRules
from cronpilot.domain.secrets import HIDDEN, mask, mask_value


def for_viewer(engine: Client) -> Client:
    """The same engine, seen through a mask."""
    return cast("Client", _ThroughAMask(engine))


class _ThroughAMask:
    def __init__(self, engine: Client) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)  # what has no secrets in it

    async def tasks(self, query: TaskQuery) -> TaskPage:
        page = await self._engine.tasks(query.model_copy(update={"in_commands": False}))
        return page.model_copy(update={"rows": [masked_task(task) for task in page.rows]})

    async def task(self, task_id: int) -> TaskView:
        return masked_task(await self._engine.task(task_id))

    async def find_task(self, name: str, *, archived: bool = False) -> TaskView:
        return masked_task(await self._engine.find_task(name, archived=archived))

    async def revisions(self, task_id: int, *, limit: int = 50) -> list[RevisionView]:
        return [_masked(found) for found in await self._engine.revisions(task_id, limit=limit)]

    async def differences(self) -> list[FileDifference]:
        return [_masked(found) for found in await self._engine.differences()]

    async def compare(
        self, run_id: int, *, against: int | None = None, exact: bool = False
    ) -> Comparison:
        found = await self._engine.compare(run_id, against=against, exact=exact)
        definition = [_masked_change(change) for change in found.definition]
        return found.model_copy(update={"definition": definition})

    async def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        async with aclosing(self._engine.events(after=after)) as events:  # type: ignore[type-var]
            async for event in events:
                yield masked_event(event)


def masked_task(task: TaskView) -> TaskView:
    """The task without what looks like a secret in its variables and its command."""
    return task.model_copy(
        update={
            "env": mask(task.env),
            "command": _masked_command(task.command),
            "notify": _without_addresses(task.notify),
        }
    )


def _without_addresses(rules: NotifyRules) -> NotifyRules:
    """Whoever knows the address of a ping can say that all is well."""
    if rules.ping is None:
        return rules
    hidden = {name: HIDDEN for name, url in rules.ping if url is not None}
    return rules.model_copy(update={"ping": rules.ping.model_copy(update=hidden)})


def masked_event(event: Event) -> Event:
    """The event, with its task masked if it has one."""
    if not isinstance(event, TaskChanged):
        return event
    return event.model_copy(update={"task": masked_task(event.task)})


def _masked(found: Any) -> Any:
    return found.model_copy(update={"changes": [_masked_change(c) for c in found.changes]})


def _masked_change(change: FieldChange) -> FieldChange:
    return change.model_copy(
        update={
            "before": _masked_value(change.field, change.before),
            "after": _masked_value(change.field, change.after),
        }
    )


def _masked_command(command: str | list[str]) -> str | list[str]:
    return mask_command(command) if isinstance(command, str) else mask_words(command)


def _masked_value(field: str, value: Any) -> Any:
    match value:
        case str() | list() if field == "command":
            return _masked_command(value)
        case dict() if field == "env":
            return mask({str(name): str(said) for name, said in value.items()})
        case {"ping": dict(ping)} if field == "notify":
            return {**value, "ping": dict.fromkeys(ping, HIDDEN)}
        case str():
            return mask_value(value)
        case list():
            return [mask_value(word) if isinstance(word, str) else word for word in value]
        case _:
            return value
