"""What the screen costs, through a real pty at 120x36: `python tests/bench/bench_screen.py`.

Prints a table with the budgets of the design. Nothing is asserted: figures depend on the machine.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEMO = Path(__file__).parents[1] / "terminal" / "demo_screen.py"
TICKS = os.sysconf("SC_CLK_TCK")


class Screen:
    """The demo, or another program, on a pty; whatever it writes is read and counted."""

    def __init__(self, *options: str, program: list[str] | None = None) -> None:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(
                TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8", TZ="UTC"
            )
            words = [*(program or [sys.executable, str(DEMO)]), *options]
            os.execv(words[0], words)
        size = struct.pack("HHHH", 36, 120, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def read(self, seconds: float) -> bytes:
        """All that is written in that time."""
        out, end = bytearray(), time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                out += os.read(self.fd, 1 << 16)
        return bytes(out)

    def until(self, text: bytes, seconds: float = 60) -> float:
        """Milliseconds since the start at which `text` has been written."""
        out, end = bytearray(), time.perf_counter() + seconds
        while text not in out and time.perf_counter() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                out += os.read(self.fd, 1 << 16)
        return (time.perf_counter() - self.started) * 1000

    def key(self, key: bytes) -> tuple[float, int]:
        """Milliseconds to the first byte after a key, and the bytes it cost."""
        before = time.perf_counter()
        os.write(self.fd, key)
        select.select([self.fd], [], [], 2)
        first = (time.perf_counter() - before) * 1000
        return first, len(self.read(0.06))

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def screen(*options: str, program: list[str] | None = None) -> Iterator[Screen]:
    one = Screen(*options, program=program)
    try:
        yield one
    finally:
        os.kill(one.pid, signal.SIGKILL)
        os.waitpid(one.pid, 0)
        os.close(one.fd)


def measure_rest(seconds: float, *options: str) -> tuple[float, float, int]:
    """KB a minute, % of a core, resident MB, while nobody touches a key."""
    with screen(*options) as one:
        one.until(b"in all")
        one.read(4)
        cpu, start = one.cpu(), time.perf_counter()
        count = len(one.read(seconds))
        took = time.perf_counter() - start
        rss = int(Path(f"/proc/{one.pid}/statm").read_text().split()[1]) * 4096 // 1_000_000
        return count / 1000 / took * 60, (one.cpu() - cpu) / took * 100, rss


def measure_keys(presses: int) -> dict[str, list[tuple[float, int]]]:
    """Times of keys in a table of 10,000 tasks."""
    with screen("--tasks", "10000") as one:
        one.until(b"10,000 in all")
        one.read(2)
        keys = {"j": b"j", "page down": b"\x1b[6~"}
        return {name: [one.key(key) for _ in range(presses)] for name, key in keys.items()}


def measure_palette(openings: int) -> dict[str, list[tuple[float, int]]]:
    """Times of the palette over 10,000 tasks: of its key, and of each letter of a name in it.
    The first opening loads it, and counts as any other."""
    times: dict[str, list[tuple[float, int]]] = {"palette opens": [], "a letter in it": []}
    with screen("--tasks", "10000") as one:
        one.until(b"10,000 in all")
        one.read(2)
        for _ in range(openings):
            times["palette opens"].append(one.key(b":"))
            one.read(0.3)
            times["a letter in it"] += [one.key(letter.encode()) for letter in "run job-123"]
            one.key(b"\x1b")
            one.read(0.3)
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--presses", type=int, default=100)
    options = parser.parse_args()
    with screen("--quiet") as one:
        painted = one.until(b"Starting the engine")
        usable = one.until(b"in all")
    print(f"{'what':<46}{'measured':>12}  budget")
    print(f"{'first paint, ms':<46}{painted:>12.0f}  500")
    print(f"{'rows seen, ms':<46}{usable:>12.0f}  1500")
    rests = (("idle", ["--quiet"], 20), ("idle, 10,000 tasks", ["--tasks", "10000"], 20),
             ("30 ticking rows", ["--tasks", "30", "--ticking"], 150))  # fmt: skip
    for name, arguments, budget in rests:
        kb, cpu, rss = measure_rest(options.seconds, *arguments)
        print(f"{name + ', KB/min':<46}{kb:>12.1f}  {budget}")
        print(f"{name + ', % of a core':<46}{cpu:>12.2f}  {1 if budget == 20 else '-'}")
        print(f"{name + ', resident MB':<46}{rss:>12}")
    pressed = measure_keys(options.presses) | measure_palette(max(2, options.presses // 10))
    for name, times in pressed.items():
        milliseconds = sorted(time for time, _ in times)
        p95 = milliseconds[int(len(milliseconds) * 0.95)]
        size = statistics.median(count for _, count in times)
        title = f"{name}, 10,000 tasks: first byte"
        print(f"{title + ' p50, ms':<46}{statistics.median(milliseconds):>12.1f}")
        print(f"{title + ' p95, ms':<46}{p95:>12.1f}  20")
        print(f"{name + ': bytes':<46}{size:>12.0f}")


if __name__ == "__main__":
    main()
