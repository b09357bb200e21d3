"""What KIS tells of an account: the day's orders, the holdings and the money, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from market.errors import SourceChanged
from market.orders import OrderState, Position, Side
from market.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

Row = dict[str, Any]

_SIDES = {"01": Side.SELL, "02": Side.BUY}
_NUMBER_LENGTH = 10
_CENT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class DayOrder:
    """One order of one day; `parent` is the number of the order that it changed or cancelled.

    `trigger` is that of a stop.
    """

    day: str
    number: str
    branch: str
    parent: str
    side: Side
    instrument: str
    division: str
    quantity: Decimal
    price: Decimal | None
    at: datetime
    filled: Decimal
    amount: Decimal
    remaining: Decimal
    rejected: Decimal
    cancelled: Decimal
    is_cancelled: bool
    is_told_at: datetime
    trigger: Decimal | None = None
    exchange: str = "KRX"

    @property
    def average_price(self) -> Decimal:
        """Return what a share cost on the average, 0 before the first."""
        return average(self.amount, self.filled)

    def state(self, *, is_over: bool) -> OrderState:
        """Return how the order stands; `is_over`: nothing of its day trades any more."""
        if self.filled >= self.quantity:
            return OrderState.FILLED
        if self.remaining > 0 and not is_over:
            return OrderState.PARTIALLY_FILLED if self.filled else OrderState.ACCEPTED
        if self.rejected > 0 and not self.filled:
            return OrderState.REJECTED
        if self.is_cancelled or self.cancelled > 0 or self.rejected > 0:
            return OrderState.CANCELED
        return OrderState.EXPIRED


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of an instrument, and how much of it traded today."""

    position: Position
    bought: Decimal
    sold: Decimal
    price: Decimal


def average(amount: Decimal, quantity: Decimal) -> Decimal:
    """Return a price to a ten-thousandth of a won, without zeros at its end."""
    if not quantity:
        return Decimal(0)
    exact = (amount / quantity).quantize(_CENT)
    whole = exact.to_integral_value()
    return whole if whole == exact else exact.normalize()


def number_of(text: object) -> str:
    """Return an order's number in ten digits, "" for none."""
    digits = str(text or "").strip()
    return digits.zfill(_NUMBER_LENGTH) if digits.strip("0") else ""


def read_orders(pages: Iterable[Row]) -> list[DayOrder]:
    """Return the orders of all pages, each once, oldest first; SourceChanged for any odd row."""
    found: dict[tuple[str, str, str], DayOrder] = {}
    for page in pages:
        for row in _rows(page, "output1"):
            order = _order(row)
            found[order.day, order.branch, order.number] = order
    return sorted(found.values(), key=lambda order: (order.at, order.number))


def read_holdings(pages: Sequence[Row]) -> list[Held]:
    """Return every row of all pages, also those of which nothing is left since today."""
    rows = [row for page in pages for row in _rows(page, "output1")]
    return [_held(row) for row in rows]


def read_positions(pages: Sequence[Row]) -> list[Position]:
    """Return what is held; KIS lists what was sold for two days more, with nothing left."""
    merged: dict[str, Position] = {}
    for held in read_holdings(pages):
        one = held.position
        if one.quantity <= 0:
            continue
        known = merged.get(one.instrument)  # cash and credit stand in rows of their own
        if known is not None:
            quantity = known.quantity + one.quantity
            amount = known.quantity * known.average_price + one.quantity * one.average_price
            one = Position(one.instrument, quantity, average(amount, quantity))
        merged[one.instrument] = one
    return list(merged.values())


def read_cash(pages: Sequence[Row]) -> Decimal:
    """Return the money as it will be when all that has traded is settled, in two days."""
    for page in pages:
        output = page.get("output2")
        row = output[0] if isinstance(output, list) and output else output
        if isinstance(row, dict) and row.get("prvs_rcdl_excc_amt"):
            return decimal(row, "prvs_rcdl_excc_amt")
    raise SourceChanged("kis inquire-balance: expected prvs_rcdl_excc_amt in output2")


def read_power(fields: Row) -> Decimal:
    """Return the money that buys without credit (nrcvb_buy_amt)."""
    return max(Decimal(0), decimal(_output(fields, "psbl-order"), "nrcvb_buy_amt"))


def read_buyable(fields: Row) -> Decimal:
    """Return how many a market order buys without credit, each counted at its upper limit."""
    return max(Decimal(0), decimal(_output(fields, "psbl-order"), "nrcvb_buy_qty"))


def read_sellable(fields: Row) -> Decimal:
    """Return how many can be sold; the numbers of what is not held are empty."""
    row = _output(fields, "psbl-sell")
    if row.get("ord_psbl_qty") == "":
        return Decimal(0)
    return max(Decimal(0), decimal(row, "ord_psbl_qty"))


def _output(fields: Row, name: str) -> Row:
    row = fields.get("output")
    if not isinstance(row, dict):
        raise SourceChanged(f"kis inquire-{name}: expected output")
    return row


def moment(day: str, time: object) -> datetime | None:
    """Return a moment of a day in KST, None where the time is not one."""
    text = f"{day}{str(time or '').strip().zfill(6)}"
    if re.fullmatch(r"\d{14}", text) is None:
        return None
    try:
        at = datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007  the zone follows
    except ValueError:
        return None
    return at.replace(tzinfo=KST).astimezone(UTC)


def day_text(day: date) -> str:
    """Return a day as KIS writes it."""
    return f"{day:%Y%m%d}"


def decimal(row: Row, name: str) -> Decimal:
    """Return a number that KIS writes as text."""
    text = str(row.get(name, "")).strip()
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise SourceChanged(f"kis: expected a number in {name}, got '{text[:40]}'")
    return found


def _order(row: Row) -> DayOrder:
    day = str(row.get("ord_dt", "")).strip()
    at = moment(day, row.get("ord_tmd"))
    number, side = number_of(row.get("odno")), _SIDES.get(str(row.get("sll_buy_dvsn_cd")))
    if at is None or not number or side is None:
        raise SourceChanged("kis inquire-daily-ccld: a row without time, number or side")
    price = decimal(row, "ord_unpr")
    told_at = moment(day, row.get("infm_tmd") or row.get("ord_tmd"))
    # the name of the confirmed cancellation differs between copies of the documents
    cancelled = "cnc_cfrm_qty" if "cnc_cfrm_qty" in row else "cncl_cfrm_qty"
    return DayOrder(
        day=day,
        number=number,
        branch=str(row.get("ord_gno_brno") or row.get("ord_orgno") or "").strip(),
        parent=number_of(row.get("orgn_odno")),
        side=side,
        instrument=_instrument(row),
        division=str(row.get("ord_dvsn_cd", "")).strip(),
        quantity=decimal(row, "ord_qty"),
        price=price if price > 0 else None,
        at=at,
        filled=decimal(row, "tot_ccld_qty"),
        amount=decimal(row, "tot_ccld_amt"),
        remaining=decimal(row, "rmn_qty"),
        rejected=decimal(row, "rjct_qty"),
        cancelled=decimal(row, cancelled),
        is_cancelled=row.get("cncl_yn") == "Y",
        is_told_at=at if told_at is None else max(at, told_at),
        trigger=_trigger(row),
        # the capital letter is KIS's own; SOR and NXT stand here for orders of its app
        exchange=str(row.get("excg_id_dvsn_Cd") or "KRX").strip(),
    )


def _trigger(row: Row) -> Decimal | None:
    """Return the price from which on a stop trades; older copies of the list have no column."""
    if not str(row.get("stpm_cndt_pric") or "").strip():
        return None
    return decimal(row, "stpm_cndt_pric") or None


def _held(row: Row) -> Held:
    quantity, average_price = decimal(row, "hldg_qty"), decimal(row, "pchs_avg_pric")
    return Held(
        position=Position(_instrument(row), quantity, average(average_price, Decimal(1))),
        bought=decimal(row, "thdt_buyqty"),
        sold=decimal(row, "thdt_sll_qty"),
        price=decimal(row, "prpr"),
    )


def _instrument(row: Row) -> str:
    code = str(row.get("pdno", "")).strip()
    if re.fullmatch(r"[0-9A-Z]{6,9}", code) is None:
        raise SourceChanged(f"kis: expected a code in pdno, got '{code[:40]}'")
    return f"KRX:{code}"


def _rows(page: Row, name: str) -> list[Row]:
    rows = page.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceChanged(f"kis: expected a list of rows in {name}")
    return rows
