"""A command finds around it what its task and cron's customs say: through the real engine."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import sys
from pathlib import Path

import pytest

from cronpilot.domain.run import Reason, Status
from cronpilot.runner import environment
from tests.engine.conftest import finished, log_of, reached, start, until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may run as somebody else")
NOBODY = "nobody"


async def outcome(bench, entry, **config):
    """The run of one task that is started by hand, and what it printed."""
    bench.tasks(f"name: it\nschedule: manual\n{entry}")
    async with bench.engine(**config) as engine:
        run = await finished(engine, (await start(engine, "it")).id)
        return run, await log_of(engine, run.id) if run.attempts else ""


# --- who -----------------------------------------------------------------------------------------


@needs_root
async def test_another_user_is_who_the_command_is(bench):
    entry = pwd.getpwnam(NOBODY)
    groups = sorted(os.getgrouplist(NOBODY, entry.pw_gid))
    run, said = await outcome(
        bench,
        f"user: {NOBODY}\nworking_dir: /\ncommand: |\n"
        "  id -un; id -u; id -g; id -G; echo $HOME $USER $LOGNAME; pwd",
    )

    assert run.status is Status.SUCCESS
    name, uid, gid, all_groups, names, folder = said.splitlines()
    assert (name, int(uid), int(gid)) == (NOBODY, entry.pw_uid, entry.pw_gid)
    assert sorted(map(int, all_groups.split())) == groups
    assert names == f"{entry.pw_dir} {NOBODY} {NOBODY}"
    assert folder == "/"


@needs_root
async def test_another_user_cannot_get_root_back(bench):
    _, said = await outcome(
        bench,
        f"user: {NOBODY}\nworking_dir: /\n"
        "command: grep -E '^(Uid|Gid|CapPrm|CapEff)' /proc/self/status",
    )

    ids = {line.split(":")[0]: set(line.split(":")[1].split()) for line in said.splitlines()}
    assert ids["Uid"] == {str(pwd.getpwnam(NOBODY).pw_uid)}
    assert ids["CapPrm"] == ids["CapEff"] == {"0000000000000000"}


async def test_a_user_that_does_not_exist_is_the_runs_reason(bench):
    run, _ = await outcome(bench, "user: no-such-user\ncommand: 'true'")

    assert (run.status, run.reason, run.attempts) == (Status.ERROR, Reason.SETUP, 0)
    assert "There is no user 'no-such-user'" in run.detail


async def test_only_root_runs_as_somebody_else(bench, monkeypatch):
    monkeypatch.setattr(environment.os, "geteuid", lambda: 12_345)
    run, _ = await outcome(bench, "user: root\ncommand: 'true'")

    assert (run.status, run.reason) == (Status.ERROR, Reason.SETUP)
    assert "Only root can run a command as 'root'" in run.detail


async def test_the_own_name_needs_no_root(bench):
    run, said = await outcome(bench, f"user: {getpass.getuser()}\ncommand: id -un")

    assert (run.status, said) == (Status.SUCCESS, f"{getpass.getuser()}\n")


# --- surroundings --------------------------------------------------------------------------------


async def test_the_environment_is_clean(bench, monkeypatch):
    monkeypatch.setenv("LEAKED", "yes")
    _, said = await outcome(bench, "command: [env]\nenv: {OWN: '1'}")

    assert {line.split("=", 1)[0] for line in said.splitlines()} == {
        "PATH", "HOME", "SHELL", "LOGNAME", "USER", "LANG", "PWD", "OWN", "CRONPILOT_TASK",
        "CRONPILOT_RUN_ID", "CRONPILOT_ATTEMPT", "CRONPILOT_STATE_DIR", "CRONPILOT_RUN",
    }  # fmt: skip


async def test_env_wins_over_env_file_which_wins_over_the_standard(bench, tmp_path):
    (tmp_path / "vars.env").write_text(
        "# for the shop\nexport A='from the file'\nB=from the file\nLANG=de_DE.UTF-8\n"
    )
    _, said = await outcome(
        bench,
        f"working_dir: {tmp_path}\nenv_file: vars.env\nenv: {{B: from env}}\n"
        'command: echo "$A, $B, $LANG"',
    )

    assert said == "from the file, from env, de_DE.UTF-8\n"


async def test_an_env_file_cannot_set_what_is_ours(bench, tmp_path):
    (tmp_path / "vars.env").write_text("A=1\nCRONPILOT_RUN_ID=99\n")
    run, _ = await outcome(bench, f"env_file: {tmp_path}/vars.env\ncommand: 'true'")

    assert (run.status, run.reason) == (Status.ERROR, Reason.SETUP)
    assert f"{tmp_path}/vars.env:2" in run.detail


async def test_an_env_file_on_a_disk_that_hangs_keeps_nobody_waiting(bench, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening it waits until somebody writes
    bench.tasks(
        f"name: hangs\ncommand: echo $A\nschedule: manual\nenv_file: {tmp_path}/pipe",
        "name: other\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine() as engine:
        hanging = await reached(engine, (await start(engine, "hangs")).id, Status.STARTING)
        other = await finished(engine, (await start(engine, "other")).id)
        assert other.status is Status.SUCCESS
        (tmp_path / "pipe").write_text("A=there at last\n")
        run = await finished(engine, hanging.id)
        assert await log_of(engine, run.id) == "there at last\n"


async def test_no_input_no_terminal_a_session_of_its_own_and_crons_umask(bench):
    _, said = await outcome(
        bench,
        "command: |\n"
        "  readlink /proc/self/fd/0; cat; umask\n"
        "  set -- $(cat /proc/self/stat); echo $6 $7\n"
        "  ls /proc/self/fd | wc -l",
    )

    stdin, umask, session, descriptors = said.splitlines()
    assert (stdin, umask) == ("/dev/null", "0022")
    assert int(session.split()[0]) not in (os.getsid(0), 0)
    assert session.split()[1] == "0"  # no controlling terminal
    assert int(descriptors) == 4  # stdin, stdout, stderr, and the one of ls


async def test_the_working_directory_is_home_unless_the_task_names_one(bench, tmp_path):
    _, at_home = await outcome(bench, "command: pwd")
    _, named = await outcome(bench, f"command: pwd\nworking_dir: {tmp_path}")

    assert at_home == f"{pwd.getpwuid(os.geteuid()).pw_dir}\n"
    assert named == f"{tmp_path}\n"


# --- limits --------------------------------------------------------------------------------------


async def test_limits_are_those_of_the_task(bench):
    _, said = await outcome(
        bench,
        "limits: {nice: 7, memory: 512000000, cpu: 1m, open_files: 99}\n"
        "command: nice; ulimit -v; ulimit -t; ulimit -n",
    )

    assert said == f"{os.nice(0) + 7}\n500000\n60\n99\n"


async def test_a_command_that_wants_more_memory_does_not_get_it(bench):
    run, said = await outcome(
        bench, "limits: {memory: 50000000}\ncommand: head -c 200000000 /dev/zero | tail"
    )

    assert run.status is Status.FAILED
    assert "memory exhausted" in said


async def test_a_command_that_uses_up_its_processor_time_is_ended(bench):
    run, _ = await outcome(bench, "limits: {cpu: 1s}\ncommand: while :; do :; done")

    assert (run.status, run.signal) == (Status.FAILED, 24)  # SIGXCPU
    assert 0.5 < run.cpu_s < 5


async def test_a_timeout_and_a_processor_time_of_0s_are_none(bench):
    run, said = await outcome(bench, "timeout: 0s\nlimits: {cpu: 0s}\ncommand: ulimit -t")

    assert (run.status, said) == (Status.SUCCESS, "unlimited\n")


async def test_a_command_that_opens_too_many_files_is_told(bench):
    run, said = await outcome(
        bench,
        "limits: {open_files: 40}\n"
        f"command: [{sys.executable}, -c, 'import os; print([os.dup(0) for _ in range(40)])']",
    )

    assert (run.status, run.exit_code) == (Status.FAILED, 1)
    assert "Too many open files" in said


# --- output --------------------------------------------------------------------------------------


async def test_of_a_flood_head_and_tail_are_kept_and_the_rest_is_counted(bench):
    last = 2_000_000
    written = sum(len(f"{number}\n") for number in range(1, last + 1))
    bench.tasks(f"name: flood\ncommand: seq {last}\nschedule: manual\nlog_limit: 65536")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "flood")).id)
        shown = (await engine.read_log(run.id, limit=1 << 26)).data.decode()

    parts = re.split(r"\n?[^\n]*?([\d,. ]+) (?:bytes|B)[^\n]*dropped[^\n]*\n", shown)
    assert len(parts) == 3, shown[:200]
    head, dropped, tail = parts
    assert head.startswith("1\n2\n3\n")
    assert tail.endswith(f"\n{last}\n")
    assert len(head) > 10_000
    assert len(tail) > 10_000
    assert written - 65_536 - 16_384 <= int(re.sub(r"\D", "", dropped)) < written
    assert Path(run.log_path).stat().st_blocks * 512 < 4 * 65_536


async def test_a_flood_without_end_does_not_fill_the_disk(bench):
    bench.tasks("name: flood\ncommand: 'yes'\nschedule: manual\nlog_limit: 65536")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "flood")).id, Status.RUNNING)
        log = Path(run.log_path)

        async def has_flooded():
            return log.stat().st_size > 200_000_000

        await until(has_flooded, "a flood")
        await engine.stop_run(run.id)
        over = await finished(engine, run.id)
        tail = (await engine.read_log(run.id, offset=-100)).data

    assert over.status is Status.STOPPED
    assert log.stat().st_blocks * 512 < 4 * 65_536
    assert tail.endswith(b"y\ny\n")
