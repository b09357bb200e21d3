"""The pretend Binance's accounts: documented shapes, refusals and arithmetic of both markets."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from sandbox.binance_order_rows import futures_event, order_row, spot_event, text
from sandbox.binance_rules import Refusal
from sandbox.binance_user_feed import Session, UserFeed
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from tests.sandbox.binance_stage import CASH, Stage, futures, spot

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "binance"


def fixture(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside this repository")
    return orjson.loads(path.read_bytes())


@pytest.mark.parametrize(
    ("asked", "on_spot", "on_futures"),
    [
        ({"price": "70000.05"}, -1013, -4014),
        ({"price": "1000001"}, -1013, -4016),
        ({"quantity": "0.0001"}, -1013, -4003),
        ({"quantity": "0.0015"}, -1013, -1111),
        ({"quantity": "1001"}, -1013, -4005),
        ({"quantity": "0.001", "price": "100"}, -1013, -4164),
        ({"symbol": "NOSUCH"}, -1121, -1121),
        ({"symbol": ""}, -1102, -1102),
        ({"side": "HOLD"}, -1117, -1117),
        ({"type": "OTHER"}, -1116, -1116),
        ({"type": "STOP_MARKET"}, -1116, -4120),
        ({"type": "MARKET"}, -1106, -1106),
        ({"quantity": "many"}, -1102, -1102),
        ({"newClientOrderId": "x" * 37}, -4015, -4015),
        ({"stopPrice": "1"}, -1104, -1104),
        ({"quantity": "15"}, -2010, None),
    ],
)
def test_a_bad_order_is_refused_as_each_market_says_it(
    asked: dict[str, str], on_spot: int, on_futures: int | None
) -> None:
    for stage, code in ((spot(), on_spot), (futures(), on_futures)):
        if code is not None:
            assert stage.refusal(lambda stage=stage: stage.place(**asked)) == code  # type: ignore[misc]


def test_refusals_are_worded_as_recorded() -> None:
    recorded = {
        (body["code"], body["msg"].split(" (")[0].replace(" 100", " 5"))
        for bodies in fixture("errors.json").values()
        for body in bodies
    }
    stage, other = futures(), spot()
    stage.place(newClientOrderId="twice", quantity="1")
    absent = {"symbol": "BTCUSDT", "origClientOrderId": "no"}
    acts: list[Callable[[], Any]] = [
        lambda: stage.place(price="70000.05"),
        lambda: stage.place(quantity="0.001", price="100"),
        lambda: stage.place(newClientOrderId="twice"),
        lambda: stage.place(quantity="0.0015"),
        lambda: stage.place(side="SELL", reduceOnly="true"),
        lambda: stage.place(type="STOP"),
        lambda: stage.ask("GET", "/order", **absent),
        lambda: stage.ask("DELETE", "/order", **absent),
        lambda: other.place(quantity="15"),
        lambda: other.place(quantity="0.001", price="100"),
    ]
    told = []
    for act in acts:
        with pytest.raises(Refusal) as caught:
            act()
        told.append((caught.value.code, caught.value.text.split(" (")[0]))
    assert set(told) <= recorded


def test_futures_refuse_what_the_margin_does_not_cover() -> None:
    stage = futures()
    stage.ask("POST", "/leverage", symbol="BTCUSDT", leverage="1")
    stage.place("10")
    assert stage.refusal(lambda: stage.place("5")) == -2019
    stage.place("4")


@pytest.mark.parametrize("make", [spot, futures])
def test_an_id_is_unique_among_open_orders_only(make: Callable[[], Stage]) -> None:
    stage = make()
    stage.place(newClientOrderId="mine")
    code = stage.refusal(lambda: stage.place(newClientOrderId="mine"))
    assert code == (-4116 if stage.venue.is_futures else -2010)
    named = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    stage.ask("DELETE", "/order", **named)
    again = stage.place(newClientOrderId="mine", quantity="2")
    assert stage.ask("GET", "/order", **named)["orderId"] == again["orderId"]


def test_an_exit_needs_a_position_that_no_other_exit_has_taken() -> None:
    stage = futures()
    exit_order = {"side": "SELL", "reduceOnly": "true"}
    assert stage.refusal(lambda: stage.place(**exit_order)) == -2022
    stage.place("2")
    stage.trade(70_000)
    assert stage.refusal(lambda: stage.place("3", "80000", **exit_order)) == -4118
    stage.place("1.5", "80000", **exit_order)
    assert stage.refusal(lambda: stage.place("1", "80000", **exit_order)) == -4118
    stage.place("0.001", "100000", **exit_order)  # of any worth, and within what is left


def test_an_exit_ends_when_there_is_nothing_left_to_reduce() -> None:
    stage = futures()
    stage.place("2")
    stage.trade(70_000)
    left = stage.place("2", "80000", side="SELL", reduceOnly="true")
    stage.place("2", None, side="SELL")  # by hand, in the app
    stage.trade(80_000)
    named = {"symbol": "BTCUSDT", "orderId": str(left["orderId"])}
    assert stage.ask("GET", "/order", **named)["status"] == "EXPIRED"
    assert stage.wallet.held["BTCUSDT"].quantity == 0


def test_a_position_may_turn_and_realizes_what_it_closes() -> None:
    stage = futures()
    stage.place("2")
    stage.trade(70_000)
    stage.place("3", "71000", side="SELL")
    stage.trade(71_000)
    held = stage.wallet.held["BTCUSDT"]
    assert (held.quantity, held.entry) == (Decimal(-1), Decimal(71_000))
    assert stage.wallet.wallet == CASH + 2_000
    stage.trade(70_500)
    account = stage.ask("GET", "/v3/account")
    (position,) = account["positions"]
    assert Decimal(position["unrealizedProfit"]) == 500
    assert Decimal(position["notional"]) == -70_500


def test_spot_balances_go_by_what_trades_and_fees_by_what_is_received() -> None:
    stage = spot(fee="0.001")
    stage.place("2")
    assert stage.ask("GET", "/account", omitZeroBalances="true")["balances"] == [
        {"asset": "USDT", "free": text(CASH - 140_000), "locked": text(Decimal(140_000))}
    ]
    stage.trade(69_000)
    assert stage.balances.balances["BTC"] == Decimal("1.998")
    stage.place("1", None, side="SELL")
    assert stage.balances.balances["USDT"] == CASH - 140_000 + 69_000 - 138
    bought, sold = stage.ask("GET", "/myTrades", symbol="BTCUSDT")
    assert (bought["commission"], bought["commissionAsset"]) == (text(Decimal("0.002")), "BTC")
    assert (sold["commission"], sold["commissionAsset"]) == (text(Decimal(138)), "USDT")
    assert (bought["price"], sold["price"]) == (text(Decimal(70_000)), text(Decimal(69_000)))


def test_an_order_trades_no_more_than_the_market_does() -> None:
    stage = spot()
    first, second = stage.place("2"), stage.place("2")
    stage.trade(70_000, volume=3)
    states = [stage.venue.order("BTCUSDT", one["orderId"], None) for one in (first, second)]
    assert [(one.status, one.filled) for one in states] == [
        ("FILLED", Decimal(2)),
        ("PARTIALLY_FILLED", Decimal(1)),
    ]


def test_an_order_through_the_last_price_trades_at_once_and_one_at_it_rests() -> None:
    stage = spot()
    assert stage.place(price=None)["status"] == "EXPIRED"  # nothing has traded yet
    stage.trade(70_000)
    assert stage.place(price="70000")["status"] == "NEW"
    better = stage.place(price="70000.1")
    assert (better["status"], Decimal(better["cummulativeQuoteQty"])) == ("FILLED", Decimal(70_000))
    assert stage.place(price=None)["status"] == "FILLED"


@pytest.mark.parametrize(("make", "is_purged"), [(spot, False), (futures, True)])
def test_futures_forget_what_ended_without_a_trade_after_three_days(
    make: Callable[[], Stage], *, is_purged: bool
) -> None:
    stage, named = make(), {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    stage.place(newClientOrderId="mine")
    stage.ask("DELETE", "/order", **named)
    stage.clock.advance(timedelta(days=3))
    if is_purged:
        assert stage.refusal(lambda: stage.ask("GET", "/order", **named)) == -2013
    else:
        assert stage.ask("GET", "/order", **named)["status"] == "CANCELED"


def test_orders_and_events_have_the_recorded_shapes() -> None:
    stage = futures()
    stage.place()
    (order,) = stage.venue.orders
    assert set(order_row(order, is_futures=True)) >= set(
        fixture("fapi_order_result.shape.json")
    ) - {"cumQty"}
    stage.trade(70_000)
    (trade,) = stage.venue.trades
    told = futures_event("TRADE", order, trade, 1)
    recorded = fixture("ws_futures_ORDER_TRADE_UPDATE_partial.shape.json")
    assert set(told) == set(recorded)
    assert set(told["o"]) <= set(recorded["o"])
    assert all(type(told["o"][name]) is type(recorded["o"][name]) for name in told["o"])
    seen = spot_event("TRADE", order, trade, 1)
    assert set(seen) <= set(fixture("ws_spot_executionReport_new.adapted_from_official.json"))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, ["NEW", "TRADE"]),
        (OrderFault.DUPLICATED, ["NEW", "NEW", "TRADE"]),
        (OrderFault.REORDERED, ["TRADE", "NEW"]),
        (OrderFault.LOST_MESSAGE, ["TRADE"]),
        (OrderFault.STALLED, []),
        (OrderFault.DROPPED, [None, "TRADE"]),
    ],
)
def test_messages_go_wrong_as_planned(fault: OrderFault | None, expected: list[str | None]) -> None:
    stage, plan, session = futures(), FaultPlan(), Session()
    feed = UserFeed(stage.venue, plan)
    feed.sessions.append(session)
    plan.script(Channel.MESSAGE, fault)
    stage.place()
    stage.trade(70_000)
    told: list[str | None] = []
    while not session.frames.empty():
        frame = session.frames.get_nowait()
        told.append(None if frame is None else orjson.loads(frame)["o"]["x"])
    assert told == expected
