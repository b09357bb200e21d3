"""KIS's words for orders: transactions by side and server, order divisions, refusals.

Codes are those of KIS Developers (2026-07, and its notice of 2026-09-09 about the after-market);
texts and codes of refusals as clients have seen them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from market.errors import OrderRejected
from market.orders import Side
from market.phases import REGULAR, Phase

if TYPE_CHECKING:
    from collections.abc import Set
    from decimal import Decimal

    from config.settings import KisSettings

LIMIT = "00"
MARKET = "01"
AFTER_MARKET_LIMIT = "41"
ORDERS_END = timedelta(hours=4, minutes=40)
"""So long after the regular close (20:10 on a usual day) nothing of a day trades any more."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """The names of the services on one server, "" for one that it does not have."""

    buy: str
    sell: str
    change: str
    day: str
    balance: str
    power: str
    sellable: str
    fills: str
    rows_a_page: int


REAL = Transactions(
    buy="TTTC0012U",
    sell="TTTC0011U",
    change="TTTC0013U",
    day="TTTC0081R",
    balance="TTTC8434R",
    power="TTTC8908R",
    sellable="TTTC8408R",
    fills="H0STCNI0",
    rows_a_page=100,
)
VIRTUAL = Transactions(
    buy="VTTC0012U",
    sell="VTTC0011U",
    change="VTTC0013U",
    day="VTTC0081R",
    balance="VTTC8434R",
    power="VTTC8908R",
    sellable="",
    fills="H0STCNI9",
    rows_a_page=15,
)


def transactions(*, is_virtual: bool) -> Transactions:
    """Return the services of the real or the virtual server."""
    return VIRTUAL if is_virtual else REAL


def place_transaction(services: Transactions, side: Side) -> str:
    """Return the service that takes an order of this side."""
    return services.buy if side is Side.BUY else services.sell


def phases(settings: KisSettings) -> frozenset[Phase]:
    """Return the phases in which orders go to KIS: others only where a setting says so."""
    return REGULAR | {Phase.AFTER_MARKET} if settings.after_market else REGULAR


def division_of(price: Decimal | None, phase: Phase, taken: Set[Phase]) -> str:
    """Return the order division of the phase at hand; `price` None is a market order.

    The after-market of KRX has codes of its own and no market orders; OrderRejected, also where
    it is not among the phases that are `taken`. Outside of every session KIS itself refuses.
    """
    if phase is not Phase.AFTER_MARKET:
        return MARKET if price is None else LIMIT
    if phase not in taken:
        raise OrderRejected("closed", "kis.after_market is off")
    if price is None:
        raise OrderRejected("price", "the after-market of KRX takes no market orders")
    return AFTER_MARKET_LIMIT


_SURELY_REFUSED = re.compile(r"APB[A-Z]\d{4}|4\d{7}|OPSQ\d{4}")
"""The order system, the virtual one, and the check of the fields: nothing was executed."""
_REFUSED_AT_THE_GATE = frozenset(
    {
        "EGW00201",  # requests a second of the key: counted before anything is handed on
        "EGW00102",
        "EGW00103",
        "EGW00104",
        "EGW00105",
        "EGW00121",
        "EGW00123",
        "EGW02004",
    }
)

_REASONS = {
    "APBK0918": "closed",
    "40100000": "closed",
    "APBK0952": "cash",
    "APBK0400": "no_position",
    "40240000": "no_position",
    "APBK0656": "unknown_instrument",
    "40070000": "untradable",
    "APBK1943": "price",
    "APBK3013": "price",
    "APBK0344": "closed",
    "APBK0927": "closed",
    "EGW00201": "busy",
}
_WORDS = (
    (re.compile("장운영|장종료|장시작|장마감|영업일|휴장|개장"), "closed"),
    (re.compile("주문가능금액|예수금|증거금"), "cash"),
    (re.compile("매도가능|주문가능.?수량|주문 가능한 수량|잔고"), "no_position"),
    (re.compile("원주문|정정취소|정정/취소"), "closed"),
    (re.compile("호가단위|호가 단위|상한가|하한가|가격|단가"), "price"),
    (re.compile("수량"), "quantity"),
)


def is_surely_refused(code: str) -> bool:
    """Tell whether an order answered with this code was certainly not executed.

    Other codes of the gateway are no such proof: IGW00009 for one ("could not put the answer
    together") may come after the order went in, EGW00215 comes from the ledger behind the
    gateway, and EGW00300 is a passing fault at an unknown point.
    """
    return code in _REFUSED_AT_THE_GATE or _SURELY_REFUSED.fullmatch(code) is not None


def reason_of(code: str, text: str) -> str:
    """Return our word for a refusal: by its code where that is known, else by its text."""
    known = _REASONS.get(code)
    if known is not None:
        return known
    return next((word for pattern, word in _WORDS if pattern.search(text)), "other")
