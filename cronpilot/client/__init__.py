"""What a front end may ask of an engine, and what comes back: the public way in for scripts.

    import asyncio
    from cronpilot.client import connect

    async def main():
        async with connect("https://cron.example:7000", user="anna", password_file="pw") as engine:
            print((await engine.status()).running)

    asyncio.run(main())

`Client` names every question; the answers are the frozen models of `cronpilot.client.messages` (and
`agenda`, `users`, `incidents` ... beside it), which stay readable when a newer engine adds fields.
Whatever goes wrong is a `cronpilot.errors.CronPilotError` with a sentence (`problem`) and a remedy
(`hint`): `NotFound`, `Refused`, `NotAllowed`, `NoEngine` when nobody answers ... A client belongs
to the event loop in which it is first used; it connects at the first question, and again after
the engine has come back. `cronpilot.client.fake.FakeClient` is an engine for tests of scripts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.client.protocol import Client, StopSignal

if TYPE_CHECKING:
    from cronpilot.client.http import HttpClient

__all__ = ["Client", "StopSignal", "connect"]


def connect(
    address: str | Path,
    *,
    user: str | None = None,
    password: str | None = None,
    password_file: str | Path | None = None,
    ca_file: str | Path | None = None,
) -> HttpClient:
    """A client of the engine at that address; nothing is opened yet.

    Args:
        address: `https://host:7000`, a state directory of this machine, or its socket.
        user: default: the one in the address, else `admin`. Of no use for a socket.
        password: the user's; or the first line of `password_file`.
        ca_file: certificates to trust instead of the machine's.
    Raises:
        UsageProblem, ConfigError: the address or the password file cannot be used.
    """
    # Here, because most who import this package bring a client of their own.
    from cronpilot.client.http import HttpClient
    from cronpilot.client.remote import read_password
    from cronpilot.client.sockets import SOCKET_NAME

    if password is None and password_file is not None:
        password = read_password(Path(password_file).expanduser())
    where = str(address)
    if "://" not in where and Path(where).expanduser().is_dir():
        where = str(Path(where) / SOCKET_NAME)
    return HttpClient.at(
        where, front="api", user=user, password=password or "",
        ca_file=None if ca_file is None else Path(ca_file),
    )  # fmt: skip
