"""A real mail server for tests: STARTTLS and a password, or whatever goes wrong with one."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from cronpilot.config.telling_settings import SmtpSettings

DATA = Path(__file__).parent.parent / "data" / "mail"
USER, PASSWORD = "cronpilot", "hunter2-in-a-file"


class MailServer:
    """What it was sent, and how it behaves.

    Attributes:
        mails: what it took, in order, with `X-To` for the recipient of the envelope.
        answers: what it says to the next messages instead of taking them: `451 Try later`.
        refused: recipients whom it does not know.
        hold: while this is clear, it keeps whoever sends waiting.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []
        self.refused: set[str] = set()
        self.hold = threading.Event()
        self.hold.set()
        self.asked = threading.Event()  # set when somebody has sent all of a message
        self.port = 0
        self.end: tuple[asyncio.AbstractEventLoop, asyncio.Event]

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refused:
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.asked.set()
        await asyncio.to_thread(self.hold.wait, 60)
        if self.answers:
            return self.answers.pop(0)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        mail["X-To"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 Taken"

    def settings(self, folder: Path, **other: Any) -> SmtpSettings:
        """How to reach it, with the password in a file."""
        (folder / "password").write_text(f"{PASSWORD}\n")
        given = {
            "host": "localhost", "port": self.port, "user": USER, "timeout": "20s",
            "password_file": folder / "password", "from": "cronpilot@example.org",
            "ca_file": DATA / "cert.pem", **other,
        }  # fmt: skip
        return SmtpSettings.model_validate(given)

    def body(self, index: int = 0) -> str:
        """The text of a mail."""
        return str(self.mails[index].get_content()).replace("\r\n", "\n")

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


def check_password(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> Any:
    right = isinstance(auth, LoginPassword) and auth == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=right, handled=right)


@contextmanager
def mail_server(*, tls: bool = False) -> Iterator[MailServer]:
    """It answers on 127.0.0.1 until the end of the block; STARTTLS, or TLS from the first byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "cert.pem", DATA / "key.pem")
    server, ready, ended = MailServer(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: SMTP(
                server, hostname="test.invalid", authenticator=check_password, auth_required=True,
                tls_context=None if tls else context, require_starttls=not tls, loop=loop,
                auth_require_tls=not tls,  # else it thinks of STARTTLS alone
            ),
            "127.0.0.1", 0, ssl=context if tls else None,
        )  # fmt: skip
        server.port, server.end = listening.sockets[0].getsockname()[1], (loop, ended)
        ready.set()
        await ended.wait()
        listening.close()

    thread = threading.Thread(target=asyncio.run, args=[serve()], name="mail server")
    thread.start()
    assert ready.wait(30)
    try:
        yield server
    finally:
        server.hold.set()
        loop, event = server.end
        loop.call_soon_threadsafe(event.set)
        thread.join()
