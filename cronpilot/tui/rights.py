"""What a role lets its user do from the screen.

The engine decides, and refuses by itself; this only spares people keys that would be refused.
"""

from __future__ import annotations

from cronpilot.domain.access import WHEN_FIELDS, Identity, Role
from cronpilot.domain.text import clean

_NEEDED = {
    "run_now": Role.OPERATOR,
    "stop_run": Role.OPERATOR,
    "pause_task": Role.OPERATOR,
    "pause_until": Role.OPERATOR,
    "dismiss_all": Role.OPERATOR,
    "pause_scheduler": Role.OPERATOR,
    "acknowledge": Role.OPERATOR,
    "snooze": Role.OPERATOR,
    "edit_schedule": Role.OPERATOR,
    "edit_task": Role.OPERATOR,  # when it runs; the engine refuses an operator all other fields
    "undo": Role.ADMIN,
    "add_task": Role.ADMIN,
    "add_demo": Role.ADMIN,
    "copy_task": Role.ADMIN,
    "delete_task": Role.ADMIN,
    "undelete": Role.ADMIN,
    "load_tasks": Role.ADMIN,  # and reads a file of the machine that the screen runs on
}
"""The least role for an action; every other one only looks."""
_MAY = {
    Role.VIEWER: "may look at everything, and change nothing",
    Role.OPERATOR: "may start, stop, pause and change when tasks run, but not what they do",
    Role.ADMIN: "may do everything",
}


def is_allowed(action: str, identity: Identity) -> bool:
    """Whether that user may do it. `action` is as in a binding: `run_now`, `screen.view('x')`."""
    name = action.partition("(")[0].rpartition(".")[2]
    return identity.role.includes(_NEEDED.get(name, Role.VIEWER))


def is_beyond(field: str, identity: Identity) -> bool:
    """Whether that user may not change this field of a task: it is more than when it runs."""
    return field.partition(".")[0] not in WHEN_FIELDS and not identity.role.includes(Role.ADMIN)


def refusal(identity: Identity) -> str:
    """Why a key does nothing."""
    return f"{clean(identity.name)} is {_WITH_ARTICLE[identity.role]}: {_MAY[identity.role]}."


def promotion(identity: Identity) -> str:
    """What is said when the role has become another one."""
    return f"{clean(identity.name)} is {_WITH_ARTICLE[identity.role]} now: {_MAY[identity.role]}."


_WITH_ARTICLE = {Role.VIEWER: "a viewer", Role.OPERATOR: "an operator", Role.ADMIN: "an admin"}
