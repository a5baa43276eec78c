"""A flood of events becomes few repaints."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import make_run, make_task
from cronpilot.client.messages import Gap, RunChanged, TaskChanged, TaskRemoved
from cronpilot.tui.inbox import Inbox


class Room:
    """Delivers nothing by itself: `pass_time` does."""

    def __init__(self):
        self.now = 0.0
        self.waiting = []
        self.delivered = []
        self.inbox = Inbox(self.delivered.append, self.later, lambda: self.now)

    def later(self, seconds, then):
        self.waiting.append((self.now + seconds, then))

    def pass_time(self, seconds):
        self.now += seconds
        due = [entry for entry in self.waiting if entry[0] <= self.now]
        self.waiting = [entry for entry in self.waiting if entry[0] > self.now]
        for _, then in due:
            then()


@pytest.fixture
def room():
    return Room()


def test_the_first_event_after_a_pause_is_delivered_at_once(room):
    room.inbox.add(TaskChanged(task=make_task()))
    room.pass_time(0)
    assert len(room.delivered) == 1


def test_a_thousand_events_in_a_second_are_delivered_five_times_at_most(room):
    for _ in range(1000):
        room.inbox.add(RunChanged(run=make_run()))
        room.pass_time(0.001)
    room.pass_time(1)
    assert 4 <= len(room.delivered) <= 5


def test_only_the_newest_state_of_a_thing_is_delivered(room):
    room.inbox.add(TaskChanged(task=make_task(version=1)))
    room.inbox.add(TaskChanged(task=make_task(version=2)))
    room.pass_time(0)
    assert room.delivered[0].tasks[1].version == 2


def test_a_task_that_was_removed_is_not_changed_as_well(room):
    room.inbox.add(TaskChanged(task=make_task()))
    room.inbox.add(TaskRemoved(task_id=1))
    room.pass_time(0)
    assert room.delivered[0].tasks == {}
    assert room.delivered[0].removed == {1}


def test_a_gap_is_passed_on(room):
    room.inbox.add(Gap())
    room.pass_time(0)
    assert room.delivered[0].gap
