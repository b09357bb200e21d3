"""Orders, trades and accounts as Binance writes them, over REST and in user streams."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.binance_order_types import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.binance_accounts import FuturesAccount, SpotAccount
    from sandbox.binance_order_types import VenueOrder, VenueTrade
    from sandbox.binance_orders import OrderVenue

Row = dict[str, Any]
_PLACES = Decimal("0.00000001")


def text(amount: Decimal) -> str:
    """Return an amount with eight decimals."""
    return f"{amount.quantize(_PLACES):f}"


def order_row(order: VenueOrder, *, is_futures: bool) -> Row:
    """Return an order as it is answered by either market."""
    common = {
        "symbol": order.symbol,
        "orderId": order.id,
        "clientOrderId": order.client_id,
        "price": text(order.price or NOTHING),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "status": order.status,
        "timeInForce": "GTC",
        "type": order.kind,
        "side": order.side,
        "time": order.at_ms,
        "updateTime": order.updated_ms,
    }
    if not is_futures:
        paid = text(order.paid)
        extra = {"orderListId": -1, "cummulativeQuoteQty": paid}
        extra |= {"isWorking": not order.is_waiting, "stopPrice": text(order.trigger or NOTHING)}
        return {**common, **extra, "workingTime": order.at_ms, "transactTime": order.updated_ms}
    return {
        **common,
        "avgPrice": text(order.average),
        "cumQuote": text(order.paid),
        "reduceOnly": order.is_reduce_only,
        "closePosition": False,
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": common["type"],
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
    }


def trade_row(trade: VenueTrade, *, is_futures: bool) -> Row:
    """Return one of our trades."""
    order, is_buy = trade.order, trade.order.side == "BUY"
    common = {
        "symbol": order.symbol,
        "id": trade.id,
        "orderId": order.id,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.price * trade.quantity),
        "commission": text(trade.commission),
        "commissionAsset": trade.asset,
        "time": trade.at_ms,
    }
    if not is_futures:
        return {**common, "isBuyer": is_buy, "isMaker": trade.is_maker, "isBestMatch": True}
    side = {"side": order.side, "positionSide": "BOTH", "realizedPnl": text(trade.gained)}
    return {**common, **side, "buyer": is_buy, "maker": trade.is_maker, "marginAsset": "USDT"}


def spot_account(account: SpotAccount, resting: Iterable[VenueOrder], *, with_zeros: bool) -> Row:
    """Return the balances of spot."""
    open_orders = list(resting)
    balances = []
    for asset, amount in sorted(account.balances.items()):
        locked = account.locked(asset, open_orders)
        if amount or with_zeros:
            free = text(amount - locked)
            balances.append({"asset": asset, "free": free, "locked": text(locked)})
    if with_zeros:
        balances.append({"asset": "GONE", "free": text(NOTHING), "locked": text(NOTHING)})
    return {"canTrade": True, "accountType": "SPOT", "balances": balances, "permissions": ["SPOT"]}


def futures_account(account: FuturesAccount, resting: Iterable[VenueOrder]) -> Row:
    """Return the futures account (v3): money, and what is held."""
    symbols = sorted(account.held)
    gained = sum((account.unrealized(symbol) for symbol in symbols), NOTHING)
    available = text(account.available(resting))
    money = {"walletBalance": text(account.wallet), "availableBalance": available}
    asset = {"asset": "USDT", **money, "marginBalance": text(account.wallet + gained)}
    bnb = {"asset": "BNB", "walletBalance": "0", "availableBalance": "0", "marginBalance": "0"}
    positions = [
        {
            "symbol": symbol,
            "positionSide": "BOTH",
            "positionAmt": text(account.held[symbol].quantity),
            "unrealizedProfit": text(account.unrealized(symbol)),
            "notional": text(account.held[symbol].quantity * account.last(symbol)),
            "initialMargin": text(account.margin(symbol)),
        }
        for symbol in symbols
        if account.held[symbol].quantity
    ]
    return {
        "totalWalletBalance": text(account.wallet),
        "assets": [bnb, asset],
        "positions": positions,
    }


def position_rows(account: FuturesAccount, *, with_zeros: bool) -> list[Row]:
    """Return the positions (v3), with those that are closed where `with_zeros`."""
    return [
        {
            "symbol": symbol,
            "positionSide": "BOTH",
            "positionAmt": text(held.quantity),
            "entryPrice": text(held.entry),
            "markPrice": text(account.last(symbol)),
            "unRealizedProfit": text(account.unrealized(symbol)),
            "marginAsset": "USDT",
        }
        for symbol, held in sorted(account.held.items())
        if held.quantity or with_zeros
    ]


def spot_event(what: str, order: VenueOrder, trade: VenueTrade | None, at_ms: int) -> Row:
    """Return an executionReport; a cancelled order's own id stands under C there."""
    is_canceled = what == "CANCELED"
    return {
        "e": "executionReport",
        "E": at_ms,
        "s": order.symbol,
        "c": f"cancel-{order.id}" if is_canceled else order.client_id,
        "S": order.side,
        "o": order.kind,
        "f": "GTC",
        "q": text(order.quantity),
        "p": text(order.price or NOTHING),
        "C": order.client_id if is_canceled else "",
        "x": what,
        "X": order.status,
        "r": "NONE",
        "i": order.id,
        "l": text(trade.quantity if trade else NOTHING),
        "z": text(order.filled),
        "L": text(trade.price if trade else NOTHING),
        "n": text(trade.commission) if trade else "0",
        "N": trade.asset if trade else None,
        "T": order.updated_ms,
        "t": trade.id if trade else -1,
        "m": bool(trade and trade.is_maker),
        "Z": text(order.paid),
    }


def futures_event(what: str, order: VenueOrder, trade: VenueTrade | None, at_ms: int) -> Row:
    """Return an ORDER_TRADE_UPDATE."""
    inner = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side,
        "o": order.kind,
        "f": "GTC",
        "q": text(order.quantity),
        "p": text(order.price or NOTHING),
        "ap": text(order.average),
        "x": what,
        "X": order.status,
        "i": order.id,
        "l": text(trade.quantity if trade else NOTHING),
        "z": text(order.filled),
        "L": text(trade.price if trade else NOTHING),
        "N": "USDT",
        "n": text(trade.commission) if trade else "0",
        "T": order.updated_ms,
        "t": trade.id if trade else 0,
        "m": bool(trade and trade.is_maker),
        "R": order.is_reduce_only,
        "ps": "BOTH",
        "rp": text(trade.gained if trade else NOTHING),
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": at_ms, "T": order.updated_ms, "o": inner}


def info_row(venue: OrderVenue, symbol: str) -> Row:
    """Return a symbol as exchangeInfo tells it; the precisions are not its steps."""
    rules = venue.rules[symbol]
    row = {
        "symbol": symbol,
        "status": "TRADING" if rules.is_trading else "BREAK",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "filters": rules.filters(is_futures=venue.is_futures),
    }
    if venue.is_futures:
        return {**row, "pair": symbol, "contractType": "PERPETUAL", "pricePrecision": 2}
    return {**row, "isSpotTradingAllowed": True, "orderTypes": sorted(rules.order_types)}
