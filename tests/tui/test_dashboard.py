"""The screen, key by key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import Banner, LastRun
from cronpilot.domain.run import Reason, Status
from cronpilot.errors import Refused, StorageProblem
from cronpilot.tui.leave import Leave
from cronpilot.tui.log_feed import NEWEST
from cronpilot.tui.screens.dialog import Dialog


def ended(run_id: int = 11, **fields) -> LastRun:
    given = {"status": Status.SUCCESS, "exit_code": 0, "started_at": NOON - timedelta(minutes=5),
             "finished_at": NOON - timedelta(minutes=4), "duration_s": 60.0, **fields}  # fmt: skip
    return LastRun(id=run_id, **given)


@pytest.fixture
def client(clock):
    """backup-db has run once and rests; probe runs; report has never run."""
    tasks = [
        make_task(1, "backup-db", last_run=ended(), tags=["nightly"]),
        make_task(2, "probe", running=1, last_run=LastRun(id=12, status=Status.RUNNING,
                                                          started_at=NOON)),
        make_task(3, "report", schedule_words="only by hand", next_run_at=None),
    ]  # fmt: skip
    runs = [
        make_run(11, **ended().model_dump(exclude={"id"}), pid=None),
        make_run(12, task_id=2, task_name="probe", usual_s=30.0),
    ]
    return FakeClient(tasks, runs, {11: b"dumped 3 tables\n", 12: b"first\n"}, clock)


def text_of_log(screen):
    window = screen.dashboard.panel.output.window
    return [window[index].decode() for index in range(len(window))]


# --- what is seen --------------------------------------------------------------------------------


async def test_a_task_says_what_it_does_when_and_how_it_went(show, client):
    async with show(client) as screen:
        line = screen.text.splitlines()[3]
        assert line.split("  ")[0].strip() == "✓ ok"
        for words in ("every day at 02:30", "Thu 02:30", "14h 30m", "4m ago", "1m 00s"):
            assert words in line


async def test_the_status_bar_says_whom_one_looks_at_and_what_comes_next(show, client):
    async with show(client) as screen:
        bar = screen.dashboard.status_bar.text
        for words in ("example", "/var/lib/cronpilot", "ENGINE", "1 running",
                      "next 14h 30m backup-db", "UTC", "12:00"):  # fmt: skip
            assert words in bar


async def test_a_viewer_is_attached(show, client):
    async with show(client, role="attached") as screen:
        assert "ATTACHED" in screen.dashboard.status_bar.text


async def test_a_countdown_goes_on(show, client):
    client.put_task(make_task(1, "backup-db", next_run_at=NOON + timedelta(seconds=30)))
    async with show(client) as screen:
        assert "30s" in screen.text
        await screen.pass_time(seconds=18)
        assert "next 12s backup-db" in screen.dashboard.status_bar.text


async def test_what_changes_elsewhere_is_seen(show, client):
    async with show(client) as screen:
        client.put_task(make_task(3, "report", paused_at=NOON))
        await screen.until(lambda: "‖ paused" in screen.text)


async def test_a_new_task_appears_and_the_cursor_stays(show, client):
    async with show(client) as screen:
        await screen.press("j")
        client.put_task(make_task(4, "brand-new"))
        await screen.until(lambda: "brand-new" in screen.text)
        assert screen.dashboard.tasks.table.row_id == 2


async def test_a_task_that_is_archived_disappears(show, client):
    async with show(client) as screen:
        client.remove_task(3)
        await screen.until(lambda: "report" not in screen.text)


async def test_a_banner_is_one_line_with_its_hint(show, client):
    async with show(client) as screen:
        client.set_banners(
            Banner(key="a", text="tasks.yaml was edited", hint="See validate", severity="warning"),
            Banner(key="b", text="The disk is full", hint="Make room", severity="error"),
        )
        await screen.until(lambda: "The disk is full" in screen.text)
        assert "! The disk is full  Make room" in screen.text.splitlines()[1]
        assert "+1 more" in screen.text
        client.set_banners()
        await screen.until(lambda: "The disk is full" not in screen.text)


# --- views ---------------------------------------------------------------------------------------


async def test_view_2_shows_what_runs_against_its_usual_length(show, client):
    async with show(client) as screen:
        await screen.press("2")
        await screen.pass_time(seconds=15)
        assert "[2 Running 1]" in screen.text
        for words in ("probe", "15s", "█████░░░░░ 50%", "12:00:30", "pid 4242", "#12"):
            assert words in screen.text


async def test_view_2_says_what_comes_next_when_nothing_runs(show):
    async with show(FakeClient([make_task()])) as screen:
        await screen.press("2")
        assert "Nothing runs now" in screen.text
        assert "Next: backup-db  in 14h 30m, at Thu 02:30" in screen.text


async def test_a_run_that_starts_appears_in_view_2(show, client):
    async with show(client) as screen:
        await screen.press("2")
        client.put_run(make_run(20, task_id=1, status=Status.QUEUED, started_at=None))
        await screen.until(lambda: "◦ queued" in screen.text)
        assert "a free slot" in screen.text


async def test_a_run_that_ends_under_the_cursor_stays_until_the_cursor_moves(show, client):
    client.put_run(make_run(13, task_id=3, task_name="report"))
    async with show(client) as screen:
        await screen.press("2")
        client.finish(12)
        await screen.until(lambda: "✓ ok" in screen.text)
        assert screen.dashboard.running.table.row_id == 12

        await screen.press("j")
        await screen.until(lambda: "probe" not in screen.text.splitlines()[3])
        assert screen.dashboard.running.table.row_id == 13


async def test_a_run_that_ends_elsewhere_goes_at_once(show, client):
    client.put_run(make_run(13, task_id=3, task_name="report"))
    async with show(client) as screen:
        await screen.press("2")
        client.finish(13)
        await screen.until(lambda: screen.dashboard.running.total == 1)


async def test_1_goes_back_to_the_tasks(show, client):
    async with show(client) as screen:
        await screen.press("2", "1")
        assert "[1 Tasks]" in screen.text


# --- the log -------------------------------------------------------------------------------------


async def test_the_log_of_the_task_under_the_cursor_is_below(show, client):
    async with show(client) as screen:
        await screen.until(lambda: "dumped 3 tables" in screen.text)
        assert "backup-db  run 11  ✓ ok  1m 00s  exit 0  16 B" in screen.dashboard.panel.head.text

        await screen.press("j")
        await screen.until(lambda: "first" in screen.text)
        assert "  probe  run 12  ▸ run" in screen.dashboard.panel.head.text


async def test_output_is_seen_as_it_is_printed(show, client):
    async with show(client) as screen:
        await screen.press("j")
        await screen.until(lambda: "first" in screen.text)
        client.append_log(12, b"second\n")
        await screen.until(lambda: "second" in screen.text)


async def test_scrolling_up_ends_following_and_end_resumes_it(show, client):
    client.append_log(12, b"".join(b"line %d\n" % n for n in range(100)))
    async with show(client) as screen:
        await screen.press("j", "l")
        await screen.until(lambda: "line 99" in screen.text)
        panel = screen.dashboard.panel

        await screen.press("k")
        client.append_log(12, b"news\nnews\n")
        await screen.until(lambda: "+2 new: End" in panel.head.text)
        assert "news" not in screen.text.replace("new:", "")

        await screen.press("end")
        assert panel.output.following
        assert "news" in screen.text


async def test_earlier_output_is_read_on_the_way_up(show, client, monkeypatch):
    monkeypatch.setattr("cronpilot.tui.log_feed.NEWEST", 1000)
    monkeypatch.setattr("cronpilot.tui.log_feed.TAIL", 2000)
    client.append_log(12, b"".join(b"line %d\n" % n for n in range(1000)))
    async with show(client) as screen:
        await screen.press("j", "L")
        await screen.until(lambda: "line 999" in screen.text)
        assert "line 0" not in text_of_log(screen)
        for _ in range(40):
            await screen.press("pageup")
        await screen.until(lambda: text_of_log(screen)[0] == "first")
        assert text_of_log(screen)[1:] == [f"line {n}" for n in range(1000)]


async def test_of_a_flood_only_the_newest_is_read_until_it_ends(show, client):
    read, read_log = [], client.read_log

    async def noting(run_id, **piece):
        chunk = await read_log(run_id, **piece)
        read.append(len(chunk.data))
        return chunk

    async with show(client) as screen:
        await screen.press("j", "L")
        await screen.until(lambda: "first" in screen.text)
        output = screen.dashboard.panel.output
        held, client.read_log = output.window, noting
        client.append_log(12, b"flood\n" * 1_000_000 + b"the end\n")
        await screen.until(lambda: "the end" in screen.text)
        assert output.window is not held
        assert len(output.window) < NEWEST / len("flood")
        assert sum(read) < 1_000_000  # of six; one piece by the stream that was left
        assert output.window.start > 5_900_000
        assert output.following
        client.append_log(12, b"line by line again\n")
        await screen.until(lambda: "line by line again" in screen.text)
        await screen.press("pageup", "pageup")
        await screen.until(lambda: "flood" in screen.text and not output.following)


async def test_a_new_run_of_the_task_takes_its_place_in_the_log(show, client):
    async with show(client) as screen:
        await screen.until(lambda: "dumped 3 tables" in screen.text)
        client.append_log(20, b"dumping again\n")
        client.put_run(make_run(20))
        await screen.until(lambda: "dumping again" in screen.text)


async def test_a_new_run_does_not_take_the_log_away_from_a_reader(show, client):
    client.append_log(11, b"more\n" * 100)
    async with show(client) as screen:
        await screen.press("l")
        await screen.until(lambda: "more" in screen.text)
        await screen.press("k")
        client.append_log(20, b"dumping again\n")
        client.put_run(make_run(20))
        await screen.until(lambda: "run 20 has begun: End" in screen.dashboard.panel.head.text)
        assert "more" in screen.text

        await screen.press("end")
        await screen.until(lambda: "dumping again" in screen.text)


async def test_a_slot_skipped_beside_a_run_leaves_the_log_of_the_run(show, client):
    async with show(client) as screen:
        await screen.press("j")
        await screen.until(lambda: "first" in screen.text)
        client.put_run(make_run(30, task_id=2, task_name="probe", status=Status.SKIPPED,
                                reason=Reason.ALREADY_RUNNING, started_at=None))  # fmt: skip
        client.append_log(12, b"still here\n")
        await screen.until(lambda: "still here" in screen.text)
        assert screen.dashboard.panel.run_id == 12


async def test_a_task_that_has_not_run_says_how_to_run_it(show, client):
    async with show(client) as screen:
        await screen.press("G")
        await screen.until(lambda: "report has not run yet" in screen.text)


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        (["+"], "whole"),
        (["_"], "none"),
        (["_", "+"], "part"),
        (["enter"], "whole"),
        (["enter", "escape"], "part"),
        (["L"], "whole"),
        (["L", "L"], "part"),
        (["_", "l"], "part"),
    ],
)
async def test_keys_that_give_the_log_room(show, client, keys, size):
    names = {"+": "plus", "_": "underscore"}
    async with show(client) as screen:
        await screen.press(*(names.get(key, key) for key in keys))
        assert screen.dashboard.shown_size() == size
        assert screen.dashboard.panel.display is (size != "none")


async def test_l_goes_into_the_log_and_back(show, client):
    async with show(client) as screen:
        await screen.press("l")
        assert screen.dashboard.panel.output.has_focus
        await screen.press("l")
        assert screen.dashboard.tasks.table.has_focus


async def test_a_long_line_is_read_sideways(show, client):
    client.append_log(11, b"x" * 150 + b"far right\n")
    async with show(client) as screen:
        await screen.press("l")
        await screen.until(lambda: "xxx" in screen.text)
        await screen.press("right")
        assert "far right" in screen.text


# --- the filter ----------------------------------------------------------------------------------


async def test_a_filter_is_applied_while_typing_and_kept_on_enter(show, client):
    async with show(client) as screen:
        await screen.press("slash", *"NIGHT")
        await screen.until(lambda: "1 found" in screen.text)
        assert "probe" not in screen.text
        await screen.press("enter")
        assert screen.dashboard.tasks.table.has_focus
        assert "filter NIGHT" in screen.dashboard.tabs.text


async def test_what_limits_the_rows_is_never_off_a_small_screen(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.press("slash", *"a text that is much longer than what is left", "enter")
        await screen.until(lambda: "filter a text that" in screen.dashboard.tabs.text)
        assert screen.dashboard.tabs.text.startswith(" [1 Tasks]  2 ")
        await screen.press("escape")
        await screen.until(lambda: "2 Running" in screen.dashboard.tabs.text)


async def test_escape_takes_the_filter_back(show, client):
    async with show(client) as screen:
        await screen.press("slash", *"probe", "enter")
        await screen.until(lambda: "1 found" in screen.text)
        await screen.press("escape")
        await screen.until(lambda: "3 in all" in screen.text)


async def test_escape_while_typing_takes_the_filter_back_too(show, client):
    async with show(client) as screen:
        await screen.press("slash", *"probe", "escape")
        await screen.until(lambda: "3 in all" in screen.text)
        assert screen.dashboard.tasks.table.has_focus


async def test_a_filter_that_nothing_matches_says_so(show, client):
    async with show(client) as screen:
        await screen.press("slash", *"[/]", "enter")
        await screen.until(lambda: "Nothing matches [/]" in screen.text)


async def test_running_runs_are_filtered_by_task(show, client):
    client.put_run(make_run(13, task_id=3, task_name="report"))
    async with show(client) as screen:
        await screen.press("2", "slash", *"rep", "enter")
        await screen.until(lambda: "1 found" in screen.text)
        assert "probe" not in screen.text.splitlines()[3]


# --- acting --------------------------------------------------------------------------------------


async def test_r_runs_the_task_now(show, client):
    async with show(client) as screen:
        await screen.press("r")
        await screen.until(lambda: client.calls == [("run_now", 1)])
        await screen.until(lambda: "2 running" in screen.dashboard.status_bar.text)


async def test_r_on_a_running_task_says_that_it_was_skipped(show, client):
    client.put_run(client._runs[12])
    async with show(client) as screen:
        await screen.press("j", "r")
        await screen.until(lambda: "Skipped: it was still running." in screen.text)


@pytest.mark.parametrize(("key", "signal"), [("t", "TERM"), ("k", "KILL"), ("i", "INT")])
async def test_x_asks_which_signal_and_sends_it(show, client, key, signal):
    async with show(client) as screen:
        await screen.press("2", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        assert "Stop run 12 of probe?" in screen.text
        await screen.press(key)
        await screen.until(lambda: client.calls == [("stop_run", 12, signal)])


@pytest.mark.parametrize("keys", [["escape"], ["n"], ["enter"]])
async def test_the_default_of_a_question_is_to_do_nothing(show, client, keys):
    async with show(client) as screen:
        await screen.press("2", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        await screen.press(*keys)
        await screen.until(lambda: screen.app.screen is screen.dashboard)
        assert client.calls == []


async def test_an_answer_is_chosen_with_the_arrows_too(show, client):
    async with show(client) as screen:
        await screen.press("2", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        await screen.press("up", "up", "enter")
        await screen.until(lambda: client.calls == [("stop_run", 12, "KILL")])


async def test_x_on_a_task_stops_its_newest_run(show, client):
    client.put_run(make_run(14, task_id=2, task_name="probe"))
    async with show(client) as screen:
        await screen.press("j", "x")
        await screen.until(lambda: "Stop run 14 of probe?" in screen.text)
        assert "1 other run of this task will go on." in screen.text


async def test_x_acts_on_the_run_that_was_under_the_cursor(show, client):
    async with show(client) as screen:
        await screen.press("2", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog))
        client.finish(12)
        client.put_run(make_run(15, task_id=3, task_name="report"))
        await screen.press("t")
        await screen.until(lambda: client.calls == [("stop_run", 12, "TERM")])
        assert client._runs[15].status is Status.RUNNING


async def test_x_on_a_task_at_rest_says_so(show, client):
    async with show(client) as screen:
        await screen.press("x")
        await screen.until(lambda: "It does not run now." in screen.text)


async def test_p_pauses_and_resumes_the_task(show, client):
    async with show(client) as screen:
        await screen.press("p")
        await screen.until(lambda: "‖ paused" in screen.text)
        await screen.press("p")
        await screen.until(lambda: "‖ paused" not in screen.text)
        assert client.calls == [("pause_task", 1), ("resume_task", 1)]


async def test_capital_p_pauses_the_scheduler_after_a_yes(show, client):
    async with show(client) as screen:
        await screen.press("P")
        await screen.until(lambda: "Pause the scheduler?" in screen.text)
        await screen.press("y")
        await screen.until(lambda: "PAUSED" in screen.dashboard.status_bar.text)
        await screen.press("P")
        await screen.until(lambda: "Resume the scheduler?" in screen.text)
        await screen.press("y")
        await screen.until(lambda: "PAUSED" not in screen.dashboard.status_bar.text)


async def test_a_refusal_is_told_with_what_to_do(show, client, monkeypatch):
    async def refuse(task_id, *, request_id):
        raise Refused("The pool [/db] is gone.", "Add it to config.yaml.")

    monkeypatch.setattr(client, "run_now", refuse)
    async with show(client) as screen:
        await screen.press("r")
        await screen.until(lambda: "The pool [/db] is gone." in screen.text)
        assert "Add it to config.yaml." in screen.text


# --- key bar, repaint, theme ---------------------------------------------------------------------


async def test_the_key_bar_always_says_how_to_get_help_and_out(show, client):
    for width in (200, 80, 40, 20):
        async with show(client, size=(width, 24)) as screen:
            assert screen.dashboard.key_bar.text.rstrip().endswith("? help  q quit")


async def test_the_theme_changes_everywhere(show, client):
    async with show(client) as screen:
        table = screen.dashboard.tasks.table
        before = table.tone_style("good")
        await screen.press("T")
        assert screen.app.theme == "cronpilot-light"
        assert table.tone_style("good") != before


async def test_every_binding_has_a_description_and_a_tooltip(show, client):
    async with show(client) as screen:
        for focus in (["1"], ["l"]):
            await screen.press(*focus)
            for active in screen.dashboard.active_bindings.values():
                assert active.binding.system or active.binding.description
                assert active.binding.system or active.binding.tooltip


# --- leaving -------------------------------------------------------------------------------------


async def test_a_viewer_leaves_at_once(show, client):
    async with show(client, role="attached") as screen:
        await screen.press("q")
        await screen.until(lambda: screen.app.return_value is not None)
        assert screen.app.return_value is Leave.VIEWER_QUIT


@pytest.mark.parametrize(("key", "leave"), [("b", Leave.DETACH), ("s", Leave.STOP)])
@pytest.mark.parametrize("quit_key", ["q", "ctrl+q"])
async def test_the_owner_is_asked_what_becomes_of_the_scheduler(show, client, quit_key, key, leave):
    async with show(client) as screen:
        await screen.press(quit_key)
        await screen.until(lambda: "Leave CronPilot?" in screen.text)
        assert "1 run goes on, taken up at the next start" in screen.text
        await screen.press(key)
        await screen.until(lambda: screen.app.return_value is not None)
        assert screen.app.return_value is leave


async def test_on_80_columns_it_reads_to_its_end_what_leaving_means(show):
    async with show(FakeClient([make_task(1, "echo")]), size=(80, 24)) as screen:
        await screen.press("q")
        await screen.until(lambda: "nothing starts until you come back" in screen.text)


async def test_escape_stays(show, client):
    async with show(client) as screen:
        await screen.press("q")
        await screen.until(lambda: "Leave CronPilot?" in screen.text)
        await screen.press("escape")
        assert screen.app.screen is screen.dashboard
        assert screen.app.return_value is None


async def test_ctrl_c_never_quits(show, client):
    async with show(client) as screen:
        await screen.press("ctrl+c")
        await screen.until(lambda: "q quits." in screen.text)
        assert screen.app.return_value is None


# --- the engine is lost --------------------------------------------------------------------------


async def test_a_lost_engine_is_not_shown_as_live_and_is_found_again(show, client, monkeypatch):
    monkeypatch.setattr("cronpilot.tui.connection.RETRY", 0.05)
    async with show(client) as screen:
        client.lose()
        await screen.until(
            lambda: "ENGINE NOT ANSWERING since 12:00:00" in screen.dashboard.status_bar.text
        )
        assert screen.dashboard.has_class("-lost")
        assert "backup-db" in screen.text

        client.put_task(make_task(9, "made-meanwhile"))
        client.come_back()
        await screen.until(lambda: "made-meanwhile" in screen.text)
        assert "ENGINE NOT ANSWERING" not in screen.dashboard.status_bar.text
        assert not screen.dashboard.has_class("-lost")


async def test_why_an_engine_that_was_there_does_not_come_back_is_said(show, client, monkeypatch):
    monkeypatch.setattr("cronpilot.tui.connection.RETRY", 600.0)
    async with show(client) as screen:
        client.lose()
        await screen.until(lambda: screen.app.client is None)
        screen.app.lost(StorageProblem("x.db is damaged.", "Restore a backup of it."))
        await screen.until(lambda: "x.db is damaged.  Restore a backup of it." in screen.text)
        assert "ENGINE NOT ANSWERING" in screen.text


async def test_acting_without_an_engine_says_what_is_wrong(show, client):
    async with show(client) as screen:
        client.lose()
        await screen.until(lambda: screen.app.client is None)
        await screen.press("r")
        await screen.until(lambda: "No engine runs on /var/lib/cronpilot." in screen.text)


async def test_an_engine_that_cannot_start_is_explained(show):
    client = FakeClient()
    client.lose()
    async with show(client) as screen:
        await screen.until(lambda: "Start one: cronpilot --headless" in screen.text)
        assert "No engine runs on" in screen.text


async def test_a_long_banner_leaves_room_for_how_many_more_there_are(show, client):
    async with show(client, size=(80, 24)) as screen:
        client.set_banners(*(Banner(key=key, text="Something is wrong: " + "why " * 20,
                                    severity="warning") for key in "ab"))  # fmt: skip
        await screen.until(lambda: "+1 more" in screen.text)


# --- size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size",
    [(200, 60), (80, 24), (60, 15), (40, 10), (20, 6), (20, 3), (20, 2), (5, 1), (1, 1)],
)
async def test_every_size_shows_something_and_breaks_nothing(show, client, size):
    async with show(client) as screen:
        await screen.pilot.resize_terminal(*size)
        await screen.press("j", "k", "2", "l", "escape", "1")
        await screen.pass_time(seconds=1)
        assert len(screen.text.splitlines()) == size[1]


@pytest.mark.parametrize("size", [(20, 30), (40, 4), (22, 1), (20, 3)])
async def test_where_no_table_has_room_words_say_so_and_all_comes_back(show, client, size):
    async with show(client, size=size) as screen:
        assert screen.text.startswith("1 running, 0 failing")
        assert size[1] == 1 or "60x15" in screen.text
        await screen.pilot.resize_terminal(80, 24)
        await screen.press("j")
        await screen.until(lambda: screen.dashboard.tasks.chosen.name == "probe")


async def test_80_by_24_has_all_that_is_needed(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.until(lambda: "dumped 3 tables" in screen.text)
        for words in ("✓ ok", "backup-db", "every day at 02:30", "Thu 02:30", "14h 30m", "4m ago"):
            assert words in screen.text


async def test_where_there_is_little_room_the_log_comes_on_enter(show, client):
    async with show(client, size=(80, 15)) as screen:
        assert not screen.dashboard.panel.display
        await screen.press("enter")
        await screen.until(lambda: "dumped 3 tables" in screen.text)
        await screen.press("escape")
        assert not screen.dashboard.panel.display
