"""Tests of compiling whole condition files."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from conditions.units import Unit
from config.condition_reader import parse_condition, parse_conditions
from market.errors import ConfigError
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable

    from conditions.compile import Condition

BAD = """\
name: bad
universe: [KRX:005930]
timeframe: 5m
when:
  any:
    - rsy(14) < 30
    - not: close > volume
    - all: [close > 1, "close >"]
clear: sma(close, 900) > 1
order: {side: buy, size: 2% * equty, price: volume}
"""


def test_every_problem_of_every_expression_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_condition(parse_condition(BAD, "bad.yaml"))
    assert [(one.line, one.column) for one in caught.value.problems] == [
        (6, 7),
        (7, 20),
        (8, 32),
        (9, 8),
        (10, 31),
        (10, 45),
    ]


def test_the_shipped_conditions_compile() -> None:
    folder = files("config") / "conditions"
    shipped = [one for one in folder.iterdir() if one.name.endswith(".yaml")]
    assert len(shipped) >= 2
    for file in shipped:
        for spec in parse_conditions(file.read_text(encoding="utf-8"), file.name):
            condition = compile_condition(spec)
            assert condition.warmup <= condition.depth <= 400


def test_an_order_has_its_size_and_price(compiled: Callable[..., Condition]) -> None:
    order = 'order: {side: buy, size: "min(2% * equity, 500_000 KRW)", price: close + 1 tick}'
    condition = compiled("close > 1", order)
    assert condition.size is not None
    assert condition.price is not None
    assert (condition.size.unit, condition.price.unit) == (Unit.VALUE, Unit.PRICE)


def test_a_condition_knows_what_it_needs(compiled: Callable[..., Condition]) -> None:
    condition = compiled("sma(close, 20)[1] > 5 for 3 bars", "clear: close > sma(close, 60)")
    assert (condition.warmup, condition.depth) == (60, 60)
    assert condition.clear is not None
    assert compiled("sma(close, 20)[1] > 5 for 3 bars").warmup == 23
    assert condition.timeframe is Timeframe.M5


@pytest.mark.parametrize(
    ("when", "lines"),
    [
        ("rsi(14)<30", ()),
        ("rsi(close,14) < (30)", ()),
        ("rsi(close, window=14) < 30.0", ()),
        ("rsi() < 30", ("describe: other words", "limit: 5 per day", "alert: {severity: low}")),
    ],
)
def test_version_stays_while_only_words_change(
    when: str, lines: tuple[str, ...], compiled: Callable[..., Condition]
) -> None:
    assert compiled(when, *lines).version == compiled("rsi(close, 14) < 30").version


@pytest.mark.parametrize(
    ("when", "lines"),
    [
        ("rsi(close, 14) <= 30", ()),
        ("rsi(close, 14) < 31", ()),
        ("rsi(close, 14) < 30", ("for: 2 bars",)),
        ("rsi(close, 14) < 30", ("cooldown: 31 minutes",)),
        ("rsi(close, 14) < 30", ("clear: rsi(close, 14) > 40",)),
        ("rsi(close, 14) < 30", ("between: 09:10-15:15",)),
    ],
)
def test_version_changes_with_the_meaning(
    when: str, lines: tuple[str, ...], compiled: Callable[..., Condition]
) -> None:
    assert compiled(when, *lines).version != compiled("rsi(close, 14) < 30").version


def test_two_currencies_in_one_condition_are_a_mistake(
    compiled: Callable[..., Condition],
) -> None:
    with pytest.raises(ConfigError, match="USDT beside KRW; a condition has one currency"):
        compiled("close > 1 KRW and value > 2 USDT")


def test_cooldown_is_kept_in_the_specification(compiled: Callable[..., Condition]) -> None:
    assert compiled("close > 1").spec.cooldown == timedelta(minutes=30)
