"""A run's output on its way into a file of whoever sits at the screen."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.errors import Refused

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView
    from cronpilot.client.protocol import Client
    from cronpilot.domain.log_search import Pattern

PIECE = 1 << 20
"""Bytes asked for at once."""


def proposed_path(run: RunView) -> str:
    """A name for the file: `~/backup-db-run-12.log`."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", run.task_name).strip("-.")[:60] or "task"
    return f"~/{name}-run-{run.id}.log"


def path_of(typed: str) -> Path:
    """The file that is meant. Raises Refused when nothing can be written there."""
    path = Path(typed.strip()).expanduser().absolute()
    if not typed.strip() or path.is_dir():
        raise Refused(f"{path} is a directory." if typed.strip() else "A path is needed.",
                      "Name a file in it.")  # fmt: skip
    if not path.parent.is_dir():
        raise Refused(f"There is no directory {path.parent}.", "Make it, or choose another one.")
    return path


async def save_log(
    client: Client, run_id: int, path: Path, *, only: Pattern | None, overwrite: bool
) -> int:
    """Write the output, or its lines that match, readable by nobody else; how many bytes.

    Whatever stands there is replaced at the end, in one step, and only with `overwrite`.

    Raises:
        Refused: there is such a file, or it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    written = 0
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            pieces = _matches(client, run_id, only) if only else _whole(client, run_id)
            async for piece in pieces:
                written += file.write(piece)
        if overwrite:
            draft.replace(path)
        else:
            os.link(draft, path)
    except FileExistsError as error:
        raise Refused(f"{path} exists already.", "Choose another name.") from error
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return written


async def _whole(client: Client, run_id: int) -> AsyncIterator[bytes]:
    """All there is now, as it is."""
    offset = 0
    size = (await client.read_log(run_id, limit=1)).size
    while offset < size:
        chunk = await client.read_log(run_id, offset=offset, limit=PIECE)
        if not chunk.data:
            return
        yield chunk.data
        offset = chunk.end


async def _matches(client: Client, run_id: int, only: Pattern) -> AsyncIterator[bytes]:
    from cronpilot.client.log_search import LogQuery  # after the first paint

    offset = 0
    while True:
        query = LogQuery(pattern=only.text, regex=only.regex, case=only.case, offset=offset,
                         limit=1000, raw=True)  # fmt: skip
        step = await client.search_log(run_id, query)
        for line in step.lines:
            yield line.text.encode("utf-8", "replace") + b"\n"
        offset = step.end
        if step.done:
            return
