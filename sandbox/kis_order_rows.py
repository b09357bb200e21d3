"""Rows and messages about orders and holdings of the pretend KIS: every number is text."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from market.orders import Side
from market.sessions import KST
from sandbox.kis import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Row = dict[str, Any]

BRANCH = "06590"
NO_NUMBER = "0000000000"
_SIDES = {Side.SELL: "01", Side.BUY: "02"}
_DIVISIONS = {"01": "시장가", "22": "스톱지정가"}
_NAMES = {Side.SELL: "현금매도", Side.BUY: "현금매수"}


@dataclass(frozen=True)
class Owner:
    """Whose account it is, what is in it at first, and what trading costs."""

    account: str = "1234567801"
    hts_id: str = "myhtsid"
    cash: Decimal = Decimal(10_000_000)
    fee: Decimal = Decimal("0.00015")


@dataclass
class VenueOrder:
    """An order at the pretend KIS. `kind` is 0 for an order, 1 for a change, 2 for a cancel.

    With `trigger` it is a stop, which trades at its limit from `triggered_at` on.
    """

    day: str
    number: str
    parent: str
    kind: str
    code: str
    side: Side
    division: str
    quantity: int
    price: Decimal
    reserve: Decimal
    at: datetime
    filled: int = 0
    amount: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    taken_off: int = 0
    told_at: datetime | None = None
    trigger: Decimal = Decimal(0)
    triggered_at: datetime | None = None
    exchange: str = "KRX"

    def meet(self, price: Decimal, at: datetime) -> None:
        """Let a stop take effect where a price reaches its trigger."""
        is_reached = price <= self.trigger if self.side is Side.SELL else price >= self.trigger
        if self.trigger and self.triggered_at is None and is_reached:
            self.triggered_at = at

    @property
    def is_waiting(self) -> bool:
        """Tell whether it is a stop that has not taken effect."""
        return bool(self.trigger) and self.triggered_at is None

    @property
    def remaining(self) -> int:
        """Return what may still trade; changes of orders that took nothing over have nothing."""
        return 0 if self.kind == "2" else self.quantity - self.filled - self.taken_off

    @property
    def is_market(self) -> bool:
        """Tell whether it trades at any price."""
        return self.division == "01"


@dataclass
class VenueHolding:
    """What the account has of a code, and what traded today; kept for two days when sold out."""

    code: str
    quantity: int = 0
    cost_basis: Decimal = Decimal(0)
    bought: int = 0
    sold: int = 0
    day: str = ""


def order_row(order: VenueOrder, name: str) -> Row:
    """Return one row of the day's orders."""
    local = order.at.astimezone(KST)
    told = local if order.told_at is None else order.told_at.astimezone(KST)
    average = order.amount / order.filled if order.filled else Decimal(0)
    return {
        "ord_dt": order.day,
        "ord_gno_brno": BRANCH,
        "odno": order.number,
        "orgn_odno": order.parent,
        "ord_dvsn_name": _DIVISIONS.get(order.division, "지정가"),
        "sll_buy_dvsn_cd": _SIDES[order.side],
        "sll_buy_dvsn_cd_name": _NAMES[order.side] + ("취소*" if order.kind == "2" else ""),
        "pdno": order.code,
        "prdt_name": name,
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": f"{local:%H%M%S}",
        "tot_ccld_qty": str(order.filled),
        "avg_prvs": f"{average:.0f}",
        "cncl_yn": "Y" if order.kind == "2" else "N",
        "tot_ccld_amt": str(order.amount),
        "loan_dt": "",
        "ord_dvsn_cd": order.division,
        "cnc_cfrm_qty": str(order.taken_off if order.kind != "2" else order.quantity),
        "rmn_qty": str(order.remaining),
        "rjct_qty": "0",
        "ccld_cndt_name": "없음",
        "infm_tmd": f"{told:%H%M%S}",
        "ord_orgno": BRANCH,
        "stpm_cndt_pric": f"{order.trigger:.0f}",
        "stpm_efct_occr_dtmd": _local(order.triggered_at),
        "excg_id_dvsn_Cd": order.exchange,
    }


def _local(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(KST):%Y%m%d%H%M%S}"


def holding_row(holding: VenueHolding, price: Decimal, set_aside: int, name: str) -> Row:
    """Return one row of the balance."""
    average = holding.cost_basis / holding.quantity if holding.quantity else Decimal(0)
    return {
        "pdno": holding.code,
        "prdt_name": name,
        "trad_dvsn_name": "현금",
        "thdt_buyqty": str(holding.bought),
        "thdt_sll_qty": str(holding.sold),
        "hldg_qty": str(holding.quantity),
        "ord_psbl_qty": str(holding.quantity - set_aside),
        "pchs_avg_pric": f"{average:.4f}",
        "pchs_amt": f"{holding.cost_basis:.0f}",
        "prpr": f"{price:.0f}",
        "evlu_amt": f"{price * holding.quantity:.0f}",
        "evlu_pfls_amt": f"{price * holding.quantity - holding.cost_basis:.0f}",
    }


def told_fields(order: VenueOrder, account: str, hts_id: str, **changes: str) -> list[str]:
    """Return the 26 fields of an event of an order: taken, unless `changes` say otherwise."""
    fields = {
        "customer": hts_id,
        "account": account,
        "number": order.number,
        "parent": order.parent or NO_NUMBER,
        "side": _SIDES[order.side],
        "change": order.kind,
        "division": order.division,
        "condition": "0",
        "code": order.code,
        "quantity": f"{order.quantity:010}",
        "price": f"{int(order.price):09}",
        "time": f"{order.at.astimezone(KST):%H%M%S}",
        "is_refused": "0",
        "is_fill": "1",
        "taken": "1",
        "branch": BRANCH,
        "order_quantity": f"{order.quantity:010}",
        "owner": "홍길동",
        "condition_price": f"{int(order.trigger):09}",
        "exchange": "1",
        "is_shown": "Y",
        "filler": "",
        "credit": "00",
        "loan_day": "",
        "name": order.code,
        "order_price": f"{0:09}",
    }
    return list((fields | changes).values())


def sealed(fields: list[str], tr_id: str, iv: str, key: str) -> str:
    """Return a data frame with one record, encrypted for a session."""
    padder = PKCS7(128).padder()
    padded = padder.update("^".join(fields).encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).encryptor()
    text = base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()
    return f"1|{tr_id}|001|{text}"


def whole(body: Mapping[str, Any], name: str) -> int:
    """Return a whole number that has to come as text; raises Refusal."""
    text = body.get(name)
    try:
        if not isinstance(text, str):
            raise Refusal("OPSQ2001", f"ERROR INPUT FIELD NOT STRING {name}")
        return int(Decimal(text))
    except InvalidOperation as error:
        raise Refusal("OPSQ2001", f"ERROR INPUT FIELD NOT FOUND {name}") from error
