"""Parameters and answers of orders, filters, accounts: values in, values out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.binance_filters import Filters, Steps, parse_filters
from brokers.binance_orders import only_reduces, parameters, parse_order, parse_placed
from brokers.binance_values import decimal_of, plain
from market.errors import OrderRejected, OutcomeUnknown
from market.orders import OrderState, PositionSide, Side
from tests.brokers.binance_house import FUTURES_ID, SPOT_ID
from tests.contracts.broker_contract import order

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "binance"


def recorded(name: str) -> Any:
    if not FIXTURES.is_dir():
        pytest.skip("the recorded answers are not beside this repository")
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def row(**changes: Any) -> dict[str, Any]:
    made = {
        "orderId": 8886774,
        "symbol": "BTCUSDT",
        "status": "NEW",
        "clientOrderId": "tt-one",
        "price": "70000.00",
        "origQty": "10",
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "type": "LIMIT",
        "side": "BUY",
        "time": 1795150860005,
    }
    return {**made, **changes}


def filters(**changes: Any) -> Filters:
    made = {
        "symbol": "BTCUSDT",
        "is_trading": True,
        "price": Steps(Decimal("0.10"), Decimal("0.10"), Decimal(1_000_000)),
        "quantity": Steps(Decimal("0.001"), Decimal("0.001"), Decimal(1000)),
        "market_quantity": Steps(Decimal("0.001"), Decimal("0.001"), Decimal(120)),
        "least_notional": Decimal(100),
    }
    return Filters(**{**made, **changes})


def test_a_spot_limit_order_has_these_parameters_and_no_others() -> None:
    assert parameters(order(instrument=SPOT_ID, quantity=Decimal("0.00100000"))) == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.001",
        "newClientOrderId": "tt-one",
        "newOrderRespType": "RESULT",
        "price": "70000",
        "timeInForce": "GTC",
    }


def test_a_market_order_has_no_price() -> None:
    found = parameters(order(instrument=SPOT_ID, price=None))
    assert found["type"] == "MARKET"
    assert not {"price", "timeInForce"} & set(found)


@pytest.mark.parametrize(
    ("instrument", "side", "position", "expected"),
    [
        (SPOT_ID, Side.BUY, PositionSide.LONG, None),
        (SPOT_ID, Side.SELL, PositionSide.LONG, None),
        (FUTURES_ID, Side.BUY, PositionSide.LONG, None),
        (FUTURES_ID, Side.SELL, PositionSide.LONG, "true"),
        (FUTURES_ID, Side.SELL, PositionSide.SHORT, None),
        (FUTURES_ID, Side.BUY, PositionSide.SHORT, "true"),
    ],
)
def test_only_exits_of_futures_are_said_to_reduce(
    instrument: str, side: Side, position: PositionSide, expected: str | None
) -> None:
    made = order(instrument=instrument, side=side, position=position)
    assert parameters(made).get("reduceOnly") == expected
    assert only_reduces(made) is (expected is not None)


@pytest.mark.parametrize("instrument", ["KRX:005930", "UPBIT:KRW-BTC", "BINANCE:BTC/USDT"])
def test_an_instrument_of_elsewhere_is_refused(instrument: str) -> None:
    with pytest.raises(OrderRejected) as caught:
        parameters(order(instrument=instrument))
    assert caught.value.code == "instrument"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1E+3", "1000"), ("0.00100", "0.001"), ("10", "10"), ("1E-8", "0.00000001"), ("100", "100")],
)
def test_amounts_are_written_without_exponent(text: str, expected: str) -> None:
    assert plain(Decimal(text)) == expected


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("NEW", OrderState.ACCEPTED),
        ("PENDING_NEW", OrderState.ACCEPTED),
        ("PARTIALLY_FILLED", OrderState.PARTIALLY_FILLED),
        ("FILLED", OrderState.FILLED),
        ("CANCELED", OrderState.CANCELED),
        ("REJECTED", OrderState.REJECTED),
        ("EXPIRED", OrderState.EXPIRED),
        ("EXPIRED_IN_MATCH", OrderState.EXPIRED),
    ],
)
def test_every_status_has_a_state(status: str, state: OrderState) -> None:
    assert parse_order(row(status=status), "USDT").state is state


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "SLEEPING"},
        {"side": "HOLD"},
        {"orderId": "8886774"},
        {"orderId": True},
        {"origQty": 10},
        {"executedQty": "NaN"},
        {"executedQty": "many"},
        {"executedQty": "1", "cummulativeQuoteQty": None},
        {"symbol": None},
        {"clientOrderId": None},
    ],
)
def test_an_odd_order_is_unknown_and_never_a_state(changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        parse_order(row(**changes), "USDT")


def test_averages_are_told_by_each_market_in_its_way() -> None:
    spot = parse_order(row(executedQty="4", cummulativeQuoteQty="280200"), "USDT")
    assert spot.average == 70_050
    futures = parse_order(row(executedQty="4", avgPrice="70050.5"), "USDT-M")
    assert futures.average == Decimal("70050.5")


def test_the_recorded_answer_to_a_placement_is_read() -> None:
    told = recorded("fapi_order_result.shape.json")
    placed = parse_order(told, "USDT-M")
    assert (placed.venue_id, placed.client_id) == ("8886774", "bot-0001")
    assert (placed.price, placed.quantity) == (Decimal(61_000), Decimal("0.002"))


@pytest.mark.parametrize(
    "changes", [{"clientOrderId": "tt-two"}, {"symbol": "ETHUSDT"}, {"status": None}]
)
def test_an_answer_about_another_order_leaves_ours_in_doubt(changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        parse_placed(row(**changes), order(instrument=SPOT_ID))


def test_the_recorded_filters_are_read() -> None:
    (told,) = recorded("fapi_exchangeInfo_BTCUSDT.shape.json")["symbols"]
    found = parse_filters(told)
    assert found.price == Steps(Decimal("0.10"), Decimal("261.10"), Decimal(809_484))
    assert found.quantity.step == Decimal("0.001")
    assert found.market_quantity.most == 120
    assert found.least_notional == 100


def test_spot_tells_its_least_order_under_another_name() -> None:
    told = {
        "symbol": "BTCUSDT",
        "status": "BREAK",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "stepSize": "0.00001000"},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": "77.5", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000"},
        ],
    }
    found = parse_filters(told)
    assert (found.least_notional, found.is_trading) == (Decimal(5), False)
    assert found.market_quantity.refusal(Decimal("1.2345678")) == ""


@pytest.mark.parametrize("told", [{}, {"symbol": "BTCUSDT", "filters": []}, {"filters": {}}])
def test_a_symbol_without_filters_is_unknown(told: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        parse_filters(told)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": Decimal("70000.05")}, "price"),
        ({"price": Decimal("0.05")}, "price"),
        ({"price": Decimal(1_000_001)}, "price"),
        ({"price": Decimal(0)}, "price"),
        ({"quantity": Decimal("0.0015")}, "quantity"),
        ({"quantity": Decimal("0.0001")}, "quantity"),
        ({"quantity": Decimal(-1)}, "quantity"),
        ({"quantity": Decimal(1001)}, "quantity"),
        ({"quantity": Decimal(121), "price": None}, "quantity"),
        ({"quantity": Decimal("0.001")}, "least"),
        ({"quantity": Decimal("0.001"), "price": None}, "least"),
    ],
)
def test_what_no_filter_lets_pass_is_refused_by_its_name(
    changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(OrderRejected) as caught:
        filters().check(order(instrument=FUTURES_ID, **changes), reduces=False)
    assert caught.value.code == expected


@pytest.mark.parametrize(
    ("side", "quantity", "expected"),
    [
        (Side.SELL, "0.001998", "0.001"),
        (Side.SELL, "0.002", "0.002"),
        (Side.SELL, "0.0009", "0.0009"),
        (Side.BUY, "0.001998", "0.001998"),
    ],
)
def test_only_sales_are_rounded_down_to_the_step(side: Side, quantity: str, expected: str) -> None:
    made = order(instrument=SPOT_ID, side=side, quantity=Decimal(quantity))
    assert filters().fitted(made).quantity == Decimal(expected)


def test_an_exit_may_be_of_any_worth() -> None:
    exit_order = order(instrument=FUTURES_ID, quantity=Decimal("0.001"), side=Side.SELL)
    filters().check(exit_order, reduces=True)


def test_a_market_order_of_less_than_its_own_most_passes() -> None:
    filters().check(order(instrument=FUTURES_ID, quantity=Decimal(120), price=None), reduces=False)
    filters().check(order(instrument=FUTURES_ID, quantity=Decimal(121)), reduces=False)


def test_a_symbol_at_rest_takes_no_order() -> None:
    with pytest.raises(OrderRejected) as caught:
        filters(is_trading=False).check(order(instrument=SPOT_ID), reduces=False)
    assert caught.value.code == "halted"


@pytest.mark.parametrize("value", [None, 1, 1.5, "", "Infinity", "NaN", "1,000"])
def test_an_amount_that_is_no_text_of_a_number_is_odd(value: object) -> None:
    with pytest.raises(OutcomeUnknown):
        decimal_of({"amount": value}, "amount")
