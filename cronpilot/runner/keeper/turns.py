"""Short turns on a core that others want, too.

Since Linux 6.12 a thread may say how long its turns shall be; who asks for a short one is served
sooner after it wakes, and gets no more time in all. Between the instant at which a task is due and
its start lie some wake-ups of ours: where all cores are busy, each of them waits for somebody
else's turn to end. Older kernels take the wish and forget it.
"""

from __future__ import annotations

import ctypes
import os
import struct

_SHORT_NS = 100_000  # the least that the kernel grants; it gives 3,000,000 unasked
_SET_AND_GET = {"x86_64": (314, 315), "aarch64": (274, 275), "riscv64": (274, 275)}  # system calls
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")  # size, policy, flags, nice, priority, runtime, ...
_NORMAL = 0  # SCHED_OTHER
_RESET_ON_FORK = 1  # our children, the tasks among them, have turns like anybody's

_libc = ctypes.CDLL(None, use_errno=True)


def take_short_turns() -> None:
    """From now on, for this thread alone. Where that cannot be had, all goes on as before.

    Who was given a place of its own by somebody (a negative niceness, another policy) keeps that:
    to reset it for the children would take it from the tasks.
    """
    found = turns_of(0)
    if found is None or found[1] != _NORMAL or found[3] < 0:
        return
    wish = _ATTRIBUTES.pack(_ATTRIBUTES.size, _NORMAL, _RESET_ON_FORK, found[3], 0, _SHORT_NS, 0, 0)
    _libc.syscall(_SET_AND_GET[os.uname().machine][0], 0, wish, 0)


def turns_of(thread: int) -> tuple[int, ...] | None:
    """The kernel's `struct sched_attr` of a thread (0: this one); None where it does not say."""
    numbers = _SET_AND_GET.get(os.uname().machine)
    if numbers is None:
        return None
    answer = ctypes.create_string_buffer(_ATTRIBUTES.size)
    if _libc.syscall(numbers[1], thread, answer, _ATTRIBUTES.size, 0):
        return None
    return _ATTRIBUTES.unpack(answer.raw)
