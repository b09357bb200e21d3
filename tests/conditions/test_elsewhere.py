"""Tests of another instrument's series, taken by the time of this one's bars."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.compile import compile_condition
from conditions.reference import Reference
from config.condition_reader import parse_condition
from market.directory import Directory
from market.errors import ConfigError
from market.panel import Panel
from market.sessions import KST
from market.types import Bar, Instrument, Timeframe, Venue
from tests.conditions.walked_market import condition_of, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN, OTHER = "KRX:000000", "KRX:000001"
OPENING = datetime(2026, 1, 5, 9, tzinfo=KST)


def panel_of(own: Sequence[float | str], other: Sequence[float | str]) -> Panel:
    """Return a panel of closes slot by slot: `_` did not trade, `?` is missing."""
    panel = Panel(Timeframe.M5, [OWN, OTHER], 20)
    for place, closes in enumerate(zip(own, other, strict=True)):
        start = OPENING + place * timedelta(minutes=5)
        for row, close in enumerate(closes):
            if close == "?":
                panel.mark_missing([row])
            elif close != "_":
                price = float(close)
                name = panel.instruments[row]
                bar = Bar(name, Timeframe.M5, start, price, price, price, price, 1.0, price)
                panel.append([bar])
    return panel


def of_other(word: str, own: Sequence[float | str], other: Sequence[float | str]) -> list[float]:
    """Return the other's series at the bars of the first instrument."""
    panel = panel_of(own, other)
    found = values_of(f'of("{OTHER}").{word}', panel)[0]
    values: list[float] = found[panel.depth - int(panel.counts[0]) :].tolist()
    return values


nan = np.nan


@pytest.mark.parametrize(
    ("word", "own", "other", "expected"),
    [
        ("close", [1, 1, 1], [10, 20, 30], [10, 20, 30]),
        ("close", [1, "_", 1], [10, 20, 30], [10, 30]),
        ("close", [1, 1, 1], [10, "_", 30], [10, 10, 30]),
        ("close", [1, 1, 1], ["_", "_", 30], [nan, nan, 30]),
        ("close", [1, 1, 1], [10, "?", 30], [10, nan, 30]),
        ("close", [1, 1, 1], [10, 20, "?"], [10, 20, nan]),
        ("close", [1, 1, "?"], [10, 20, 30], [10, 20]),
        ("close[1]", [1, "_", 1], [10, 20, 30], [nan, 20]),
        ("change(2)", [1, "_", 1], [10, 20, 30], [nan, 2.0]),
        ("sma(close + open, 2)", [1, 1], [10, 30], [nan, 40]),
    ],
)
def test_it_is_aligned_by_time(
    word: str,
    own: Sequence[float | str],
    other: Sequence[float | str],
    expected: Sequence[float],
) -> None:
    np.testing.assert_array_equal(of_other(word, own, other), expected)


def test_one_that_the_panel_does_not_hold_is_unknown() -> None:
    assert np.isnan(values_of('of("KRX:999999").close', panel_of([1], [1]))).all()


def test_it_is_explained_by_its_own_text_and_asks_for_its_instrument() -> None:
    condition = condition_of("of(\"KRX:069500\").sma(2) > 3 and of('KRX:069500').close > open")
    assert condition.instruments == ("KRX:069500",)
    assert [one.operands[0].key for one in condition.when.parts] == [
        'of("KRX:069500").sma(close, 2)',
        'of("KRX:069500").close',
    ]


def test_an_event_may_be_asked_of_two_instruments() -> None:
    condition = condition_of(f'crosses_above(close, of("{OTHER}").close)', Timeframe.M5)
    panel = panel_of([5, 30], [10, 20])
    assert condition.when.verdicts(condition.view(panel, None), 1)[0, -1] == 1


def test_an_instrument_that_does_not_exist_is_a_mistake() -> None:
    directory = Directory([Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI")])
    text = 'name: x\nuniverse: [KRX:069500]\ntimeframe: 5m\nwhen: of("KRX:069501").close > 1\n'
    spec = parse_condition(text, "x.yaml")
    with pytest.raises(ConfigError) as caught:
        compile_condition(spec, reference=Reference({}, directory))
    assert [str(one) for one in caught.value.problems] == [
        "x.yaml:4:10: unknown instrument 'KRX:069501'; did you mean 'KRX:069500'?"
    ]
