"""The table of tasks: marks and acting on many, order, columns; pausing until a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.errors import Refused

HOUR = timedelta(hours=1)


@pytest.fixture
def client(clock):
    """Five tasks; the third one runs."""
    tasks = [
        make_task(number, f"task-{name}", average_duration_s=float(10 * number % 37),
                  success_rate=number / 5, running=int(number == 3))
        for number, name in enumerate(("echo", "delta", "bravo", "alpha", "charlie"), 1)
    ]  # fmt: skip
    return FakeClient(tasks, [make_run(9, task_id=3, task_name="task-bravo")], clock=clock)


def order(screen):
    return [row.name.removeprefix("task-") for row in screen.dashboard.tasks.table.rows]


# --- marks ---------------------------------------------------------------------------------------


async def test_space_marks_and_goes_on_and_escape_takes_all_marks(show, client):
    async with show(client) as screen:
        await screen.press("space", "j", "space")
        await screen.until(lambda: "2 marked" in screen.text)
        marked = [line.strip() for line in screen.text.splitlines() if line.startswith("●")]

        assert [line.split()[2] for line in marked] == ["task-echo", "task-bravo"]
        await screen.press("escape")
        await screen.until(lambda: "marked" not in screen.text)


async def test_all_that_the_filter_shows_and_all_others_are_marked(show, client):
    async with show(client) as screen:
        await screen.press("slash", *"l", "enter")  # delta, alpha, charlie
        await screen.until(lambda: "3 found" in screen.text)
        await screen.press("A")
        await screen.until(lambda: "3 marked" in screen.text)
        await screen.press("g", "space", "asterisk")
        await screen.until(lambda: "1 marked" in screen.text)
        assert screen.dashboard.tasks.marks == {2: "task-delta"}
        await screen.press("A", "A")
        await screen.until(lambda: "marked" not in screen.text)


async def test_marks_stay_on_their_tasks_whatever_the_order_and_go_with_them(show, client):
    async with show(client) as screen:
        await screen.press("space", "s", "n")
        await screen.until(lambda: order(screen)[0] == "alpha")
        (line,) = [line for line in screen.text.splitlines() if line.startswith("●")]
        assert "task-echo" in line
        client.remove_task(1)
        await screen.until(lambda: not screen.dashboard.tasks.marks)


async def test_a_question_names_tasks_of_any_length_on_a_small_screen(show, clock):
    long = "毎晩のデータベースのバックアップと検証を行う非常に長い名前のタスク"
    client = FakeClient([make_task(1, long), make_task(2, "the-second")], clock=clock)
    async with show(client, size=(80, 24)) as screen:
        await screen.press("space", "space", "r")
        await screen.until(lambda: "Run 2 tasks now?" in screen.text)
        assert "the-second" in screen.text.split("now?")[1].split("Run them")[0]


@pytest.mark.parametrize(
    ("keys", "question", "answer", "calls"),
    [
        ("r", "Run 2 tasks now?", "y", [("run_now", 1), ("run_now", 2)]),
        ("p", "Pause or resume 2 tasks?", "p", [("pause_task", 1), ("pause_task", 2)]),
        ("p", "Pause or resume 2 tasks?", "r", [("resume_task", 1), ("resume_task", 2)]),
        ("D", "Delete 2 tasks?", "y", [("delete_task", 1), ("delete_task", 2)]),
    ],
)
async def test_a_key_means_all_marked_tasks_after_one_question_that_names_them(
    show, client, keys, question, answer, calls
):
    async with show(client) as screen:
        await screen.press("space", "space", keys)
        await screen.until(lambda: question in screen.text)
        assert "task-echo, task-delta" in screen.text
        await screen.press(answer)
        await screen.until(lambda: len(client.calls) >= 2)
        assert [call[:2] for call in client.calls] == calls
        await screen.until(lambda: "2 tasks" in screen.text)
        assert not screen.dashboard.tasks.marks


async def test_nothing_is_done_to_many_by_default(show, client):
    async with show(client) as screen:
        await screen.press("space", "space", "D")
        await screen.until(lambda: "Delete 2 tasks?" in screen.text)
        await screen.press("enter")
        await screen.until(lambda: "Delete 2 tasks?" not in screen.text)
        assert client.calls == []
        assert len(screen.dashboard.tasks.marks) == 2


async def test_what_failed_of_many_is_told_and_stays_marked(show, client, monkeypatch):
    start = client.run_now

    async def run_now(task_id, *, request_id):
        if task_id == 2:
            raise Refused("[/] It has no command.", "Edit it.")
        return await start(task_id, request_id=request_id)

    monkeypatch.setattr(client, "run_now", run_now)
    async with show(client) as screen:
        await screen.press("A")
        await screen.until(lambda: "5 marked" in screen.text)
        await screen.press("r", "y")
        await screen.until(lambda: "3 tasks started" in screen.text)
        assert "task-delta: [/] It has no command." in screen.text
        assert "task-bravo: It was skipped: it was still running." in screen.text
        assert set(screen.dashboard.tasks.marks) == {2, 3}


async def test_runs_of_many_tasks_are_stopped_with_one_signal(show, client):
    async with show(client) as screen:
        await screen.press("j", "space", "space", "x")
        await screen.until(lambda: "Stop all runs of 2 tasks?" in screen.text)
        await screen.press("k")
        await screen.until(lambda: ("stop_run", 9, "KILL") in client.calls)
        await screen.until(lambda: "1 task told to stop" in screen.text)
        assert "task-delta: It does not run now." in screen.text


# --- order and columns ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["s", "n"], ["alpha", "bravo", "charlie", "delta", "echo"]),
        (["s", "n", "S"], ["echo", "delta", "charlie", "bravo", "alpha"]),
        (["s", "n", "s", "n"], ["echo", "delta", "charlie", "bravo", "alpha"]),
        (["s", "u"], ["bravo", "delta", "charlie", "echo", "alpha"]),
        (["s", "r"], ["echo", "delta", "bravo", "alpha", "charlie"]),
    ],
)
async def test_the_order_is_chosen_by_letter_and_turned_round(show, client, keys, names):
    async with show(client) as screen:
        for key in keys:
            await screen.press(key)
            await screen.pilot.pause(0.05)
        await screen.until(lambda: order(screen) == names)


async def test_the_header_says_what_the_order_is(show, client):
    async with show(client) as screen:
        await screen.press("s", "u")
        await screen.until(lambda: "USUAL↓" in screen.text)


async def test_rows_change_their_order_only_when_no_key_was_pressed_for_a_while(
    show, client, monkeypatch
):
    monkeypatch.setattr("cronpilot.tui.screens.dashboard.SECOND_LOOK", 600.0)  # it reads anew, too
    async with show(client) as screen:
        await screen.press("s", "x")
        await screen.until(lambda: "NEXT↑" in screen.text)
        await screen.press("j")
        client.put_task(make_task(5, "task-charlie", next_run_at=NOON + HOUR))
        await screen.pass_time(seconds=1)
        assert order(screen)[0] == "echo"
        await screen.pass_time(seconds=2)
        await screen.until(lambda: order(screen)[0] == "charlie")
        assert screen.dashboard.tasks.chosen.name == "task-delta"


async def test_columns_are_hidden_and_others_take_their_room(show, client):
    async with show(client) as screen:
        assert "TAGS" not in screen.text
        await screen.press("o")
        await screen.until(lambda: "Columns" in screen.text)
        await screen.press("e", "a", "escape")  # the verdicts, the schedule
        await screen.until(lambda: "TAGS" in screen.text)
        assert "LAST 20" not in screen.text
        assert "SCHEDULE" not in screen.text


@pytest.mark.parametrize(
    ("width", "last"), [(79, "LAST RUN"), (98, "USUAL"), (120, "OK"), (140, "TAGS")]
)
async def test_columns_drop_out_from_the_right_of_their_list(show, client, width, last):
    async with show(client, size=(width, 24)) as screen:
        head = next(line for line in screen.text.splitlines() if "STATE" in line)
        assert head.strip().endswith(last)


# --- pausing until a time ------------------------------------------------------------------------


async def test_z_pauses_a_task_until_a_time(show, client):
    async with show(client) as screen:
        await screen.press("z")
        await screen.until(lambda: "Pause task-echo until when?" in screen.text)
        await screen.until(lambda: "Write 2h, 18:00 or 2026-03-05 18:00." in screen.text)
        await screen.press(*"nonsense")
        await screen.until(lambda: "'nonsense' is not a time." in screen.text)
        await screen.press("ctrl+u", *"18:00")
        await screen.until(lambda: "Until Wed 4 Mar 2026 18:00, in 6h 00m." in screen.text)
        await screen.press("enter")
        await screen.until(lambda: client._tasks[1].paused_until == NOON + 6 * HOUR)
        await screen.until(lambda: "paused until 18:00" in screen.text)


async def test_escape_pauses_nothing(show, client):
    async with show(client) as screen:
        await screen.press("z", *"2h", "escape")
        await screen.until(lambda: "until when" not in screen.text)
        assert client.calls == []


async def test_many_tasks_are_paused_until_a_time(show, client):
    async with show(client) as screen:
        await screen.press("space", "space", "p")
        await screen.until(lambda: "Pause or resume 2 tasks?" in screen.text)
        await screen.press("u")
        await screen.until(lambda: "Pause 2 tasks until when?" in screen.text)
        await screen.press(*"2h", "enter")
        await screen.until(lambda: client._tasks[2].paused_until == NOON + 2 * HOUR)
        assert client._tasks[1].paused_until == NOON + 2 * HOUR
        assert client._tasks[3].paused_at is None


async def test_the_whole_scheduler_is_paused_until_a_time(show, client):
    async with show(client) as screen:
        await screen.press("P", "u")
        await screen.until(lambda: "Pause the whole scheduler until when?" in screen.text)
        await screen.press(*"18:00", "enter")
        await screen.until(lambda: "PAUSED until 18:00" in screen.text)
        assert (await client.status()).paused_until == NOON + 6 * HOUR


async def test_a_start_by_hand_goes_to_the_marked_tasks_and_to_no_other(show, client):
    async with show(client) as screen:
        await screen.press("space", "G", "r")
        await screen.until(lambda: "Run 1 task now?" in screen.text)
        await screen.press("y")
        await screen.until(lambda: client.calls == [("run_now", 1)])
        assert client._tasks[5].last_run is None
