"""What KIS is sent, and what becomes of its orders: bodies, sessions, changes, fills, restarts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from brokers.broker import (
    BROKERS,
    BrokerParts,
    Closing,
    Doubtful,
    Holdings,
    Live,
    OpenOrders,
    Possible,
)
from brokers.kis import kis
from brokers.kis_book import KisBook
from config.settings import Settings
from market.errors import ConfigError, OrderRejected, OutcomeUnknown, StoreFull
from market.known import remember
from market.orders import OrderState, Position, Side
from market.phases import REGULAR
from market.sessions import KST
from market.types import Instrument, Kind, Venue
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.kis_venue import ACCOUNT, CALENDAR, KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from market.store import Transaction


def sent(venue: KisVenue, name: str = "order-cash") -> list[tuple[str, dict[str, Any]]]:
    """Return transaction and body of every request for a service."""
    return [
        (request.headers["tr_id"], orjson.loads(request.content))
        for request in venue.wire.requests
        if request.url.path.endswith(name)
    ]


async def refusal(venue: KisVenue, **changes: Any) -> str:
    with pytest.raises(OrderRejected) as caught:
        await venue.broker.place(order(**changes))
    return caught.value.code


async def state(venue: KisVenue, name: str = "one") -> OrderState | None:
    found = await venue.broker.find(order(name))
    return None if found is None else found.state


def test_a_limit_buy_and_a_market_sale_are_sent_as_documented(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.trade(70_000)
        await venue.broker.place(order("out", side=Side.SELL, price=None, quantity=Decimal(3)))
        account = {"CANO": ACCOUNT[:8], "ACNT_PRDT_CD": ACCOUNT[8:], "EXCG_ID_DVSN_CD": "KRX"}
        bought = {"PDNO": "005930", "ORD_DVSN": "00", "ORD_QTY": "10", "ORD_UNPR": "70000"}
        sold = {"PDNO": "005930", "ORD_DVSN": "01", "ORD_QTY": "3", "ORD_UNPR": "0"}
        assert sent(venue) == [
            ("TTTC0012U", account | bought),
            ("TTTC0011U", account | sold | {"SLL_TYPE": "01"}),
        ]

    run(tmp_path, scenario)


def test_the_after_market_has_its_own_code_and_no_market_orders(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert await refusal(venue, price=None) == "price"
        assert venue.orders_sent == 0
        await venue.broker.place(order("two"))
        assert sent(venue)[0][1]["ORD_DVSN"] == "41"
        await venue.trade(70_000)
        assert len(await venue.broker.fills("")) == 1

    evening = datetime(2026, 11, 24, 16, 0, tzinfo=KST)
    run(tmp_path, scenario, now=evening, after_market=True)


def test_an_after_market_order_that_nobody_answered_is_found(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.plan.script(Channel.ORDER, OrderFault.LOST_ANSWER)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.place(order())
        await venue.trade(70_000)
        assert await state(venue) is OrderState.FILLED
        assert venue.orders_sent == 1

    evening = datetime(2026, 11, 24, 19, 0, tzinfo=KST)
    run(tmp_path, scenario, now=evening, after_market=True)


def test_without_the_setting_nothing_is_sent_to_the_after_market(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert venue.broker.phases == REGULAR
        assert await refusal(venue) == "closed"
        assert venue.orders_sent == 0

    run(tmp_path, scenario, now=datetime(2026, 11, 24, 16, 0, tzinfo=KST))


@pytest.mark.parametrize(("hour", "minute"), [(7, 0), (15, 45), (20, 0)])
def test_outside_of_sessions_kis_says_that_it_is_closed(
    tmp_path: Path, hour: int, minute: int
) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert await refusal(venue) == "closed"
        assert await venue.broker.find(order()) is None

    run(tmp_path, scenario, now=datetime(2026, 11, 24, hour, minute, tzinfo=KST))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": Decimal("1.5")}, "quantity"),
        ({"quantity": Decimal(0)}, "quantity"),
        ({"price": Decimal("70000.5")}, "price"),
        ({"price": Decimal(70_050)}, "price"),
        ({"price": Decimal(99_000)}, "price"),
        ({"instrument": "UPBIT:KRW-BTC"}, "unknown_instrument"),
        ({"instrument": "KRX:999999"}, "unknown_instrument"),
        ({"quantity": Decimal(15)}, "cash"),
        ({"side": Side.SELL}, "no_position"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert await refusal(venue, **changes) == code

    run(tmp_path, scenario)


def test_parts_are_told_as_they_trade_and_add_up_to_the_won(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.trade(70_000, most=3)
        first = await venue.broker.fills("")
        assert await state(venue) is OrderState.PARTIALLY_FILLED
        await venue.trade(69_900, most=2)
        await venue.trade(69_800)
        later = await venue.broker.fills(first[-1].id)
        assert [(fill.quantity, fill.price) for fill in first] == [(Decimal(3), Decimal(70_000))]
        assert [(fill.quantity, fill.price) for fill in later] == [
            (Decimal(7), Decimal("69828.5714"))
        ]
        told = venue.account.orders[0]
        assert sum(fill.cost for fill in [*first, *later]) == told.cost
        worth = sum(fill.price * fill.quantity for fill in [*first, *later])
        assert abs(worth - told.amount) < 1

    run(tmp_path, scenario)


def test_a_sale_pays_tax_and_an_etf_does_not(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        etf = Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)
        await venue.store.write(lambda tx: remember(tx, etf))
        for code in ("005930", "069500"):
            one = {"instrument": f"KRX:{code}", "quantity": Decimal(5)}
            await venue.broker.place(order(f"in{code}", **one))
            await venue.wait(1)
            venue.account.trade(code, Decimal(70_000))
            await venue.broker.place(order(f"out{code}", side=Side.SELL, **one))
            await venue.wait(1)
            venue.account.trade(code, Decimal(70_000))
        costs = {fill.order_id: fill.cost for fill in await venue.broker.fills("")}
        assert costs == {"in005930": 52, "out005930": 752, "in069500": 52, "out069500": 52}

    run(tmp_path, scenario)


def test_a_change_takes_over_the_rest_under_a_new_number(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        old, new = order(), order("new", price=Decimal(70_500), quantity=Decimal(6))
        first = await venue.broker.place(old)
        await venue.trade(70_000, most=4)
        second = await venue.broker.revise(old, new)
        assert second != first
        assert await state(venue) is OrderState.CANCELED
        await venue.trade(70_500)
        found = await venue.broker.find(new)
        assert found is not None
        assert (found.broker_order_id, found.state) == (second, OrderState.FILLED)
        fills = await venue.broker.fills("")
        assert [(fill.order_id, fill.quantity) for fill in fills] == [
            ("one", Decimal(4)),
            ("new", Decimal(6)),
        ]

    run(tmp_path, scenario)


def test_a_change_that_nobody_answered_is_known_by_the_number_it_took_over(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        old, new = order(), order("new", price=Decimal(70_500))
        await venue.broker.place(old)
        venue.plan.script(Channel.ORDER, OrderFault.LOST_ANSWER)
        with pytest.raises(OutcomeUnknown):
            await venue.broker.revise(old, new)
        await venue.trade(70_500)
        found = await venue.broker.find(new)
        assert found is not None
        assert found.state is OrderState.FILLED

    run(tmp_path, scenario)


def test_an_order_of_another_exchange_is_cancelled_there(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.by_hand(order())
        (found,) = await venue.broker.open_orders()
        venue.account.orders[0].exchange = "NXT"
        adoption = await venue.broker.adopt(found, order())
        await venue.store.write(adoption.keep)
        for ask in (venue.broker.cancel(order()), venue.broker.cancel_foreign(found)):
            with pytest.raises(OrderRejected):  # our pretend KIS has no NXT
                await ask
        asked = [body["EXCG_ID_DVSN_CD"] for _, body in sent(venue, "order-rvsecncl")]
        assert asked == ["NXT", "NXT"]

    run(tmp_path, scenario)


def test_what_has_no_number_can_be_neither_changed_nor_cancelled(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        for ask in (venue.broker.cancel(order()), venue.broker.revise(order(), order("new"))):
            with pytest.raises(OrderRejected) as caught:
                await ask
            assert caught.value.code == "unknown_order"
        assert not sent(venue, "order-rvsecncl")

    run(tmp_path, scenario)


def test_what_could_be_bought_or_sold_at_the_market_is_told(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        market = order(price=None)
        assert await venue.broker.possible(order()) is None, "a limit is counted at its price"
        assert await venue.broker.possible(market) == 10  # at the upper limit of 91,000 and fee
        assert await venue.broker.possible(order(side=Side.SELL)) == 0
        await venue.broker.place(order())
        assert await venue.broker.possible(market) == 3
        await venue.trade(70_000)
        await venue.broker.place(order("out", side=Side.SELL, quantity=Decimal(4)))
        assert await venue.broker.possible(order(side=Side.SELL, price=None)) == 6
        assert isinstance(venue.broker, Possible)

    run(tmp_path, scenario)


def test_the_virtual_server_tells_not_what_could_be_sold(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert await venue.broker.possible(order(side=Side.SELL)) is None
        assert await venue.broker.possible(order(price=None)) == 10
        assert venue.wire.count("inquire-psbl-sell") == 0

    run(tmp_path, scenario, is_virtual=True)


def test_what_could_be_ordered_may_not_be_known(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.accounts()  # with a token
        venue.wire.is_cut = True
        for asked in (order(price=None), order(side=Side.SELL)):
            with pytest.raises(OutcomeUnknown):
                await venue.broker.possible(asked)

    run(tmp_path, scenario)


def test_orders_of_other_hands_are_shown_and_bring_no_fills(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        number = await venue.broker.place(order(quantity=Decimal(1)))
        venue.by_hand(order(quantity=Decimal(2)))
        ours, other = await venue.broker.open_orders()
        assert (ours.broker_order_id, ours.client_order_id) == (number, "tt-one")
        assert other.client_order_id == ""
        assert other.quantity == 2
        await venue.trade(70_000)
        assert [fill.quantity for fill in await venue.broker.fills("")] == [1]
        assert await venue.broker.open_orders() == []
        (held,) = await venue.broker.positions()
        assert held == Position("KRX:005930", Decimal(3), Decimal(70_000))

    run(tmp_path, scenario)


def test_a_number_that_cannot_be_kept_is_found_again(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        write, writes = venue.store.write, 0

        async def full(function: Callable[[Transaction], Any]) -> Any:
            nonlocal writes
            writes += 1
            if writes == 2:
                raise StoreFull("the disk is full")
            return await write(function)

        venue.broker._placing._store.write = full  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown) as caught:
            await venue.broker.place(order())
        assert caught.value.code == "unkept"
        await venue.restart()
        assert await state(venue) is OrderState.ACCEPTED

    run(tmp_path, scenario)


def test_a_refusal_that_cannot_be_kept_is_a_refusal_all_the_same(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        write, writes = venue.store.write, 0

        async def full(function: Callable[[Transaction], Any]) -> Any:
            nonlocal writes
            writes += 1
            if writes == 2:
                raise StoreFull("the disk is full")
            return await write(function)

        venue.broker._placing._store.write = full  # type: ignore[method-assign]
        assert await refusal(venue, quantity=Decimal(100)) == "cash"

    run(tmp_path, scenario)


def test_real_and_virtual_orders_are_kept_apart(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        found = await venue.store.read(lambda tx: KisBook(tx, "virtual").get("tt-one"))
        assert found is None

    run(tmp_path, scenario)


def test_the_ports_that_it_offers(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        assert BROKERS.get("kis") is kis
        for port in (OpenOrders, Holdings, Live, Doubtful, Closing):
            assert isinstance(venue.broker, port)

    run(tmp_path, scenario)


def test_without_keys_and_account_it_says_what_to_set(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        parts = BrokerParts(
            venue.store, venue.http, Settings(), venue.clock, venue.clock, {Venue.KRX: CALENDAR}
        )
        with pytest.raises(ConfigError) as caught:
            kis(parts)
        assert [problem.file for problem in caught.value.problems] == [
            "TICKTALK_KIS_APP_KEY",
            "TICKTALK_KIS_APP_SECRET",
            "TICKTALK_KIS_ACCOUNT",
        ]

    run(tmp_path, scenario)
