"""Reading Upbit's answers, on the official and recorded ones."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from brokers.upbit_parsers import (
    parse_account,
    parse_order,
    parse_orders,
    parse_positions,
    parse_tick_size,
)
from market.errors import OutcomeUnknown
from market.orders import OrderState, Position, Side

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "upbit"
ROW: dict[str, Any] = {
    "uuid": "u",
    "identifier": "tt-1",
    "market": "KRW-BTC",
    "side": "bid",
    "ord_type": "limit",
    "price": "1000",
    "volume": "2",
    "state": "wait",
    "created_at": "2026-11-20T14:00:00+09:00",
    "executed_volume": "0",
    "paid_fee": "0",
    "trades_count": 0,
}


def fixture(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside this repository")
    return orjson.loads(path.read_bytes())


def test_the_official_market_sell() -> None:
    order = parse_order(fixture("order_get_market_sell_done.official_example.json"))
    (trade,) = order.trades
    assert (order.kind, order.side, order.market) == ("market", Side.SELL, "KRW-USDT")
    assert (trade.price, trade.volume) == (Decimal(1375), Decimal("5.377594"))
    assert trade.at == datetime(2025, 8, 9, 7, 44, 0, 597751, tzinfo=UTC)
    assert order.paid_fee == Decimal("3.697095875")
    assert order.is_told
    known = order.known()
    assert (known.state, known.average_price) == (OrderState.FILLED, Decimal(1375))


def test_the_recorded_market_sell() -> None:
    order = parse_order(fixture("order_get_market_sell_done.recorded_2020.json"))
    assert (order.price, order.identifier) == (None, "")
    assert order.known().state is OrderState.FILLED
    assert order.trades[0].price == 890


def test_a_market_buy_that_ended_in_cancel_is_filled() -> None:
    order = parse_order(fixture("order_get_market_buy_filled_state_cancel.shape.json"))
    assert (order.state, order.volume) == ("cancel", None)
    known = order.known()
    assert (known.state, known.filled_quantity) == (OrderState.FILLED, Decimal("0.0001"))


def test_the_official_open_orders() -> None:
    for name in (
        "order_create_201.official_example.json",
        "order_open_limit_buy.official_example.json",
    ):
        (order,) = parse_orders([fixture(name)])
        assert order.known().state is OrderState.ACCEPTED
        assert order.resting().price == 140_000_000


def test_the_official_accounts() -> None:
    rows = fixture("accounts.official_example.json")
    assert parse_account(rows).cash == 1_000_000
    assert parse_positions(rows) == [
        Position("UPBIT:KRW-BTC", Decimal("2.0"), Decimal(140_000_000))
    ]


def test_won_in_open_orders_are_cash_but_no_buying_power() -> None:
    account = parse_account([{"currency": "KRW", "balance": "100.5", "locked": "50"}])
    assert (account.cash, account.buying_power) == (Decimal("150.5"), Decimal("100.5"))
    assert parse_account([]).cash == 0


def test_rows_of_nothing_are_no_positions() -> None:
    coin = {"currency": "ONT", "balance": "0.0", "locked": "0", "avg_buy_price": "890"}
    assert parse_positions([coin, {**coin, "currency": "KRW", "balance": "5"}]) == []


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, OrderState.ACCEPTED),
        ({"state": "watch"}, OrderState.ACCEPTED),
        ({"executed_volume": "1"}, OrderState.PARTIALLY_FILLED),
        ({"state": "done", "executed_volume": "2"}, OrderState.FILLED),
        ({"state": "cancel"}, OrderState.CANCELED),
        ({"state": "cancel", "executed_volume": "1"}, OrderState.CANCELED),
        ({"state": "cancel", "executed_volume": "2"}, OrderState.FILLED),
        ({"state": "cancel", "ord_type": "price", "volume": None}, OrderState.CANCELED),
        (
            {"state": "done", "ord_type": "price", "volume": None, "executed_volume": "1"},
            OrderState.FILLED,
        ),
        (
            {"state": "cancel", "ord_type": "market", "executed_volume": "1", "side": "ask"},
            OrderState.CANCELED,
        ),
    ],
)
def test_states_go_by_what_was_executed(changes: dict[str, Any], state: OrderState) -> None:
    assert parse_order({**ROW, **changes}).known().state is state


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "prevented?"},
        {"side": "buy"},
        {"uuid": ""},
        {"uuid": None},
        {"executed_volume": None},
        {"executed_volume": "-1"},
        {"executed_volume": "NaN"},
        {"executed_volume": True},
        {"executed_volume": "many"},
        {"trades_count": "1"},
        {"trades_count": -1},
        {"created_at": "2026-11-20T14:00:00"},
        {"created_at": "yesterday"},
        {"trades": {}},
        {"trades": ["odd"]},
        {"trades": [{"uuid": "t", "price": "0", "volume": "1", "created_at": ROW["created_at"]}]},
        {"trades": [{"price": "1", "volume": "1", "created_at": ROW["created_at"]}]},
    ],
)
def test_what_is_odd_is_unknown(changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown, match="cannot read"):
        parse_order({**ROW, **changes})


@pytest.mark.parametrize("rows", [None, {}, ["odd"], "text"])
def test_what_is_no_list_is_unknown(rows: Any) -> None:
    for parse in (parse_orders, parse_account, parse_positions):
        with pytest.raises(OutcomeUnknown):
            parse(rows)
    with pytest.raises(OutcomeUnknown):
        parse_order([])


def test_a_tick_size_is_that_of_the_market() -> None:
    rows = [{"market": "KRW-A", "tick_size": "5"}, {"market": "KRW-B", "tick_size": 0.1}]
    assert parse_tick_size(rows, "KRW-B") == Decimal("0.1")
    for odd in ([], rows[:1], [{"market": "KRW-B", "tick_size": "0"}]):
        with pytest.raises(OutcomeUnknown):
            parse_tick_size(odd, "KRW-B")
