"""What is found in a whole tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot.adopt import Machine, look

FILES = {
    "etc/crontab": """\
25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts /etc/cron.daily; }
0 0 31 2 * root never
""",
    "etc/anacrontab": "1\t5\tcron.daily\trun-parts --report /etc/cron.daily\n",
    "etc/cron.daily/logrotate": "#!/bin/sh\n",
    "usr/sbin/anacron": "",
    "etc/cron.d/cut-off": "0 3 * * * root job\n* * * * * root last",
}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One with anacron, and with a crontab whose last line has no end."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "etc/cron.daily/logrotate").chmod(0o755)
    return Machine(tmp_path, "root")


def test_a_script_of_anacron_is_taken_once_and_what_differs_is_said(machine: Machine):
    (script,) = [entry for entry in look(machine) if entry.name == "cron.daily: logrotate"]

    assert script.spec is not None
    assert (script.spec.schedule.shorthand, script.spec.missed) == ("35 7 * * *", "once")
    assert any("anacron runs it so many days after" in notice for notice in script.notices)


def test_what_cron_does_not_start_today_is_not_taken_over_with_all(machine: Machine):
    entries = {entry.name: entry for entry in look(machine)}

    assert entries["cut-off: job"].spec is not None
    assert not any(entries[name].by_itself for name in ("cut-off: job", "cut-off: last"))


def test_why_an_entry_cannot_be_a_task_is_one_sentence(machine: Machine):
    (never,) = [entry for entry in look(machine) if entry.name == "never"]

    assert never.spec is None
    assert not any(notice.endswith("..") for notice in never.notices)
