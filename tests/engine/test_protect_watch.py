"""Prices judged one by one, with looks in between anywhere, come to what they come to at once."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from engine.protect import gone, seen
from engine.protect_watch import Guarded, PriceWatch
from market.orders import PositionSide
from tests.engine.pretend_market import NOON
from tests.engine.test_protect import SHARES, kept

PRICES = st.lists(st.integers(900, 1_200).map(Decimal), max_size=30)


@given(prices=PRICES, looks=st.sets(st.integers(0, 30)), side=st.sampled_from(PositionSide))
def test_looks_in_between_change_nothing(
    prices: list[Decimal], looks: set[int], side: PositionSide
) -> None:
    watch, first = PriceWatch(), kept(side=side)
    stored = first
    watch.renew([Guarded(stored, SHARES)])
    for number, price in enumerate(prices):
        watch.on_price(SHARES.instrument, price, NOON)
        if number in looks:
            stored = watch.brought(stored, SHARES)
            watch.renew([Guarded(stored, SHARES)])
    expected = reduce(lambda one, price: seen(one, SHARES, price, NOON), prices, first)
    assert watch.brought(stored, SHARES) == expected


@given(prices=PRICES)
def test_each_level_is_touched_once(prices: list[Decimal]) -> None:
    watch = PriceWatch()
    watch.renew([Guarded(kept(), SHARES)])
    touched = [watch.on_price(SHARES.instrument, price, NOON) for price in prices]
    after = watch.brought(kept(), SHARES)
    rungs = sum(gone(after, SHARES) >= share for share in (Decimal("0.5"), Decimal(1)))
    assert sum(touched) in range(max(rungs > 0, after.ended_by is not None), rungs + 2)
    assert any(touched) == (rungs > 0 or after.ended_by is not None)


def test_prices_that_come_while_a_look_is_kept_count() -> None:
    watch, one = PriceWatch(), Guarded(kept(), SHARES)
    watch.renew([one])
    watch.on_price(SHARES.instrument, Decimal(1_010), NOON)
    watch.on_price(SHARES.instrument, Decimal(950), NOON)
    watch.renew([one])  # what was kept knows nothing of them
    found = watch.brought(kept(), SHARES)
    assert found.best == 1_010
    assert found.ended_by is not None
