"""View 4 and the page of a run, key by key."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import Reason, Status
from cronpilot.tui.screens.help import HelpScreen
from cronpilot.tui.screens.run_page import RunPage

NAMES = ("backup-db", "probe", "report")
VERDICTS = (Status.SUCCESS, Status.SUCCESS, Status.FAILED, Status.SKIPPED)
RUNS = 700


def past(number):
    """Run 700 was recorded at noon, each one before twenty minutes earlier."""
    status, at = VERDICTS[number % 4], NOON - timedelta(minutes=20 * (RUNS - number))
    return make_run(
        number, task_id=1 + number % 3, task_name=NAMES[number % 3], status=status, queued_at=at,
        scheduled_for=at, started_at=None if status is Status.SKIPPED else at, finished_at=at,
        duration_s=None if status is Status.SKIPPED else 4.0, pid=None,
        exit_code={Status.SUCCESS: 0, Status.FAILED: 2}.get(status),
        reason=Reason.ALREADY_RUNNING if status is Status.SKIPPED else None,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch):
    """A second after connecting everything is read once more, and pages are known anew: on a busy
    machine that comes in the middle of a test."""
    monkeypatch.setattr("cronpilot.tui.screens.dashboard.SECOND_LOOK", 3600)


@pytest.fixture
def client(clock):
    """Three tasks with 700 runs between them, of which every fourth failed and every fourth was
    skipped."""
    tasks = [make_task(number, name) for number, name in enumerate(NAMES, 1)]
    logs = {number: b"output of %d\n" % number for number in range(1, RUNS + 1)}
    return FakeClient(tasks, [past(number) for number in range(1, RUNS + 1)], logs, clock)


async def history(screen):
    """Go to view 4 and wait for its rows."""
    await screen.press("4")
    await screen.until(lambda: screen.dashboard.history.is_read)
    return screen.dashboard.history


def rows(view):
    return [row.id for row in view.table.rows]


# --- the list ------------------------------------------------------------------------------------


async def test_view_4_lists_what_has_happened_newest_first(show, client):
    async with show(client) as screen:
        view = await history(screen)
        assert rows(view)[:3] == [700, 699, 698]
        assert "[4 History]" in screen.text
        assert "200 and more in all" in screen.text
        line = next(line for line in screen.text.splitlines() if "#698" in line)
        for words in ("11:20:00", "✗ fail", "report", "exit 2", "4.0s", "schedule"):
            assert words in line
        assert "was still running" in next(s for s in screen.text.splitlines() if "#699" in s)


async def test_further_pages_are_read_as_one_scrolls_until_all_is_known(show, client):
    async with show(client) as screen:
        view = await history(screen)
        for known in (400, 600, 700):
            await screen.press("G")
            await screen.until(lambda known=known: view.total == known)
        await screen.press("G")
        assert view.table.row_id == 1
        assert "700 in all" in screen.text
        await screen.press("g")
        assert view.table.row_id == 700


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        pytest.param([], 701, id="sees the newest"),
        pytest.param(["j", "j"], 698, id="unless they had gone to another run"),
        pytest.param(["j", "g"], 701, id="and had not come back from it"),
    ],
)
async def test_whoever_comes_back_to_the_history(show, client, keys, cursor):
    async with show(client) as screen:
        view = await history(screen)
        await screen.press(*keys, "1")
        client.put_run(make_run(701))
        await screen.until(lambda: rows(view)[0] == 701)
        await screen.press("4")
        await screen.pilot.pause()
        assert view.chosen.id == cursor


async def test_a_new_run_appears_at_the_top_and_the_cursor_keeps_its_run(show, client):
    async with show(client) as screen:
        view = await history(screen)
        await screen.press("j")
        client.put_run(make_run(701))
        await screen.until(lambda: "#701" in screen.text)
        assert view.table.row_id == 699
        assert rows(view)[:2] == [701, 700]
        client.finish(701, Status.FAILED, exit_code=9)
        await screen.until(lambda: view.table.find(701).exit_code == 9)


async def test_f_shows_failures_only_and_everything_again(show, client):
    async with show(client) as screen:
        view = await history(screen)
        await screen.press("f")
        await screen.until(lambda: rows(view)[:2] == [698, 694])
        assert "filter failed only" in screen.text
        assert "175 found" in screen.text
        client.put_run(make_run(701))
        client.finish(701, Status.FAILED, exit_code=1)
        await screen.until(lambda: rows(view)[0] == 701)
        await screen.press("f")
        await screen.until(lambda: rows(view)[:2] == [701, 700])


async def test_v_goes_through_the_verdicts(show, client):
    async with show(client) as screen:
        view = await history(screen)
        await screen.press("v")
        await screen.until(lambda: rows(view)[:2] == [700, 697])
        assert "filter success" in screen.text
        await screen.press("V", "V", "V")
        await screen.until(lambda: rows(view)[:2] == [699, 695])
        assert "filter skipped" in screen.text


async def test_t_limits_the_time(show, client):
    async with show(client) as screen:
        view = await history(screen)
        await screen.press("t")
        await screen.until(lambda: view.total == 37)
        assert "filter today" in screen.text
        await screen.press("t")
        await screen.until(lambda: "filter 7 days" in screen.text)
        await screen.press("t")
        await screen.until(lambda: "filter 30 days" in screen.text)
        await screen.press("t")
        await screen.until(lambda: "in all" in screen.text)


async def test_a_text_limits_the_tasks_and_esc_takes_all_filters_back(show, client):
    async with show(client) as screen:
        view = await history(screen)
        await screen.press("slash", *"prob", "enter", "f")
        await screen.until(lambda: "filter prob, failed only" in screen.text)
        await screen.until(lambda: rows(view)[:2] == [694, 682])
        await screen.press("escape")
        await screen.until(lambda: rows(view)[:2] == [700, 699])
        assert "and more in all" in screen.text


async def test_a_filter_that_nothing_matches_says_so(show, client):
    async with show(client) as screen:
        await history(screen)
        await screen.press("slash", *"zzz", "enter")
        await screen.until(lambda: "Nothing matches zzz" in screen.text)


async def test_an_empty_history_says_so(show):
    async with show(FakeClient([make_task()])) as screen:
        await screen.press("4")
        await screen.until(lambda: "Nothing has run yet" in screen.text)


async def test_the_log_of_the_run_under_the_cursor_is_shown_below(show, client):
    async with show(client) as screen:
        await history(screen)
        await screen.press("j", "j")
        await screen.until(lambda: "output of 698" in screen.text)


async def test_an_engine_that_comes_back_is_read_again(show, client, monkeypatch):
    monkeypatch.setattr("cronpilot.tui.connection.RETRY", 0.05)
    async with show(client) as screen:
        view = await history(screen)
        client.lose()
        await screen.until(lambda: "ENGINE NOT ANSWERING" in screen.text)
        client._runs[701] = make_run(701)
        client.come_back()
        await screen.until(lambda: rows(view)[:1] == [701])


async def test_r_and_p_mean_the_task_of_the_run(show, client):
    async with show(client) as screen:
        await history(screen)
        await screen.press("j", "j", "r", "p")
        await screen.until(lambda: len(client.calls) == 2)
        assert sorted(client.calls) == [("pause_task", 3), ("run_now", 3)]


# --- the page of a run ---------------------------------------------------------------------------


async def opened(screen, *keys):
    await history(screen)
    await screen.press(*keys, "enter")
    await screen.until(lambda: isinstance(screen.app.screen, RunPage))
    return screen.app.screen


async def test_enter_opens_all_about_a_run_and_esc_goes_back(show, client):
    async with show(client) as screen:
        await opened(screen, "j", "j")
        await screen.until(lambda: "output of 698" in screen.text)
        for words in ("report  run 698", "It failed with exit code 2.", "its schedule",
                      "started on time", "command   true"):  # fmt: skip
            assert words in screen.text
        await screen.press("escape")
        assert screen.app.screen is screen.dashboard
        assert screen.dashboard.history.table.row_id == 698


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
async def test_the_output_stays_where_it_is_while_the_rest_is_read(show, client, monkeypatch, size):
    client.put_run(make_run(701, environment={f"V{n:02}": "x" for n in range(11)}))
    may_answer, answer = asyncio.Event(), client.attempts

    async def late(run_id):
        await may_answer.wait()
        return await answer(run_id)

    monkeypatch.setattr(client, "attempts", late)
    async with show(client, size=size) as screen:
        page = await opened(screen)
        await screen.until(lambda: page.panel.run_shown is not None and page.panel.region.y > 2)
        before = page.panel.region
        assert "V00=x" not in screen.text

        may_answer.set()
        await screen.until(lambda: "V00=x" in screen.text)
        assert page.panel.region == before


async def test_brackets_go_through_the_runs_of_the_task(show, client):
    async with show(client) as screen:
        page = await opened(screen)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "output of 697" in screen.text)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "output of 694" in screen.text)
        await screen.press("right_square_bracket")
        await screen.until(lambda: page.run_shown.id == 697)


async def test_beyond_the_newest_run_a_word_says_so(show, client):
    async with show(client) as screen:
        page = await opened(screen)
        await screen.press("right_square_bracket")
        await screen.until(lambda: "This is its newest run." in screen.text)
        assert page.run_shown.id == 700


async def test_the_page_of_a_run_is_live(show, client):
    client.put_run(make_run(701, environment={"TOKEN": "***"}))
    async with show(client) as screen:
        await opened(screen)
        await screen.until(lambda: "It runs as process 4242." in screen.text)
        assert "TOKEN=***" in screen.text
        client.append_log(701, b"more of it\n")
        await screen.until(lambda: "more of it" in screen.text)
        client.finish(701, Status.FAILED, exit_code=3)
        await screen.until(lambda: "It failed with exit code 3." in screen.text)
        assert "TOKEN=***" in screen.text


async def test_a_run_can_be_stopped_from_its_page(show, client):
    client.put_run(make_run(701))
    async with show(client) as screen:
        await opened(screen)
        await screen.press("x")
        await screen.until(lambda: "Stop run 701 of backup-db?" in screen.text)
        await screen.press("t")
        await screen.until(lambda: client.calls == [("stop_run", 701, "TERM")])


async def test_r_on_that_page_says_that_a_run_has_begun(show, client):
    async with show(client) as screen:
        await opened(screen)
        await screen.press("r")
        await screen.until(lambda: "Run 701 has begun." in screen.text)


async def test_tab_goes_between_facts_and_output(show, client):
    client.put_run(make_run(701, environment={f"V{n:02}": "x" for n in range(40)}))
    async with show(client, size=(80, 24)) as screen:
        await opened(screen)
        await screen.until(lambda: "V00=x" in screen.text)
        assert "V39" not in screen.text
        await screen.press("tab", "G")
        await screen.until(lambda: "V39=x" in screen.text)


async def test_enter_opens_a_run_from_view_2_and_from_the_log(show, client):
    client.put_run(make_run(701))
    async with show(client) as screen:
        await screen.press("2")
        await screen.until(lambda: screen.dashboard.running.table.row_id == 701)
        await screen.press("enter")
        assert isinstance(screen.app.screen, RunPage)
        await screen.press("enter", "1", "l")
        await screen.until(lambda: screen.dashboard.panel.run_shown is not None)
        await screen.press("enter")
        assert isinstance(screen.app.screen, RunPage)


@pytest.mark.parametrize("where", ["list", "page"])
async def test_help_names_the_keys(show, client, where):
    async with show(client, size=(120, 60)) as screen:
        await (opened(screen) if where == "page" else history(screen))
        await screen.press("question_mark")
        assert isinstance(screen.app.screen, HelpScreen)
        words = ("Earlier", "Later") if where == "page" else ("Failed", "Verdict", "Time")
        for word in words:
            assert word in screen.text


async def test_the_fake_answers_as_an_engine_does(client):
    after = await client.runs(RunQuery(task_id=1, after=1, limit=1))
    assert [run.id for run in after.rows] == [3]


async def test_the_page_of_a_run_goes_on_when_the_engine_is_back(show, client, monkeypatch):
    monkeypatch.setattr("cronpilot.tui.connection.RETRY", 0.05)
    client.put_run(make_run(701))
    async with show(client) as screen:
        await opened(screen)
        await screen.until(lambda: screen.app.screen.panel.run_shown is not None)
        client.lose()
        await screen.until(lambda: screen.app.client is None)
        screen.app.screen.tick(NOON)
        await screen.until(lambda: "ENGINE NOT ANSWERING" in screen.text)
        client._runs[701] = make_run(701, status=Status.LOST, reason=Reason.HOST_RESTART)
        client.come_back()
        await screen.until(lambda: "the machine restarted" in screen.text)


async def test_facts_that_come_later_get_their_room(show, client):
    client.put_run(make_run(701, environment={"TOKEN": "***"}))
    async with show(client) as screen:
        page = await opened(screen)
        await screen.until(lambda: "OUTCOME" in screen.text and "TOKEN=***" in screen.text)
        await screen.until(lambda: page.facts.size.height == len(page.facts.lines))
