"""What prices the pretend KIS takes: ticks, limits of the day, and triggers of stops."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.orders import Side
from market.prices import is_on_tick, price_limits
from sandbox.kis import Refusal
from sandbox.kis_order_rows import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.types import Instrument

STOP = "22"


def reserve_of(division: str, price: Decimal, base: Decimal, instrument: Instrument) -> Decimal:
    """Return what a share is set aside for: a market order is counted at the upper limit.

    `base` is the close before, 0 where it is not known; raises Refusal.
    """
    limits = price_limits(base, instrument.kind) if base else None
    if division == "01":
        if price:
            raise Refusal("APBK1943", "시장가 주문은 가격을 입력할 수 없습니다.")
        return limits[1] if limits else Decimal(0)
    if price <= 0 or not is_on_tick(price, instrument.kind):
        raise Refusal("APBK0506", "호가단위를 확인하여 주십시오.")
    if limits and not limits[0] <= price <= limits[1]:
        raise Refusal("APBK0507", "상한가 또는 하한가를 벗어난 가격입니다.")
    return price


def trigger_of(
    body: Mapping[str, Any], side: Side, last: Decimal, instrument: Instrument
) -> Decimal:
    """Return the trigger of a stop, 0 for any other order; raises Refusal.

    It has to lie on the far side of the last price, and only a stop has one.
    """
    if body.get("ORD_DVSN") != STOP:
        if body.get("CNDT_PRIC"):
            raise Refusal("APBK1943", "조건가격을 입력할 수 없습니다.")
        return Decimal(0)
    trigger = Decimal(whole(body, "CNDT_PRIC"))
    is_ahead = trigger < last if side is Side.SELL else trigger > last
    if trigger <= 0 or not is_on_tick(trigger, instrument.kind) or (last and not is_ahead):
        raise Refusal("APBK0506", "조건가격을 확인하여 주십시오.")
    return trigger
