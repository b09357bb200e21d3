"""Buttons that change a proposal: what they make of it, and what Confirm sends then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.desk_adjust import LONGEST, Change, Means, change_order
from engine.risk_case import Denial, notional, with_fee
from market.money import floor_to_lot
from market.orders import Order, OrderState, Otherwise, Side
from market.prices import is_on_tick
from market.types import Kind
from tests.engine.pretend_market import NOON, OTHER, SAMSUNG, TRADER, VIEWER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.desk_world import World

NO_CASH = ("risk.cash", "10,000,000")
MEANS = Means(Decimal(70_000), Decimal(10_000_000), Decimal(0), Decimal("0.00015"))


def made(**changes: Any) -> Order:
    order = Order(
        id="aaaaaaaaaaaa",
        version=1,
        instrument=SAMSUNG.id,
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(70_000),
        state=OrderState.PROPOSED,
        user_id=TRADER.id,
        origin="command",
        proposed_at=NOON,
        expires_at=NOON + timedelta(seconds=90),
        reference_price=Decimal(69_900),
        reference_at=NOON,
        max_drift=Decimal("0.003"),
    )
    return replace(order, **changes)


def after(change: Change, kind: Kind = Kind.STOCK, means: Means = MEANS, **order: Any) -> Any:
    """Return quantity, price and code after a change, or the denial's code and limit."""
    found = change_order(made(**order), change, kind, means)
    if isinstance(found, Denial):
        return found.code, found.limit
    return found.quantity, found.price, found.code


@pytest.mark.parametrize(
    ("change", "order", "expected"),
    [
        (Change.HALF, {}, (5, 70_000, "adjust.half")),
        (Change.HALF, {"quantity": Decimal(3)}, (1, 70_000, "adjust.half")),
        (Change.HALF, {"quantity": Decimal(1)}, ("adjust.smallest", "1")),
        (Change.DOUBLE, {}, (20, 70_000, "adjust.double")),
        (Change.DOUBLE, {"quantity": Decimal(100)}, (142, 70_000, "adjust.most")),
        (Change.DOUBLE, {"quantity": Decimal(142)}, NO_CASH),
        (Change.UP, {}, (10, 70_100, "adjust.up")),
        (Change.DOWN, {}, (10, 69_900, "adjust.down")),
        (Change.DOWN, {"price": Decimal(50_000)}, (10, 49_950, "adjust.down")),
        (Change.UP, {"price": Decimal(49_950)}, (10, 50_000, "adjust.up")),
        (Change.DOWN, {"price": Decimal(1)}, ("adjust.lowest", "1")),
        (Change.UP, {"quantity": Decimal(142), "price": Decimal(70_400)}, NO_CASH),
        (Change.DOWN, {"quantity": Decimal(200)}, (200, 69_900, "adjust.down")),
        (Change.UP, {"price": None}, ("adjust.no_price", "")),
        (Change.MARKET, {}, (10, None, "adjust.market")),
        (Change.MARKET, {"price": None}, ("adjust.same", "")),
        (Change.LIMIT, {}, ("adjust.same", "")),
        (Change.LIMIT, {"price": None}, (10, 70_000, "adjust.limit")),
    ],
)  # fmt: skip
def test_what_a_button_makes_of_a_purchase(
    change: Change, order: dict[str, Any], expected: Any
) -> None:
    assert after(change, **order) == expected


def test_a_sale_is_never_more_than_is_held() -> None:
    means = replace(MEANS, closable=Decimal(15), power=Decimal(0))
    sale: dict[str, Any] = {"side": Side.SELL}
    assert after(Change.DOUBLE, means=means, **sale) == (15, 70_000, "adjust.most")
    assert after(Change.DOUBLE, means=replace(means, closable=Decimal(20)), **sale) == (
        20,
        70_000,
        "adjust.double",
    )
    held = replace(means, closable=Decimal(10))
    assert after(Change.DOUBLE, means=held, **sale) == ("risk.no_position", "10")
    assert after(Change.UP, means=means, **sale) == (10, 70_100, "adjust.up")


def test_a_new_limit_never_pays_more_than_the_price_shown() -> None:
    between = replace(MEANS, last=Decimal(70_050))
    assert after(Change.LIMIT, means=between, price=None) == (10, 70_000, "adjust.limit")
    sale: dict[str, Any] = {"side": Side.SELL, "price": None}
    assert after(Change.LIMIT, means=between, **sale) == (10, 70_100, "adjust.limit")


def test_a_coin_is_halved_down_to_what_the_venue_takes() -> None:
    means = replace(MEANS, last=Decimal(100_000_000))
    coin: dict[str, Any] = {"quantity": Decimal("0.00020001"), "price": Decimal(100_000_000)}
    half = (Decimal("0.00010000"), 100_000_000, "adjust.half")
    assert after(Change.HALF, Kind.COIN, means, **coin) == half
    coin["quantity"] = Decimal("0.0001")
    assert after(Change.HALF, Kind.COIN, means, **coin) == (Decimal("0.00005"), *half[1:])
    coin["quantity"] = Decimal("0.00009")
    assert after(Change.HALF, Kind.COIN, means, **coin) == ("risk.least", "5,000")


@given(
    change=st.sampled_from(Change),
    kind=st.sampled_from(Kind),
    side=st.sampled_from(Side),
    quantity=st.integers(1, 10**9),
    price=st.one_of(st.none(), st.integers(1, 10**8)),
    last=st.integers(1, 10**8),
    power=st.integers(0, 10**12),
    sellable=st.integers(0, 10**9),
)
def test_whatever_is_changed_can_be_sent_and_paid(
    change: Change,
    kind: Kind,
    side: Side,
    quantity: int,
    price: int | None,
    last: int,
    power: int,
    sellable: int,
) -> None:
    before = made(
        side=side, quantity=Decimal(quantity), price=None if price is None else Decimal(price)
    )
    means = Means(Decimal(last), Decimal(power), Decimal(sellable), Decimal("0.0005"))
    found = change_order(before, change, kind, means)
    if isinstance(found, Denial):
        return
    assert found.quantity > 0
    assert floor_to_lot(found.quantity, kind) == found.quantity
    if found.price is not None and found.price != before.price:
        assert is_on_tick(found.price, kind)
    if found.quantity > before.quantity:
        assert found.quantity <= before.quantity * 2
        if side is Side.BUY:
            assert with_fee(notional(found), means.fee) <= power
        else:
            assert found.quantity <= sellable


def test_confirm_sends_exactly_what_the_changed_card_shows(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        half = await world.adjust(Change.HALF, order)
        assert (half.code, half.facts) == ("adjust.half", {"old": "10", "new": "5"})
        assert half.order is not None
        up = await world.adjust(Change.UP, half.order)
        assert await world.card(order) == "Samsung Electronics proposed v3 adjust.up"
        for old in (order, half.order):
            assert (await world.confirm(old)).code == "order.outdated"
        assert world.venue.posts == []
        assert up.order is not None
        assert (await world.confirm(up.order)).code == "order.confirmed"
        sent = world.venue.placed[order.id]
        assert (sent.quantity, sent.price) == (Decimal(5), Decimal(70_100))
        assert (await world.order(order)).code == ""

    run(scenario)


def test_a_double_tap_changes_once(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        taps = (world.adjust(Change.DOUBLE, order) for _ in range(3))
        codes = sorted([(await one).code for one in taps])
        assert codes == ["adjust.double", "order.outdated", "order.outdated"]
        stored = await world.order(order)
        assert (stored.quantity, stored.version) == (Decimal(20), 2)

    run(scenario)


def test_a_change_and_a_confirm_at_once_agree(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        sent, changed = await asyncio.gather(
            world.confirm(order), world.adjust(Change.DOUBLE, order)
        )
        stored = await world.order(order)
        if changed.code == "adjust.double":
            assert sent.code == "order.outdated"
            assert (stored.state, stored.quantity) == (OrderState.PROPOSED, Decimal(20))
            assert world.venue.posts == []
        else:
            assert (changed.code, sent.code) == ("order.already", "order.confirmed")
            assert world.venue.placed[order.id].quantity == 10

    run(scenario)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order_id": "bbbbbbbbbbbb"}, "order.unknown"),
        ({"user_id": OTHER.id}, "order.not_yours"),
        ({"message": 1}, "order.forged"),
        ({"message": None}, "order.forged"),
        ({"version": 2}, "order.outdated"),
    ],
)
def test_a_tap_that_is_not_the_cards_own_changes_nothing(
    run: Callable[..., None], changes: dict[str, Any], code: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        assert (await world.adjust(Change.HALF, order, **changes)).code == code
        assert await world.order(order) == order

    run(scenario)


def test_who_may_not_trade_any_more_changes_nothing(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        await world.let_in(replace(VIEWER, id=TRADER.id))
        assert (await world.adjust(Change.HALF, order)).code == "order.not_allowed"
        assert await world.order(order) == order

    run(scenario)


@pytest.mark.parametrize("state", ["declined", "accepted", "lapsed"])
def test_what_is_not_proposed_any_more_cannot_be_changed(
    run: Callable[..., None], state: str
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        if state == "declined":
            await world.decline(order)
        elif state == "accepted":
            await world.confirm(order)
        else:
            world.pass_time(90)
        changed = await world.adjust(Change.HALF, order)
        expected = "order.expired" if state == "lapsed" else "order.already"
        assert changed.code == expected
        stored = await world.order(order)
        assert (stored.state, stored.quantity) == (OrderState(state), Decimal(10))

    run(scenario)


def test_a_change_starts_the_time_anew_but_not_for_ever(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = first = await world.propose()
        for tap in range(100):
            world.pass_time(80)
            change = (Change.HALF, Change.DOUBLE)[tap % 2]
            outcome = await world.adjust(change, order)
            if outcome.code == "order.expired":
                break
            assert outcome.order is not None
            order = outcome.order
            assert order.expires_at == min(
                world.wall_clock.now() + timedelta(seconds=90), first.proposed_at + LONGEST
            )
        stored = await world.order(first)
        assert stored.state is OrderState.LAPSED
        assert world.wall_clock.now() - first.proposed_at <= LONGEST + timedelta(seconds=80)

    run(scenario)


def test_a_card_that_has_longer_keeps_its_time(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose(within=timedelta(hours=1))
        world.pass_time(60)
        outcome = await world.adjust(Change.HALF, order)
        assert outcome.order is not None
        assert outcome.order.expires_at == order.expires_at

    run(scenario)


def test_drift_counts_from_the_price_on_the_changed_card(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        world.market.prices[SAMSUNG.id] = 70_500.0
        world.quotes.note([world.market.tick(SAMSUNG.id)])
        outcome = await world.adjust(Change.UP, order)
        assert outcome.order is not None
        assert outcome.order.reference_price == 70_500
        assert (await world.confirm(outcome.order)).code == "order.confirmed"

    run(scenario)


def test_a_requote_of_a_changed_card_keeps_the_change(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        half = await world.adjust(Change.HALF, order)
        assert half.order is not None
        world.market.prices[SAMSUNG.id] = 70_600.0
        world.pass_time(4)
        again = await world.confirm(half.order)
        assert again.code == "order.requoted"
        assert again.order is not None
        assert (again.order.quantity, again.order.code, again.order.version) == (Decimal(5), "", 3)

    run(scenario)


def test_a_changed_card_is_sent_by_a_tap_only(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose(otherwise=Otherwise.LIMIT)
        await world.adjust(Change.DOUBLE, order)
        world.pass_time(91)
        await world.desk.lapse()
        assert (await world.order(order)).state is OrderState.LAPSED
        assert world.venue.posts == []

    run(scenario)


def test_limits_that_a_change_touches_are_told_and_confirm_denies(
    run: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        assert world.cards.views[order.id].touched == ()
        outcome = await world.adjust(Change.DOUBLE, order)
        assert outcome.code == "adjust.double"
        (touched,) = world.cards.views[order.id].touched
        assert (touched.code, touched.limit, touched.asked) == (
            "risk.notional",
            "1,000,000",
            "1,400,000",
        )
        assert outcome.order is not None
        half = await world.adjust(Change.HALF, outcome.order)
        assert world.cards.views[order.id].touched == ()
        assert half.order is not None
        double = await world.adjust(Change.DOUBLE, half.order)
        assert double.order is not None
        assert (await world.confirm(double.order)).code == "risk.notional"
        assert world.venue.posts == []

    run(scenario, risk={"max_order": 1_000_000})


def test_a_card_can_be_changed_while_paused_and_after_a_restart(run: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        order = await world.propose()
        await world.desk.pause(TRADER.id)
        half = await world.adjust(Change.HALF, order)
        assert half.order is not None
        assert world.cards.views[order.id].hold == "risk.paused"
        assert world.cards.views[order.id].touched == ()
        await world.restart()
        up = await world.adjust(Change.UP, half.order)
        assert up.code == "adjust.up"
        assert world.venue.posts == []

    run(scenario)
