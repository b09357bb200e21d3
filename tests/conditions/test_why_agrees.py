"""What is told of a condition agrees with what the bot decides, on nervous markets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.compile import compile_condition
from conditions.engine import evaluate
from conditions.lifecycle import States, step
from conditions.waits import Moment, WaitFor
from conditions.why import replayed, why
from config.condition_reader import parse_conditions
from market.panel import Panel
from market.position_panel import Holding, PositionPanel, Stake
from market.sessions import AlwaysOpen
from market.types import Bar, Timeframe, Verdict, from_ms, to_ms
from tests.conditions.why_texts import SCORE

if TYPE_CHECKING:
    from conditions.compile import Condition
    from config.condition_file import ConditionSpec

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=4)
OPENING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
"""Nine o'clock of a Monday in Seoul."""
SLOT = timedelta(minutes=5)
LENGTH_MS = 300_000
NAME = "KRX:005930"
FOLDER = files("config") / "conditions"
SHIPPED = sorted(one.name for one in FOLDER.iterdir() if one.name.endswith(".yaml"))
OTHERS = (
    "when: not (close > sma(close, 5) for 2 bars) and rsi(close, 4) < 70",
    "when: crosses_above(close, ema(close, 5)) within 3 bars\nfor: 2 bars",
    "when: 0 < change(close, 3) < 2%\nclear: volume > 600\ncooldown: 0 minutes",
    "when: close > close[1]\nfor: 3 bars\ncooldown: 20 minutes\nbetween: 09:10-14:00",
    "when: close > close[1]\nfire: every bar\ncooldown: 10 minutes\nfor: 2 bars",
    "when: close > 1\nclear: close < close[1]\nkeep_for: 10 minutes\ncooldown: 0 minutes",
    "when: close > sma(close, 4)\nclear: close < 1\nexpires: 20 minutes\non_unknown: resolve",
    SCORE,
)
TEXTS = [
    *((FOLDER / one).read_text(encoding="utf-8") for one in SHIPPED),
    *(f"name: x\nuniverse: [{NAME}]\ntimeframe: 5m\n{one}\n" for one in OTHERS),
]
SPECS = [
    pytest.param(one, id=f"{number} {one.name}")
    for number, text in enumerate(TEXTS)
    for one in parse_conditions(text, "x.yaml")
    if one.timeframe is Timeframe.M5
]
BLOCKING = {
    WaitFor.WARM_UP,
    WaitFor.LONGER_WARM_UP,
    WaitFor.LONGER_CHART,
    WaitFor.NOT_HELD,
    WaitFor.MISSING,
    WaitFor.UNKNOWN,
    WaitFor.FALSE,
    WaitFor.HOLD,
    WaitFor.CLEAR,
    WaitFor.KEEP,
    WaitFor.COOLDOWN,
    WaitFor.HOURS,
}


def market(seed: int, slots: int) -> list[Bar | str]:
    """Return a nervous market with bursts and both kinds of absence (`_` no trade, `?` missing)."""
    random = np.random.default_rng(seed)
    bursts = random.random(slots) < 0.06
    moves = random.normal(-0.001, 0.012, slots) + 0.03 * bursts
    closes = np.round(50_000 * np.exp(moves.cumsum()))
    volumes = random.integers(100, 900, slots) * np.where(bursts, 20, 1)
    absent = random.choice(["", "_", "?"], slots, p=[0.9, 0.05, 0.05]).tolist()
    told: list[Bar | str] = []
    for place, (mark, close, volume) in enumerate(zip(absent, closes, volumes, strict=True)):
        start = OPENING + place // 76 * timedelta(days=1) + place % 76 * SLOT
        prices = (float(close),) * 4
        bar = Bar(NAME, Timeframe.M5, start, *prices, float(volume), float(close * volume))
        told.append(mark or bar)
    return told


def empty(bought_after: int) -> Panel:
    """Return a panel without bars; so many slots after the opening somebody buys."""
    positions, bought_ms = PositionPanel([NAME]), to_ms(OPENING + bought_after * SLOT)
    positions.tell({NAME: Holding(bought_ms, (Stake(bought_ms, 10.0, 50_000.0),))})
    return Panel(Timeframe.M5, [NAME], 400, positions=positions)


def check_agreement(condition: Condition, panel: Panel, states: States) -> States:
    """Compare what is told before and after the newest bar with what the lifecycle does."""
    rows = np.array([0])
    verdicts, starts = evaluate(condition, panel, rows), panel.starts[rows, -1]
    found = step(condition, states, rows, verdicts, starts, starts + LENGTH_MS)
    end = from_ms(int(starts[0]) + LENGTH_MS)
    moment = Moment(end, AlwaysOpen(), int(starts[0]))
    state = states.to_mapping([NAME], rows)[NAME]
    told = why(condition, panel, 0, state, moment)
    assert told.verdict == told.when.verdict == Verdict(int(verdicts.when[0]))
    assert told.clear is None or told.clear.verdict == Verdict(int(verdicts.clear[0]))
    stepped = found.states.to_mapping([NAME], rows)[NAME]
    assert told.state == stepped
    if int(starts[0]) > state.bar_ms:
        assert told.fires is bool(len(found.fired))
        assert told.fires or BLOCKING & {wait.reason for wait in told.waits}
    again = why(condition, panel, 0, stepped, moment)
    assert (again.fires, again.state, again.waits) == (told.fires, told.state, told.waits)
    return found.states


@pytest.mark.parametrize("spec", SPECS)
@STEADY
@given(seed=st.integers(0, 10_000))
def test_it_tells_what_the_bot_decides(spec: ConditionSpec, seed: int) -> None:
    condition = compile_condition(spec)
    panel, states = empty(20), States.from_mapping({}, [NAME])
    for slot in market(seed, 110):
        if slot == "?":
            panel.mark_missing([0])
        if isinstance(slot, Bar):
            panel.append([slot])
        if slot != "_":
            states = check_agreement(condition, panel, states)


@pytest.mark.parametrize("spec", SPECS)
@STEADY
@given(seed=st.integers(0, 10_000))
def test_a_replay_of_all_bars_gives_the_state_of_the_bot(spec: ConditionSpec, seed: int) -> None:
    condition = compile_condition(spec)
    panel, states = empty(20), States.from_mapping({}, [NAME])
    for slot in market(seed, 150):
        if isinstance(slot, Bar):
            rows = panel.append([slot])
            verdicts, starts = evaluate(condition, panel, rows), panel.starts[rows, -1]
            found = step(condition, states, rows, verdicts, starts, starts + LENGTH_MS)
            states = found.states
    assert replayed(condition, panel, 0) == states.to_mapping([NAME])[NAME]
