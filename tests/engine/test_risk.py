from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.risk import CHECKS, NEVER_SENT, check
from engine.risk_case import Denial, RiskView, shown
from engine.trading import TradingState
from market.grid import Grid
from market.orders import Order, OrderState, Side
from market.phases import Phase
from market.types import Instrument, Kind, Venue
from tests.engine.risk_makers import COIN, NOON, SAMSUNG, order, other, quote, sell, view


def denials(asked: Order, around: RiskView, instrument: Instrument = SAMSUNG) -> dict[str, Denial]:
    return {denial.code: denial for denial in check(asked, instrument, around)}


def test_an_order_with_nothing_against_it_goes() -> None:
    assert check(order(), SAMSUNG, view()) == ()
    assert check(sell(), SAMSUNG, view(held=Decimal(10))) == ()
    assert check(order(price=None), SAMSUNG, view()) == ()


BASELESS = quote(previous_close=None)
PAUSED = frozenset({TradingState.ACTIVE, TradingState.PAUSED})
LATE = timedelta(seconds=3, milliseconds=1)
SENT = (NOON - timedelta(seconds=59),) * 10


@pytest.mark.parametrize(
    ("asked", "around", "denial"),
    [
        (order(), view(trading=PAUSED), Denial("risk.paused")),
        (order(), view(others=(other(state=OrderState.IN_DOUBT),)), Denial("risk.in_doubt")),
        (order(), view(phase=Phase.CLOSED), Denial("risk.session")),
        (order(), view(quote=quote(halted=True)), Denial("risk.halted")),
        (order(), view(quote=None), Denial("risk.stale", "3")),
        (order(), view(market_now=NOON + LATE), Denial("risk.stale", "3", "3.001")),
        (order(quantity=Decimal("1.5")), view(), Denial("risk.lot", "1", "1.5")),
        (order(quantity=Decimal(0)), view(), Denial("risk.lot", "1", "0")),
        (order(quantity=Decimal(-1)), view(), Denial("risk.lot", "1", "-1")),
        (order(price=Decimal(70_050)), view(), Denial("risk.tick", "100", "70,050")),
        (order(price=Decimal(0)), view(quote=BASELESS), Denial("risk.tick", "", "0")),
        (order(price=Decimal(-100)), view(quote=BASELESS), Denial("risk.tick", "", "-100")),
        (
            order(price=Decimal(91_100)),
            view(),
            Denial("risk.price_limit", "49,000-91,000", "91,100"),
        ),
        (
            order(price=Decimal(48_950)),
            view(),
            Denial("risk.price_limit", "49,000-91,000", "48,950"),
        ),
        (sell(), view(held=Decimal(9)), Denial("risk.no_position", "9", "10")),
        (sell(), view(held=Decimal(-5)), Denial("risk.short_sale", "0", "10")),
        (
            sell(),
            view(held=Decimal(16), others=(other(side=Side.SELL),)),
            Denial("risk.no_position", "9", "10"),
        ),
        (
            order(quantity=Decimal(43)),
            view(),
            Denial("risk.notional", "3,000,000", "3,010,000"),
        ),
        (
            order(price=None, quantity=Decimal(43)),
            view(),
            Denial("risk.notional", "3,000,000", "3,010,000"),
        ),
        (order(), view(held=Decimal(62)), Denial("risk.position", "5,000,000", "5,040,000")),
        (
            order(),
            view(held=Decimal(55), others=(other(),)),
            Denial("risk.position", "5,000,000", "5,040,000"),
        ),
        (order(), view(buying_power=None), Denial("risk.no_account")),
        (sell(), view(buying_power=None, held=Decimal(10)), Denial("risk.no_account")),
        (
            order(),
            view(buying_power=Decimal(700_104)),
            Denial("risk.cash", "700,104", "700,105"),
        ),
        (
            order(),
            view(buying_power=Decimal(1_190_000), others=(other(state=OrderState.SUBMITTED),)),
            Denial("risk.cash", "699,926", "700,105"),
        ),
        (
            order(),
            view(recent=(other(quantity=Decimal(10)),)),
            Denial("risk.duplicate", "10"),
        ),
        (order(), view(sent_at=SENT), Denial("risk.rate", "10", "11")),
        (
            order(),
            view(recent=tuple(other(id=str(count)) for count in range(10))),
            Denial("risk.rate", "10", "11"),
        ),
    ],
)
def test_each_reason_is_found_alone_and_carries_its_facts(
    asked: Order, around: RiskView, denial: Denial
) -> None:
    assert check(asked, SAMSUNG, around) == (denial,)


@pytest.mark.parametrize(
    ("asked", "around"),
    [
        # at the bound, not beyond it
        (order(), view(market_now=NOON + timedelta(seconds=3))),
        (order(price=Decimal(91_000)), view()),
        (order(price=Decimal(49_000)), view()),
        (order(price=Decimal(75_000), quantity=Decimal(40)), view()),
        (
            order(price=Decimal(50_000), reference_price=Decimal(50_000), quantity=Decimal(20)),
            view(held=Decimal(80)),
        ),
        (order(), view(buying_power=Decimal(700_105))),
        (sell(), view(held=Decimal(17), others=(other(side=Side.SELL),))),
        (order(), view(sent_at=SENT[:9])),
        (order(), view(sent_at=(NOON - timedelta(seconds=60),) * 10)),
        # nothing to measure a limit by
        (order(price=Decimal(91_100)), view(quote=quote(previous_close=None))),
        (order(price=Decimal(91_100)), view(quote=quote(previous_close=0.0))),
        # what only reduces is not held back by bounds on money
        (sell(), view(held=Decimal(10), trading=PAUSED)),
        (sell(quantity=Decimal(43)), view(held=Decimal(43))),
        (sell(quantity=Decimal(43)), view(held=Decimal(80))),
        (sell(), view(held=Decimal(10), buying_power=Decimal(0))),
        # other instruments, sides and endings do not count
        (order(), view(others=(other(instrument="KRX:000660", state=OrderState.IN_DOUBT),))),
        (order(), view(held=Decimal(55), others=(other(side=Side.SELL),))),
        (order(), view(held=Decimal(55), others=(other(instrument="KRX:000660"),))),
        (sell(), view(held=Decimal(10), others=(other(),))),
        (sell(), view(held=Decimal(10), others=(other(side=Side.SELL, instrument="KRX:1"),))),
        (order(), view(buying_power=Decimal(700_105), others=(other(),))),
        (
            order(),
            view(
                buying_power=Decimal(700_105),
                others=(other(side=Side.SELL, state=OrderState.SUBMITTED),),
            ),
        ),
        (order(), view(recent=(other(),))),
        (order(), view(recent=(other(quantity=Decimal(10), side=Side.SELL),))),
        (order(), view(recent=(other(quantity=Decimal(10), instrument="KRX:000660"),))),
    ],
)
def test_what_is_allowed(asked: Order, around: RiskView) -> None:
    assert check(asked, SAMSUNG, around) == ()


@pytest.mark.parametrize("state", sorted(NEVER_SENT))
def test_an_order_that_did_nothing_is_no_duplicate_and_not_counted(state: OrderState) -> None:
    twins = tuple(other(id=str(n), quantity=Decimal(10), state=state) for n in range(20))
    assert check(order(), SAMSUNG, view(recent=twins)) == ()


@pytest.mark.parametrize("state", sorted(set(OrderState) - NEVER_SENT))
def test_an_order_that_may_do_something_is_a_duplicate(state: OrderState) -> None:
    twin = other(quantity=Decimal(10), state=state)
    assert "risk.duplicate" in denials(order(), view(recent=(twin,)))


@pytest.mark.parametrize(
    ("seconds", "is_duplicate"), [(0, True), (9.999, True), (10, False), (-0.001, False)]
)
def test_a_duplicate_is_measured_from_when_the_orders_were_proposed(
    seconds: float, *, is_duplicate: bool
) -> None:
    twin = other(quantity=Decimal(10), proposed_at=NOON - timedelta(seconds=seconds))
    around = view(recent=(twin,), now=NOON + timedelta(seconds=80))
    assert ("risk.duplicate" in denials(order(), around)) == is_duplicate


@pytest.mark.parametrize(("seconds", "is_counted"), [(59.999, True), (60, False)])
def test_orders_count_for_a_minute(seconds: float, *, is_counted: bool) -> None:
    earlier = tuple(
        other(id=str(count), proposed_at=NOON - timedelta(seconds=seconds)) for count in range(10)
    )
    assert ("risk.rate" in denials(order(), view(recent=earlier))) == is_counted


def test_orders_proposed_later_do_not_stop_one_that_waits() -> None:
    later = tuple(
        other(id=str(count), proposed_at=NOON + timedelta(seconds=1)) for count in range(20)
    )
    assert check(order(), SAMSUNG, view(recent=later)) == ()


def test_every_reason_is_told_the_plainest_first() -> None:
    around = view(
        trading=PAUSED,
        phase=Phase.CLOSED,
        quote=None,
        buying_power=Decimal(0),
        others=(other(state=OrderState.IN_DOUBT),),
    )
    codes = [denial.code for denial in check(order(quantity=Decimal(99)), SAMSUNG, around)]
    assert codes == [
        "risk.paused",
        "risk.in_doubt",
        "risk.session",
        "risk.stale",
        "risk.notional",
        "risk.position",
        "risk.cash",
    ]
    assert len(CHECKS) == 25


def test_a_coin_has_fractions_and_no_daily_limit() -> None:
    coin = order(instrument=COIN.id, quantity=Decimal("2.5"), price=Decimal(3_000))
    around = view(quote=quote(instrument=COIN.id, price=2_900.0, previous_close=900.0))
    assert check(coin, COIN, around) == ()
    dust = replace(coin, quantity=Decimal("0.000000001"))
    assert denials(dust, around, COIN)["risk.lot"].limit == "0.00000001"


def test_a_coin_is_ordered_for_5000_won_at_least() -> None:
    around = view(quote=quote(instrument=COIN.id, price=3_000.0))
    coin = order(instrument=COIN.id, quantity=Decimal("1.66666666"), price=Decimal(3_000))
    assert check(coin, COIN, around) == (Denial("risk.least", "5,000", "4,999.99998"),)
    assert check(replace(coin, quantity=Decimal("1.66666667")), COIN, around) == ()


def test_what_is_paid_in_money_that_nobody_counts_is_denied() -> None:
    odd = Instrument(Venue.UPBIT, "BTC-ETH", "Ether", kind=Kind.COIN)
    asked = order(instrument=odd.id, quantity=Decimal(1), price=Decimal("0.05"))
    denials = check(asked, odd, view(quote=quote(instrument=odd.id, price=0.05)))
    assert denials == (Denial("risk.currency", "KRW, USDT", "BTC"),)


FUTURE = Instrument(
    Venue.BINANCE,
    "BTCUSDT.P",
    "Bitcoin",
    "USDT-M",
    Kind.COIN,
    Grid(Decimal("0.1"), Decimal("0.001"), Decimal(100)),
)


@pytest.mark.parametrize(
    ("changes", "around", "denial"),
    [
        ({}, {}, None),
        ({"quantity": Decimal("0.022")}, {}, Denial("risk.notional", "2,000", "2,090")),
        ({}, {"held": Decimal("0.05")}, Denial("risk.position", "4,000", "5,700")),
        ({}, {"worths": {"BINANCE:ETHUSDT": Decimal(7_050)}}, None),
        (
            {},
            {"worths": {"BINANCE:ETHUSDT": Decimal(7_051)}},
            Denial("risk.market", "8,000", "8,001"),
        ),
        ({}, {"day_profit": Decimal(-400)}, Denial("risk.daily_loss", "400", "400")),
        ({}, {"buying_power": Decimal("950.95")}, None),
        ({}, {"buying_power": Decimal("950.94")}, Denial("risk.cash", "950.94", "950.95")),
        ({"quantity": Decimal("0.001")}, {}, Denial("risk.least", "100", "95")),
        ({"quantity": Decimal("0.0105")}, {}, Denial("risk.lot", "0.001", "0.0105")),
        ({"price": Decimal("95000.05")}, {}, Denial("risk.tick", "0.1", "95,000.05")),
    ],
)
def test_what_is_paid_in_usdt_has_bounds_and_steps_of_its_own(
    changes: dict[str, Any], around: dict[str, Any], denial: Denial | None
) -> None:
    made = {"instrument": FUTURE.id, "quantity": Decimal("0.01"), "price": Decimal(95_000)}
    asked = order(**{**made, "reference_price": Decimal(95_000), **changes})
    seen = view(
        quote=quote(instrument=FUTURE.id, price=95_000.0),
        venues=frozenset({Venue.BINANCE}),
        fee=Decimal("0.001"),
        **around,
    )
    assert check(asked, FUTURE, seen) == (() if denial is None else (denial,))


def test_what_the_broker_does_not_trade_is_denied_first() -> None:
    around = view(venues=frozenset({Venue.UPBIT}))
    assert check(order(), SAMSUNG, around)[0] == Denial("risk.venue", "UPBIT", "KRX")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234567", "1,234,567"), ("1E+3", "1,000"), ("0.50", "0.5"), ("100", "100"), ("1.00", "1")],
)
def test_numbers_are_shown_for_people(amount: str, text: str) -> None:
    assert shown(Decimal(amount)) == text


def test_an_absurd_quantity_is_denied_and_breaks_nothing() -> None:
    found = denials(order(quantity=Decimal(10) ** 40), view())
    assert {"risk.notional", "risk.position", "risk.cash"} <= found.keys()
