"""Orders go only where the table leads, and everything they went through is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.errors import IllegalTransition, StoreError
from market.orders import (
    TRANSITIONS,
    Fill,
    Order,
    OrderState,
    Otherwise,
    Position,
    PositionSide,
    Side,
)
from market.types import from_ms
from market.unfilled import Then, Unfilled

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.clock import ManualClock
    from market.store import Store, Transaction

NOW = datetime(2026, 10, 2, 0, 0, tzinfo=UTC)
SAMSUNG = "KRX:005930"
IDS = map(str, count())
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
TIMES = st.integers(0, 2**42).map(from_ms)
ORDERS = st.builds(
    Order,
    id=st.just(""),
    version=st.integers(1, 1_000),
    instrument=st.just(SAMSUNG),
    side=st.sampled_from(Side),
    quantity=AMOUNTS,
    price=st.none() | AMOUNTS,
    state=st.sampled_from(OrderState),
    user_id=st.integers(-(2**63), 2**63 - 1),
    origin=TEXTS,
    proposed_at=TIMES,
    expires_at=TIMES,
    reference_price=AMOUNTS,
    reference_at=TIMES,
    max_drift=AMOUNTS,
    signal_id=st.none() | TEXTS,
    broker_order_id=st.none() | TEXTS,
    filled_quantity=AMOUNTS,
    average_price=AMOUNTS,
    cost=AMOUNTS,
    code=TEXTS,
    is_cancel_requested=st.booleans(),
    facts=st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    is_automatic=st.booleans(),
    otherwise=st.sampled_from(Otherwise),
    unfilled=st.none()
    | st.builds(
        Unfilled,
        st.sampled_from(Then),
        st.integers(1, 10**8).map(lambda ms: timedelta(milliseconds=ms)),
        st.integers(0, 20),
    ),
    replaces=st.none() | st.just("b"),
    position=st.sampled_from(PositionSide),
)
FILLS = st.builds(
    Fill,
    id=st.just(""),
    order_id=st.just("a"),
    instrument=st.just(SAMSUNG),
    side=st.sampled_from(Side),
    quantity=AMOUNTS,
    price=AMOUNTS,
    cost=AMOUNTS,
    at=TIMES,
)
POSITIONS = st.builds(
    Position, instrument=TEXTS, quantity=AMOUNTS, average_price=AMOUNTS, realized=AMOUNTS
)
THOROUGH = settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def order(
    id: str = "a",  # noqa: A002  # the field's name
    state: OrderState = OrderState.PROPOSED,
    version: int = 1,
    minutes: int = 0,
) -> Order:
    at = NOW + timedelta(minutes=minutes)
    return Order(
        id=id,
        version=version,
        instrument=SAMSUNG,
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(70_000),
        state=state,
        user_id=5,
        origin="command",
        proposed_at=at,
        expires_at=at + timedelta(seconds=90),
        reference_price=Decimal(70_000),
        reference_at=at,
        max_drift=Decimal("0.003"),
    )


def fill(id: str = "1", order_id: str = "a", minutes: int = 0) -> Fill:  # noqa: A002  # as above
    at = NOW + timedelta(minutes=minutes)
    return Fill(id, order_id, SAMSUNG, Side.BUY, Decimal(1), Decimal(70_000), Decimal("10.5"), at)


def putting(*orders: Order) -> Callable[[Transaction], None]:
    def write(transaction: Transaction) -> None:
        for each in orders:
            transaction.orders.put(each)

    return write


def put(store: Store, *orders: Order) -> None:
    asyncio.run(store.write(putting(*orders)))


def get(store: Store, order_id: str = "a") -> Order | None:
    return asyncio.run(store.read(lambda t: t.orders.get(order_id)))


@THOROUGH
@given(kept=ORDERS)
def test_order_comes_back_digit_for_digit(store: Store, kept: Order) -> None:
    kept = replace(kept, id=next(IDS))
    put(store, kept)
    found = get(store, kept.id)
    assert found == kept
    assert repr(found) == repr(kept)


@THOROUGH
@given(kept=FILLS)
def test_fill_comes_back_digit_for_digit(store: Store, kept: Fill) -> None:
    kept = replace(kept, id=next(IDS))
    put(store, order())
    assert asyncio.run(store.write(lambda t: t.orders.add_fill(kept, "paper")))
    found = asyncio.run(store.read(lambda t: t.orders.fills("a")))
    assert [repr(each) for each in found if each.id == kept.id] == [repr(kept)]


@THOROUGH
@given(kept=POSITIONS)
def test_position_comes_back_digit_for_digit(store: Store, kept: Position) -> None:
    asyncio.run(store.write(lambda t: t.orders.put_position(kept)))
    found = asyncio.run(store.read(lambda t: t.orders.position(kept.instrument)))
    assert repr(found) == repr(kept)


def test_amount_that_is_no_number_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="is not an amount"):
        put(store, replace(order(), quantity=Decimal("NaN")))


def test_times_are_kept_to_the_millisecond(store: Store) -> None:
    fine = replace(order(), proposed_at=NOW + timedelta(microseconds=1_999))
    put(store, fine, fine)
    found = get(store)
    assert found is not None
    assert found.proposed_at == NOW + timedelta(milliseconds=1)


@pytest.mark.parametrize(("before", "after"), list(product(OrderState, OrderState)), ids=str)
def test_order_goes_only_where_the_table_leads(
    store: Store, before: OrderState, after: OrderState
) -> None:
    first = order(state=before)
    is_reproposal = before is after is OrderState.PROPOSED
    changed = replace(
        first, state=after, version=2 if is_reproposal else 1, filled_quantity=Decimal(3)
    )
    put(store, first)
    if after in TRANSITIONS[before]:
        put(store, changed)
        assert get(store) == changed
        return
    with pytest.raises(IllegalTransition, match=f"order a: {before}"):
        put(store, changed)
    assert get(store) == first


@pytest.mark.parametrize("version", [0, 1, 3])
def test_changed_proposal_needs_the_next_version(store: Store, version: int) -> None:
    put(store, order())
    with pytest.raises(IllegalTransition, match=rf"version 1 .* version {version}"):
        put(store, replace(order(), quantity=Decimal(9), version=version))


def test_confirmation_of_another_version_is_refused(store: Store) -> None:
    put(store, order(), order(version=2))
    with pytest.raises(IllegalTransition, match=r"version 2 .* version 1"):
        put(store, order(state=OrderState.CONFIRMED, version=1))


@pytest.mark.parametrize("state", list(OrderState))
def test_identical_order_changes_nothing(store: Store, state: OrderState) -> None:
    put(store, order(state=state), order(state=state))
    events = asyncio.run(store.read(lambda t: t.orders.events("a")))
    assert len(events) == 1


def test_cancel_request_is_kept_without_a_change_of_state(store: Store) -> None:
    accepted = order(state=OrderState.ACCEPTED)
    asked = replace(accepted, is_cancel_requested=True, broker_order_id="b-1", code="order.cancel")
    put(store, accepted, asked)
    assert get(store) == asked


def test_illegal_step_undoes_what_was_written_with_it(store: Store) -> None:
    put(store, order())
    with pytest.raises(IllegalTransition):
        put(store, order("b"), order(state=OrderState.FILLED))
    assert get(store, "b") is None


def test_events_record_every_step_at_the_stores_clock(store: Store, clock: ManualClock) -> None:
    put(store, order())
    clock.advance(timedelta(seconds=5))
    put(store, order(version=2))
    put(store, replace(order(version=2, state=OrderState.DENIED), code="risk.cash"))
    assert asyncio.run(store.read(lambda t: t.orders.events("a"))) == [
        (1, OrderState.PROPOSED, NOW, ""),
        (2, OrderState.PROPOSED, NOW + timedelta(seconds=5), ""),
        (2, OrderState.DENIED, NOW + timedelta(seconds=5), "risk.cash"),
    ]


def test_orders_are_found_by_state_oldest_first(store: Store) -> None:
    put(
        store,
        order("late", minutes=2),
        order("early", minutes=1),
        order("same minute", minutes=2),
        order("done", OrderState.FILLED),
    )
    found = asyncio.run(store.read(lambda t: t.orders.in_states({OrderState.PROPOSED})))
    assert [each.id for each in found] == ["early", "late", "same minute"]
    assert asyncio.run(store.read(lambda t: t.orders.in_states([]))) == []


def test_recent_orders_come_newest_first(store: Store) -> None:
    put(store, order("b", minutes=2), order("a", minutes=1), order("c", minutes=3))
    found = asyncio.run(store.read(lambda t: t.orders.recent(2)))
    assert [each.id for each in found] == ["c", "b"]


def test_orders_since_a_time_include_that_time(store: Store) -> None:
    put(store, order("a", minutes=1), order("b", minutes=2), order("c", minutes=3))
    found = asyncio.run(store.read(lambda t: t.orders.since(NOW + timedelta(minutes=2))))
    assert [each.id for each in found] == ["b", "c"]


def test_known_fill_is_not_taken_twice(store: Store) -> None:
    put(store, order())
    assert asyncio.run(store.write(lambda t: t.orders.add_fill(fill(), "paper")))
    again = replace(fill(), quantity=Decimal(5))
    assert not asyncio.run(store.write(lambda t: t.orders.add_fill(again, "paper")))
    assert asyncio.run(store.read(lambda t: t.orders.fills("a"))) == [fill()]


def test_brokers_number_their_fills_each_for_itself(store: Store) -> None:
    put(store, order())

    def write(transaction: Transaction) -> list[str]:
        orders = transaction.orders
        assert orders.add_fill(fill("7"), "kis")
        assert orders.add_fill(fill("3"), "upbit")
        assert orders.add_fill(fill("7"), "upbit")
        assert not orders.add_fill(fill("7"), "kis")
        return [orders.last_fill_id(name) for name in ("kis", "upbit", "paper")]

    assert asyncio.run(store.write(write)) == ["7", "7", ""]
    assert len(asyncio.run(store.read(lambda t: t.orders.fills("a")))) == 3


def test_orders_tell_at_which_venues_they_are(store: Store) -> None:
    put(store, order(), replace(order("b"), instrument="UPBIT:KRW-BTC"))
    states = {OrderState.PROPOSED}
    assert asyncio.run(store.read(lambda t: t.orders.venues_in(states))) == {"KRX", "UPBIT"}
    assert asyncio.run(store.read(lambda t: t.orders.venues_in({OrderState.FILLED}))) == set()


def test_fill_of_an_unknown_order_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        asyncio.run(store.write(lambda t: t.orders.add_fill(fill(), "paper")))


def test_fills_come_oldest_first_and_the_greatest_id_is_last(store: Store) -> None:
    def write(transaction: Transaction) -> list[str]:
        seen = [transaction.orders.last_fill_id("paper")]
        putting(order(), order("b"))(transaction)
        for each in (fill("2", minutes=5), fill("1", minutes=4), fill("0", "b")):
            transaction.orders.add_fill(each, "paper")
        return [*seen, transaction.orders.last_fill_id("paper")]

    assert asyncio.run(store.write(write)) == ["", "2"]
    found = asyncio.run(store.read(lambda t: t.orders.fills("a")))
    assert [each.id for each in found] == ["1", "2"]


def test_position_takes_the_place_of_the_one_before(store: Store) -> None:
    held = Position(SAMSUNG, Decimal(10), Decimal(70_000))
    sold = replace(held, quantity=Decimal(0), realized=Decimal("123.45"))

    def write(transaction: Transaction) -> list[Position]:
        transaction.orders.put_position(held)
        transaction.orders.put_position(replace(held, instrument="KRX:000660"))
        transaction.orders.put_position(sold)
        return transaction.orders.positions()

    found = asyncio.run(store.write(write))
    assert found == [replace(held, instrument="KRX:000660"), sold]
    assert asyncio.run(store.read(lambda t: t.orders.position("KRX:none"))) is None
