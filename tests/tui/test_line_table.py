"""The table's laws: the cursor stays on its row, and only what changed is painted."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.geometry import Region

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import Status
from cronpilot.tui.widgets.task_table import TaskTable


class Unmounted(TaskTable):
    """A table on no screen: 10 rows high, it notes what it would paint and say."""

    def __init__(self):
        super().__init__()
        self.now = NOON
        self.painted, self.said = [], []

    body_height = 10
    marks = TaskTable.marks

    def _cells_at(self, index):
        row = self.row_at(index)
        return {"name": row.name} if row else {}

    def refresh(self, *regions, **_):
        self.painted += regions or [None]
        return self

    def post_message(self, message):
        self.said.append(message)
        return True


def tasks(ids):
    return [make_task(number, f"task-{number}") for number in ids]


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(1, 30), min_size=1), min_size=1, max_size=5),
       st.lists(st.integers(-5, 5), max_size=5))  # fmt: skip
def test_the_cursor_stays_on_its_row_while_rows_come_and_go(lists, moves):
    table = Unmounted()
    table.put_rows(0, tasks(range(1, 31)), 30)
    for move in moves:
        table.action_move(move)
    for ids in lists:
        before = table.row_id
        table.put_rows(0, tasks(sorted(ids)), len(ids))

        if before in ids:
            assert table.row_id == before
        assert table.row_id == table.row.id
        assert table.top <= table.cursor < table.top + 10


@given(st.lists(st.sampled_from(["down", "up", "page", "back", "first", "last"]), max_size=30))
def test_what_is_seen_is_always_asked_for(keys):
    """10,000 tasks, of which some screens are held: whoever feeds the table is asked in time."""
    table = Unmounted()
    table.put_rows(0, tasks(range(1, table.at_once + 1)), 10_000)
    acts = {
        "down": lambda: table.action_move(1),
        "up": lambda: table.action_move(-1),
        "page": lambda: table.action_page(1.0),
        "back": lambda: table.action_page(-1.0),
        "first": lambda: table.action_edge(-1),
        "last": lambda: table.action_edge(1),
    }
    for key in keys:
        acts[key]()
        asked = [message for message in table.said if isinstance(message, table.RowsWanted)]
        if asked:
            offset = asked[-1].offset
            table.said.clear()
            table.put_rows(offset, tasks(range(offset + 1, offset + table.at_once + 1)), 10_000)
        assert table.row is not None
        assert table.row.id == table.cursor + 1


def pages_through(table, pages, total=10_000):
    """Page by page, each answered at once: from where rows were asked for, one list a page."""
    table.put_rows(0, tasks(range(1, table.at_once + 1)), total)
    asked = []
    for _ in range(pages):
        table.said.clear()
        table.action_page(1.0)
        wanted = [said.offset for said in table.said if isinstance(said, table.RowsWanted)]
        asked.append(wanted)
        for offset in wanted:
            table.put_rows(offset, tasks(range(offset + 1, offset + table.at_once + 1)), total)
    return asked


def test_a_page_of_a_long_list_asks_for_few_rows_and_seldom():
    """What is asked for has to be made and read while the next key is waited for."""
    table = Unmounted()
    table.body_height = 20

    asked = pages_through(table, pages=30)

    assert table.at_once == 100
    assert sum(map(len, asked)) == 9
    assert all(first == [] for first in asked[:3])  # what is held reaches so far


def test_a_table_that_grows_asks_for_what_it_lacks():
    table = Unmounted()
    table.put_rows(0, tasks(range(1, table.at_once + 1)), 10_000)
    table.body_height = 55
    table._bring_to_top(0)

    assert [said.offset for said in table.said if isinstance(said, table.RowsWanted)] == [0]
    assert table.at_once == 200


def test_a_short_answer_is_not_asked_for_again():
    """Some rows are gone since they were counted: asking once more would bring no others."""
    table = Unmounted()
    table.put_rows(0, tasks(range(1, 16)), 1_000)
    table._bring_to_top(0)

    assert not [said for said in table.said if isinstance(said, table.RowsWanted)]


def test_rows_that_come_in_above_do_not_move_what_is_seen():
    table = Unmounted()
    table.put_rows(0, tasks(range(11, 41)), 30)
    table.action_move(20)
    seen_at = table.cursor - table.top

    table.put_rows(0, tasks(range(1, 41)), 40)

    assert table.cursor - table.top == seen_at


def test_the_same_rows_again_paint_nothing():
    table = Unmounted()
    table.put_rows(0, tasks(range(1, 6)), 5)
    table.painted.clear()
    table.put_rows(0, tasks(range(1, 6)), 5)
    table.tick(NOON)
    assert table.painted == []


async def test_a_filter_asks_for_a_few_screens_of_rows(show, monkeypatch):
    client = FakeClient([make_task(number, f"task-{number}") for number in range(1, 301)])
    asked, answer = [], client.tasks

    async def note(query):
        asked.append(query)
        return await answer(query)

    monkeypatch.setattr(client, "tasks", note)
    async with show(client) as screen:
        await screen.press("slash", *"task-2")
        await screen.until(lambda: "111 found" in screen.text)
        table = screen.dashboard.tasks.table

    assert {query.limit for query in asked if query.text} == {table.at_once}
    assert table.at_once <= 5 * table.body_height


async def test_what_a_filter_finds_is_seen_from_its_first_row_after_one_question(show, monkeypatch):
    client = FakeClient([make_task(number, f"task-{number}") for number in range(1, 301)])
    asked, answer = [], client.tasks

    async def note(query):
        asked.append(query)
        return await answer(query)

    async with show(client) as screen:
        table = screen.dashboard.tasks.table
        await screen.press("G")
        await screen.until(lambda: table.row_id == 300)
        monkeypatch.setattr(client, "tasks", note)
        screen.dashboard.tasks.refilter("task-1")
        await screen.until(lambda: "111 found" in screen.text)

        assert table.row_id == 1
        assert [line.split()[2] for line in screen.text.splitlines()[3:6]] == [
            "task-1", "task-10", "task-11",
        ]  # fmt: skip
    assert [query.offset for query in asked if query.text] == [0]


async def test_the_cursor_stays_on_a_row_that_a_filter_lets_through(show):
    client = FakeClient([make_task(number, f"task-{number}") for number in range(1, 301)])
    async with show(client) as screen:
        table = screen.dashboard.tasks.table
        await screen.press("G")
        await screen.until(lambda: table.row_id == 300)
        screen.dashboard.tasks.refilter("task-30")
        await screen.until(lambda: "2 found" in screen.text)

        assert (table.row_id, table.top) == (300, 0)


async def test_a_changed_cell_is_painted_alone(show, monkeypatch):
    client = FakeClient([make_task(1), make_task(2, "other")])
    async with show(client) as screen:
        table = screen.dashboard.tasks.table
        painted = []
        monkeypatch.setattr(table, "refresh", lambda *regions, **_: painted.extend(regions))
        table.put_row(make_task(2, "other", success_rate=0.5, next_run_at=None))

        places = {place.column.key: place for place in table._placed}
        expected = [
            Region(places[key].x, 2, places[key].width, 1) for key in ("next", "in", "rate")
        ]
        assert painted == expected


async def test_a_tick_without_a_change_paints_nothing(show, monkeypatch):
    async with show(FakeClient([make_task()])) as screen:
        await screen.pass_time(seconds=1)
        painted = []
        for widget in (screen.dashboard, *screen.dashboard.query("*")):
            note = functools.partial(lambda name, *_, **__: painted.append(name), widget)
            monkeypatch.setattr(widget, "refresh", note)
        await screen.pass_time(seconds=50)
        assert painted == []


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["j", "j", "k"], 1),
        (["down", "up"], 0),
        (["G"], 9_999),
        (["end"], 9_999),
        (["G", "g"], 0),
        (["G", "home"], 0),
        (["pagedown"], 20),
        (["pagedown", "pageup"], 0),
        (["ctrl+d"], 10),
        (["ctrl+d", "ctrl+u"], 0),
    ],
)
async def test_keys_that_move_in_ten_thousand_tasks(show, keys, cursor):
    client = FakeClient(tasks(range(1, 10_001)))
    async with show(client) as screen:
        await screen.press(*keys)
        table = screen.dashboard.tasks.table
        await screen.until(lambda: table.row_id is not None)
        assert (table.cursor, table.row_id) == (cursor, cursor + 1)
        assert f"task-{cursor + 1} " in screen.text


async def test_the_wheel_scrolls_and_a_click_chooses(show):
    client = FakeClient(tasks(range(1, 101)))
    async with show(client) as screen:
        table = screen.dashboard.tasks.table
        table.post_message(_wheel(table))
        await screen.until(lambda: table.top == 3)
        await screen.pilot.click(table, offset=(20, 5))
        assert table.row_id == 8


def _wheel(table):
    from textual.events import MouseScrollDown

    return MouseScrollDown(table, 5, 5, 0, 1, 0, False, False, False)


async def test_a_task_that_is_running_counts_up(show):
    last = LastRun(id=1, status=Status.RUNNING, started_at=NOON)
    client = FakeClient([make_task(running=1, last_run=last)], [make_run(1)])
    async with show(client) as screen:
        await screen.pass_time(seconds=64)
        assert "1m 04s" in screen.text


async def test_a_list_that_scrolls_by_a_row_paints_hardly_more_than_that_one(show):
    async with show(FakeClient(tasks(range(1, 100)))) as screen:
        table = screen.dashboard.tasks.table
        rows = range(1, table.size.height)
        before = [table.render_line(y) for y in rows]
        table._bring_to_top(1)
        after = [table.render_line(y) for y in rows]

    kept = {id(strip) for strip in before}
    fresh = [strip.text.split()[2] for strip in after if id(strip) not in kept]
    assert after[-1].text.split()[2] == f"task-{len(rows) + 1}"
    assert fresh == ["task-5", f"task-{len(rows) + 1}"]  # the scroll bar stands beside task-5 now
