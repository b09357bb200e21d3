"""Which prices can be ordered: tick sizes, daily limits, lots and the tax on sales."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from market.grid import FINEST, Grid
from market.types import Kind

if TYPE_CHECKING:
    from market.types import Steps

LOT = Decimal(1)
"""The smallest quantity on KRX: one share."""

_NOTHING = Decimal(0)

LIMIT_RATIO = Decimal("0.30")

_Bands = tuple[tuple[Decimal, Decimal], ...]


def _bands(text: str) -> _Bands:
    """Return (lowest price, tick size) pairs, dearest first, of `price:tick` words."""
    pairs = (word.split(":") for word in text.split())
    return tuple((Decimal(lowest), Decimal(tick)) for lowest, tick in pairs)


_BANDS: dict[Kind, _Bands] = {
    # KRX business regulations, KOSPI = KOSDAQ = KONEX since 2023-01-25.
    Kind.STOCK: _bands("500000:1000 200000:500 50000:100 20000:50 5000:10 2000:5 0:1"),
    Kind.ETF: _bands("2000:5 0:1"),
    # Upbit's KRW market since 2025-07-31 (docs.upbit.com, KRW market info).
    Kind.COIN: _bands(
        "1000000:1000 500000:500 100000:100 50000:50 10000:10 5000:5 100:1 10:0.1 1:0.01"
        " 0.1:0.001 0.01:0.0001 0.001:0.00001 0.0001:0.000001 0.00001:0.0000001 0:0.00000001"
    ),
}

_LEAST_ORDERS = {
    # Upbit's KRW market, bids and asks (docs.upbit.com, KRW market info).
    Kind.COIN: Decimal(5_000),
}

_STOCK_TAXES = {
    # Transaction tax plus, on KOSPI, the agricultural tax: both markets come to the same
    # (Securities Transaction Tax Act, enforcement decree, article 5, and its changes since 2019).
    2020: Decimal("0.0025"),
    2021: Decimal("0.0023"),
    2022: Decimal("0.0023"),
    2023: Decimal("0.0020"),
    2024: Decimal("0.0018"),
    2025: Decimal("0.0015"),
    2026: Decimal("0.0020"),
}


def tick_bands(kind: Steps) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return the lowest price of each band and the tick size from there on, dearest first."""
    return ((_NOTHING, kind.tick),) if isinstance(kind, Grid) else _BANDS[kind]


def tick_size(price: Decimal, kind: Steps) -> Decimal:
    """Return the step between a price and the next higher one; ValueError below zero."""
    for lowest, tick in tick_bands(kind):
        if price >= lowest:
            return tick
    raise ValueError(f"a price cannot be negative: {price}")


def is_on_tick(price: Decimal, kind: Steps) -> bool:
    """Tell whether orders can be placed at the price."""
    return price > 0 and price % tick_size(price, kind) == 0


def round_price(price: Decimal, kind: Steps, *, up: bool) -> Decimal:
    """Return the nearest price on a tick that is not lower (`up`) or not higher.

    Below the lowest price there is, it is that one either way; ValueError below zero.
    """
    tick = tick_size(price, kind)
    steps = (price / tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return max(steps * tick, tick_bands(kind)[-1][1])


def step_price(price: Decimal, kind: Steps, ticks: int) -> Decimal:
    """Return the price so many ticks higher, lower where `ticks` is negative.

    A price between two ticks counts as the one it comes from, so that one step leads to the next
    that can be ordered. ValueError where a step would leave nothing to pay.
    """
    price = round_price(price, kind, up=ticks < 0)
    for _ in range(ticks):
        price += tick_size(price, kind)
    for _ in range(-ticks):
        price -= _tick_below(price, kind)
        if price <= 0:
            raise ValueError(f"there is no {kind} price {-ticks} ticks lower")
    return price


def crossing_price(price: Decimal, kind: Steps, ticks: int) -> Decimal:
    """Return a price so many ticks away that an order across it trades; raises as `step_price`.

    Where a symbol's own steps are not known it is as many thousandths of the price.
    """
    if kind == FINEST:
        return round_price(price * (1 + Decimal(ticks) / 1000), kind, up=ticks < 0)
    return step_price(price, kind, ticks)


def price_limits(base: Decimal, kind: Steps, leverage: int = 1) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest price of the day for a base price (KRX, 30 % since 2015).

    The width is rounded to the base price's tick, the limits inwards to their own. Those of ETFs
    that move `leverage` times as much are as many times as wide. Coins have none: the smallest
    price there is, and infinity.
    """
    if kind is Kind.COIN or isinstance(kind, Grid):
        return tick_bands(kind)[-1][1], Decimal("Infinity")
    tick = tick_size(base, kind)
    width = (base * LIMIT_RATIO * leverage / tick).to_integral_value(ROUND_FLOOR) * tick
    return (
        round_price(base - width, kind, up=True),
        round_price(base + width, kind, up=False),
    )


def least_order(kind: Steps) -> Decimal:
    """Return what money an order must be worth at least, 0 where one share will do."""
    if isinstance(kind, Grid):
        return kind.least
    return _LEAST_ORDERS.get(kind, Decimal(0))


def sell_tax(kind: Kind, year: int) -> Decimal:
    """Return the part of a sale's money that goes to taxes (KRX shares 2025 0.15 %, 2026 0.20 %).

    Years beyond those known take the nearest one's. ETFs and coins are not taxed on sale. The law
    goes by the day of settlement: the last two sessions of a year really pay the next one's rate.
    """
    if kind is not Kind.STOCK:
        return Decimal(0)
    return _STOCK_TAXES[min(max(year, min(_STOCK_TAXES)), max(_STOCK_TAXES))]


def _tick_below(price: Decimal, kind: Steps) -> Decimal:
    """Return the step to the next lower price: that of the band below at a band's border."""
    return next(tick for lowest, tick in tick_bands(kind) if price > lowest)
