"""The Upbit broker in front of its pretend venue: what is its own and in no contract."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from brokers.broker import BROKERS, Closing, Holdings, Live, OpenOrders, Ticks
from brokers.upbit import PAGE, UNDER_WAY
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, Side
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.upbit_venue import COIN, MARKET, UpbitVenue, coin_order, upbit_venue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Fill

FOREIGN = {"market": MARKET, "side": "bid", "ord_type": "limit", "price": "60000", "volume": "0.1"}


def run(path: Path, scenario: Callable[[UpbitVenue], Awaitable[None]], **parts: Any) -> None:
    async def body() -> None:
        async with upbit_venue(path, **parts) as venue:
            await scenario(venue)

    asyncio.run(body())


async def refusal(venue: UpbitVenue, **changes: Any) -> str:
    with pytest.raises(OrderRejected) as caught:
        await venue.broker.place(coin_order(**changes))
    return caught.value.code


def total(fills: list[Fill]) -> tuple[Decimal, Decimal, Decimal]:
    zero = Decimal(0)
    return (
        sum((fill.quantity for fill in fills), zero),
        sum((fill.quantity * fill.price for fill in fills), zero),
        sum((fill.cost for fill in fills), zero),
    )


def test_upbit_is_registered_and_offers_what_it_can(tmp_path: Path) -> None:
    assert "upbit" in BROKERS

    async def scenario(venue: UpbitVenue) -> None:
        for port in (OpenOrders, Holdings, Ticks, Live, Closing):
            assert isinstance(venue.broker, port)

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": Decimal("0.000000001")}, "quantity"),
        ({"quantity": Decimal(0)}, "quantity"),
        ({"quantity": Decimal(-1)}, "quantity"),
        ({"quantity": Decimal("0.07")}, "least"),
        ({"quantity": Decimal("0.07"), "price": None}, "least"),
        ({"instrument": "KRX:005930"}, "other"),
        ({"instrument": "UPBIT:BTC-ETH"}, "other"),
    ],
)
def test_what_can_be_seen_to_be_wrong_is_never_sent(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        assert await refusal(venue, **changes) == code
        assert venue.exchange.asked == []
        assert await venue.broker.find(coin_order()) is None

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": Decimal(70_025)}, "price"),
        ({"quantity": Decimal(20)}, "cash"),
        ({"quantity": Decimal(20_000)}, "quantity"),
        ({"side": Side.SELL}, "no_position"),
        ({"side": Side.SELL, "price": None}, "no_position"),
        ({"side": Side.SELL, "price": None, "quantity": Decimal("0.05")}, "least"),
    ],
)
def test_a_refusal_of_the_venue_has_a_stable_code_and_leaves_nothing(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.trade(70_000)
        assert await refusal(venue, **changes) == code
        asked = len(venue.exchange.asked)
        assert await venue.broker.fills("") == []
        assert len(venue.exchange.asked) == asked  # nothing is waited for
        assert await venue.broker.find(coin_order()) is None  # at once: it surely is not there

    run(tmp_path, scenario)


def test_a_market_buy_spends_what_was_confirmed_and_ends_in_cancel(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.trade(70_150)
        bought = coin_order(price=None, quantity=Decimal("0.5"))
        number = await venue.broker.place(bought)
        assert venue.orders.order(number, None)["state"] == "cancel"
        fills = await venue.broker.fills("")
        quantity, money, cost = total(fills)
        assert money <= 35_000
        assert quantity == Decimal("0.49893086")
        assert cost == money * Decimal("0.0005")
        found = await venue.broker.find(bought)
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.FILLED, quantity)
        account = (await venue.broker.accounts())[0]
        assert account.cash == account.buying_power == 1_000_000 - money - cost

    run(tmp_path, scenario)


def test_best_takes_what_stands_at_the_best_price_and_no_more(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.trade(70_000)
        venue.orders.most_at_once = Decimal("0.3")
        some, all_of_it = (
            coin_order(name, price=None, quantity=Decimal(quantity))
            for name, quantity in (("some", "0.5"), ("all", "0.3"))
        )
        for bought in (some, all_of_it):
            number = await venue.broker.place(bought)
            row = venue.orders.order(number, None)
            assert (row["ord_type"], row["time_in_force"]) == ("best", "ioc")
        states = [await venue.broker.find(one) for one in (some, all_of_it)]
        assert [(one.state, one.filled_quantity) for one in states if one is not None] == [
            (OrderState.CANCELED, Decimal("0.3")),
            (OrderState.FILLED, Decimal("0.3")),
        ]
        sold = coin_order("sold", side=Side.SELL, price=None, quantity=Decimal("0.4"))
        await venue.broker.place(sold)
        left = await venue.broker.find(sold)
        assert left is not None
        assert (left.state, left.filled_quantity) == (OrderState.CANCELED, Decimal("0.3"))
        assert len(await venue.broker.fills("")) == 3

    run(tmp_path, scenario, market_orders="best")


def test_a_market_order_without_a_market_is_cancelled(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order(price=None, quantity=Decimal(1)))
        found = await venue.broker.find(coin_order())
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.CANCELED, Decimal(0))
        assert await venue.broker.fills("") == []

    run(tmp_path, scenario)


def test_parts_add_up_to_what_the_venue_took(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        venue.orders.most_a_trade = Decimal("0.3")
        number = await venue.broker.place(coin_order(quantity=Decimal("2.00000003")))
        told: list[Fill] = []
        for volume in ("0.7", "0.00000001", "5"):
            await venue.trade(70_000, Decimal(volume))
            found = await venue.broker.find(coin_order())
            assert found is not None
            told += await venue.broker.fills(told[-1].id if told else "")
            assert total(told)[0] == found.filled_quantity
            is_over = found.filled_quantity == Decimal("2.00000003")
            expected = OrderState.FILLED if is_over else OrderState.PARTIALLY_FILLED
            assert found.state is expected
        row = venue.orders.order(number, None)
        assert len(told) == row["trades_count"] == 9
        assert total(told)[2] == Decimal(row["paid_fee"])
        assert len({fill.id for fill in told}) == 9
        await venue.restart()
        assert await venue.broker.fills("") == told

    run(tmp_path, scenario)


def test_a_part_before_a_cancel_is_kept(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order())
        await venue.trade(70_000, Decimal(3))
        await venue.broker.cancel(coin_order())
        found = await venue.broker.find(coin_order())
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.CANCELED, Decimal(3))
        assert found.average_price == 70_000
        assert total(await venue.broker.fills(""))[0] == 3

    run(tmp_path, scenario)


def test_a_cancel_that_was_heard_is_not_yet_done(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order())
        await venue.broker.cancel(coin_order())
        found = await venue.broker.find(coin_order())
        assert found is not None
        assert found.state is OrderState.ACCEPTED
        await venue.trade(70_000, Decimal(1))  # faster than the cancel
        await venue.wait(5)
        found = await venue.broker.find(coin_order())
        assert found is not None
        assert (found.state, found.filled_quantity) == (OrderState.CANCELED, Decimal(1))
        assert total(await venue.broker.fills(""))[0] == 1

    run(tmp_path, scenario, cancel_takes=timedelta(seconds=3))


def test_an_older_trade_that_is_learnt_of_later_is_told_after(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order("first", quantity=Decimal(1)))
        await venue.broker.place(coin_order("second", quantity=Decimal(1), price=Decimal(69_000)))
        await venue.trade(70_000)
        # the list and the first order cannot be read now, only the second one later
        venue.plan.script(Channel.READ, None, *[OrderFault.BROKEN_BEFORE] * 3)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.fills("")
        await venue.trade(69_000)
        venue.plan.script(Channel.READ, None, *[OrderFault.BROKEN_BEFORE] * 3)
        (second,) = await venue.broker.fills("")
        assert second.order_id == "second"
        (first,) = await venue.broker.fills(second.id)
        assert first.order_id == "first"
        assert first.at < second.at
        assert first.id > second.id

    run(tmp_path, scenario)


def test_where_nothing_is_open_nothing_is_asked(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order())
        await venue.broker.fills("")
        asked = len(venue.exchange.asked)
        await venue.broker.fills("")
        assert venue.exchange.asked[asked:] == ["GET /v1/orders/open"]  # no change, no more
        await venue.trade(70_000)
        await venue.broker.fills("")
        asked = len(venue.exchange.asked)
        assert len(await venue.broker.fills("")) == 1
        assert len(venue.exchange.asked) == asked

    run(tmp_path, scenario)


def test_an_order_that_never_came_is_given_up_after_a_while(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        venue.plan.script(Channel.ORDER, OrderFault.LOST_REQUEST)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place(coin_order())
        with pytest.raises(OutcomeUnknown):
            await venue.broker.find(coin_order())
        await venue.wait(UNDER_WAY.total_seconds())
        assert await venue.broker.find(coin_order()) is None
        await venue.wait(3600)
        await venue.broker.fills("")
        asked = len(venue.exchange.asked)
        await venue.broker.fills("")
        assert len(venue.exchange.asked) == asked

    run(tmp_path, scenario)


def test_what_comes_after_all_is_still_told(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        venue.plan.late_by = 3 * UNDER_WAY  # against all expectation
        venue.plan.script(Channel.ORDER, OrderFault.LATE_REQUEST)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place(coin_order())
        await venue.wait(2 * UNDER_WAY.total_seconds())
        assert await venue.broker.find(coin_order()) is None
        await venue.wait(2 * UNDER_WAY.total_seconds())
        await venue.trade(70_000)
        (fill,) = await venue.broker.fills("")
        assert fill.order_id == "one"

    run(tmp_path, scenario)


def test_an_id_that_ended_is_refused_without_asking(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order())
        await venue.trade(70_000)
        assert len(await venue.broker.fills("")) == 1
        assert await refusal(venue) == "duplicate"
        assert venue.orders_sent == 1
        assert len(await venue.broker.fills("")) == 1

    run(tmp_path, scenario)


def test_an_id_that_is_open_is_refused_without_asking(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order())
        await venue.trade(70_000, Decimal(1))
        (fill,) = await venue.broker.fills("")
        assert await refusal(venue) == "duplicate"
        assert venue.orders_sent == 1
        assert await venue.broker.fills("") == [fill]

    run(tmp_path, scenario)


def test_an_id_that_only_the_venue_knows_is_a_duplicate_and_its_trades_are_ours(
    tmp_path: Path,
) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        venue.orders.create({**FOREIGN, "identifier": "tt-one"})
        assert await refusal(venue) == "duplicate"
        await venue.trade(60_000)
        (fill,) = await venue.broker.fills("")
        assert (fill.order_id, fill.quantity) == ("one", Decimal("0.1"))

    run(tmp_path, scenario)


def test_without_a_connection_nothing_was_sent(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        class Unreachable(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                raise httpx.ConnectError("no route to host")

        venue.http._transport = Unreachable()
        assert await refusal(venue) == "unavailable"
        venue.http._transport = httpx.ASGITransport(venue.app)
        assert await venue.broker.find(coin_order()) is None

    run(tmp_path, scenario)


def test_open_orders_are_everybodys(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        await venue.broker.place(coin_order(quantity=Decimal(1)))
        await venue.trade(70_000, Decimal("0.25"))
        await venue.wait(1)
        foreign = venue.orders.create(FOREIGN)
        ours, theirs = await venue.broker.open_orders()
        assert (ours.client_order_id, ours.instrument, ours.side) == ("tt-one", COIN, Side.BUY)
        assert (ours.quantity, ours.filled_quantity) == (Decimal(1), Decimal("0.25"))
        assert ours.price == 70_000
        assert (theirs.broker_order_id, theirs.client_order_id) == (foreign["uuid"], "")
        await venue.trade(60_000)
        fills = await venue.broker.fills("")
        assert {fill.order_id for fill in fills} == {"one"}  # what others traded is no fill of ours

    run(tmp_path, scenario)


def test_open_orders_are_turned_page_by_page(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        small = {**FOREIGN, "price": "5000", "volume": "1"}
        for _ in range(PAGE + 20):
            venue.orders.create(small)
        assert len(await venue.broker.open_orders()) == PAGE + 20

    run(tmp_path, scenario)


def test_positions_are_what_is_held_with_what_is_on_sale(tmp_path: Path) -> None:
    async def scenario(venue: UpbitVenue) -> None:
        assert await venue.broker.positions() == []
        await venue.broker.place(coin_order())
        await venue.trade(70_000)
        out = coin_order("out", side=Side.SELL, price=Decimal(80_000), quantity=Decimal(4))
        await venue.broker.place(out)
        (position,) = await venue.broker.positions()
        assert (position.instrument, position.quantity) == (COIN, Decimal(10))
        assert position.average_price == 70_000
        await venue.trade(80_000)
        rest = replace(out, id="rest", quantity=Decimal(6), price=None)
        await venue.broker.place(rest)
        assert await venue.broker.positions() == []

    run(tmp_path, scenario)
