"""The threads that wait in the loop's place, all started while the machine has some to spare."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

COUNT = 8
PATIENCE_S = 10.0


async def start_threads() -> None:
    """Make the running loop's pool, and start every thread of it now.

    Python starts them one by one as they are needed, and what needs one that cannot be had fails:
    with a full process table that would be the end of an engine.
    """
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(COUNT, thread_name_prefix="waits")
    everyone = threading.Barrier(COUNT)
    await asyncio.gather(
        *(loop.run_in_executor(pool, everyone.wait, PATIENCE_S) for _ in range(COUNT))
    )
    loop.set_default_executor(pool)
