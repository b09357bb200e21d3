"""What the market would not take: phases, ticks, lots, limits, slips of the finger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import RiskSettings
from engine.risk import check
from engine.risk_case import Denial, RiskView
from market.leverage import leverage_of
from market.phases import REGULAR, TAKES, Form, Phase
from market.prices import is_on_tick, price_limits
from market.sessions import KrxCalendar
from market.types import Instrument, Kind, Venue
from tests.engine.risk_makers import SAMSUNG, order, quote, sell, view

if TYPE_CHECKING:
    from market.orders import Order

DOUBLED = Instrument(Venue.KRX, "122630", "KODEX 레버리지", kind=Kind.ETF)
PLAIN = Instrument(Venue.KRX, "069500", "KODEX 200", kind=Kind.ETF)
STRICT = RiskSettings(max_away=Decimal("0.1"))


def codes(asked: Order, around: RiskView, instrument: Instrument = SAMSUNG) -> list[str]:
    return [one.code for one in check(asked, instrument, around)]


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.CLOSING])
def test_an_auction_takes_limits_but_no_market_orders(phase: Phase) -> None:
    around = view(phase=phase, held=Decimal(10))
    assert codes(order(), around) == codes(sell(), around) == []
    assert codes(order(price=None), around) == codes(sell(price=None), around) == ["risk.auction"]


@given(
    phase=st.sampled_from(Phase),
    taken=st.sampled_from([REGULAR, frozenset(Phase)]),
    origin=st.sampled_from(["command", "condition:a", "protection:stop_loss"]),
    is_market=st.booleans(),
    is_sale=st.booleans(),
)
def test_every_phase_takes_what_it_can(
    phase: Phase, taken: frozenset[Phase], origin: str, *, is_market: bool, is_sale: bool
) -> None:
    price = None if is_market else Decimal(70_000)
    asked = replace(sell() if is_sale else order(), price=price, origin=origin)
    found = codes(asked, view(phase=phase, held=Decimal(10), phases=taken))
    form = Form.MARKET if is_market else Form.LIMIT
    is_far = phase not in REGULAR and (phase not in taken or origin != "command")
    if not is_far and form in TAKES[phase]:
        assert found == []
    else:
        assert found == ["risk.auction" if phase.is_auction else "risk.session"]


def test_a_denial_says_from_when_on_such_an_order_is_taken() -> None:
    evening = view(
        phase=Phase.AFTER_MARKET,
        market_now=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        quote_age=timedelta(days=1),
        calendar=KrxCalendar({}),
    )
    assert check(order(), SAMSUNG, evening) == (Denial("risk.session", "11-25 08:30"),)
    open_late = replace(evening, phases=frozenset(Phase))
    assert check(order(), SAMSUNG, open_late) == ()
    market, fund = order(price=None), order(instrument=PLAIN.id)
    assert check(market, SAMSUNG, open_late) == (Denial("risk.session", "11-25 09:00"),)
    assert check(fund, PLAIN, open_late) == (Denial("risk.session", "11-25 08:30"),)
    by_condition = order(origin="condition:a")
    assert check(by_condition, SAMSUNG, open_late) == (Denial("risk.session", "11-25 08:30"),)
    early = replace(
        evening, phase=Phase.OPENING, market_now=datetime(2026, 11, 23, 23, 40, tzinfo=UTC)
    )
    assert check(market, SAMSUNG, early) == (Denial("risk.auction", "11-24 09:00"),)


@pytest.mark.parametrize(
    ("asked", "denial"),
    [
        (order(price=Decimal(77_000)), None),
        (order(price=Decimal(77_100)), Denial("risk.away", "77,000", "77,100")),
        (order(price=Decimal(50_000)), None),
        (sell(price=Decimal(63_000)), None),
        (sell(price=Decimal(62_900)), Denial("risk.away", "63,000", "62,900")),
        (sell(price=Decimal(90_000)), None),
        (order(price=None), None),
    ],
)
def test_a_limit_far_worse_than_the_last_price_is_a_slip(
    asked: Order, denial: Denial | None
) -> None:
    around = view(limits=STRICT, held=Decimal(10))
    assert check(asked, SAMSUNG, around) == (() if denial is None else (denial,))


@given(price=st.integers(490, 910).map(lambda n: Decimal(n * 100)), is_sale=st.booleans())
def test_nothing_is_bought_or_sold_far_from_the_last_price(
    price: Decimal, *, is_sale: bool
) -> None:
    asked = replace(sell() if is_sale else order(), price=price)
    is_far = price < 63_000 if is_sale else price > 77_000
    found = codes(asked, view(limits=STRICT, held=Decimal(10)))
    assert found == (["risk.away"] if is_far else [])


@given(price=st.integers(49_000, 91_000).map(Decimal))
def test_only_prices_on_the_tick_are_sent(price: Decimal) -> None:
    found = codes(order(price=price), view())
    assert found == ([] if is_on_tick(price, Kind.STOCK) else ["risk.tick"])


@given(quantity=st.decimals("0.001", 42, places=3))
def test_only_whole_shares_are_sent(quantity: Decimal) -> None:
    found = codes(order(quantity=quantity), view())
    assert found == ([] if quantity == quantity.to_integral_value() else ["risk.lot"])


@given(price=st.integers(1, 2_000).map(lambda n: Decimal(n * 100)))
def test_only_prices_within_the_days_limits_are_sent(price: Decimal) -> None:
    around = view(limits=RiskSettings(max_away=Decimal(1), max_order=Decimal(10**9)))
    lower, upper = price_limits(Decimal(70_000), Kind.STOCK)
    found = set(codes(order(price=price, quantity=Decimal(1)), around))
    assert ("risk.price_limit" in found) == (not lower <= price <= upper)


def test_before_the_first_trade_of_a_day_limits_count_from_the_last_close() -> None:
    around = view(is_of_today=False, quote=quote(previous_close=50_000.0))
    assert codes(order(price=Decimal(80_000)), around) == []
    assert codes(order(price=Decimal(80_000)), replace(around, is_of_today=True)) == [
        "risk.price_limit"
    ]


@pytest.mark.parametrize(
    ("name", "kind", "times"),
    [
        ("KODEX 레버리지", Kind.ETF, 2),
        ("KODEX 200선물인버스2X", Kind.ETF, 2),
        ("TIGER Leverage", Kind.ETF, 2),
        ("KODEX 인버스", Kind.ETF, 1),
        ("KODEX 200", Kind.ETF, 1),
        ("레버리지엔지니어링", Kind.STOCK, 1),
    ],
)
def test_leveraged_funds_bear_it_in_their_names(name: str, kind: Kind, times: int) -> None:
    assert leverage_of(Instrument(Venue.KRX, "1", name, kind=kind)) == times


def test_leveraged_funds_are_bought_only_if_settings_say_so() -> None:
    asked, held = order(instrument=DOUBLED.id), view(held=Decimal(10))
    assert codes(asked, held, DOUBLED) == ["risk.leveraged"]
    assert codes(replace(sell(), instrument=DOUBLED.id), held, DOUBLED) == []
    assert codes(order(instrument=PLAIN.id), held, PLAIN) == []
    allowed = RiskSettings(max_away=Decimal(1), leveraged=True)
    assert codes(asked, view(limits=allowed), DOUBLED) == []


def test_the_limits_of_leveraged_funds_are_twice_as_wide() -> None:
    allowed = view(
        limits=RiskSettings(max_away=Decimal(1), leveraged=True),
        quote=quote(price=10_000.0, previous_close=10_000.0),
    )
    for price, is_within in ((15_995, True), (16_000, True), (16_005, False), (4_000, True)):
        asked = order(price=Decimal(price), instrument=DOUBLED.id, reference_price=Decimal(10_000))
        assert ("risk.price_limit" in codes(asked, allowed, DOUBLED)) != is_within


@given(held=st.integers(-50, 50).map(Decimal), quantity=st.integers(1, 40).map(Decimal))
def test_nothing_is_sold_short(held: Decimal, quantity: Decimal) -> None:
    found = codes(sell(quantity=quantity), view(held=held))
    if held <= 0:
        assert found == ["risk.short_sale"]
    else:
        assert found == (["risk.no_position"] if quantity > held else [])
