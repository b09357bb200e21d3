"""Condition files in the form that the language describes."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal

import pytest

from config.condition_file import AllOf, AnyOf, ConditionSpec, ConfirmSpec, NotOf, OrderSpec
from config.condition_reader import KEYS, Surroundings, parse_condition
from config.settings import ConfirmSettings
from config.strict_yaml import Located
from market.errors import ConfigError
from market.orders import Otherwise, PositionSide, Side
from market.types import Instrument, Timeframe, Venue
from market.unfilled import Then, Unfilled

SMALLEST = "name: a\nuniverse: all\ntimeframe: 5m\nwhen: close > 3\n"
FULL = """\
name: volume-breakout
describe: price leaves its average   # shown to people
universe: all
timeframe: 15m
when:
  all:
    - close / sma(close, 60) - 1 > 2%
    - any: [volume > 3, not: close < 5]
    - not: {all: [value > 1]}
for: 2 bars
clear: close < sma(close, 20)
cooldown: 2 hours
limit: 20 per day
between: 09:10-15:15
alert: {severity: high, chart: false}
order:
  side: sell
  size: "min(2% * equity, 500_000 KRW)"
  price: close + 1 tick
  confirm: {within: 30s, max_drift: 0.5%}
tests:
  - {name: falls, bars: {close: 6 4}, expect: {never: true}}
"""


def condition(text: str, surroundings: Surroundings | None = None) -> ConditionSpec:
    return parse_condition(text, "x.yaml", surroundings)


def order(text: str, surroundings: Surroundings | None = None) -> OrderSpec:
    found = condition(SMALLEST + text, surroundings).order
    assert found is not None
    return found


def test_smallest_file_has_defaults() -> None:
    spec = condition(SMALLEST)
    assert spec == ConditionSpec(
        file="x.yaml",
        name="a",
        describe="",
        universe=Located("all", "x.yaml", 2, 11),
        timeframe=Timeframe.M5,
        when=Located("close > 3", "x.yaml", 4, 7),
    )
    assert spec.hold_bars == 1
    assert spec.cooldown == timedelta(minutes=30)
    assert (spec.alert.severity, spec.alert.chart) == ("normal", True)
    assert (spec.clear, spec.limit_per_day, spec.between, spec.order) == (None, None, None, None)


def test_full_file_is_read() -> None:
    spec = condition(FULL)
    assert set(KEYS) > {line.partition(":")[0] for line in FULL.splitlines() if line[0] != " "}
    assert spec.describe == "price leaves its average"
    assert spec.timeframe is Timeframe.M15
    assert spec.hold_bars == 2
    assert spec.clear == Located("close < sma(close, 20)", "x.yaml", 11, 8)
    assert spec.cooldown == timedelta(hours=2)
    assert spec.limit_per_day == 20
    assert spec.between == (time(9, 10), time(15, 15))
    assert (spec.alert.severity, spec.alert.chart) == ("high", False)
    assert spec.order == OrderSpec(
        side=Side.SELL,
        size=Located("min(2% * equity, 500_000 KRW)", "x.yaml", 18, 10),
        price=Located("close + 1 tick", "x.yaml", 19, 10),
        confirm=ConfirmSpec(timedelta(seconds=30), Decimal("0.005")),
    )
    assert [trial.name.text for trial in spec.tests] == ["falls"]


@pytest.mark.parametrize(
    ("word", "side", "position"),
    [
        ("buy", Side.BUY, PositionSide.LONG),
        ("sell", Side.SELL, PositionSide.LONG),
        ("short", Side.SELL, PositionSide.SHORT),
        ("cover", Side.BUY, PositionSide.SHORT),
    ],
)
def test_a_side_says_what_is_opened_or_closed(
    word: str, side: Side, position: PositionSide
) -> None:
    found = order(f"order: {{side: {word}, size: 10}}")
    assert (found.side, found.position, found.action) == (side, position, word)


def test_a_short_entry_is_protected_and_cannot_gain_all() -> None:
    line = "order: {side: SIDE, size: 10, protect: {stop_loss: 3%, take_profit: 100%}}"
    with pytest.raises(ConfigError, match="a short position gains less than 100%"):
        order(line.replace("SIDE", "short"))
    assert order(line.replace("SIDE", "buy")).protect is not None
    with pytest.raises(ConfigError, match="only what opens a position"):
        order(line.replace("SIDE", "cover"))


def test_rules_nest() -> None:
    assert condition(FULL).when == AllOf(
        (
            Located("close / sma(close, 60) - 1 > 2%", "x.yaml", 7, 7),
            AnyOf(
                (
                    Located("volume > 3", "x.yaml", 8, 13),
                    NotOf(Located("close < 5", "x.yaml", 8, 30)),
                ),
                Located("any", "x.yaml", 8, 7),
            ),
            NotOf(AllOf((Located("value > 1", "x.yaml", 9, 19),), Located("all", "x.yaml", 9, 13))),
        ),
        Located("all", "x.yaml", 6, 3),
    )


def test_universe_can_be_a_list() -> None:
    spec = condition(SMALLEST.replace("universe: all", "universe: [005930, KRX:000660]"))
    assert spec.universe == ("KRX:005930", "KRX:000660")


def test_confirmation_defaults_to_the_settings() -> None:
    surroundings = Surroundings(ConfirmSettings(within_seconds=20, max_drift=Decimal("0.01")))
    found = order("order: {side: buy, size: 10}", surroundings)
    assert found.confirm == ConfirmSpec(timedelta(seconds=20), Decimal("0.01"))


def test_confirmation_may_go_without_a_tap_or_an_answer() -> None:
    found = order("order: {side: buy, size: 10, confirm: {auto: below 300_000 KRW}}").confirm
    assert (found.auto_below, found.otherwise) == ((Decimal(300_000), "KRW"), Otherwise.DROP)
    found = order("order: {side: buy, size: 10, confirm: {otherwise: limit}}").confirm
    assert (found.auto_below, found.otherwise) == (None, Otherwise.LIMIT)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("auto: true", "'true' is not a bound; write below 300_000 KRW"),
        ("auto: below", "'below' is not a bound"),
        ("auto: above 3", "'above 3' is not a bound"),
        ("auto: below 0 KRW", "the bound must be more than 0 KRW"),
        ("auto: below 0 USDT", "the bound must be more than 0 USDT"),
        ("otherwise: wait", "unknown otherwise 'wait'"),
    ],
)
def test_odd_confirmations_are_refused(written: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        order(f"order: {{side: buy, size: 10, confirm: {{{written}}}}}")


@pytest.mark.parametrize("text", ["", ", price: market"])
def test_order_without_a_price_is_a_market_order(text: str) -> None:
    assert order(f"order: {{side: buy, size: 10{text}}}").price is None


def test_order_needs_side_and_size() -> None:
    with pytest.raises(ConfigError) as caught:
        order("order: {price: close}")
    assert str(caught.value) == (
        "x.yaml:5:8: key 'side' is missing\nx.yaml:5:8: key 'size' is missing"
    )


def test_names_are_not_checked_where_the_surroundings_are_unknown() -> None:
    listed = SMALLEST.replace("universe: all", "universe: [999999]")
    assert condition(SMALLEST.replace(": all", ": any-name")).name == "a"
    assert condition(listed).universe == ("KRX:999999",)


def test_unknown_instrument_in_the_list_is_refused() -> None:
    samsung = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
    surroundings = Surroundings(instruments={samsung.id: samsung})
    with pytest.raises(ConfigError, match=r"x.yaml:2:12: unknown instrument 'KRX:005935'"):
        condition(SMALLEST.replace("universe: all", "universe: [005935]"), surroundings)


def test_problem_in_an_expression_has_its_place() -> None:
    found = condition(FULL).order
    assert found is not None
    assert str(found.size.problem("here", 4)) == "x.yaml:18:14: here"


@pytest.mark.parametrize(
    ("words", "unfilled"),
    [
        ("cancel after 300s", Unfilled(Then.CANCEL, timedelta(seconds=300))),
        ("cancel  after  5 minutes", Unfilled(Then.CANCEL, timedelta(minutes=5))),
        ("reprice after 60s", Unfilled(Then.REPRICE, timedelta(seconds=60), 3)),
        ("reprice after 1 minute up to 1 time", Unfilled(Then.REPRICE, timedelta(minutes=1), 1)),
        ("reprice after 60s up to 20 times", Unfilled(Then.REPRICE, timedelta(seconds=60), 20)),
        ("market after 2 hours", Unfilled(Then.MARKET, timedelta(hours=2))),
    ],
)
def test_what_becomes_of_an_unfilled_order(words: str, unfilled: Unfilled) -> None:
    text = f"order: {{side: buy, size: 10, price: close, unfilled: {words}}}\n"
    assert order(text).unfilled == unfilled


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("hope after 60s", "'hope after 60s' is not understood"),
        ("cancel", "'cancel' is not understood"),
        ("cancel after soon", "'soon' is not a length of time"),
        ("cancel after 4s", "from 5 seconds to 1 day can be waited"),
        ("cancel after 2 days", "from 5 seconds to 1 day can be waited"),
        ("market after 60s up to 3 times", "only reprice can be done several times"),
        ("reprice after 60s up to 21 times", "from 1 to 20 times can be asked for"),
        ("reprice after 60s up to 0 times", "from 1 to 20 times can be asked for"),
    ],
)
def test_what_cannot_become_of_an_unfilled_order(words: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        order(f"order: {{side: buy, size: 10, price: close, unfilled: {words}}}\n")


@pytest.mark.parametrize("price", ["", "price: market, "])
def test_a_market_order_can_only_be_cancelled(price: str) -> None:
    found = order(f"order: {{side: buy, size: 10, {price}unfilled: cancel after 60s}}\n")
    assert found.unfilled == Unfilled(Then.CANCEL, timedelta(seconds=60))
    with pytest.raises(ConfigError, match="it is a market order already"):
        order(f"order: {{side: buy, size: 10, {price}unfilled: market after 60s}}\n")
