"""The pretend Upbit's exchange: documented shapes, refusals and arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from market.clock import ManualClock
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from sandbox.upbit_keys import RequestRefused
from sandbox.upbit_orders import UpbitOrders
from sandbox.upbit_private import UpbitPrivateSession

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "upbit"
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
ACCESS, SECRET = "access", "secret-0123456789abcdefghijklmnop"
BTC = "KRW-BTC"
LIMIT = {"market": BTC, "side": "bid", "ord_type": "limit", "price": "100000", "volume": "1"}
MARKET_BUY = {"market": BTC, "side": "bid", "ord_type": "price", "price": "10000"}
OUT = {"market": BTC, "side": "ask", "ord_type": "market", "volume": "1"}


def fixture(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside this repository")
    return orjson.loads(path.read_bytes())


def venue(**parts: Any) -> UpbitOrders:
    return UpbitOrders(ManualClock(NOW), Decimal(1_000_000), **parts)


def refused(fields: dict[str, str], orders: UpbitOrders | None = None) -> tuple[int, str]:
    orders = orders or venue()
    before = [balance.row(name) for name, balance in orders.balances.items()]
    with pytest.raises(RequestRefused) as caught:
        orders.create(fields)
    after = [balance.row(name) for name, balance in orders.balances.items()][: len(before)]
    assert after == before
    return caught.value.status, caught.value.name


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"price": "100050"}, "invalid_price_bid"),
        ({"volume": "0.049"}, "under_min_total_bid"),
        ({"volume": "10"}, "insufficient_funds_bid"),
        ({"volume": "10001"}, "over_krw_funds_bid"),
        ({"volume": "1.000000001"}, "validation_error"),
        ({"volume": "many"}, "validation_error"),
        ({"volume": "-1"}, "validation_error"),
        ({"volume": "NaN"}, "validation_error"),
        ({"side": "buy"}, "validation_error"),
        ({"ord_type": "price"}, "validation_error"),
        ({"ord_type": "market"}, "validation_error"),
        ({"colour": "red"}, "validation_error"),
        ({"identifier": ""}, "validation_error"),
        ({"identifier": "x" * 65}, "validation_error"),
        ({"market": "BTC-ETH"}, "notfoundmarket"),
        ({"side": "ask"}, "insufficient_funds_ask"),
    ],
)
def test_orders_are_refused_by_name_and_move_no_money(changes: dict[str, str], name: str) -> None:
    assert refused({**LIMIT, **changes}) == (400, name)


def test_best_needs_a_time_in_force() -> None:
    best = {"market": BTC, "side": "bid", "ord_type": "best", "price": "10000"}
    assert refused(best) == (400, "invalid_time_in_force")
    assert venue().create({**best, "time_in_force": "ioc"})["state"] == "wait"


def test_an_identifier_is_used_up_even_by_what_was_refused() -> None:
    orders = venue()
    assert refused({**LIMIT, "volume": "10", "identifier": "i"}, orders)[1] == (
        "insufficient_funds_bid"
    )
    assert refused({**LIMIT, "identifier": "i"}, orders) == (400, "duplicated_identifier")
    with pytest.raises(RequestRefused, match="order_not_found"):
        orders.order(None, "i")


def test_an_open_order_has_the_documented_fields_and_sets_its_fee_aside() -> None:
    orders = venue()
    row = orders.create(LIMIT)
    expected = fixture("order_open_limit_buy.official_example.json")
    assert row.keys() == expected.keys()
    for key, value in expected.items():
        assert type(row[key]) is type(value), key
    assert row["locked"] == "100050"
    (won,) = orders.accounts()
    assert won.keys() == fixture("accounts.official_example.json")[0].keys()
    assert (won["balance"], won["locked"]) == ("899950", "100050")


def test_a_market_buy_ends_in_cancel_as_documented() -> None:
    orders = venue()
    orders.trade(BTC, Decimal(99_990_000))
    answer = orders.create({**MARKET_BUY, "identifier": "i"})
    assert answer["state"] == "wait"
    row = orders.order(None, "i")
    expected = fixture("order_get_market_buy_filled_state_cancel.shape.json")
    assert row.keys() == expected.keys()
    assert row["trades"][0].keys() == expected["trades"][0].keys()
    for key in ("state", "volume", "trades_count", "price"):
        assert row[key] == expected[key], key
    spent = Decimal("0.00010001") * 99_990_000
    assert Decimal(row["paid_fee"]) == spent * Decimal("0.0005")
    left = 1_000_000 - spent - Decimal(row["paid_fee"])
    assert Decimal(orders.accounts()[0]["balance"]) == left


def test_a_market_buy_that_divides_is_done() -> None:
    orders = venue()
    orders.trade(BTC, Decimal(1000))
    orders.create({**MARKET_BUY, "identifier": "i"})
    assert orders.order(None, "i")["state"] == "done"


def test_what_is_sold_brings_its_money_less_the_fee() -> None:
    orders = venue()
    orders.create(LIMIT)
    orders.trade(BTC, Decimal(100_000))
    sold = orders.create({**LIMIT, "side": "ask", "price": "110000", "volume": "0.5"})
    assert sold["locked"] == "0.5"
    orders.trade(BTC, Decimal(110_000))
    orders.create({**OUT, "volume": "0.5"})
    assert [row["currency"] for row in orders.accounts()] == ["KRW"]
    money = Decimal(-100_000 - 50 + 110_000 - 55)
    assert Decimal(orders.accounts()[0]["balance"]) == 1_000_000 + money
    assert orders.accounts()[0]["locked"] == "0"


def test_a_cancel_answers_at_once_and_is_done_later() -> None:
    orders = venue(cancel_takes=timedelta(seconds=2))
    uuid = orders.create(LIMIT)["uuid"]
    assert orders.cancel(uuid, None)["state"] == "wait"
    assert orders.order(uuid, None)["state"] == "wait"
    assert isinstance(orders.clock, ManualClock)
    orders.clock.advance(timedelta(seconds=2))
    assert orders.order(uuid, None)["state"] == "cancel"
    assert orders.accounts()[0]["balance"] == "1000000"
    with pytest.raises(RequestRefused, match="order_not_found"):
        orders.cancel(uuid, None)


def test_messages_have_the_documented_fields() -> None:
    orders = venue()
    told: list[dict[str, Any]] = []
    orders.heard.append(told.append)
    orders.create({**LIMIT, "identifier": "i"})
    orders.trade(BTC, Decimal(100_000))
    states = [one["state"] for one in told if one["type"] == "myOrder"]
    assert states == ["wait", "trade", "done"]
    trade = next(one for one in told if one.get("state") == "trade")
    expected = fixture("ws_myOrder_trade.official_example.json")
    assert trade.keys() == expected.keys()
    assert (trade["price"], trade["volume"], trade["trade_fee"]) == (100_000.0, 1.0, 50.0)
    asset = next(one for one in told if one["type"] == "myAsset")
    assert asset.keys() == fixture("ws_myAsset.adapted_from_official.json").keys()


def session(plan: FaultPlan) -> tuple[UpbitOrders, UpbitPrivateSession]:
    orders = venue()
    made = UpbitPrivateSession(orders, plan, lambda: None)
    made.hear('[{"ticket":"t"},{"type":"myOrder"}]')
    return orders, made


def heard(made: UpbitPrivateSession) -> list[str]:
    return [orjson.loads(frame)["state"] for frame in made.frames()]


@pytest.mark.parametrize(
    ("faults", "states"),
    [
        ([], ["wait", "trade", "done"]),
        ([OrderFault.DUPLICATED], ["wait", "wait", "trade", "done"]),
        ([OrderFault.REORDERED], ["trade", "wait", "done"]),
        ([OrderFault.LOST_MESSAGE], ["trade", "done"]),
        ([None, OrderFault.STALLED], []),
    ],
)
def test_messages_misbehave_as_they_are_told(
    faults: list[OrderFault | None], states: list[str]
) -> None:
    plan = FaultPlan()
    plan.script(Channel.MESSAGE, *faults)
    orders, made = session(plan)
    orders.create(LIMIT)
    orders.trade(BTC, Decimal(100_000))
    assert heard(made) == states
    made.end()
    orders.create(LIMIT)
    assert heard(made) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hello", "WRONG_FORMAT"),
        ("{}", "WRONG_FORMAT"),
        ('[{"type":"myOrder"}]', "NO_TICKET"),
        ('[{"ticket":"t"}]', "NO_TYPE"),
        ('[{"ticket":"t"},{"type":"ticker"}]', "INVALID_PARAM"),
        ('[{"ticket":"t"},{"type":"myAsset","codes":["KRW-BTC"]}]', "WRONG_FORMAT"),
    ],
)
def test_odd_subscriptions_are_complained_about(text: str, name: str) -> None:
    made = UpbitPrivateSession(venue(), FaultPlan(), lambda: None)
    made.hear(text)
    (frame,) = made.frames()
    assert orjson.loads(frame)["error"]["name"] == name


def test_a_heartbeat_comes_every_ten_seconds_to_who_asked() -> None:
    orders, made = session(FaultPlan())
    assert made.frames() == []
    made.hear("PING")
    assert made.frames() == [b'{"status":"UP"}']
    assert made.frames() == []
    assert isinstance(orders.clock, ManualClock)
    orders.clock.advance(timedelta(seconds=10))
    assert made.frames() == [b'{"status":"UP"}']
