"""What systemd's timers become."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot.adopt.timers import entries, seconds_of, to_cron
from cronpilot.domain.task import told_dict


@pytest.mark.parametrize(("calendar", "expression", "zone"), [
    ("daily", "0 0 * * *", None),
    ("weekly", "0 0 * * 1", None),
    ("quarterly", "0 0 1 1,4,7,10 *", None),
    ("*-*-* 6,18:00", "0 6,18 * * *", None),
    ("*-*-* 00/12:00:00", "0 0-23/12 * * *", None),
    ("Mon..Fri *-*-* 03:30:00 Europe/Berlin", "30 3 * * mon-fri", "Europe/Berlin"),
    ("Sat..Mon 4:05", "5 4 * * sat,sun,mon", None),
    ("Sun 03:10", "10 3 * * sun", None),
    ("*:0/15", "0-59/15 * * * *", None),
    ("*-*-1,15 00:00 UTC", "0 0 1,15 * *", "UTC"),
    ("*-01..03-01 05:00:00", "0 5 1 1-3 *", None),
])  # fmt: skip
def test_calendar_events_as_cron_expressions(calendar: str, expression: str, zone: str | None):
    assert to_cron(calendar) == (expression, zone)


@pytest.mark.parametrize("calendar", [
    "Mon *-*-1 00:00",  # both: cron would take either
    "*-*-* 00:00:30", "2026-*-* 00:00", "*-*~1 00:00", "*:*:0/10", "soon", "Fun 01:00",
])  # fmt: skip
def test_what_cron_cannot_say_has_no_equal(calendar: str):
    assert to_cron(calendar) == (None, None)


@pytest.mark.parametrize(("text", "seconds"), [
    ("15min", 900), ("1h 30m", 5400), ("90", 90), ("1d", 86400), ("2 weeks", 1209600),
    ("", None), ("often", None),
])  # fmt: skip
def test_time_spans(text: str, seconds: float | None):
    assert seconds_of(text) == seconds


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A timer with a drop-in that is enabled, and one that is not."""
    units, etc = tmp_path / "usr/lib/systemd/system", tmp_path / "etc/systemd/system"
    (etc / "timers.target.wants").mkdir(parents=True)
    (etc / "clean.timer.d").mkdir()
    units.mkdir(parents=True)
    for name in ("clean", "idle"):
        (units / f"{name}.timer").write_text(
            "[Unit]\nDescription=Clean up\n[Timer]\nOnCalendar=daily\nPersistent=true\n"
            "RandomizedDelaySec=1h\n"
        )
    (etc / "clean.timer.d/when.conf").write_text("[Timer]\nOnCalendar=\nOnCalendar=Sun 04:00\n")
    (etc / "timers.target.wants/clean.timer").symlink_to(units / "clean.timer")
    return tmp_path


def test_a_timer_that_is_enabled_becomes_a_task_that_starts_its_unit(tree: Path):
    [entry] = entries(tree, "root")

    assert entry.spec is not None
    assert told_dict(entry.spec) == {
        "name": "timer: clean",
        "description": "Clean up",
        "command": ["systemctl", "start", "--wait", "clean.service"],
        "schedule": {"type": "custom", "config": {"cron_expression": "0 4 * * sun"}},
        "spread": "1h",
    }  # fmt: skip
    assert "stays in the journal" in entry.notices[0]


@pytest.mark.parametrize(("rules", "shorthand"), [
    ("OnUnitActiveSec=15min\nOnBootSec=5min", "every 15m"),
    ("OnBootSec=5min", None),
    ("OnCalendar=daily\nOnCalendar=Mon 03:00", None),
])  # fmt: skip
def test_other_rules_of_a_timer(tree: Path, rules: str, shorthand: str | None):
    (tree / "etc/systemd/system/clean.timer").write_text(f"[Timer]\n{rules}\n")
    (tree / "etc/systemd/system/clean.timer.d/when.conf").unlink()

    [entry] = entries(tree, "root")

    assert (entry.spec and entry.spec.schedule.shorthand) == shorthand
