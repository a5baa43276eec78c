"""The process that starts and holds all tasks, and outlives the engine. Standard library only.

Imports nothing else of ours: it keeps running while the rest of CronPilot is upgraded or down.

    process   the Keeper: what it is asked, what its children do, how runs end
    launch    from a request to a running command
    wrapper   the shell text that stands between keeper and command, and its self-test
    record    the record file of a run, which decides what happened (format version 1, frozen)
    protocol  the JSON lines between engine and keeper (version 1, frozen)
    adoption  runs of a keeper that died
    stopping  TERM, patience, KILL
    log_limit head and tail of an output that became too long
    upgrade   the same process, newer code
    run       one run that lives;  proc: what /proc knows;  loop, link: epoll and the socket
"""

from __future__ import annotations
