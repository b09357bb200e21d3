"""The bounds on money, at them and beyond them, for any amounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import RiskSettings
from engine.risk import check
from engine.risk_case import Denial, RiskView, with_fee
from market.orders import GOING, Order, OrderState, Side
from tests.engine.risk_makers import COIN, HYNIX, NOON, SAMSUNG, order, other, quote, sell, view

WIDE = RiskSettings(
    max_order=Decimal(10**12),
    max_day=Decimal(10**12),
    max_position=Decimal(10**12),
    max_market=Decimal(10**12),
    max_total=Decimal(10**12),
    max_daily_loss=Decimal(10**12),
    max_away=Decimal(1),
)
RICH = Decimal(10**13)
WON = st.integers(1, 10**9).map(Decimal)
COUNTS = st.integers(1, 1_000).map(Decimal)


def bounded(**changes: Decimal) -> RiskSettings:
    return WIDE.model_copy(update=changes)


def rich(limits: RiskSettings, **changes: object) -> RiskView:
    return replace(view(limits=limits, buying_power=RICH), **changes)  # type: ignore[arg-type]  # as the test says


def found(asked: Order, around: RiskView) -> tuple[str, ...]:
    return tuple(one.code for one in check(asked, SAMSUNG, around))


FILLED = {"state": OrderState.FILLED, "filled_quantity": Decimal(7)}
LATER = {"proposed_at": NOON - timedelta(hours=2), "average_price": Decimal(50_000)}


@pytest.mark.parametrize(
    ("today", "asked"),
    [
        ((), 700_000),
        ((other(**LATER),), 1_190_000),  # what may still be bought counts at its limit
        ((other(**LATER, **FILLED),), 1_050_000),  # what was bought, at its price
        ((other(**LATER, filled_quantity=Decimal(2)),), 1_150_000),
        ((other(**{**LATER, **FILLED, "state": OrderState.CANCELED}),), 1_050_000),
        ((other(**LATER, state=OrderState.PROPOSED),), 700_000),
        ((other(**LATER, state=OrderState.DENIED),), 700_000),
        ((other(**LATER, side=Side.SELL),), 700_000),
        ((other(**LATER, instrument=HYNIX.id),), 1_190_000),
    ],
)
def test_a_day_counts_what_was_and_may_still_be_bought(
    today: tuple[Order, ...], asked: int
) -> None:
    around = rich(bounded(max_day=Decimal(asked)), today=today)
    assert check(order(), SAMSUNG, around) == ()
    denial = Denial("risk.day", f"{asked - 1:,}", f"{asked:,}")
    around = rich(bounded(max_day=Decimal(asked - 1)), today=today)
    assert check(order(), SAMSUNG, around) == (denial,)
    assert check(sell(), SAMSUNG, replace(around, held=Decimal(10))) == ()


def test_a_market_counts_its_positions_and_what_is_being_bought() -> None:
    worths = {SAMSUNG.id: Decimal(100_000), HYNIX.id: Decimal(200_000), COIN.id: Decimal(10**9)}
    others = (other(instrument=HYNIX.id), other(instrument=COIN.id), other(side=Side.SELL))
    asked = 700_000 + 300_000 + 490_000
    around = rich(bounded(max_market=Decimal(asked)), worths=worths, others=others)
    assert check(order(), SAMSUNG, around) == ()
    around = replace(around, limits=bounded(max_market=Decimal(asked - 1)))
    assert check(order(), SAMSUNG, around) == (Denial("risk.market", "1,489,999", "1,490,000"),)


def test_all_positions_count_together() -> None:
    worths = {SAMSUNG.id: Decimal(100_000), COIN.id: Decimal(200_000)}
    others = (other(instrument=COIN.id),)
    around = rich(bounded(max_total=Decimal(1_489_999)), worths=worths, others=others)
    denial = Denial("risk.total", "1,489,999", "1,490,000")
    assert check(order(), SAMSUNG, around) == (denial,)
    assert check(sell(), SAMSUNG, replace(around, held=Decimal(10))) == ()


@pytest.mark.parametrize(("profit", "is_over"), [(-499_999, False), (-500_000, True), (9, False)])
def test_a_day_that_has_lost_enough_buys_no_more(profit: int, *, is_over: bool) -> None:
    around = view(day_profit=Decimal(profit))
    denial = Denial("risk.daily_loss", "500,000", f"{-profit:,}")
    assert check(order(), SAMSUNG, around) == ((denial,) if is_over else ())
    assert check(sell(), SAMSUNG, replace(around, held=Decimal(10))) == ()


@given(quantity=COUNTS, price=st.integers(1, 900).map(lambda n: Decimal(n * 1_000)), bound=WON)
def test_no_order_is_worth_more_than_the_bound(
    quantity: Decimal, price: Decimal, bound: Decimal
) -> None:
    near = quote(price=float(price), previous_close=float(price))
    asked = order(quantity=quantity, price=price, reference_price=price)
    codes = found(asked, rich(bounded(max_order=bound), quote=near))
    assert codes == (("risk.notional",) if quantity * price > bound else ())


@given(held=st.lists(WON, max_size=4), quantity=COUNTS, bound=WON)
def test_exposure_never_passes_its_bounds(
    held: list[Decimal], quantity: Decimal, bound: Decimal
) -> None:
    worths = {f"KRX:{number}": worth for number, worth in enumerate(held)}
    asked = order(quantity=quantity)
    total = sum(held, quantity * 70_000)
    for name, code in (("max_market", "risk.market"), ("max_total", "risk.total")):
        codes = found(asked, rich(bounded(**{name: bound}), worths=worths))
        assert codes == ((code,) if total > bound else ())


@given(
    filled=st.integers(0, 7).map(Decimal),
    state=st.sampled_from(OrderState),
    average=st.integers(1, 100_000).map(Decimal),
    bound=WON,
)
def test_a_days_purchases_never_pass_their_bound(
    filled: Decimal, state: OrderState, average: Decimal, bound: Decimal
) -> None:
    before = other(**LATER, state=state, filled_quantity=filled)
    before = replace(before, average_price=average)
    left = (7 - filled) * 70_000 if state in GOING else 0
    total = 700_000 + filled * average + left
    codes = found(order(), rich(bounded(max_day=bound), today=(before,)))
    assert codes == (("risk.day",) if total > bound else ())


@given(profit=st.integers(-(10**9), 10**9).map(Decimal), bound=WON)
def test_a_loss_ends_purchases_from_its_bound_on(profit: Decimal, bound: Decimal) -> None:
    codes = found(order(), rich(bounded(max_daily_loss=bound), day_profit=profit))
    assert codes == (("risk.daily_loss",) if -profit >= bound else ())


@given(power=WON, quantity=COUNTS)
def test_nothing_is_bought_that_cannot_be_paid_with_its_fee(
    power: Decimal, quantity: Decimal
) -> None:
    needed = with_fee(quantity * 70_000, Decimal("0.00015"))
    around = replace(rich(WIDE), buying_power=power)
    assert found(order(quantity=quantity), around) == (("risk.cash",) if needed > power else ())


@given(quantity=st.integers(1, 10**12).map(lambda n: Decimal(n) / 10**8))
def test_a_coin_is_ordered_for_5000_won_at_least(quantity: Decimal) -> None:
    asked = order(instrument=COIN.id, quantity=quantity, price=Decimal(3_000))
    near = quote(instrument=COIN.id, price=3_000.0)
    codes = [one.code for one in check(asked, COIN, rich(WIDE, quote=near))]
    assert codes == (["risk.least"] if quantity * 3_000 < 5_000 else [])


@given(profit=st.integers(-(10**9), 0), held=COUNTS, quantity=COUNTS)
def test_bounds_on_money_never_hold_back_an_exit(
    profit: int, held: Decimal, quantity: Decimal
) -> None:
    tight = RiskSettings(
        max_order=Decimal(1),
        max_day=Decimal(1),
        max_position=Decimal(1),
        max_market=Decimal(1),
        max_total=Decimal(1),
        max_daily_loss=Decimal(1),
        max_away=Decimal(1),
    )
    around = view(limits=tight, day_profit=Decimal(profit), held=held, buying_power=Decimal(0))
    codes = found(sell(quantity=quantity), around)
    assert codes == (("risk.no_position",) if quantity > held else ())
