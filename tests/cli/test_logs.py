"""logs, into a pipe: the bytes as they are. (On a terminal: test_terminal.)"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import pytest

from cronpilot.client.fake import make_run
from cronpilot.client.messages import LogChunk
from cronpilot.domain.run import Status

from .conftest import Cronpilot, Running


def test_the_log_of_a_run_is_its_raw_bytes(cronpilot: Cronpilot, engine: Running) -> None:
    engine.do(lambda: engine.fake.append_log(1, b"\xff\x00\x1b[2J\r"))

    assert cronpilot("logs", "1").raw == b"one\ntwo\n\xff\x00\x1b[2J\r"


def test_a_long_log_comes_whole(cronpilot: Cronpilot, engine: Running) -> None:
    engine.do(lambda: engine.fake.append_log(2, b"0123456789" * 100_000))

    assert len(cronpilot("logs", "2").raw) == 1_000_008


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("0", b""),
        ("1", b"three"),
        ("2", b"\nthree"),
        ("3", b"two\n\nthree"),
        ("9", b"one\ntwo\n\nthree"),
    ],
)
def test_only_the_last_lines(
    cronpilot: Cronpilot, engine: Running, lines: str, expected: bytes
) -> None:
    engine.do(lambda: engine.fake.append_log(1, b"\nthree"))

    assert cronpilot("logs", "1", "-n", lines).raw == expected


def test_the_last_lines_of_a_log_of_many_pieces(cronpilot: Cronpilot, engine: Running) -> None:
    log = b"".join(b"%07d\n" % number for number in range(100_000))
    engine.do(lambda: engine.fake.append_log(2, log))

    said = cronpilot("logs", "2", "--lines", "70000")

    assert said.raw == log[30_000 * 8 :]


def test_a_name_means_the_run_that_goes_on(cronpilot: Cronpilot, engine: Running) -> None:
    engine.do(lambda: engine.fake.put_run(make_run(7, status=Status.SUCCESS, log_size=3)))
    engine.do(lambda: engine.fake.append_log(7, b"old"))
    engine.do(lambda: engine.fake.put_run(make_run(8, status=Status.QUEUED, attempts=0)))

    assert cronpilot("logs", "backup-db").raw == b"one\ntwo\n"


def test_a_name_means_else_the_newest_run_that_printed(
    cronpilot: Cronpilot, engine: Running
) -> None:
    def put(run_id: int, log: bytes, status: Status = Status.SUCCESS) -> None:
        engine.fake.append_log(run_id, log)
        engine.fake.put_run(make_run(run_id, task_id=2, status=status, log_size=len(log)))

    engine.do(lambda: put(5, b"older"))
    engine.do(lambda: put(6, b"newer"))
    engine.do(lambda: put(7, b""))
    engine.do(lambda: put(8, b"", Status.SKIPPED))

    assert cronpilot("logs", "report").raw == b"newer"


def test_follow_ends_with_the_run(
    cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = threading.Event()
    follow_log = engine.fake.follow_log

    def noticed(run_id: int, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        following.set()
        return follow_log(run_id, offset=offset)

    def go_on() -> None:
        assert following.wait(30)
        engine.do(lambda: engine.fake.append_log(1, b"three\n"))
        engine.do(lambda: engine.fake.finish(1))

    monkeypatch.setattr(engine.fake, "follow_log", noticed)
    later = threading.Thread(target=go_on)
    later.start()
    said = cronpilot("logs", "-f", "backup-db", "-n", "1")
    later.join()

    assert (said.code, said.raw) == (0, b"two\nthree\n")


def test_as_json_it_is_one_document(cronpilot: Cronpilot) -> None:
    document = cronpilot("logs", "2", "--json").json

    assert document["run"]["id"] == 2
    assert document["text"] == "\x1b[2Jbad\n"


def test_a_run_that_could_not_be_started_says_why_it_has_no_log(
    cronpilot: Cronpilot, engine: Running
) -> None:
    why = "The working directory cannot be entered: /nope."
    run = make_run(9, task_id=2, status=Status.ERROR, attempts=0, detail=why)
    engine.do(lambda: engine.fake.put_run(run))

    said = cronpilot("logs", "report")

    sentence = f"Run 9 of report printed nothing: it could not be started. {why}"
    assert (said.code, said.err) == (2, f"cronpilot: {sentence}\n")


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        ("nope", "There is no task 'nope'. See: cronpilot list"),
        ("99", "There is no run '99'. See: cronpilot history"),
        ("report", "There is no log 'report'. See: cronpilot history"),
    ],
)
def test_no_log_is_exit_code_2(cronpilot: Cronpilot, which: str, sentence: str) -> None:
    said = cronpilot("logs", which)

    assert (said.code, said.err) == (2, f"cronpilot: {sentence}\n")


def test_grep_finds_what_is_seen_and_prints_what_is_there(
    cronpilot: Cronpilot, engine: Running
) -> None:
    log = b"\x1b[31mER\x1b[0mROR one\nquiet\nerror \xff two\n"
    engine.do(lambda: engine.fake.append_log(1, log))

    found = cronpilot("logs", "1", "--grep", "error")
    last = cronpilot("logs", "backup-db", "--grep", "error", "--tail", "1")
    exact = cronpilot("logs", "1", "--grep", "error", "--case")
    expression = cronpilot("logs", "1", "--grep", "^(one|qu)", "-E")
    document = cronpilot("logs", "1", "--grep", "two", "--json").json

    assert found.raw == b"\x1b[31mER\x1b[0mROR one\nerror \xff two\n"
    assert last.raw == exact.raw == b"error \xff two\n"
    assert expression.raw == b"one\nquiet\n"
    assert [line["spans"] for line in document["matches"]] == [[[0, 3]], [[8, 11]]]


def test_grep_goes_on_until_the_run_has_ended(cronpilot: Cronpilot, engine: Running) -> None:
    def go_on() -> None:
        engine.do(lambda: engine.fake.append_log(1, b"two more\nthree\n"))
        engine.do(lambda: engine.fake.finish(1))

    later = threading.Timer(0.3, go_on)
    later.start()
    said = cronpilot("logs", "backup-db", "-f", "--grep", "two", "-n", "0")
    later.join()

    assert said.raw in (b"two more\n", b"")  # nothing, where the run was over before it was asked


def test_several_tasks_each_line_with_its_name(cronpilot: Cronpilot, engine: Running) -> None:
    run = make_run(5, task_id=2, task_name="report", status=Status.SUCCESS, log_size=4)
    engine.do(lambda: engine.fake.append_log(5, b"done"))
    engine.do(lambda: engine.fake.put_run(run))
    engine.do(lambda: engine.fake.finish(1))

    said = cronpilot("logs", "backup-db", "report", "-f")
    documents = cronpilot("logs", "backup-db", "report", "--json").json

    assert sorted(said.raw.splitlines()) == [
        b"backup-db | one", b"backup-db | two", b"report    | done"]  # fmt: skip
    assert [document["text"] for document in documents] == ["one\ntwo\n", "done"]


def test_how_to_read_a_pattern_needs_a_pattern(cronpilot: Cronpilot) -> None:
    said = cronpilot("logs", "1", "--regex")
    sentence = "--regex and --case say how to read TEXT of --grep. Add --grep TEXT."

    assert (said.code, said.err) == (
        2, f"cronpilot: {sentence}\n")  # fmt: skip
