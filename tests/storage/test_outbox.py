"""What is to be told, and when there is something to send."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest

from cronpilot.storage import outbox
from cronpilot.storage.database import Database
from cronpilot.storage.tables import Delivery

from .making import MINUTE, NOON


@pytest.fixture
def names():
    numbers = count(1)
    return lambda: f"batch {next(numbers)}"


def letter(alike: str, due_at: datetime = NOON, target: str = "mail:ops@example.com"):
    return outbox.Letter(target, alike, due_at)


def next_due(database: Database, now: datetime = NOON) -> datetime | None:
    return database.read(lambda c: outbox.next_due(c, "mail:", now))


def claimed(database: Database, names, now: datetime = NOON) -> list[outbox.Batch]:
    return database.write(lambda c: outbox.claim(c, "mail:", now, 8, names)).result()


def kept(database: Database, *letters: outbox.Letter) -> None:
    database.write(lambda c: outbox.add(c, letters, NOON)).result()


def settled(database: Database, name: str, status: Delivery, due_at: datetime | None = None):
    database.write(lambda c: outbox.settle(c, name, status, at=NOON, due_at=due_at)).result()


def test_what_waits_behind_a_message_that_is_tried_again_is_not_due_before_it(database, names):
    """Else the sender would look for something to send without a pause, as long as it waits."""
    kept(database, letter("opened"), letter("recovered"))
    first, second = claimed(database, names)
    settled(database, first.name, Delivery.WAITING, NOON + 5 * MINUTE)
    database.write(lambda c: outbox.put_back(c, [second.name])).result()

    assert next_due(database) == NOON + 5 * MINUTE
    assert claimed(database, names) == []

    then = NOON + 5 * MINUTE
    assert next_due(database, then) <= then
    assert [batch.name for batch in claimed(database, names, then)] == [first.name, second.name]


def test_another_target_is_due_meanwhile(database, names):
    kept(database, letter("opened"))
    (first,) = claimed(database, names)
    settled(database, first.name, Delivery.WAITING, NOON + 5 * MINUTE)
    kept(database, letter("opened", NOON + MINUTE, "mail:other@example.com"))

    assert next_due(database) == NOON + MINUTE


@pytest.mark.parametrize("now", [NOON, NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE])
def test_there_is_something_to_claim_exactly_when_something_is_due(database, names, now):
    kept(database, letter("opened"), letter("recovered"), letter("late"))
    batches = claimed(database, names)
    for number, batch in enumerate(batches):
        settled(database, batch.name, Delivery.WAITING, NOON + number * MINUTE)
    kept(database, letter("more", NOON + timedelta(seconds=90)))

    due = next_due(database, now)
    assert due is not None
    assert bool(claimed(database, names, now)) == (due <= now)
