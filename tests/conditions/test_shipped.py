"""Tests of every shipped condition from file to fires: stories, parity, causality, restarts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_all, compile_condition
from conditions.coverage import coverage
from conditions.engine import evaluate, evaluate_columns
from conditions.lifecycle import States, step
from conditions.lint import lint
from conditions.trial_market import slot_starts
from conditions.trial_report import failed_tests
from config.condition_reader import parse_condition
from config.load import PACKAGED
from market.fact_panel import FactPanel, day_start
from market.facts import FACT_NAMES, DailyFacts
from market.panel import Panel
from market.position_panel import Holding, PositionPanel, Stake
from market.sessions import KST
from market.types import Bar, Timeframe
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from conditions.compile import Condition

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=8)
NAME = "KRX:005930"
FOLDER = PACKAGED / "conditions"
CONFIG = packaged_config()
ALL = compile_all((*CONFIG.conditions, *CONFIG.off))

every = pytest.mark.parametrize("condition", ALL, ids=[one.name for one in ALL])

Slot = tuple[float, float] | Bar | str
Slots = list[Slot]
"""(close, volume) of a slot or its whole bar, `_` for no trade, `?` for one that was not seen."""


def shipped(name: str, *changed: tuple[str, str]) -> Condition:
    """Return a shipped condition, with some of its lines replaced."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return compile_condition(parse_condition(text, name))


def whole_bar(
    start: datetime, timeframe: Timeframe, prices: tuple[float, float, float, float], volume: float
) -> Bar:
    """Return a bar with this open, high, low and close."""
    return Bar(NAME, timeframe, start, *prices, volume, prices[3] * volume)


def daily(back: int, close: float) -> Bar:
    """Return the bar of so many days before the first."""
    start = slot_starts(Timeframe.D1, 1)[0] - timedelta(days=back)
    return Bar(NAME, Timeframe.D1, start, close, close, close, close, 1_000.0, close * 1_000)


FALLEN = (*[44_000.0] * 15, *[56_000.0] * 10, 50_000.0, 47_000.0, 48_000.0, 48_500.0, 49_000.0)
DAYS = [daily(len(FALLEN) - place, close) for place, close in enumerate(FALLEN)]
"""A rise, and a fall that has stopped."""


def told(day: date) -> list[DailyFacts]:
    """Return what is told of a day, at times nothing or not all of it; mostly they buy."""
    random = np.random.default_rng(day.toordinal())
    if day.weekday() > 4 or random.random() < 0.1:
        return []
    facts = dict(zip(FACT_NAMES, random.normal(20_000, 20_000, len(FACT_NAMES)), strict=True))
    facts |= {"listed_shares": 5_000_000.0, "market_cap": 3e11}
    kept = {name: float(fact) for name, fact in facts.items() if random.random() > 0.05}
    return [DailyFacts(NAME, day, **kept)]


BOUGHT_AT = 10
"""After the slot with this number somebody buys at its close, and holds it from then on."""


class Watcher:
    """One instrument under one condition, slot by slot; each day it is told of the one before."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        facts, positions = FactPanel([NAME]), PositionPanel([NAME])
        positions.tell({})
        self.panel = Panel(condition.timeframe, [NAME], 400, condition.larger, facts, positions)
        for days in self.panel.larger.values():
            days.append(DAYS)
        self.states = States.from_mapping({}, [NAME])
        self.verdicts: list[int] = []
        self.clears: list[int] = []
        self.fires: list[int] = []
        self._is_held = False

    def see(self, slots: Sequence[Slot], first: int = 0) -> Watcher:
        """Take in slots from the first day's opening on; `first` is the place of the first."""
        timeframe = self.condition.timeframe
        starts = slot_starts(timeframe, first + len(slots))[first:]
        length_ms = int(timeframe.length.total_seconds() * 1000)
        for place, (start, slot) in enumerate(zip(starts, slots, strict=True), first):
            day = start.astimezone(KST).date() - timedelta(days=1)
            assert self.panel.facts is not None
            self.panel.facts.put(day_start(NAME, day), told(day))
            if isinstance(slot, str):
                self.panel.mark_missing([0] if slot == "?" else [])
                continue
            if isinstance(slot, tuple):
                close, volume = slot
                slot = whole_bar(start, timeframe, (close, close, close, close), volume)  # noqa: PLW2901  # a flat bar
            rows = self.panel.append([slot])
            verdicts = evaluate(self.condition, self.panel, rows)
            begun = self.panel.starts[rows, -1]
            found = step(self.condition, self.states, rows, verdicts, begun, begun + length_ms)
            self.states = found.states
            self.verdicts += verdicts.when.tolist()
            self.clears += verdicts.clear.tolist()
            self.fires += [place] * len(found.fired)
            if place >= BOUGHT_AT:
                self._buy(int(begun[0]) + length_ms, slot.close)
        return self

    def _buy(self, at_ms: int, price: float) -> None:
        """Hold it from now on, unless it is held already."""
        positions = self.panel.positions
        assert positions is not None
        if not self._is_held:
            self._is_held = True
            positions.tell({NAME: Holding(at_ms, (Stake(at_ms, 10.0, price),))})

    def restarted(self) -> Watcher:
        """Return a watcher with what a store keeps: the bars and the states."""
        other = Watcher(self.condition)
        other.panel, other._is_held = self.panel, self._is_held
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


def market(condition: Condition, seed: int, count: int = 150) -> Slots:
    """Return nervous days with opening gaps, bursts, and both kinds of absence."""
    random = np.random.default_rng(seed)
    starts = slot_starts(condition.timeframe, count)
    is_first = [
        place == 0 or one.date() > starts[place - 1].date() for place, one in enumerate(starts)
    ]
    gaps = np.where(is_first, random.normal(0, 0.03, count), random.normal(0, 0.001, count))
    bursts = random.random(count) < 0.06
    moves = random.normal(0, 0.012, count) + 0.03 * bursts * random.choice([-1, 1], count)
    logs = 11 + (gaps + moves).cumsum()
    prices = np.round(np.exp(np.stack([logs - moves, logs])))
    volumes = random.integers(100, 900, count) * np.where(bursts, 20, 1)
    spans = np.round(prices * np.abs(random.normal(0, 0.002, (2, count))))
    absent = random.choice(["", "_", "?"], count, p=[0.94, 0.04, 0.02])
    return [
        mark or whole_bar(start, condition.timeframe, (opening, high, low, close), volume)
        for mark, start, opening, high, low, close, volume in zip(
            absent.tolist(),
            starts,
            prices[0].tolist(),
            (prices.max(0) + spans[0]).tolist(),
            (prices.min(0) - spans[1]).tolist(),
            prices[1].tolist(),
            volumes.astype(float).tolist(),
            strict=True,
        )
    ]


@every
@STEADY
@given(seed=st.integers(0, 10_000))
def test_stepping_live_gives_the_columns_of_a_backtest(condition: Condition, seed: int) -> None:
    """What is stepped live knows nothing of later bars, so the columns do not either."""
    watcher = Watcher(condition).see(market(condition, seed))
    bars = len(watcher.verdicts)
    watcher.panel.missing[:] = False
    whole = evaluate_columns(condition, watcher.panel, np.array([0]), bars)
    assert whole.when[0].tolist() == watcher.verdicts
    assert whole.clear[0].tolist() == watcher.clears


@every
@STEADY
@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_restart_anywhere_gives_the_same_fires(
    condition: Condition, seed: int, data: st.DataObject
) -> None:
    slots = market(condition, seed)
    whole = Watcher(condition).see(slots)
    cut = data.draw(st.integers(0, len(slots)))
    before = Watcher(condition).see(slots[:cut])
    after = before.restarted().see(slots[cut:], cut)
    assert before.fires + after.fires == whole.fires
    assert after.states.to_mapping([NAME]) == whole.states.to_mapping([NAME])


@every
def test_the_nervous_market_does_make_it_fire(condition: Condition) -> None:
    assert any(Watcher(condition).see(market(condition, seed, 300)).fires for seed in range(60))


@every
def test_it_is_tested_in_all_outcomes_and_nothing_is_found_in_it(condition: Condition) -> None:
    assert condition.spec.tests
    assert failed_tests(condition) == ()
    assert [one.text for one in coverage(condition).branches if one.missing] == []
    assert lint(condition) == ()


@every
def test_it_says_in_two_languages_what_it_is(condition: Condition) -> None:
    english, korean = condition.spec.describe.split(" / ")
    assert english.isascii()
    assert any("가" <= letter <= "힣" for letter in korean)


def test_only_the_two_of_the_demo_are_on() -> None:
    assert [spec.name for spec in CONFIG.conditions] == ["rsi-rebound", "volume-breakout"]


def test_old_bars_beyond_the_depth_do_not_change_the_verdict() -> None:
    condition = shipped("rsi_rebound.yaml")
    slots = market(condition, 4, 700)
    seen = Watcher(condition).see(slots)
    late = Watcher(condition).see(slots[700 - condition.depth - 200 :], 500 - condition.depth)
    assert late.verdicts[-100:] == seen.verdicts[-100:]
    assert condition.spec.cooldown == timedelta(hours=2)
