"""E-mail: one message to one recipient over one connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cronpilot.domain.text import clean
from cronpilot.notify.failures import Failure

if TYPE_CHECKING:
    from email.message import EmailMessage

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, and how to log in.

    Attributes:
        password: asked for at each connection, so that a file may change; never shown.
        ca_file: certificates to trust instead of the system's.
    """

    host: str
    port: int
    security: Security = "starttls"
    user: str | None = None
    password: Callable[[], str | None] = field(default=lambda: None, repr=False)
    sender: str = "cronpilot"
    timeout_s: float = 30.0
    ca_file: str | None = None

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


async def send(server: Server, mail: EmailMessage, to: str) -> None:
    """Hand it over; when this returns the server has taken it.

    Raises:
        Failure: in words; says whether it makes sense to try again.
    """
    import aiosmtplib

    try:
        password = await asyncio.to_thread(server.password) if server.user else None
        context = None if server.security == "none" else await asyncio.to_thread(_context, server)
        async with asyncio.timeout(4 * server.timeout_s):  # a server may be slow at every step
            async with aiosmtplib.SMTP(
                hostname=server.host, port=server.port, timeout=server.timeout_s,
                use_tls=server.security == "tls", start_tls=server.security == "starttls",
                username=server.user, password=password, tls_context=context,
            ) as smtp:  # fmt: skip
                await smtp.send_message(mail, sender=server.sender, recipients=[to])
    except aiosmtplib.SMTPException as error:
        raise _in_words(server, to, error) from error
    except ssl.SSLError as error:
        raise Failure(f"{server.name}: {_certificate(error)}") from error
    except TimeoutError as error:
        raise Failure(f"{server.name} did not answer in time.") from error
    except OSError as error:
        raise Failure(f"{server.name} cannot be reached: {error.strerror or error}.") from error
    except (ValueError, UnicodeError) as error:
        raise Failure(f"{to} cannot be written to: {error}.", permanent=True) from error


def _context(server: Server) -> ssl.SSLContext:
    """Reading the system's certificates takes tens of milliseconds: in a thread."""
    return ssl.create_default_context(cafile=server.ca_file)


def _in_words(server: Server, to: str, error: Exception) -> Failure:
    import aiosmtplib

    said = clean(" ".join(str(getattr(error, "message", error)).split()))[:300]
    code = getattr(error, "code", None)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        refused = error.recipients[0]
        code, said = refused.code, clean(" ".join(str(refused.message).split()))[:300]
        return Failure(f"{server.name} refuses {to}: {code} {said}", permanent=code >= 500)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Failure(f"{server.name} does not accept user and password: {code} {said}")
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return Failure(f"{server.name} did not answer in time.")
    if isinstance(error, aiosmtplib.SMTPConnectError):
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            return Failure(f"{server.name}: {_certificate(cause)}")
        return Failure(f"{server.name} cannot be reached: {said}")
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return Failure(f"{server.name} broke off the connection: {said}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        permanent = isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500
        return Failure(f"{server.name} refused the message: {code} {said}", permanent=permanent)
    return Failure(f"{server.name}: {said}")


def _certificate(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({clean(error.verify_message)})."
    return f"TLS failed ({clean(str(error.reason or error))}). Is smtp.security right?"
