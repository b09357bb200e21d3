"""The panel against a plain list model, and what each of its operations keeps."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import panel as panel_module
from market.panel import Panel
from market.types import Bar, InstrumentId, Timeframe, to_ms

START = datetime(2026, 11, 20, tzinfo=UTC)
ROWS = ("KRX:A", "KRX:B", "KRX:C", "KRX:D", "KRX:E")
FIELDS = ("open", "high", "low", "close", "volume", "value")


def bar(instrument: InstrumentId, number: int, close: float = 100.0, **facts: Any) -> Bar:
    facts.setdefault("timeframe", Timeframe.M5)
    return Bar(
        instrument=instrument,
        start=START + number * timedelta(minutes=5),
        open=close - 1,
        high=close + 2,
        low=close - 2,
        close=close,
        volume=close * 10,
        value=close * close,
        **facts,
    )


def held(panel: Panel, row: int) -> list[tuple[int, float]]:
    """Return (bar number, close) of what a row shows, and check that all fields agree."""
    count = int(panel.counts[row])
    first = panel.depth - count
    assert not panel.starts[row, :first].any()
    assert not panel.gap[row, :first].any()
    for field in FIELDS:
        assert np.isnan(getattr(panel, field)[row, :first]).all()
        assert not np.isnan(getattr(panel, field)[row, first:]).any()
    close = panel.close[row, first:]
    assert np.array_equal(panel.open[row, first:], close - 1)
    assert np.array_equal(panel.high[row, first:], close + 2)
    assert np.array_equal(panel.low[row, first:], close - 2)
    assert np.array_equal(panel.volume[row, first:], close * 10)
    assert np.array_equal(panel.value[row, first:], close * close)
    numbers = (panel.starts[row, first:] - to_ms(START)) // 300_000
    return list(zip(numbers.tolist(), close.tolist(), strict=True))


def test_a_new_panel_is_empty() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=4)
    assert panel.close.shape == (5, 4)
    assert [held(panel, row) for row in range(5)] == [[]] * 5
    assert not panel.missing.any()


def test_arrays_keep_their_kinds_and_lie_contiguous() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=4)
    for number in range(3):
        panel.append(bar(name, number) for name in ROWS)
    for field in FIELDS:
        assert getattr(panel, field).dtype == np.float64
        assert getattr(panel, field).flags.c_contiguous
    assert panel.starts.dtype == panel.counts.dtype == np.int64
    assert panel.gap.dtype == panel.missing.dtype == np.bool_


def test_row_and_has_know_the_instruments() -> None:
    panel = Panel(Timeframe.M5, ROWS)
    assert panel.row("KRX:C") == 2
    assert panel.has("KRX:C")
    assert not panel.has("KRX:Z")
    with pytest.raises(KeyError):
        panel.row("KRX:Z")


def test_append_returns_the_rows_that_got_a_new_bar() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=4)
    panel.append([bar("KRX:A", 5), bar("KRX:B", 5)])
    rows = panel.append([bar("KRX:D", 6), bar("KRX:A", 6), bar("KRX:B", 5), bar("KRX:Z", 6)])
    assert rows.tolist() == [0, 3]
    assert panel.append([]).tolist() == []


def test_append_revises_the_newest_bar_and_ignores_older_ones() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=4)
    panel.append([bar("KRX:A", 5, 10), bar("KRX:A", 5, 11), bar("KRX:A", 4, 12)])
    panel.append([bar("KRX:A", 5, 13), bar("KRX:A", 3, 14)])
    assert held(panel, 0) == [(5, 13)]


def test_append_keeps_only_the_newest_bars() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=3)
    panel.append(bar("KRX:B", number, number + 1) for number in range(10))
    assert held(panel, 1) == [(7, 8), (8, 9), (9, 10)]


def test_append_refuses_another_timeframe() -> None:
    panel = Panel(Timeframe.M5, ROWS)
    with pytest.raises(ValueError, match="1m bar in a 5m panel"):
        panel.append([bar("KRX:A", 0, timeframe=Timeframe.M1)])


def test_append_turns_missing_into_a_gap() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=3)
    panel.append(bar(name, 0) for name in ROWS)
    panel.mark_missing([1, 3])
    assert panel.missing.tolist() == [False, True, False, True, False]
    panel.append(bar(name, 2) for name in ROWS[:3])
    assert panel.missing.tolist() == [False, False, False, True, False]
    assert panel.gap[:, -1].tolist() == [False, True, False, False, False]
    panel.append([bar("KRX:D", 3), bar("KRX:D", 4)])
    assert panel.gap[3].tolist() == [False, True, False]


def test_append_of_an_old_bar_leaves_missing() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=3)
    panel.append([bar("KRX:A", 5)])
    panel.mark_missing([0])
    panel.append([bar("KRX:A", 5, 120), bar("KRX:A", 4)])
    assert panel.missing[0]


def test_revise_replaces_a_held_bar() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=3)
    panel.append([bar("KRX:A", 1), bar("KRX:A", 2), bar("KRX:A", 4)])
    assert panel.revise(bar("KRX:A", 2, 50))
    assert held(panel, 0) == [(1, 100), (2, 50), (4, 100)]


@pytest.mark.parametrize(("name", "number"), [("KRX:A", 3), ("KRX:A", 0), ("KRX:A", 9)])
def test_revise_is_false_for_a_bar_it_does_not_hold(name: str, number: int) -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=3)
    panel.append([bar("KRX:A", 1), bar("KRX:A", 2), bar("KRX:A", 4)])
    assert not panel.revise(bar(name, number))
    assert not panel.revise(bar("KRX:B", 1))
    assert not panel.revise(bar("KRX:Z", 1))


def test_snapshot_shows_the_newest_bars_and_overlays() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=5)
    panel.append(bar("KRX:A", number, number + 1) for number in range(4))
    line = np.arange(5.0)
    shown = panel.snapshot(0, bars=2, overlays={"sma(close, 2)": line})
    assert shown.timeframe is Timeframe.M5
    assert shown.starts == (to_ms(START) + 600_000, to_ms(START) + 900_000)
    assert (shown.open, shown.high, shown.low) == ((2, 3), (5, 6), (1, 2))
    assert (shown.close, shown.volume) == ((3, 4), (30, 40))
    assert shown.overlays == {"sma(close, 2)": (3.0, 4.0)}


def test_snapshot_is_shorter_where_fewer_bars_are_held() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=5)
    panel.append([bar("KRX:A", 0)])
    shown = panel.snapshot(0, overlays={"ema": np.array([math.nan] * 4 + [7.0])})
    assert (shown.close, shown.overlays) == ((100,), {"ema": (7.0,)})
    assert panel.snapshot(1, overlays={"ema": np.arange(5.0)}).overlays == {"ema": ()}


class Model:
    """What the panel promises, in the plainest way: one list of bars a row."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.rows: list[list[tuple[int, float, bool]]] = [[] for _ in ROWS]
        self.missing = [False] * len(ROWS)

    def append(self, numbers: list[tuple[int, int, float]]) -> list[int]:
        fresh = set()
        for row, number, close in numbers:
            bars = self.rows[row]
            if not bars or number > bars[-1][0]:
                bars.append((number, close, self.missing[row]))
                self.missing[row] = False
                fresh.add(row)
            elif number == bars[-1][0]:
                bars[-1] = (number, close, bars[-1][2])
            del bars[: -self.depth]
        return sorted(fresh)

    def revise(self, row: int, number: int, close: float) -> bool:
        for place, (known, _, gap) in enumerate(self.rows[row]):
            if known == number:
                self.rows[row][place] = (number, close, gap)
                return True
        return False


ROW = st.integers(0, len(ROWS) - 1)
CLOSE = st.integers(1, 1000).map(float)
BARS = st.lists(st.tuples(ROW, st.integers(0, 25), CLOSE), max_size=12)
FULL = st.tuples(st.integers(0, 25), CLOSE).map(
    lambda made: [(row, made[0], made[1] + row) for row in range(len(ROWS))]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.one_of(BARS, FULL)),
        st.tuples(st.just("revise"), st.tuples(ROW, st.integers(0, 25), CLOSE)),
        st.tuples(st.just("missing"), st.sets(ROW)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(steps=STEPS, depth=st.integers(1, 6))
def test_any_steps_equal_the_model(steps: list[tuple[str, Any]], depth: int) -> None:
    panel, model = Panel(Timeframe.M5, ROWS, depth), Model(depth)
    for what, given_ in steps:
        if what == "append":
            rows = panel.append(bar(ROWS[row], number, close) for row, number, close in given_)
            assert rows.tolist() == model.append(given_)
        elif what == "revise":
            row, number, close = given_
            assert panel.revise(bar(ROWS[row], number, close)) == model.revise(*given_)
        else:
            panel.mark_missing(given_)
            for row in given_:
                model.missing[row] = True
        for row, bars in enumerate(model.rows):
            assert held(panel, row) == [(number, close) for number, close, _ in bars]
            assert panel.gap[row, depth - len(bars) :].tolist() == [gap for _, _, gap in bars]
        assert panel.missing.tolist() == model.missing


def test_append_goes_on_beyond_the_room_of_its_buffers() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=3)
    panel.append([bar("KRX:E", 0, 5)])
    rounds = 2 * panel_module._SLACK + 3
    for number in range(1, rounds):
        panel.append(bar(name, number, number) for name in ROWS[:4])
    assert held(panel, 4) == [(0, 5)]
    newest = [(number, number) for number in range(rounds - 3, rounds)]
    assert [held(panel, row) for row in range(4)] == [newest] * 4


def test_a_part_is_a_copy_in_the_order_asked() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=4)
    panel.append(bar(name, number, 10.0 + number) for name in ROWS[:3] for number in range(2))
    panel.mark_missing([1])
    part = panel.part(np.array([1, 0, 4]))
    panel.append([bar("KRX:A", 2), bar("KRX:B", 2)])
    assert part.instruments == ("KRX:B", "KRX:A", "KRX:E")
    assert [held(part, row) for row in range(3)] == [[(0, 10), (1, 11)]] * 2 + [[]]
    assert part.missing.tolist() == [True, False, False]
    part.append([bar("KRX:B", 3)])
    assert part.gap[0].tolist() == [False, False, False, True]


def test_a_part_is_whole_while_another_thread_appends() -> None:
    panel = Panel(Timeframe.M5, ROWS, depth=50)
    numbers = range(3_000)

    def write() -> None:
        for number in numbers:
            panel.append([bar(name, number, 1.0 + number) for name in ROWS])

    writer = Thread(target=write)
    writer.start()
    while writer.is_alive():
        part = panel.part(np.arange(5))
        shown = {tuple(held(part, row)) for row in range(5)}
        assert len(shown) == 1
    writer.join()
    assert held(panel.part(np.array([2])), 0)[-1] == (2_999, 3_000)


def test_rows_of_another_panel_are_copied_with_what_is_known_of_them() -> None:
    old, new = Panel(Timeframe.M5, ROWS[:3], depth=4), Panel(Timeframe.M5, ROWS[1:], depth=4)
    old.append(bar(name, number, 10.0 + number) for name in ROWS[:3] for number in range(2))
    old.mark_missing([2])
    new.take_rows(np.array([0, 1]), old, np.array([1, 2]))
    old.append([bar("KRX:B", 2)])
    assert [held(new, row) for row in range(3)] == [[(0, 10), (1, 11)]] * 2 + [[]]
    assert new.missing.tolist() == [False, True, False, False]
    assert new.counts.tolist() == [2, 2, 0, 0]


def test_a_part_takes_its_longer_bars_along() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    panel = Panel(Timeframe.M5, ["KRX:1", "KRX:2"], 3, [Timeframe.D1])
    day = Bar("KRX:2", Timeframe.D1, start, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    panel.larger[Timeframe.D1].append([day])
    panel.larger[Timeframe.D1].mark_missing([0])
    part = panel.part(np.array([1, 0]))
    assert part.larger[Timeframe.D1].instruments == ("KRX:2", "KRX:1")
    assert part.larger[Timeframe.D1].close[0, -1] == 1.0
    assert part.larger[Timeframe.D1].missing.tolist() == [False, True]


def test_rows_are_taken_of_the_longer_bars_that_both_have() -> None:
    source = Panel(Timeframe.M5, ["KRX:1"], 3, [Timeframe.D1])
    target = Panel(Timeframe.M5, ["KRX:1"], 3, [Timeframe.H1])
    rows = np.array([0])
    target.take_rows(rows, source, rows)
    assert target.larger[Timeframe.H1].counts.tolist() == [0]
