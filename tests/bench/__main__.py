"""All benchmarks, each in a process of its own, and one table at the end.

    python tests/bench [NAME ...] [--quick] [--peers]

What goes on is said on stderr. A benchmark that breaks off keeps the figures it had, is named in
the table, and makes the exit code 1. Figures of one machine at one moment: "bare" is what the same
machine needs for the least of it, MISSED a figure on the wrong side of its budget.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measuring import Row, head, line, say

HERE = Path(__file__).parent
# From what costs a run to what a person sees; the long ones last.
ORDER = (
    "engine", "runner", "due", "cron", "lateness", "api", "resident", "retention", "telling",
    "cli", "start", "web", "history", "log", "screen",
)  # fmt: skip
PEERS = "peers"  # only when asked for: pip fetches them


@dataclass
class Measured:
    """What became of one benchmark."""

    name: str
    rows: list[Row] = field(default_factory=list)
    broke: str = ""

    @property
    def title(self) -> str:
        doc = ast.get_docstring(ast.parse(script(self.name).read_text())) or self.name
        return doc.partition("\n")[0]


def script(name: str) -> Path:
    return HERE / f"bench_{name}.py"


def measure(name: str, options: Sequence[str]) -> Measured:
    """Run one, to its end or to where it breaks off."""
    found = Measured(name)
    command = [sys.executable, str(script(name)), "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for said in process.stdout:
            words = json.loads(said)
            if "broke" in words:
                found.broke = words["broke"]
            else:
                found.rows.append(Row(**words))
    if process.returncode and not found.broke:
        found.broke = f"it ended with {process.returncode}"
    return found


def table(all_found: Iterable[Measured]) -> Iterator[str]:
    """The lines of the one table."""
    found = list(all_found)
    width = max(
        (len(row.what) for one in found for row in one.rows if row.value is not None), default=40
    )
    yield head(width)
    for one in found:
        yield f"\n{one.name}: {one.title}"
        yield from (line(row, width) for row in one.rows)
        if one.broke:
            yield f"BROKE OFF: {one.broke}"


def asked(words: Sequence[str] | None) -> list[tuple[str, list[str]]]:
    """The names of benchmarks, in their order, with the options of each."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python tests/bench", description=__doc__, formatter_class=raw)
    names = parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join((*ORDER, PEERS)))
    parser.add_argument("--quick", action="store_true", help="less of each; minutes, not an hour")
    parser.add_argument("--peers", action="store_true",
                        help="other schedulers too; pip fetches them")  # fmt: skip
    given = parser.parse_args(words)
    if unknown := set(given.names) - {*ORDER, PEERS}:
        parser.error(f"there is no {min(unknown)}: {names.help}")
    wanted = set(given.names) or set(ORDER)
    if given.peers:
        wanted.add(PEERS)
    own = {} if given.peers else {"screen": ["--no-peer"]}
    quick = ["--quick"] * given.quick
    return [(name, quick + own.get(name, [])) for name in (*ORDER, PEERS) if name in wanted]


def main(words: Sequence[str] | None = None) -> int:
    wanted = asked(words)
    done: list[Measured] = []
    code = 0
    try:
        for number, (name, options) in enumerate(wanted, 1):
            began = time.monotonic()
            say(f"{number}/{len(wanted)} {name} ... (load {os.getloadavg()[0]:.1f})")
            done.append(measure(name, options))
            took, broke = time.monotonic() - began, done[-1].broke
            say(f"    {len(done[-1].rows)} figures in {took:.0f} s{', ' if broke else ''}{broke}")
            code = 1 if broke else code
    except KeyboardInterrupt:
        say("Stopped; what was measured until then:")
        code = 130
    print("\n".join(table(done)))
    return code


if __name__ == "__main__":
    sys.exit(main())
