"""What each role may ask for over HTTP; `domain.access` has the table in words.

Every route needs a viewer for reading and an admin for changing, unless it is named here: so a
route that nobody thought of is closed to all but admins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from cronpilot.domain.access import WHEN_FIELDS, Identity, Role
from cronpilot.errors import LogInRefused, NotAllowed

_SAFE = {"GET", "HEAD", "OPTIONS"}

NEEDS: Final[dict[tuple[str, str], Role]] = {
    ("GET", "/api/export"): Role.OPERATOR,  # it has all variables
    ("GET", "/api/users/"): Role.ADMIN,
    ("GET", "/api/audit"): Role.ADMIN,
    ("POST", "/api/tasks/{task_id}/run"): Role.OPERATOR,
    ("POST", "/api/tasks/{task_id}/test"): Role.OPERATOR,  # with fields of its own: admin
    ("POST", "/api/tasks/{task_id}/pause"): Role.OPERATOR,
    ("POST", "/api/tasks/{task_id}/resume"): Role.OPERATOR,
    ("PUT", "/api/tasks/{task_id}/schedule"): Role.OPERATOR,
    ("PATCH", "/api/tasks/{task_id}"): Role.OPERATOR,  # fields that say what: admin
    ("POST", "/api/runs/{run_id}/stop"): Role.OPERATOR,
    ("POST", "/api/scheduler/pause"): Role.OPERATOR,
    ("POST", "/api/scheduler/resume"): Role.OPERATOR,
    ("POST", "/api/downtime/dismiss"): Role.OPERATOR,
    ("POST", "/api/incidents/{incident_id}/acknowledge"): Role.OPERATOR,
    ("POST", "/api/incidents/{incident_id}/snooze"): Role.OPERATOR,
    ("POST", "/api/reload"): Role.OPERATOR,
}


def identity_of(request: Request) -> Identity:
    """Who asks. Raises LogInRefused where nobody has said so: the app is served unguarded."""
    identity: Identity | None = getattr(request.state, "identity", None)
    if identity is None:
        raise LogInRefused("A user name and a password are needed.")
    return identity


async def permitted(request: Request) -> None:
    """Refuse what the role of whoever asks does not allow."""
    path: str = request.scope["route"].path
    by_default = Role.VIEWER if request.method in _SAFE else Role.ADMIN
    require(request, NEEDS.get((request.method, path), by_default))


def require(request: Request, needed: Role) -> None:
    """Raises NotAllowed unless whoever asks has that role, or more."""
    identity = identity_of(request)
    if not identity.role.includes(needed):
        a = "an" if needed is not Role.VIEWER else "a"
        raise NotAllowed(
            f"This needs {a} {needed}, and {identity.name} is {_with_article(identity.role)}.",
            f"An admin can change that: cronpilot user role {identity.name} {needed}",
        )


def require_for_fields(request: Request, fields: Mapping[str, Any]) -> None:
    """An operator may change when a task runs, not what it is."""
    beyond = sorted(set(fields) - WHEN_FIELDS)
    if beyond and not identity_of(request).role.includes(Role.ADMIN):
        error = NotAllowed(
            f"Only an admin may change {beyond[0][:80]}.",
            "An operator may change: " + ", ".join(sorted(WHEN_FIELDS)) + ".",
        )
        error.field = beyond[0]
        raise error


def _with_article(role: Role) -> str:
    return f"a {role}" if role is Role.VIEWER else f"an {role}"
