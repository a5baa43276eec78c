"""What a command finds when it starts, and what is known when it has ended."""

from __future__ import annotations

import os
import pwd
import resource
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cronpilot.runner import NeverStarted, ResourceLimits

from .small_engine import SmallEngine


async def test_every_exit_code_is_reported_as_it_was(engine: SmallEngine) -> None:
    async with engine:
        runs = {code: engine.start(f"exit {code}") for code in range(256)}
        codes = {code: (await engine.end_of(run)).exit_code for code, run in runs.items()}

    assert codes == {code: code for code in range(256)}


@pytest.mark.parametrize("number", [1, 3, 6, 8, 9, 10, 11, 14, 15], ids=signal.strsignal)
async def test_death_by_a_signal_is_told_from_an_exit_code(
    engine: SmallEngine, number: int
) -> None:
    async with engine:
        killed = await engine.run(f"ulimit -c 0; kill -{number} $$")
        exited = await engine.run(f"exit {128 + number}")

    assert (killed.exit_code, killed.signal) == (128 + number, number)
    assert (exited.exit_code, exited.signal) == (128 + number, None)


async def test_both_outputs_go_to_the_log_in_the_order_written(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("echo one; echo two >&2; echo three")
        await engine.end_of(run)

    assert engine.log(run) == "one\ntwo\nthree\n"


async def test_later_launches_of_a_run_append_to_its_log(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("echo first")
        await engine.end_of(run)
        del engine.orders[run], engine.ends[run]
        again = engine.start("echo second")
        await engine.end_of(again)

    assert (again, engine.log(run)) == (run, "first\nsecond\n")


async def test_start_and_end_times_are_those_of_the_command(engine: SmallEngine) -> None:
    async with engine:
        before = datetime.now(UTC)
        end = await engine.run("sleep 0.2")
        after = datetime.now(UTC)

    assert end.started_at and end.ended_at
    assert before - timedelta(milliseconds=1) <= end.started_at < end.ended_at <= after
    assert end.ended_at - end.started_at >= timedelta(seconds=0.2)


async def test_the_peak_memory_of_whoever_started_the_keeper_hides_nothing(
    engine: SmallEngine,
) -> None:
    ours = bytearray(150_000_000)  # this process is larger than the command from here on
    async with engine:
        command = await engine.run([sys.executable, "-c", "x = bytearray(50_000_000)"])

    assert len(ours) > 0
    assert command.max_rss is not None and 50_000_000 < command.max_rss < 150_000_000


async def test_cpu_time_and_peak_memory_are_those_of_the_command(engine: SmallEngine) -> None:
    async with engine:
        busy = await engine.run("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
        big = await engine.run([sys.executable, "-c", "x = bytearray(200_000_000)"])

    assert busy.cpu_s is not None and 0.01 < busy.cpu_s < 10
    assert big.max_rss is not None and 200_000_000 < big.max_rss < 400_000_000


async def test_the_surroundings_are_clean(engine: SmallEngine) -> None:
    script = """
        umask; pwd; readlink /proc/$$/fd/0; ls /proc/$$/fd | tr '\\n' ' '; echo
        cat /proc/self/oom_score_adj; tty; ps -o sid= -p $$ | tr -d ' '; env | sort
    """
    async with engine:
        run = engine.start(script, working_dir="/tmp", env={"WORD": "a b'c\"$d"})
        end = await engine.end_of(run)

    umask, folder, stdin, fds, oom, tty, session, *variables = engine.log(run).splitlines()
    assert (umask, folder, stdin, tty) == ("0022", "/tmp", "/dev/null", "not a tty")
    assert fds.split()[:3] == ["0", "1", "2"] and len(fds.split()) <= 4  # ls has its own
    assert (oom, session) == ("200", str(end.pid))
    names = {line.partition("=")[0] for line in variables}
    assert names == {"CRONPILOT_RUN", "PATH", "PWD", "WORD"}
    assert f"CRONPILOT_RUN={engine.id}-{run}-1" in variables
    assert "WORD=a b'c\"$d" in variables


async def test_no_signal_is_ignored_or_blocked(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"])
        await engine.end_of(run)

    masks = {name: int(mask, 16) for name, mask in map(str.split, engine.log(run).splitlines())}
    internal = 1 << 31 | 1 << 32  # 32 and 33: glibc's own, which posix_spawn leaves ignored
    assert masks["SigBlk:"] == 0
    assert masks["SigIgn:"] & ~internal == 0


async def test_pid_and_parent_are_the_commands_own(engine: SmallEngine) -> None:
    """`echo $$ >pidfile` and `kill $$` must not name the wrapper."""
    async with engine:
        run = engine.start("echo $$ $PPID")
        end = await engine.end_of(run)

    own, parent = map(int, engine.log(run).split())
    assert parent == end.pid and own != end.pid


async def test_words_reach_the_program_without_a_shell(engine: SmallEngine) -> None:
    words = ["printf", "[%s]", "a b", "$HOME", "*", "", "'", "\n", "-n", "ü", "`id`"]
    async with engine:
        run = engine.start(words)
        await engine.end_of(run)

    assert engine.log(run) == "[a b][$HOME][*][]['][\n][-n][ü][`id`]"


async def test_an_unknown_command_ends_with_127_and_the_shells_words(engine: SmallEngine) -> None:
    async with engine:
        plain = engine.start(["no-such-program"])
        script = engine.start("no-such-program --help | cat; exit 127")
        ends = [await engine.end_of(run) for run in (plain, script)]

    assert [end.exit_code for end in ends] == [127, 127]
    assert [end.detail for end in ends] == [
        "Exit code 127: command not found. The log has the shell's words."
    ] * 2
    assert "no-such-program: not found" in engine.log(plain)
    assert "no-such-program: not found" in engine.log(script)


async def test_what_cannot_be_executed_ends_with_126(engine: SmallEngine, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("text")
    async with engine:
        end = await engine.run([str(tmp_path / "data")])

    assert end.exit_code == 126
    assert end.detail.startswith("Exit code 126: the command cannot be executed.")


async def test_a_script_without_a_first_line_is_run_by_sh(
    engine: SmallEngine, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("echo run by sh; exit 4\n")
    script.chmod(0o755)
    async with engine:
        run = engine.start([str(script)])
        end = await engine.end_of(run)

    assert (end.exit_code, engine.log(run)) == (4, "run by sh\n")


async def test_a_missing_working_directory_is_named(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("echo reached", working_dir="/no/such place")
        end = await engine.end_of(run)

    assert (end.exit_code, end.why) == (125, "setup")
    assert "The working directory cannot be entered" in end.detail
    assert "/no/such place" in end.detail
    assert engine.log(run) == ""


async def test_exit_code_125_of_a_command_is_its_own(engine: SmallEngine) -> None:
    async with engine:
        end = await engine.run("exit 125")

    assert (end.exit_code, end.why) == (125, "")


async def test_an_argument_with_nul_is_refused_for_good(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(["echo", "a\0b"])
        await engine.until(lambda: run in engine.ends)

    end = engine.ends[run]
    assert isinstance(end, NeverStarted) and not end.retry
    assert "null" in end.detail


async def test_a_script_longer_than_an_argument_may_be_still_runs(engine: SmallEngine) -> None:
    script = "#" * 200_000 + "\necho end of a long script; exit 5"
    async with engine:
        run = engine.start(script)
        end = await engine.end_of(run)
        await engine.until(lambda: engine.records() == [])

    assert (end.exit_code, engine.log(run)) == (5, "end of a long script\n")


async def test_a_too_long_argument_of_a_program_is_refused_in_words(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start(["echo", "x" * 200_000])
        await engine.until(lambda: run in engine.ends)

    assert engine.ends[run] == NeverStarted(
        engine.key(run), "An argument is longer than 128 KiB, which the kernel refuses.", False
    )


async def test_limits_hold_for_the_command(engine: SmallEngine) -> None:
    limits = ResourceLimits(nice=7, memory=1 << 30, cpu=50, open_files=99)
    script = "nice; ulimit -v; ulimit -n; ulimit -St; ulimit -Ht"
    async with engine:
        run = engine.start(script, limits=limits)
        await engine.end_of(run)

    assert engine.log(run).split() == ["7", str((1 << 30) // 1024), "99", "50", "55"]


async def test_too_much_cpu_time_ends_by_signal(engine: SmallEngine) -> None:
    async with engine:
        end = await engine.run("while :; do :; done", limits=ResourceLimits(cpu=1))

    assert (end.exit_code, end.signal) == (128 + signal.SIGXCPU, signal.SIGXCPU)


async def test_a_limit_that_cannot_be_set_is_a_setup_error(engine: SmallEngine) -> None:
    async with engine:
        end = await engine.run("echo x", limits=ResourceLimits(open_files=1 << 31))

    assert (end.exit_code, end.why) == (125, "setup")
    assert end.detail.startswith("A limit cannot be set")


async def test_the_tiniest_memory_limit_fails_the_command_and_not_the_start(
    engine: SmallEngine,
) -> None:
    async with engine:
        end = await engine.run("echo x", limits=ResourceLimits(memory=1 << 20))

    assert end.exit_code not in (None, 0)


async def test_tasks_get_back_the_limit_of_open_files(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("ulimit -Sn")
        await engine.end_of(run)

    assert int(engine.log(run)) == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_root_can_run_a_command_as_another_user(engine: SmallEngine) -> None:
    nobody = pwd.getpwnam("nobody")
    async with engine:
        run = engine.start("id -u; id -g; id -G; echo x >/root/x", user="nobody")
        end = await engine.end_of(run)

    assert engine.log(run).splitlines()[:2] == [str(nobody.pw_uid), str(nobody.pw_gid)]
    assert "0" not in engine.log(run).splitlines()[2].split()
    assert end.exit_code != 0 and "Permission denied" in engine.log(run)


async def test_an_unknown_user_is_refused_for_good(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("true", user="no-such-user")
        await engine.until(lambda: run in engine.ends)

    end = engine.ends[run]
    assert isinstance(end, NeverStarted) and not end.retry and "no-such-user" in end.detail


async def test_a_daemon_that_a_command_leaves_behind_lives_and_is_mentioned(
    engine: SmallEngine,
) -> None:
    async with engine:
        end = await engine.run("sleep 60 & exit 0")
        alone = await engine.run("exit 0")

    assert (end.exit_code, end.left, alone.left) == (0, True, False)


async def test_a_log_that_is_a_link_is_not_followed(engine: SmallEngine, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("untouched")
    async with engine:
        engine.log_path(1).parent.mkdir(mode=0o700)
        engine.log_path(1).symlink_to(target)
        run = engine.start("echo overwritten")
        await engine.until(lambda: run in engine.ends)

    end = engine.ends[run]
    assert isinstance(end, NeverStarted) and "symbolic links" in end.detail
    assert target.read_text() == "untouched"


async def test_files_and_folders_are_closed_to_others(engine: SmallEngine) -> None:
    async with engine:
        run = engine.start("sleep 60")
        await engine.begun(run)
        modes = {
            path.name: oct(path.stat().st_mode & 0o777)
            for path in [engine.state_dir, *engine.state_dir.rglob("*")]
        }
        engine.executor.stop(engine.key(run), why="stop")
        await engine.end_of(run)

    assert modes == {
        "state": "0o700",
        "records": "0o700",
        "logs": "0o700",
        "7": "0o700",
        "keeper.log": "0o600",
        "keeper.lock": "0o600",
        "keeper.sock": "0o700",
        "1.1": "0o600",
        "1.log": "0o600",
    }
