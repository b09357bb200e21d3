"""What an order may become: every cell of the table, and what an order knows of itself."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from market.errors import IllegalTransition, OrderRejected, OutcomeUnknown
from market.orders import AT_BROKER, OPEN, TRANSITIONS, Order, OrderState, Position, Side, advance

AT = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)

TABLE = """
proposed         -> proposed confirmed declined lapsed denied
confirmed        -> submitted denied lapsed
submitted        -> accepted partially_filled filled canceled rejected expired in_doubt
accepted         -> partially_filled filled canceled expired rejected in_doubt
partially_filled -> partially_filled filled canceled expired in_doubt
in_doubt         -> accepted partially_filled filled canceled rejected expired not_sent
canceled         -> partially_filled filled
expired          -> partially_filled filled
declined         ->
lapsed           ->
denied           ->
filled           ->
rejected         ->
not_sent         ->
"""
ALLOWED = {
    OrderState(line.split("->")[0].strip()): {
        OrderState(word) for word in line.split("->")[1].split()
    }
    for line in TABLE.strip().splitlines()
}


def order(**facts: Any) -> Order:
    made = Order(
        id="ABCDEFGHIJKL",
        version=1,
        instrument="KRX:005930",
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(70_000),
        state=OrderState.PROPOSED,
        user_id=7,
        origin="command",
        proposed_at=AT,
        expires_at=AT + timedelta(seconds=90),
        reference_price=Decimal(70_000),
        reference_at=AT,
        max_drift=Decimal("0.003"),
    )
    return replace(made, **facts)


@pytest.mark.parametrize(("state", "following"), list(itertools.product(OrderState, OrderState)))
def test_advance_in_every_cell_of_the_table(state: OrderState, following: OrderState) -> None:
    if following in ALLOWED[state]:
        assert advance(order(state=state), following).state is following
    else:
        with pytest.raises(IllegalTransition, match=f"ABCDEFGHIJKL: {state} cannot"):
            advance(order(state=state), following)


def test_the_table_has_a_line_for_every_state() -> None:
    assert set(TRANSITIONS) == set(ALLOWED) == set(OrderState)


def test_advance_changes_what_it_is_told_and_not_its_input() -> None:
    before = order()
    after = advance(before, OrderState.DENIED, code="risk.cash")
    assert (after.code, after.version) == ("risk.cash", 1)
    assert (before.state, before.code) == (OrderState.PROPOSED, "")


def test_open_states_are_those_a_person_or_a_broker_can_still_move() -> None:
    ended = {state for state in OrderState if not TRANSITIONS[state]}
    assert set(OrderState) - ended - {OrderState.CANCELED, OrderState.EXPIRED} == OPEN
    assert OPEN - {OrderState.PROPOSED, OrderState.CONFIRMED} == AT_BROKER


def test_an_order_can_be_filled_only_after_it_was_sent() -> None:
    unsent = {OrderState.PROPOSED, OrderState.CONFIRMED, OrderState.DECLINED, OrderState.LAPSED}
    for state in unsent:
        assert not TRANSITIONS[state] & {OrderState.PARTIALLY_FILLED, OrderState.FILLED}


def test_client_order_id_comes_from_the_id() -> None:
    assert order().client_order_id == order(version=3).client_order_id == "tt-ABCDEFGHIJKL"


def test_remaining_is_what_was_not_filled() -> None:
    assert order(filled_quantity=Decimal(4)).remaining == 6


def test_position_begins_without_profit() -> None:
    assert Position("KRX:005930", Decimal(1), Decimal(70_000)).realized == 0


def test_order_errors_carry_their_code() -> None:
    error = OrderRejected("risk.cash", "not enough money")
    assert (error.code, str(error)) == ("risk.cash", "not enough money")
    assert not isinstance(error, OutcomeUnknown)
