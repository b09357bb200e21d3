from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.desk_tap import Tap, card_key, may_trade, objection
from market.messages import Person, Role
from market.orders import Order, OrderState, Side

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TRADER = Person(7, Role.TRADER)
TAP = Tap("one", 1, 7, 100)
ORDER = Order(
    id="one",
    version=1,
    instrument="KRX:1",
    side=Side.BUY,
    quantity=Decimal(1),
    price=None,
    state=OrderState.PROPOSED,
    user_id=7,
    origin="command",
    proposed_at=NOON,
    expires_at=NOON + timedelta(seconds=90),
    reference_price=Decimal(100),
    reference_at=NOON,
    max_drift=Decimal("0.003"),
)


def code(
    order: Order | None = ORDER,
    tap: Tap = TAP,
    person: Person | None = TRADER,
    card: str | None = "order/one",
    seconds: float = 0,
) -> str:
    outcome = objection(order, tap, person, card, NOON + timedelta(seconds=seconds))
    return "" if outcome is None else outcome.code


def test_the_right_tap_counts_until_the_card_expires() -> None:
    assert code() == ""
    assert code(seconds=89.999) == ""
    assert code(seconds=90) == "order.expired"


def test_an_order_that_does_not_exist_is_unknown() -> None:
    assert code(None) == "order.unknown"


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.PROPOSED}))
def test_no_other_state_than_proposed_can_be_confirmed(state: OrderState) -> None:
    assert code(replace(ORDER, state=state)) == "order.already"


@pytest.mark.parametrize("version", [0, 2])
def test_a_button_of_another_version_is_outdated(version: int) -> None:
    assert code(tap=replace(TAP, version=version)) == "order.outdated"


def test_a_lapsed_card_says_that_it_was_too_late() -> None:
    lapsed = replace(ORDER, state=OrderState.LAPSED, code="order.expired")
    assert code(lapsed) == "order.expired"


def test_a_stranger_learns_nothing_about_an_order() -> None:
    outcome = objection(ORDER, replace(TAP, user_id=8), Person(8, Role.OWNER), "order/one", NOON)
    assert outcome is not None
    assert (outcome.order, outcome.code, dict(outcome.facts)) == (None, "order.not_yours", {})


@pytest.mark.parametrize("card", [None, "order/two", "order/", "alert/one"])
def test_a_message_without_this_card_is_forged(card: str | None) -> None:
    assert code(card=card) == "order.forged"
    assert code(replace(ORDER, state=OrderState.FILLED), card=card) == "order.forged"


@pytest.mark.parametrize(
    ("person", "may"),
    [
        (None, False),
        (Person(7, Role.VIEWER), False),
        (Person(7, Role.TRADER), True),
        (Person(7, Role.OWNER), True),
    ],
)
def test_only_traders_and_owners_trade(person: Person | None, *, may: bool) -> None:
    assert may_trade(person) == may
    assert (code(person=person) == "") == may


def test_a_card_is_named_after_its_order() -> None:
    assert card_key("one") == "order/one"


def test_who_may_see_the_order_is_told_what_became_of_it() -> None:
    tapped = NOON + timedelta(seconds=90)
    sent = replace(ORDER, state=OrderState.FILLED)
    lapsed = replace(ORDER, state=OrderState.LAPSED, code="order.expired")
    outdated = replace(TAP, version=2)
    for order, tap, person, card, at, told in (
        (ORDER, TAP, Person(7, Role.VIEWER), "order/one", NOON, ("order.not_allowed", {})),
        (ORDER, TAP, TRADER, None, NOON, ("order.forged", {})),
        (lapsed, TAP, TRADER, "order/one", NOON, ("order.expired", {})),
        (sent, TAP, TRADER, "order/one", NOON, ("order.already", {"state": "filled"})),
        (ORDER, TAP, TRADER, "order/one", tapped, ("order.expired", {})),
        (ORDER, outdated, TRADER, "order/one", NOON, ("order.outdated", {})),
    ):
        outcome = objection(order, tap, person, card, at)
        assert outcome is not None
        assert (outcome.order, outcome.code, dict(outcome.facts)) == (order, *told)
