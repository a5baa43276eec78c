"""What people read: subject and body of a message, and how it becomes an e-mail. Pure.

Names, commands and output come from outside. In a message they are text of one line each, with
control characters shown and not obeyed, and without what looks like a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from cronpilot.domain.duration_text import short_length
from cronpilot.domain.incident import Fault, Word
from cronpilot.domain.secrets import HIDDEN, is_secret_name, mask_value
from cronpilot.domain.text import clean

if TYPE_CHECKING:
    from email.message import EmailMessage

LINES = 50
"""Lines of output in a message about one run."""
LONGEST = 300
"""Characters of one line; what is longer is cut, and says so."""
MOST_LISTED = 50
"""Tasks that a message about many of them names."""
SUBJECT = 150
_NAME = 200  # of a task, in a sentence: what is said of it comes behind
_SHORTEST_SECRET = 4  # a secret of fewer characters would hide half of the output


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is told, as plain values.

    Attributes:
        task: its name; any text.
        state: how the run ended, in words: `failed with exit code 2`.
        detail: a sentence more, may be empty.
        usual_s: what it usually takes.
        lines: the end of its output.
        unknown_output: why there is none to show.
    """

    word: Word
    fault: Fault
    task: str
    state: str = ""
    detail: str = ""
    run_id: int | None = None
    incident_id: int | None = None
    scheduled_for: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    since: datetime | None = None
    count: int = 1
    usual_s: float | None = None
    attempts: int = 0
    command: str = ""
    lines: Sequence[str] = ()
    unknown_output: str = ""
    secrets: Sequence[str] = field(default=(), repr=False)


class Place(NamedTuple):
    """Where it comes from: the machine, and the clock that times are shown on."""

    host: str
    zone: tzinfo
    state_dir: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, whichever way."""

    subject: str
    body: str


def compose(told: Sequence[Told], place: Place) -> Message:
    """One message about one thing, or about several of a kind."""
    lines = _one(told[0], place) if len(told) == 1 else _many(told, place)
    subject = _subject(told, place)
    return Message(_cut(subject, SUBJECT), "\n".join([*lines, "", "-- ", _signature(place)]) + "\n")


def _subject(told: Sequence[Told], place: Place) -> str:
    host = clean(place.host)
    if len(told) == 1:
        one = told[0]
        return f"[CronPilot] {_cut(clean(one.task), 60)} {_verdict(one)} on {host}"
    names = ", ".join(_cut(clean(one.task), 30) for one in told[:5])
    more = f" and {len(told) - 5} more" if len(told) > 5 else ""
    return f"[CronPilot] {len(told)} tasks {_verdict_of_many(told)} on {host}: {names}{more}"


_HAPPENS = {
    Fault.FAILURE: "fails",
    Fault.LATE: "is late",
    Fault.LONG: "takes too long",
    Fault.SKIPPED: "is skipped again and again",
    Fault.SILENT: "had no success for too long",
}
_HAPPENS_TO_MANY = {
    Fault.FAILURE: "failed",
    Fault.LATE: "are late",
    Fault.LONG: "take too long",
    Fault.SKIPPED: "are skipped again and again",
    Fault.SILENT: "had no success for too long",
}


def _verdict(one: Told) -> str:
    match one.word:
        case Word.SUCCEEDED:
            return "succeeded"
        case Word.RECOVERED:
            return "recovered" if one.fault is Fault.FAILURE else "is as usual again"
        case Word.REMINDED:
            return f"still {_HAPPENS[one.fault]}"
        case Word.OPENED | Word.REPEATED | Word.BREWING if one.fault is Fault.FAILURE:
            return clean(one.state) or "failed"
        case _:
            return _HAPPENS[one.fault]


def _verdict_of_many(told: Sequence[Told]) -> str:
    match told[0].word:
        case Word.SUCCEEDED:
            return "succeeded"
        case Word.RECOVERED:
            return "recovered"
        case Word.REMINDED:
            return "need attention"
        case _:
            return _HAPPENS_TO_MANY[told[0].fault]


# --- one thing -----------------------------------------------------------------------------------


def _one(one: Told, place: Place) -> Iterator[str]:
    hidden = _Hider(one.secrets)
    yield _cut(f"{_cut(clean(one.task), _NAME)} {_verdict(one)}.", LONGEST)
    if one.detail:
        yield hidden(one.detail)
    yield ""
    for name, value in _facts(one, place):
        yield f"  {name + ':':11}{value}"
    if one.command:
        yield from _block("Command", [hidden(line) for line in one.command.splitlines()[:20]])
    if one.lines:
        count = min(len(one.lines), LINES)
        title = "The last line of its output" if count == 1 else f"The last {count} lines of output"
        yield from _block(title, [hidden(line) for line in one.lines[-LINES:]])
    elif one.unknown_output:
        yield from ("", hidden(one.unknown_output))
    yield from _further(one, place)


def _facts(one: Told, place: Place) -> Iterator[tuple[str, str]]:
    yield "Host", clean(place.host)
    if one.run_id is not None:
        yield "Run", str(one.run_id)
    if one.state:
        yield "Result", _cut(clean(one.state), LONGEST)
    if one.scheduled_for is not None:
        yield "Slot", when(one.scheduled_for, place.zone)
    if one.started_at is not None:
        yield "Started", when(one.started_at, place.zone)
    if one.finished_at is not None:
        yield "Ended", when(one.finished_at, place.zone)
    if one.started_at is not None and one.finished_at is not None:
        usual = f" (usually {how_long(one.usual_s)})" if one.usual_s is not None else ""
        took = max(0.0, (one.finished_at - one.started_at).total_seconds())
        yield "Took", how_long(took) + usual
    if one.attempts > 1:
        yield "Attempts", str(one.attempts)
    if one.since is not None and one.word is not Word.SUCCEEDED:
        row = f", {one.count} in a row" if one.count > 1 else ""
        yield "Since", when(one.since, place.zone) + row


def _block(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from ("", f"{title}:", "")
    yield from (f"  | {line}".rstrip() for line in lines)


def _further(one: Told, place: Place) -> Iterator[str]:
    yield from ("", f"To look further, on {clean(place.host)}:", "")
    if one.run_id is not None:
        yield f"  cronpilot show {one.run_id}"
        yield f"  cronpilot logs {one.run_id}"
    if one.incident_id is not None:
        yield f"  cronpilot incidents {one.incident_id}"
        if one.word in (Word.OPENED, Word.REMINDED):
            yield f"  cronpilot ack {one.incident_id}"
            yield f"  cronpilot snooze {one.incident_id} --until 2h"


# --- many ----------------------------------------------------------------------------------------


def _many(told: Sequence[Told], place: Place) -> Iterator[str]:
    yield f"{len(told)} tasks {_verdict_of_many(told)} on {clean(place.host)}."
    yield ""
    for one in told[:MOST_LISTED]:
        hidden = _Hider(one.secrets)
        number = f"  (incident {one.incident_id})" if one.incident_id is not None else ""
        yield f"  {_cut(clean(one.task), 60)} {_verdict(one)}{number}"
        since = f"since {when(one.since, place.zone)}" if one.since is not None else ""
        row = f"{one.count} in a row" if one.count > 1 else ""
        run = f"run {one.run_id}" if one.run_id is not None else ""
        facts = ", ".join(part for part in (run, since, row, hidden(one.detail)) if part)
        if facts:
            yield f"      {facts}"
        for line in one.lines[-2:]:
            yield f"      | {hidden(line)}".rstrip()
    if len(told) > MOST_LISTED:
        yield f"  ... and {len(told) - MOST_LISTED} more."
    yield from ("", f"To look further, on {clean(place.host)}:", "", "  cronpilot incidents")


def _signature(place: Place) -> str:
    where = f", {clean(place.state_dir)}" if place.state_dir else ""
    return f"CronPilot on {clean(place.host)}{where}"


# --- words ---------------------------------------------------------------------------------------


def when(at: datetime, zone: tzinfo) -> str:
    """`2026-03-05 02:30:00 CET`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def how_long(seconds: float | None) -> str:
    """`0.4 s`, `42 s`, `1m05s`, `2h03m`, `3d04h`."""
    return "unknown" if seconds is None else short_length(seconds, gap=" ")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


class _Hider:
    """Makes text from outside fit to be sent: one line, harmless, without secrets, not endless."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = sorted(set(secrets), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        text = text[: 10 * LONGEST]  # the rest is cut anyway, and may be gigabytes
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _cut(clean(mask_value(text)), LONGEST)


def secrets_of(variables: Mapping[str, str]) -> list[str]:
    """The values of variables whose name says that they are secret."""
    return [
        value
        for name, value in variables.items()
        if is_secret_name(name) and len(value) >= _SHORTEST_SECRET
    ]


def tail(data: bytes, *, whole: bool) -> list[str]:
    """The last lines of output. `whole`: `data` begins where a line does."""
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if not whole and len(lines) > 1:
        lines = lines[1:]
    # What overwrites its own line (a progress bar) is worth what it said last.
    return [line.rstrip("\r").rpartition("\r")[2] for line in lines[-LINES:]]


# --- as e-mail -----------------------------------------------------------------------------------


def as_mail(
    message: Message,
    *,
    sender: str,
    to: str,
    name: str,
    host: str,
    at: datetime,
    threads: Iterable[str] = (),
) -> EmailMessage:
    """The message as an e-mail.

    Args:
        name: of the message; the same again gives the same Message-ID, by which a mail system knows
            it for the same.
        threads: what it belongs to; mail programs show the same threads together.
    """
    # Most engines send nothing for days.
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime

    domain = _domain(sender, host)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("CronPilot", addr_spec=sender) if "@" in sender else sender
    mail["To"] = to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{name}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    references = " ".join(f"<{thread}@{domain}>" for thread in list(threads)[:10])
    if references:
        mail["References"] = references
    mail.set_content(message.body, charset="utf-8", cte="quoted-printable")
    return mail


def _domain(sender: str, host: str) -> str:
    domain = sender.rpartition("@")[2] if "@" in sender else host
    return "".join(c for c in domain if c.isascii() and (c.isalnum() or c in ".-")) or "localhost"
