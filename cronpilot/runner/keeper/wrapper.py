"""The shell text that stands between keeper and command.

It outlives both: S and X get into the record even when engine and keeper are dead. Only builtins,
so that it costs one exec of sh and one fork. No text of the user is in it: directory and command
come as arguments. What was learnt the hard way:

* fd 2 of the wrapper is the record. `exec 2>&1` gives the command the log and drops the record in
  one step: no descriptor leaks, and the shell's own words ("Killed") land in the record.
* `trap :` and not `trap ''`: caught signals fall back to default in ( ), ignored ones would be
  inherited by the command.
* dash 0.5.12 has no `exec --`; `cd` exports OLDPWD; a variable that `read` fills must have a name
  that no task uses.
* memory comes last: under a small address space this shell itself could not go on.
"""

from __future__ import annotations

import os

from . import crash

_TEXT = """\
trap : HUP INT QUIT TERM USR1 USR2 ALRM
({limits}{{ echo 200 >/proc/self/oom_score_adj; }} 2>/dev/null
umask 022
cd -- "$1" || {{ echo F stage=cd >&2; exit 125; }}
shift
unset OLDPWD
{memory}{before}read -r __cronpilot </proc/self/stat && echo "S $__cronpilot" >&2 || exit 125
{after}exec 2>&1
exec "$@")
{ended}echo "X $?" >&2
"""
_DIE = "kill -9 $$\n"
_HARD_CPU = 5  # seconds from XCPU, which a task can catch, to KILL


def text(limits: dict[str, int], soft_files: int | None, *, may_crash: bool = True) -> str:
    """The wrapper for one start. `soft_files`: puts back what the keeper raised for itself."""
    dies = crash.hit if may_crash else _never
    wanted = []
    if soft_files is not None:
        wanted.append(f"ulimit -Sn {soft_files}\n")
    if limits.get("open_files"):
        wanted.append(_ulimit(f"-n {limits['open_files']:d}"))
    if limits.get("cpu"):
        wanted.append(_ulimit(f"-St {limits['cpu']:d}"))  # first: soft may not be above hard
        wanted.append(_ulimit(f"-Ht {limits['cpu'] + _HARD_CPU:d}"))
    memory = _ulimit(f"-v {limits['memory'] // 1024:d}") if limits.get("memory") else ""
    whole = _TEXT.format(
        limits="".join(wanted),
        memory=memory,
        before=_DIE if dies("wrapper_subshell") else "",
        after=_DIE if dies("wrapper_started") else "",
        ended=_DIE if dies("wrapper_ended") else "",
    )
    return _DIE + whole if dies("wrapper_start") else whole


def _never(point: str) -> bool:
    return False


def _ulimit(words: str) -> str:
    return f"ulimit {words} || {{ echo F stage=ulimit >&2; exit 125; }}\n"


def prefix(limits: dict[str, int], user: str, group: int) -> list[str]:
    """The programs in front of the command that do what a shell cannot; an exec each.

    The niceness comes first: lowering it needs the rights that setpriv gives up.
    """
    words: list[str] = []
    if limits.get("nice"):
        words += [_tool("nice"), "-n", str(limits["nice"])]
    if user:
        words += [_tool("setpriv"), f"--reuid={user}", f"--regid={group}", "--init-groups", "--"]
    return words


def _tool(name: str) -> str:
    """Not by the task's own PATH."""
    return f"/usr/bin/{name}" if os.access(f"/usr/bin/{name}", os.X_OK) else f"/bin/{name}"
