"""The virtual server, whose list of orders may stay empty: the holdings tell instead."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from brokers.kis_book import Sent
from brokers.kis_estimate import guesses
from brokers.kis_rows import Held
from market.errors import OutcomeUnknown
from market.orders import OrderState, Position, Side
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.kis_venue import NOON, KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from pathlib import Path


def virtual(folder: Path, scenario: Any, *, lists: bool) -> None:
    async def prepared(venue: KisVenue) -> None:
        venue.pages.lists_orders = lists
        await scenario(venue)

    run(folder, prepared, is_virtual=True)


def test_the_virtual_server_is_asked_by_its_own_names(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.trade(70_000)
        assert len(await venue.broker.fills("")) == 1
        await venue.broker.accounts()
        asked = {request.headers.get("tr_id", "V") for request in venue.wire.requests}
        assert all(name.startswith("V") for name in asked)

    virtual(tmp_path, scenario, lists=True)


def test_fills_come_from_the_holdings_where_orders_are_not_listed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(venue: KisVenue) -> None:
        number = await venue.broker.place(order())
        await venue.trade(69_900, most=4)
        (part,) = await venue.broker.fills("")
        assert part.quantity == 4
        assert part.price == 70_000
        assert "is what the holdings say" in caplog.text
        found = await venue.broker.find(order())
        assert found is not None
        assert (found.broker_order_id, found.state) == (number, OrderState.PARTIALLY_FILLED)
        await venue.trade(69_900)
        assert [fill.quantity for fill in await venue.broker.fills(part.id)] == [6]
        assert await venue.broker.fills(part.id) == (await venue.broker.fills(""))[1:]
        done = await venue.broker.find(order())
        assert done is not None
        assert done.state is OrderState.FILLED

    virtual(tmp_path, scenario, lists=False)


def test_a_list_that_comes_back_corrects_what_is_still_to_come(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.trade(69_900, most=4)
        await venue.broker.fills("")
        venue.pages.lists_orders = True
        assert len(await venue.broker.fills("")) == 1
        await venue.trade(69_900)
        assert [fill.quantity for fill in await venue.broker.fills("")] == [4, 6]

    virtual(tmp_path, scenario, lists=False)


def test_a_cancelled_order_that_is_not_listed_is_cancelled(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.broker.cancel(order())
        found = await venue.broker.find(order())
        assert found is not None
        assert found.state is OrderState.CANCELED

    virtual(tmp_path, scenario, lists=False)


def test_an_empty_list_proves_nothing(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.plan.script(Channel.ORDER, OrderFault.LOST_ANSWER)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place(order())
        await venue.wait(60)
        with pytest.raises(OutcomeUnknown) as caught:
            await venue.broker.find(order())
        assert caught.value.code == "ambiguous"
        venue.pages.lists_orders = True
        assert await venue.broker.find(order()) is not None

    virtual(tmp_path, scenario, lists=False)


def sent(name: str, **changes: Any) -> Sent:
    made = Sent(
        client_id=f"tt-{name}",
        order_id=name,
        instrument="KRX:005930",
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(70_000),
        division="00",
        day="20261124",
        sent_at=NOON,
    )
    return replace(made, **changes)


def held(bought: int = 0, sold: int = 0, code: str = "005930") -> Held:
    position = Position(f"KRX:{code}", Decimal(bought), Decimal(70_000))
    return Held(position, Decimal(bought), Decimal(sold), Decimal(71_000))


def test_the_better_price_is_served_first() -> None:
    cheap, dear = sent("cheap"), sent("dear", price=Decimal(70_100))
    found = guesses([cheap, dear], [cheap, dear], [held(bought=12)])
    assert [(one.sent.order_id, one.quantity) for one in found] == [
        ("dear", Decimal(10)),
        ("cheap", Decimal(2)),
    ]


def test_a_sale_is_served_from_the_lowest_and_a_market_order_before_all() -> None:
    low = sent("low", side=Side.SELL)
    high = sent("high", side=Side.SELL, price=Decimal(71_000))
    market = sent("market", side=Side.SELL, price=None)
    found = guesses([high, low, market], [], [held(sold=25)])
    assert [(one.sent.order_id, one.price) for one in found] == [
        ("market", Decimal(71_000)),
        ("low", Decimal(70_000)),
        ("high", Decimal(71_000)),
    ]
    assert [one.quantity for one in found] == [10, 10, 5]


def test_what_other_orders_of_ours_traded_is_taken_off() -> None:
    done = sent("done", told_quantity=Decimal(10))
    rest = sent("rest")
    assert guesses([rest], [done, rest], [held(bought=10)]) == []
    assert guesses([rest], [done, rest], [held(bought=10, code="000660")]) == []
