"""What must not be written down: variables that look like secrets, passwords inside of values.

A guess by name and shape, on the safe side: a harmless value that is hidden costs less than a
password that is kept for years.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

HIDDEN = "***"

# Anywhere in a name (PGPASSWORD, VAULT_TOKEN), or as one of its words (API_KEY, but not MONKEY).
_SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|PASSCODE|SECRET|TOKEN|CREDENTIAL|APIKEY|PRIVATEKEY|ACCESSKEY"
    r"|COOKIE|WEBHOOK|PASS$"
    r"|(?:^|_)(?:PASS|PW|PWD|KEY|KEYS|AUTH|DSN|PIN|PAT|SALT|SIGNATURE|CREDS)(?:_|$)"
)
_NO_SECRETS = frozenset({"PWD", "OLDPWD"})  # directories

_SECRET_IN_VALUE = re.compile(
    # scheme://user:password@host
    r"(?P<user>[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@]*:)[^\s/?#]*(?=@)"
    # https://token@host: over HTTP a name alone is a secret
    r"|(?P<scheme>https?://)[^\s/?#:@]+(?=@)"
    # password=..., of connection strings and of queries; Bearer ...
    r"|(?P<name>(?i:password|passwd|pwd|secret|token|api_?key|accountkey|accesskey|signature)=)"
    r"[^\s;&]+"
    r"|(?P<bearer>\b(?i:bearer)\s+)[^\s'\"]+"
)
_PRIVATE_KEY = "PRIVATE KEY-----"


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a variable of that name is likely to hold a secret."""
    return name not in _NO_SECRETS and _SECRET_NAME.search(name.upper()) is not None


def mask_value(value: str) -> str:
    """The value without passwords and tokens that can be told by their place in it."""
    if _PRIVATE_KEY in value:
        return HIDDEN
    if "@" not in value and "=" not in value and " " not in value:
        return value  # nearly all of them
    return _SECRET_IN_VALUE.sub(_hide, value)


def _hide(match: re.Match[str]) -> str:
    kept = next(part for part in match.groups() if part is not None)
    return kept + HIDDEN


def mask(variables: Mapping[str, str]) -> dict[str, str]:
    """These variables as they may be kept and shown."""
    return {
        name: HIDDEN if value and is_secret_name(name) else mask_value(value)
        for name, value in variables.items()
    }
