"""A message says what a person needs, and nothing from outside does harm in it."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cronpilot.domain.incident import Fault, Word
from cronpilot.notify.message import LINES, LONGEST, Place, Told, as_mail, compose, secrets_of, tail

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PLACE = Place("web1", UTC, "/var/lib/cronpilot")


def failed(**fields: Any) -> Told:
    """A backup that failed after a minute and ten seconds."""
    given: dict[str, Any] = {
        "word": Word.OPENED, "fault": Fault.FAILURE, "task": "backup-db",
        "state": "failed with exit code 2", "run_id": 12, "incident_id": 3, "since": NOON,
        "scheduled_for": NOON, "started_at": NOON, "finished_at": NOON + timedelta(seconds=70),
        "usual_s": 240.0, "command": "pg_dump shop", "lines": ["one", "two"], **fields,
    }  # fmt: skip
    return Told(**given)


def mail_of(*told: Told) -> email.message.EmailMessage:
    mail = as_mail(compose(told, PLACE), sender="cronpilot@example.org", to="ops@example.org",
                   name="abc", host="web1", at=NOON, threads=["incident-3"])  # fmt: skip
    read = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert isinstance(read, email.message.EmailMessage)
    return read


def test_all_that_a_person_needs_is_there():
    message = compose([failed()], PLACE)

    assert message.subject == "[CronPilot] backup-db failed with exit code 2 on web1"
    assert (
        message.body
        == """\
backup-db failed with exit code 2.

  Host:      web1
  Run:       12
  Result:    failed with exit code 2
  Slot:      2026-03-04 12:00:00 UTC
  Started:   2026-03-04 12:00:00 UTC
  Ended:     2026-03-04 12:01:10 UTC
  Took:      1m10s (usually 4m00s)
  Since:     2026-03-04 12:00:00 UTC

Command:

  | pg_dump shop

The last 2 lines of output:

  | one
  | two

To look further, on web1:

  cronpilot show 12
  cronpilot logs 12
  cronpilot incidents 3
  cronpilot ack 3
  cronpilot snooze 3 --until 2h

--\x20
CronPilot\x20on\x20web1,\x20/var/lib/cronpilot
"""
    )


@pytest.mark.parametrize(("told", "subject"), [
    ({"word": Word.RECOVERED}, "backup-db recovered"),
    ({"word": Word.SUCCEEDED}, "backup-db succeeded"),
    ({"word": Word.REMINDED}, "backup-db still fails"),
    ({"fault": Fault.LONG}, "backup-db takes too long"),
    ({"fault": Fault.LATE}, "backup-db is late"),
    ({"fault": Fault.SILENT}, "backup-db had no success for too long"),
    ({"fault": Fault.LONG, "word": Word.RECOVERED}, "backup-db is as usual again"),
])  # fmt: skip
def test_the_subject_says_task_verdict_and_host(told, subject):
    assert compose([failed(**told)], PLACE).subject == f"[CronPilot] {subject} on web1"


def test_many_of_a_kind_are_one_message():
    message = compose([failed(task=f"job-{n}", incident_id=n) for n in range(60)], PLACE)

    assert message.subject == (
        "[CronPilot] 60 tasks failed on web1: job-0, job-1, job-2, job-3, job-4 and 55 more"
    )
    assert "  job-7 failed with exit code 2  (incident 7)" in message.body
    assert "... and 10 more." in message.body


def test_a_name_that_means_harm_is_no_header():
    mail = mail_of(failed(task="x\r\nBcc: all@example.org\r\n\r\n<b>", state="\x1b[31mfailed"))

    assert sorted(mail.keys()) == [
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From",
        "MIME-Version", "Message-ID", "References", "Subject", "To",
    ]  # fmt: skip
    assert mail["To"] == "ops@example.org"
    assert "Bcc" in mail["Subject"]
    assert mail["Message-ID"] == "<abc@example.org>"


@example("x" * 400, [])
@given(st.text(max_size=400), st.lists(st.text(max_size=2000), max_size=60))
def test_whatever_comes_from_outside_the_mail_is_short_lines_of_harmless_text(name, lines):
    told = failed(task=name, state=name, detail=name, command=name, lines=lines)
    mail = mail_of(told, failed())
    assert len(mail["Subject"]) <= 160
    raw = as_mail(compose([told], PLACE), sender="a@b", to="c@d", name="n", host="h", at=NOON)
    wire = raw.as_bytes()

    assert all(len(line) <= 78 or b": " in line for line in wire.split(b"\r\n"))
    assert not set(wire) & set(range(32)) - {9, 10, 13}
    body = compose([told], PLACE).body
    assert max(map(len, body.split("\n"))) <= LONGEST + 30
    assert not any(ord(char) < 32 and char != "\n" for char in body)


def test_only_the_last_lines_are_told_and_a_huge_one_is_cut():
    body = compose([failed(lines=[f"line {n}" for n in range(80)] + ["x" * 10**6])], PLACE).body

    assert "line 30\n" not in body
    assert "line 31\n" in body
    assert f"  | {'x' * (LONGEST - 1)}…\n" in body
    assert f"The last {LINES} lines of output:" in body


def test_secrets_are_hidden_in_command_and_output():
    told = failed(
        command="mysql -phunter22 --url=mysql://root:pw@h/x",
        lines=["connecting with hunter22", "token=abcdef", "Authorization: Bearer xyz123"],
        secrets=secrets_of({"MYSQL_PWD": "hunter22", "HOME": "/root", "PIN": "12"}),
    )

    body = compose([told], PLACE).body

    for secret in ("hunter22", "pw@", "abcdef", "xyz123"):
        assert secret not in body
    assert "mysql -p*** --url=mysql://root:***@h/x" in body


@pytest.mark.parametrize(("data", "whole", "lines"), [
    (b"a\nb\n", True, ["a", "b"]), (b"alf a line\nb\n", False, ["b"]), (b"", True, []),
    (b"10%\r50%\r100%\r\ndone", True, ["100%", "done"]), (b"\xff\n", True, ["\ufffd"]),
    (b"no end of line", False, ["no end of line"]),
])  # fmt: skip
def test_the_end_of_the_output(data, whole, lines):
    assert tail(data, whole=whole) == lines
