"""What the pretend Upbit lets through as a new order, and how it says no to others."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from sandbox.upbit_book import STEP, ZERO
from sandbox.upbit_keys import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST = Decimal(5000)
MOST = Decimal(1_000_000_000)
_NEEDS = {
    # ord_type and side: what it needs (docs.upbit.com, "Create order")
    ("limit", "bid"): {"price", "volume"},
    ("limit", "ask"): {"price", "volume"},
    ("price", "bid"): {"price"},
    ("market", "ask"): {"volume"},
    ("best", "bid"): {"price"},
    ("best", "ask"): {"volume"},
}
_FIELDS = {"market", "side", "ord_type", "price", "volume", "identifier", "time_in_force"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new order as it was asked for."""

    market: str
    side: str
    kind: str
    price: Decimal | None
    volume: Decimal | None


def read_wanted(fields: Mapping[str, str]) -> Wanted:
    """Return what a body asks for; raises RequestRefused."""
    if not fields.keys() <= _FIELDS or not all(isinstance(one, str) for one in fields.values()):
        raise invalid()
    market, side, kind = (fields.get(name, "") for name in ("market", "side", "ord_type"))
    needs = _NEEDS.get((kind, side))
    if needs is None or fields.keys() & {"price", "volume"} != needs:
        raise invalid()
    if kind == "best" and fields.get("time_in_force") not in {"ioc", "fok"}:
        raise RequestRefused(400, "invalid_time_in_force", "주문조건을 다시 확인해 주세요.")
    if not market.startswith("KRW-"):
        raise RequestRefused(400, "notfoundmarket", f"다음 마켓에 없는 종목입니다: {market}")
    return Wanted(market, side, kind, _number(fields.get("price")), _number(fields.get("volume")))


def check_amount(wanted: Wanted, tick: Decimal | None, last: Decimal | None) -> None:
    """Refuse what is off the tick, too fine, too little or too much."""
    price, volume = wanted.price, wanted.volume
    if volume is not None and volume != volume.quantize(STEP):
        raise invalid()
    if price is not None and volume is not None and tick is not None and price % tick:
        text = "주문가격 단위를 잘못 입력하셨습니다. 확인 후 시도해주세요."
        raise RequestRefused(400, f"invalid_price_{wanted.side}", text)
    each = (last or ZERO) if price is None else price
    money = each if volume is None else each * volume
    if money < LEAST:
        text = "최소주문금액 이상으로 주문해주세요"
        raise RequestRefused(400, f"under_min_total_{wanted.side}", text)
    if money > MOST and wanted.side == "bid":
        text = "최대 주문 가능 금액 1000000000 KRW 보다 작은 주문을 입력해 주세요."
        raise RequestRefused(400, "over_krw_funds_bid", text)


def invalid() -> RequestRefused:
    """Return the refusal of a request that makes no sense."""
    return RequestRefused(400, "validation_error", "잘못된 API 요청입니다.")


def not_found() -> RequestRefused:
    """Return the refusal of an order that is not there, or not any more."""
    return RequestRefused(404, "order_not_found", "주문을 찾지 못했습니다.")


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise invalid() from error
    if not number.is_finite() or number <= 0:
        raise invalid()
    return number
