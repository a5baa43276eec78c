"""What is not e-mail: chats and pagers by apprise, and pings for dead-man's switches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from cronpilot.notify.failures import Failure
from cronpilot.notify.message import Message

PING_S = 10.0
MISSING = "Channels need apprise, which is not installed: pip install 'cronpilot[notify]'"


async def send(name: str, url: Callable[[], str | None], message: Message) -> None:
    """Hand it to a channel. The URL has its token in it, so it is never shown.

    Raises:
        Failure: also where apprise is missing.
    """
    try:
        taken = await asyncio.to_thread(_send, name, url, message)
    except OSError as error:
        raise Failure(f"The channel {name} cannot be used: {error.strerror}.") from error
    if not taken:
        raise Failure(f"The channel {name} did not take the message; its service refused it.")


def _send(name: str, url: Callable[[], str | None], message: Message) -> bool:
    where = url()
    if not where:
        raise Failure(f"The channel {name} has no URL.")
    try:
        import apprise
    except ImportError as error:
        raise Failure(MISSING) from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # what it logs may name the token
    sender: Any = apprise.Apprise()
    if not sender.add(where):
        raise Failure(f"The URL of the channel {name} is not one that apprise knows.")
    return bool(
        sender.notify(
            title=message.subject, body=message.body, body_format=apprise.NotifyFormat.TEXT
        )
    )


async def ping(url: str) -> None:
    """Fetch it; whatever is answered with 2xx is well.

    Raises:
        Failure: it was not answered, or otherwise.
    """
    import httpx

    where = httpx.URL(url).host
    try:
        async with (
            asyncio.timeout(2 * PING_S),  # redirects, and answers that come drop by drop
            httpx.AsyncClient(timeout=PING_S, follow_redirects=True) as client,
            client.stream("GET", url) as answer,  # whatever it holds is not read
        ):
            status = answer.status_code
    except (TimeoutError, httpx.TimeoutException) as error:
        raise Failure(f"{where} did not answer the ping in time.") from error
    except httpx.ConnectError as error:
        raise Failure(f"{where} cannot be pinged: nobody can be reached there.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failure(f"{where} cannot be pinged: {type(error).__name__}.") from error
    if status >= 300:
        raise Failure(f"{where} answered the ping with {status}.", permanent=status in (404, 410))
