"""What the doctor knows about the machine: its shell, clock, zones, log-in manager."""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import shutil
import subprocess
import sys
import time
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cronpilot.maintenance.finding import Finding, good, problem, warning
from cronpilot.runner.keeper.launch import Launcher
from cronpilot.runner.settle import boot_id

_TOOL_S = 5.0  # for another program to answer
_SAMPLE_S = 0.05
_DRIFT_S = 0.02  # between the two clocks within a sample: more is a clock that is being set
_RELEASED = datetime(2025, 1, 1, tzinfo=UTC)  # no true clock shows an earlier time


def wrapper() -> Iterator[Finding]:
    """The keeper's own test: does this machine's /bin/sh hold a command as we need it?"""
    name = "shell"
    failed = Launcher(boot_id(), None).self_test()
    if failed:
        yield problem(name, failed, "No task can be started until /bin/sh is mended.")
    else:
        yield good(name, f"/bin/sh ({os.path.realpath('/bin/sh')}) holds a command as it should")


def clock() -> Iterator[Finding]:
    """Is the time plausible, is it steady, does somebody keep it right?"""
    name = "clock"
    wall, steady = time.time(), time.monotonic()
    time.sleep(_SAMPLE_S)
    drift = abs((time.time() - wall) - (time.monotonic() - steady))
    if datetime.now(UTC) < _RELEASED:
        yield problem(name, f"it shows {datetime.now(UTC):%Y-%m-%d}, long past", "Set it.")
        return
    if drift > _DRIFT_S:
        yield warning(name, f"it moved by {drift:.2f} s just now", "Is something setting it?")
    said = _ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if said == "yes":
        yield good(name, f"{now}, kept right by NTP")
    elif said == "no":
        yield warning(name, f"{now}, not kept right by NTP", "Turn it on: timedatectl set-ntp true")
    else:
        yield good(name, f"{now}; whether NTP keeps it right cannot be told here")


def _ask(*words: str) -> str | None:
    """What another program prints; None when it is not there, fails or hangs."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_TOOL_S, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def zones() -> Iterator[Finding]:
    """Are the world's time zones known, and of which release?"""
    name = "time zones"
    if "Europe/Berlin" not in zoneinfo.available_timezones():
        yield problem(name, "no zone data found", "Install the package tzdata.")
    else:
        yield good(name, f"zone data of {zone_release()}")


def zone_release() -> str:
    """`2025b` of the system's files, which come first, else of the Python package."""
    for folder in zoneinfo.TZPATH:
        try:
            with (Path(folder) / "tzdata.zi").open() as file:
                words = file.readline().split()
        except OSError:
            continue
        if words[:2] == ["#", "version"]:
            return words[2]
    try:
        return importlib.metadata.version("tzdata")
    except importlib.metadata.PackageNotFoundError:
        return "an unknown release"


def logind(root: Path, uid: int) -> Iterator[Finding]:
    """Would logging out kill what runs? logind does where KillUserProcesses is on."""
    name = "logging out"
    if not (root / "run/systemd/seats").is_dir():
        yield good(name, "no logind here that could end anything")
    elif uid == 0:
        yield good(name, "logind spares the processes of root")
    elif not _kills(root):
        yield good(name, "logind lets processes go on (KillUserProcesses=no)")
    elif _lingers(root, uid):
        yield good(name, "you linger: what runs goes on")
    else:
        yield warning(
            name,
            "logind ends everything of yours at log-out (KillUserProcesses=yes)",
            "Allow it to go on: loginctl enable-linger",
        )


def _kills(root: Path) -> bool:
    """The last word counts: drop-ins after logind.conf, /etc after /run after /usr/lib."""
    kills = False  # Debian's and most others' own default
    places = [root / "usr/lib/systemd", root / "run/systemd", root / "etc/systemd"]
    files = [place / "logind.conf" for place in places]
    files += [file for place in places for file in sorted(place.glob("logind.conf.d/*.conf"))]
    for file in files:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key.strip() == "KillUserProcesses":
                kills = value.strip().lower() in ("yes", "true", "on", "1")
    return kills


def _lingers(root: Path, uid: int) -> bool:
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        return False
    return (root / "var/lib/systemd/linger" / user).exists()


def program(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Is `cronpilot` found by its name, and is it this one?"""
    name = "program"
    found = shutil.which("cronpilot", path=environ.get("PATH", ""))
    ours = Path(sys.executable).parent / "cronpilot"
    if found is None:
        yield warning(
            name, "PATH has no cronpilot", f"Add {ours.parent} to it, or link {ours} from there."
        )
    elif ours.exists() and not ours.samefile(found):
        yield warning(name, f"PATH leads to another one: {found}", f"This one is {ours}.")
    else:
        yield good(name, f"found as {found}")
