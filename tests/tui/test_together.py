"""Several runs in one log."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.domain.run import Status
from cronpilot.tui.log_together import BURST, Share, Together
from cronpilot.tui.screens.together import TogetherPage


@pytest.fixture
def client(clock):
    """probe and a task with a hostile name run; report waits."""
    names = {1: "probe", 2: "[/]\x1b[2J", 3: "report"}
    tasks = [make_task(number, name) for number, name in names.items()]
    runs = [make_run(number, task_id=number, task_name=names[number]) for number in (1, 2)]
    runs.append(make_run(3, task_id=3, task_name="report", status=Status.QUEUED, started_at=None))
    return FakeClient(tasks, runs, {1: b"one\n", 2: b"two\n"}, clock)


async def together(screen):
    await screen.press("2", "M")
    await screen.until(lambda: isinstance(screen.app.screen, TogetherPage))
    await screen.until(lambda: "one" in screen.text and "two" in screen.text)
    return screen.app.screen


async def test_each_line_has_the_name_of_its_task(show, client):
    async with show(client) as screen:
        await together(screen)
        assert "All that runs  2 runs" in screen.text
        client.append_log(2, b"\x1b[31mred\x1b[0m li")
        client.append_log(1, b"three\n")
        client.append_log(2, b"ne\n")
        await screen.until(lambda: "red line" in screen.text)
        lines = [line.strip(" ┃") for line in screen.text.splitlines()[1:]]
        assert r"[/]\x1b[2J │ red line" in lines
        assert any(line.endswith("│ three") and line.startswith("probe") for line in lines)
        await screen.press("escape")
        assert screen.app.screen is screen.dashboard


async def test_marked_tasks_alone(show, client):
    async with show(client) as screen:
        await screen.press("space", "M")
        await screen.until(lambda: isinstance(screen.app.screen, TogetherPage))
        await screen.until(lambda: "1 marked task  1 run" in screen.text)
        client.append_log(2, b"not this\n")
        client.append_log(1, b"but this\n")
        await screen.until(lambda: "│ but this" in screen.text)
        assert "not this" not in screen.text


async def test_what_starts_joins_and_what_ends_says_how(show, client):
    async with show(client, size=(80, 24)) as screen:
        page = await together(screen)
        client.append_log(4, b"from the first line\n")
        client.put_run(make_run(4, task_id=3, task_name="report"))
        await screen.until(lambda: "│ from the first line" in screen.text)
        client.finish(4, Status.FAILED, exit_code=7)
        await screen.until(lambda: "[run 4 has ended: failed, exit 7]" in screen.text)
        await screen.until(lambda: page._together.count == 2)


async def test_it_is_read_searched_and_followed_like_one_log(show, client):
    async with show(client) as screen:
        page = await together(screen)
        client.append_log(1, b"".join(b"line %d\n" % n for n in range(300)))
        await screen.until(lambda: "line 299" in screen.text)
        await screen.press("k")
        assert not page.output.following
        client.append_log(2, b"news\n")
        await screen.until(lambda: "+1 new: f" in screen.text)
        await screen.press("slash")
        await screen.until(lambda: page.is_typing_in_log)
        await screen.press(*"LINE 270", "enter")
        await screen.until(lambda: "▸probe      │ line 270" in screen.text)
        await screen.press("N")
        await screen.until(lambda: "No further match." in screen.text)
        await screen.press("escape", "f")
        await screen.until(lambda: page.output.following and "news" in screen.text)


async def test_one_that_floods_leaves_room_for_the_others(show, client):
    async with show(client) as screen:
        page = await together(screen)
        client.append_log(1, b"flood\n" * 200_000 + b"the end\n")
        await screen.until(lambda: "the end" in screen.text)
        window = page.output.window
        shown = [window[index] for index in range(len(window))]
        assert sum(b"flood" in line for line in shown) < BURST
        assert [line for line in shown if line.endswith(b"lines and 1.2 MB left out]")]
        client.append_log(2, b"still heard\n")
        await screen.until(lambda: "still heard" in screen.text)


def test_a_burst_is_shown_whole_and_of_a_flood_a_few_lines_at_each_look():
    share = Share()
    share.add(0, [b"trace"] * BURST)
    assert share.take() == [(number, b"trace") for number in range(BURST)]
    for look in range(3):
        share.add(1000 * look, [b"%d" % number for number in range(1000)])
        first, *rest = share.take()
        assert first == (1000 * look + 995, b"[995 lines left out]")
        assert [line for _, line in rest] == [b"995", b"996", b"997", b"998", b"999"]
    assert share.take() == []


def test_what_was_not_read_is_told_with_the_next_line():
    share = Share()
    share.pass_over(3_000_000)
    assert share.take() == []
    share.add(7, [b"the end"])
    assert share.take() == [(7, b"[3.0 MB left out]"), (7, b"the end")]


async def test_lines_of_several_runs_stay_in_the_order_in_which_they_came(client):
    runs = [await client.run(number) for number in (1, 2)]
    lines = Together(client, lambda: None)
    for run in runs:
        lines._runs[run.id], lines._shares[run.id] = run, Share()
        lines._tints[run.task_id] = 36
    for number in range(1000):
        lines._add(runs[0], [b"flood %d" % number])
        if number == 998:
            lines._add(runs[1], [b"a word"])
    shown = [line.rpartition(b"\xe2\x94\x82 ")[2] for line in lines.take()]
    assert shown[0] == b"[800 lines left out]"
    assert shown[-3:] == [b"flood 998", b"a word", b"flood 999"]
