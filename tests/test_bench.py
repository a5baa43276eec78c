"""The benchmarks are instruments: each can be asked what it measures, and the cheap ones measure.

How quick anything is, is asserted nowhere. Whether they still fit the product, mypy says, too.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parent / "bench"
SCRIPTS = sorted(BENCH.glob("bench_*.py"))


@pytest.fixture(autouse=True)
def among_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import each other as the scripts that they are."""
    monkeypatch.syspath_prepend(str(BENCH))
    monkeypatch.setenv("CRONPILOT_KEEPER_IDLE", "0.1")


@pytest.fixture
def together() -> ModuleType:
    """`python tests/bench`, as a module."""
    spec = importlib.util.spec_from_file_location("benchmarks", BENCH / "__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_each_says_what_it_measures(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"python tests/bench/{script.name}" in said
    assert "--quick" in said


def test_all_of_them_are_in_the_one_table(together: ModuleType) -> None:
    assert {*together.ORDER, together.PEERS} == {
        script.stem.removeprefix("bench_") for script in SCRIPTS
    }
    assert [name for name, _ in together.asked([])] == list(together.ORDER)


def test_peers_are_fetched_only_when_asked_for(together: ModuleType) -> None:
    assert together.asked(["screen"]) == [("screen", ["--no-peer"])]
    assert together.asked(["screen", "--peers", "--quick"]) == [
        ("screen", ["--quick"]), ("peers", ["--quick"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sizes", "arguments"),
    [
        pytest.param("history", {"TASKS": 80}, (2000,), id="history"),
        pytest.param("retention", {"RUNS": 300, "TASKS": 3, "KEPT": 20, "ALONE_S": 0}, (),
                     id="retention"),
        pytest.param("telling", {"RUNS": 20, "TASKS": 20, "GOING": 2, "HISTORY": 2}, (),
                     id="telling"),
        pytest.param("runner", {}, (8,), id="runner"),
        pytest.param("cron", {"ROUNDS": 1, "TASKS": 1}, (), id="cron"),
    ],
)  # fmt: skip
def test_the_cheap_ones_measure(
    monkeypatch: pytest.MonkeyPatch, name: str, sizes: dict[str, int], arguments: tuple[int, ...]
) -> None:
    bench = importlib.import_module(f"bench_{name}")
    for size, value in sizes.items():
        monkeypatch.setattr(bench, size, value)

    figures = list(bench.rows(*arguments))

    assert figures
    assert all(row.value is not None and row.value >= 0 for row in figures)


def test_one_that_breaks_off_loses_no_figure_of_another(
    together: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    figure = json.dumps({"what": "the first figure", "value": 1.5, "unit": "ms"})
    again = json.dumps({"what": "the other figure", "value": 2.5, "unit": "s", "budget": 2.0})
    for name, code in {
        "broken": f"print('{figure}', flush=True); raise SystemExit(3)",
        "sound": f"print('{again}')",
    }.items():
        (tmp_path / f"bench_{name}.py").write_text(f'"""What {name} measures."""\n{code}\n')
    monkeypatch.setattr(together, "HERE", tmp_path)
    monkeypatch.setattr(together, "ORDER", ("broken", "sound"))

    code = together.main([])

    said = capsys.readouterr()
    assert code == 1
    assert "broken: What broken measures." in said.out
    assert [line.split() for line in said.out.splitlines() if "figure " in line][1:] == [
        ["the", "first", "figure", "1.5", "ms"],
        ["the", "other", "figure", "2.5", "2", "s", "MISSED"],
    ]
    assert "BROKE OFF: it ended with 3" in said.out
    assert "2/2 sound ..." in said.err


def test_a_mistake_is_the_last_line_of_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measuring: Any = importlib.import_module("measuring")

    def rows() -> Iterator[Any]:
        yield measuring.Row("a figure", 1.0, "ms")
        raise TypeError("a keyword is missing")

    monkeypatch.setattr(sys, "argv", ["bench_x.py", "--json"])
    with pytest.raises(SystemExit) as ended:
        measuring.Command("What it measures.").show(lambda _: rows())

    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (said[0]["what"], said[1]) == (
        "a figure", {"broke": "TypeError: a keyword is missing"},
    )  # fmt: skip
    assert ended.value.code == 1
