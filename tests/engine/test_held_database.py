"""A screen that finds its database held by an engine that does not answer (yet)."""

from __future__ import annotations

import socket
from threading import Timer

import pytest

from cronpilot.bootstrap import screen
from cronpilot.errors import StateDirectoryBusy
from cronpilot.storage.lock import DatabaseLock


@pytest.fixture
def held(tmp_path):
    """The lock of an engine that starts, or ends."""
    lock = DatabaseLock(tmp_path / "db")
    assert lock.take()
    yield lock
    lock.release()


@pytest.fixture
def ours(held, tmp_path):
    lock = DatabaseLock(tmp_path / "db")
    yield lock
    lock.release()


def test_it_attaches_to_one_that_begins_to_answer(ours, tmp_path):
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "socket"))
        begin = Timer(0.2, engine.listen)
        begin.start()
        assert screen.somebody_answers(ours, tmp_path / "socket")
        begin.join()


def test_it_takes_over_from_one_that_ends(held, ours, tmp_path):
    end = Timer(0.2, held.release)
    end.start()
    assert not screen.somebody_answers(ours, tmp_path / "socket")
    end.join()
    assert not DatabaseLock(tmp_path / "db").take()  # it is ours


def test_it_says_for_what_it_waits(held, ours, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(screen, "PATIENCE_S", -1)
    end = Timer(0.2, held.release)
    end.start()
    screen.somebody_answers(ours, tmp_path / "socket")
    end.join()
    said = capsys.readouterr().err
    assert said.count("does not answer. Waiting for it") == 1
    assert "pid" in said


def test_it_gives_up_after_a_minute(ours, tmp_path, monkeypatch):
    monkeypatch.setattr(screen, "ANSWER_S", 0.1)
    with pytest.raises(StateDirectoryBusy, match="does not answer"):
        screen.somebody_answers(ours, tmp_path / "socket")
