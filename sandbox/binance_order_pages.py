"""What the pretend Binance answers to signed requests: parameters in, JSON out."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from market.types import to_ms
from sandbox.binance_accounts import FuturesAccount, SpotAccount
from sandbox.binance_algos import algo_row
from sandbox.binance_order_rows import (
    futures_account,
    order_row,
    position_rows,
    spot_account,
    trade_row,
)
from sandbox.binance_order_types import Wish
from sandbox.binance_orders import OPEN
from sandbox.binance_rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.binance_orders import OrderVenue

Params = dict[str, str]

_COMMON = {"symbol", "side", "type", "quantity", "price", "timeInForce", "newClientOrderId"} | {
    "newOrderRespType",
    "recvWindow",
    "timestamp",
}
_FUTURES = {"reduceOnly", "positionSide"}
_CONDITIONAL = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
)
_ALGO = {"algoType", "symbol", "side", "type", "quantity", "triggerPrice", "workingType"} | {
    "reduceOnly",
    "clientAlgoId",
    "recvWindow",
    "timestamp",
}
MOST_TRADES = 1000
WEEK_MS = 7 * 24 * 3_600_000


class OrderPages:
    """The pages of one market, by method and path below its API's root.

    Each takes the parameters, and whether ghosts (of rows that are gone) are shown.
    """

    def __init__(self, venue: OrderVenue) -> None:
        self.venue = venue

    def pages(self) -> Mapping[tuple[str, str], Callable[[Params, bool], Any]]:
        """Return the pages with their weights left to the wires."""
        return {
            ("POST", "/order"): self._place,
            ("GET", "/order"): self._order,
            ("DELETE", "/order"): self._cancel,
            ("GET", "/openOrders"): self._open,
        }

    def _place(self, params: Params, _: bool) -> Any:
        placed = self.venue.place(self._wish(params))
        return self._row(placed)

    def _order(self, params: Params, _: bool) -> Any:
        return self._row(self.venue.order(*_named(params)))

    def _cancel(self, params: Params, _: bool) -> Any:
        canceled = self.venue.cancel(*_named(params))
        row: dict[str, Any] = self._row(canceled)
        if self.venue.is_futures:
            return row
        renamed = {"origClientOrderId": canceled.client_id, "clientOrderId": "cancel"}
        return {**row, **renamed}

    def _open(self, params: Params, has_ghosts: bool) -> Any:
        shown = self.venue.resting(params.get("symbol"))
        gone = [order for order in self.venue.orders if order.status not in OPEN]
        return [self._row(order) for order in [*shown, *(gone[-1:] if has_ghosts else [])]]

    def _trades(self, params: Params, _: bool) -> Any:
        order_id = params.get("orderId")
        first = int(params.get("fromId", "0"))
        found = self.venue.own_trades(
            _symbol(params), None if order_id is None else int(order_id), first
        )
        if self.venue.is_futures and "fromId" not in params:
            found = [trade for trade in found if trade.at_ms in self._span(params)]
        most = min(int(params.get("limit", "500")), MOST_TRADES)
        page = found[:most] if "fromId" in params or order_id is not None else found[-most:]
        return [trade_row(trade, is_futures=self.venue.is_futures) for trade in page]

    def _span(self, params: Params) -> range:
        """Return the times of which futures tell trades: the last week, or a week at most."""
        now = to_ms(self.venue.clock.now())
        end = int(params.get("endTime", now))
        start = int(params.get("startTime", end - WEEK_MS))
        if end - start > WEEK_MS:
            raise Refusal(-4166, "Search window is restricted to recent 7 days only.")
        return range(start, end + 1)

    def _row(self, order: Any) -> Any:
        return order_row(order, is_futures=self.venue.is_futures)

    def _wish(self, params: Params) -> Wish:
        kind = params.get("type")
        if self.venue.is_futures and kind in _CONDITIONAL:
            text = "Order type not supported for this endpoint. Please use the Algo Order API"
            raise Refusal(-4120, f"{text} endpoints instead.")
        is_stop = kind in {"STOP_LOSS", "STOP_LOSS_LIMIT"} and not self.venue.is_futures
        if kind not in {"LIMIT", "MARKET"} and not is_stop:
            raise Refusal(-1116, "Invalid orderType.")
        if params.get("side") not in {"BUY", "SELL"}:
            raise Refusal(-1117, "Invalid side.")
        known = _COMMON | (_FUTURES if self.venue.is_futures else {"stopPrice"})
        if not set(params) <= known or is_stop != ("stopPrice" in params):
            raise Refusal(-1104, "Not all sent parameters were read.")
        is_limit = kind in {"LIMIT", "STOP_LOSS_LIMIT"}
        if is_limit != ("price" in params) or is_limit != ("timeInForce" in params):
            raise Refusal(-1106, "Parameter 'price' sent when not required, or not sent.")
        return Wish(
            symbol=_symbol(params),
            side=params["side"],
            quantity=_amount(params, "quantity"),
            price=_amount(params, "price") if is_limit else None,
            client_id=_client_id(params),
            is_reduce_only=params.get("reduceOnly") == "true",
            trigger=_amount(params, "stopPrice") if is_stop else None,
        )


class SpotPages(OrderPages):
    """Spot, with its balances."""

    def pages(self) -> Mapping[tuple[str, str], Callable[[Params, bool], Any]]:
        """Return the pages of spot."""
        return {
            **super().pages(),
            ("GET", "/myTrades"): self._trades,
            ("GET", "/account"): self._account,
        }

    def _account(self, params: Params, has_ghosts: bool) -> Any:
        account = self.venue.account
        assert isinstance(account, SpotAccount)  # noqa: S101  spot's venue has one
        with_zeros = has_ghosts or params.get("omitZeroBalances") != "true"
        return spot_account(account, self.venue.resting(), with_zeros=with_zeros)


class FuturesPages(OrderPages):
    """Futures, with their account, modes and leverage."""

    def pages(self) -> Mapping[tuple[str, str], Callable[[Params, bool], Any]]:
        """Return the pages of futures; those of version 3 have it in their path."""
        return {
            **super().pages(),
            ("GET", "/userTrades"): self._trades,
            ("GET", "/v3/account"): self._account,
            ("GET", "/v3/positionRisk"): self._positions,
            ("GET", "/positionSide/dual"): self._mode,
            ("GET", "/symbolConfig"): self._config,
            ("POST", "/leverage"): self._set_leverage,
            ("POST", "/algoOrder"): self._place_algo,
            ("GET", "/algoOrder"): self._algo,
            ("DELETE", "/algoOrder"): self._cancel_algo,
            ("GET", "/openAlgoOrders"): self._open_algos,
        }

    def _place_algo(self, params: Params, _: bool) -> Any:
        self.venue.catch_up()
        if not set(params) <= _ALGO:
            raise Refusal(-1104, "Not all sent parameters were read.")
        if (params.get("algoType"), params.get("type")) != ("CONDITIONAL", "STOP_MARKET"):
            raise Refusal(-1116, "Invalid orderType.")
        wish = Wish(
            symbol=_symbol(params),
            side=params.get("side", ""),
            quantity=_amount(params, "quantity"),
            price=None,
            client_id=_client_id(params, "clientAlgoId"),
            is_reduce_only=params.get("reduceOnly") == "true",
        )
        trigger = _amount(params, "triggerPrice")
        rules = self.venue.rules.get(wish.symbol)
        if rules is None or wish.side not in {"BUY", "SELL"} or not wish.is_reduce_only:
            raise Refusal(-1102, "Mandatory parameter was not sent, was empty/null, or malformed.")
        rules.check(wish.quantity, trigger, rules.least_notional, is_futures=True)
        return algo_row(self.venue.algos.place(wish, trigger, self.venue.last(wish.symbol)))

    def _algo(self, params: Params, _: bool) -> Any:
        self.venue.catch_up()
        return algo_row(self.venue.algos.named(params.get("algoId"), params.get("clientAlgoId")))

    def _cancel_algo(self, params: Params, _: bool) -> Any:
        self.venue.catch_up()
        found = self.venue.algos.cancel(params.get("algoId"), params.get("clientAlgoId"))
        named = {"algoId": found.id, "clientAlgoId": found.client_id}
        return {**named, "code": "200", "msg": "success"}

    def _open_algos(self, params: Params, _: bool) -> Any:
        self.venue.catch_up()
        return [algo_row(one) for one in self.venue.algos.waiting(params.get("symbol"))]

    @property
    def _purse(self) -> FuturesAccount:
        account = self.venue.account
        assert isinstance(account, FuturesAccount)  # noqa: S101  futures' venue has one
        return account

    def _account(self, _: Params, __: bool) -> Any:
        return futures_account(self._purse, self.venue.resting())

    def _positions(self, _: Params, has_ghosts: bool) -> Any:
        return position_rows(self._purse, with_zeros=has_ghosts)

    def _mode(self, _: Params, __: bool) -> Any:
        return {"dualSidePosition": self._purse.is_hedged}

    def _config(self, params: Params, _: bool) -> Any:
        symbol = _symbol(params)
        if symbol not in self.venue.rules:
            raise Refusal(-1121, "Invalid symbol.")
        leverage = self._purse.leverages[symbol]
        return [{"symbol": symbol, "marginType": "CROSSED", "leverage": leverage}]

    def _set_leverage(self, params: Params, _: bool) -> Any:
        symbol, wanted = _symbol(params), params.get("leverage", "")
        if not wanted.isdigit() or not 1 <= int(wanted) <= 125:
            raise Refusal(-4028, f"Leverage {wanted} is not valid")
        if not self._purse.is_stubborn:
            self._purse.leverages[symbol] = int(wanted)
        return {"symbol": symbol, "leverage": int(wanted), "maxNotionalValue": "1000000000"}


def _symbol(params: Params) -> str:
    symbol = params.get("symbol")
    if not symbol:
        text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        raise Refusal(-1102, text)
    return symbol


def _named(params: Params) -> tuple[str, int | None, str | None]:
    order_id, client_id = params.get("orderId"), params.get("origClientOrderId")
    if order_id is None and client_id is None:
        raise Refusal(-1102, "Param 'origClientOrderId' or 'orderId' must be sent.")
    return _symbol(params), None if order_id is None else int(order_id), client_id


def _client_id(params: Params, name: str = "newClientOrderId") -> str:
    found = params.get(name, "")
    if not 1 <= len(found) <= 36:
        raise Refusal(-4015, "Client order id length should be less than 36 chars")
    return found


def _amount(params: Params, name: str) -> Decimal:
    try:
        return Decimal(params[name])
    except (KeyError, InvalidOperation) as wrong:
        text = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
        raise Refusal(-1102, text) from wrong
