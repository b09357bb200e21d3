"""Tests of whole conditions from file to fires: told stories, parity and restarts."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_condition
from conditions.engine import evaluate, evaluate_columns
from conditions.lifecycle import States, step
from config.condition_reader import parse_condition
from market.panel import Panel
from market.types import Bar, Timeframe, from_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.compile import Condition

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=15)
OPENING_MS = 1_767_571_200_000
"""2026-01-05 09:00 in Seoul."""
SLOT_MS = 300_000
NAME = "KRX:005930"
FOLDER = files("config") / "conditions"
SHIPPED = sorted(one.name for one in FOLDER.iterdir() if one.name.endswith(".yaml"))

Slots = list[tuple[float, float] | str]
"""(close, volume) of a slot, `_` for no trade, `?` for a slot that was not seen."""


def shipped(name: str, *changed: tuple[str, str]) -> Condition:
    """Return a shipped condition, with some of its lines replaced."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return compile_condition(parse_condition(text, name))


def bar(place: int, close: float, volume: float) -> Bar:
    """Return the bar of a slot counted from the first day's opening, 78 slots a day."""
    start = from_ms(OPENING_MS + place // 78 * 86_400_000 + place % 78 * SLOT_MS)
    return Bar(NAME, Timeframe.M5, start, close, close, close, close, volume, close * volume)


class Watcher:
    """One instrument under one condition, slot by slot."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.panel = Panel(Timeframe.M5, [NAME], 400)
        self.states = States.from_mapping({}, [NAME])
        self.verdicts: list[int] = []
        self.fires: list[int] = []

    def see(self, slots: Sequence[tuple[float, float] | str], first: int = 0) -> Watcher:
        """Take in slots; `first` is the place of the first of them."""
        for place, slot in enumerate(slots, first):
            if isinstance(slot, str):
                self.panel.mark_missing([0] if slot == "?" else [])
                continue
            rows = self.panel.append([bar(place, *slot)])
            verdicts = evaluate(self.condition, self.panel, rows)
            starts = self.panel.starts[rows, -1]
            found = step(self.condition, self.states, rows, verdicts, starts, starts + SLOT_MS)
            self.states = found.states
            self.verdicts += verdicts.when.tolist()
            self.fires += [place] * len(found.fired)
        return self

    def restarted(self) -> Watcher:
        """Return a watcher with what a store keeps: the bars and the states."""
        other = Watcher(self.condition)
        other.panel = self.panel
        kept = self.states.to_mapping([NAME])
        other.states = States.from_mapping(kept, [NAME])
        return other


CALM: Slots = [(100_000.0, 10.0)] * 60


def test_volume_breakout_fires_on_the_second_bar_of_two() -> None:
    condition = shipped("volume_breakout.yaml", ("for: 1 bars", "for: 2 bars"))
    watcher = Watcher(condition).see([*CALM, (106_000, 2_000), (107_000, 2_000), (107_000, 2_000)])
    assert watcher.fires == [61]


@pytest.mark.parametrize(
    "burst",
    [(101_900.0, 2_000.0), (106_000.0, 59.0), (106_000.0, 900.0), (94_000.0, 2_000.0)],
)
def test_volume_breakout_needs_price_volume_and_value(burst: tuple[float, float]) -> None:
    assert Watcher(shipped("volume_breakout.yaml")).see([*CALM, burst, burst]).fires == []


def test_volume_breakout_waits_for_its_average_to_be_known() -> None:
    short: Slots = [*CALM[:58], (106_000.0, 2_000.0)]
    assert Watcher(shipped("volume_breakout.yaml")).see(short).fires == []
    enough: Slots = [*CALM[:59], (106_000.0, 2_000.0)]
    assert Watcher(shipped("volume_breakout.yaml")).see(enough).fires == [59]


def test_volume_breakout_fires_again_only_after_falling_below_its_short_average() -> None:
    up, calm, down = (106_000.0, 2_000.0), (106_000.0, 10.0), (99_000.0, 10.0)
    cleared: Slots = [*CALM[:59], up, calm, down, *CALM[:40], (107_000.0, 9_000.0)]
    held: Slots = [*CALM[:59], up, *[calm] * 8, (112_000.0, 9_000.0)]
    assert Watcher(shipped("volume_breakout.yaml")).see(cleared).fires == [59, 102]
    early: Slots = [*CALM[:59], up, calm, down, *CALM[:6], (109_000.0, 9_000.0)]
    assert Watcher(shipped("volume_breakout.yaml")).see(early).fires == [59, 68]
    assert Watcher(shipped("volume_breakout.yaml")).see(held).fires == [59]


def test_rsi_rebound_fires_when_strength_returns_with_volume() -> None:
    falling: Slots = [(100_000.0 - 500 * place, 100.0) for place in range(30)]
    assert Watcher(shipped("rsi_rebound.yaml")).see([*falling, (92_000.0, 500.0)]).fires == [30]
    assert Watcher(shipped("rsi_rebound.yaml")).see([*falling, (92_000.0, 90.0)]).fires == []
    assert Watcher(shipped("rsi_rebound.yaml")).see([*falling, "?", (92_000.0, 500.0)]).fires == []
    assert Watcher(shipped("rsi_rebound.yaml")).see([*falling, "_", (92_000.0, 500.0)]).fires == [
        31
    ]


def day(seed: int, slots: int) -> Slots:
    """Return a nervous market with bursts and both kinds of absence."""
    random = np.random.default_rng(seed)
    bursts = random.random(slots) < 0.06
    moves = random.normal(-0.001, 0.012, slots) + 0.03 * bursts
    closes = np.round(50_000 * np.exp(moves.cumsum()))
    volumes = random.integers(100, 900, slots) * np.where(bursts, 20, 1)
    absent = random.choice(["", "_", "?"], slots, p=[0.92, 0.05, 0.03])
    return [
        mark or (float(close), float(volume))
        for mark, close, volume in zip(absent.tolist(), closes, volumes, strict=True)
    ]


@pytest.mark.parametrize("name", SHIPPED)
@STEADY
@given(seed=st.integers(0, 10_000))
def test_stepping_live_gives_the_columns_of_a_backtest(name: str, seed: int) -> None:
    watcher = Watcher(shipped(name)).see(day(seed, 150))
    bars = len(watcher.verdicts)
    watcher.panel.missing[:] = False
    whole = evaluate_columns(watcher.condition, watcher.panel, np.array([0]), bars)
    assert whole.when[0].tolist() == watcher.verdicts


@pytest.mark.parametrize("name", SHIPPED)
@STEADY
@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_restart_anywhere_gives_the_same_fires(name: str, seed: int, data: st.DataObject) -> None:
    condition = shipped(name)
    slots = day(seed, 150)
    whole = Watcher(condition).see(slots)
    cut = data.draw(st.integers(0, len(slots)))
    before = Watcher(condition).see(slots[:cut])
    after = before.restarted().see(slots[cut:], cut)
    assert before.fires + after.fires == whole.fires
    assert after.states.to_mapping([NAME]) == whole.states.to_mapping([NAME])


def test_the_nervous_market_does_make_conditions_fire() -> None:
    for name in SHIPPED:
        assert sum(len(Watcher(shipped(name)).see(day(seed, 150)).fires) for seed in range(9)) >= 3


def test_old_bars_beyond_the_depth_do_not_change_the_verdict() -> None:
    condition = shipped("rsi_rebound.yaml")
    slots = day(4, 700)
    seen = Watcher(condition).see(slots)
    late = Watcher(condition).see(slots[700 - condition.depth - 200 :])
    assert late.verdicts[-100:] == seen.verdicts[-100:]
    assert condition.spec.cooldown == timedelta(hours=2)
