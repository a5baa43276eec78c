"""`--connect`: which engine is meant, as whom, and where the password comes from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.client.actor import Front
from cronpilot.domain.text import clean
from cronpilot.errors import ConfigError, UsageProblem

if TYPE_CHECKING:
    from cronpilot.client.http import HttpClient

PASSWORD_FILE = "CRONPILOT_PASSWORD_FILE"
_LONGEST = 4096  # bytes of a password file


@dataclass(frozen=True)
class Remote:
    """One engine that is not that of this state directory.

    Attributes:
        address: `https://user@host:7000`, a unix socket's path, or `unix:///path`.
        user: instead of the one in the address.
    """

    address: str
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None

    def open(self, front: Front) -> HttpClient:
        """A client of it; the password is asked for once.

        Raises:
            UsageProblem, ConfigError: the address, the password file; nobody to ask.
        """
        from cronpilot.client.http import HttpClient

        if not self._is_on_network:
            return HttpClient.at(self.address, front=front)
        return HttpClient.at(
            self.address, front=front, user=self.user, password=self._password,
            ca_file=self.ca_file,
        )  # fmt: skip

    @property
    def socket(self) -> Path | None:
        """The unix socket that is meant; None: it is over the network."""
        if self._is_on_network:
            return None
        return Path(self.address.removeprefix("unix://")).expanduser().absolute()

    @property
    def host(self) -> str:
        """The name of the machine it is on; empty for this one."""
        if not self._is_on_network:
            return ""
        from cronpilot.client.reach import NetworkAddress

        return NetworkAddress(self.address).host

    @property
    def would_ask(self) -> bool:
        """Whether `open` asks somebody for the password."""
        return self._is_on_network and not (self.password_file or _named(os.environ))

    @property
    def _is_on_network(self) -> bool:
        return "://" in self.address and not self.address.startswith("unix://")

    @cached_property
    def _password(self) -> str:
        from cronpilot.client.reach import DEFAULT_USER, NetworkAddress

        parts = NetworkAddress(self.address)
        if not (parts.is_tls or parts.is_here):
            _say(f"the password goes to {clean(parts.host)} unencrypted: https:// would hide it.")
        path = self.password_file or _named(os.environ)
        if path is not None:
            return read_password(path)
        user = self.user or parts.user or DEFAULT_USER
        return ask_password(f"Password of {clean(user)} at {clean(parts.host)}: ")


def _named(environ: Mapping[str, str]) -> Path | None:
    named = environ.get(PASSWORD_FILE)
    return Path(named) if named else None


def read_password(path: Path) -> str:
    """The first line of a file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).partition(b"\n")[0].rstrip(b"\r").decode()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(
            f"The password file {clean(str(path))} cannot be read: {said}.",
            "It holds the password in its first line.",
        ) from error


def ask_password(
    question: str,
    instead: str = f"Use --password-file FILE, or {PASSWORD_FILE} in the environment.",
) -> str:
    """What somebody types, unseen. Raises UsageProblem where nobody sits: what to do `instead`."""
    if not sys.stdin.isatty():
        raise UsageProblem("A password is needed, and there is no terminal to ask for it.", instead)
    return _getpass()(question)


def _getpass() -> Callable[[str], str]:
    from getpass import getpass  # most uses ask nobody

    return getpass


def _say(sentence: str) -> None:
    sys.stderr.write(f"cronpilot: {sentence}\n")
