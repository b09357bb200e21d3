"""What the pretend KIS answers about an account: lists come in pages, with marks that go back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.orders import Side
from market.prices import price_limits
from market.types import Kind
from sandbox.kis import Refusal
from sandbox.kis_order_rows import VenueHolding, holding_row, order_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.kis_orders import KisOrders

Row = dict[str, Any]
Answer = tuple[Row, str]
"""The outputs, and what the header tr_cont says."""

MARK_LENGTH = 100
GHOST = "000660"


class KisOrderPages:
    """The services of one account by name; `lists_orders` false is a virtual server's bad day."""

    def __init__(self, account: KisOrders) -> None:
        self.account = account
        self.lists_orders = True
        letter = "V" if account.is_virtual else "T"
        self.rows_a_page = 15 if account.is_virtual else 100
        self.holdings_a_page = 20 if account.is_virtual else 50
        self._posts: dict[tuple[str, str], Callable[[Mapping[str, Any]], Row]] = {
            ("order-cash", f"{letter}TTC0012U"): lambda body: account.place(Side.BUY, body),
            ("order-cash", f"{letter}TTC0011U"): lambda body: account.place(Side.SELL, body),
            ("order-rvsecncl", f"{letter}TTC0013U"): account.change,
        }
        self._gets: dict[tuple[str, str], Callable[[Mapping[str, str], bool], Answer]] = {
            ("inquire-daily-ccld", f"{letter}TTC0081R"): self._day,
            ("inquire-balance", f"{letter}TTC8434R"): self._balance,
            ("inquire-psbl-order", f"{letter}TTC8908R"): self._power,
            ("inquire-psbl-sell", "TTTC8408R"): self._sellable,  # the virtual server has none
        }
        if account.is_virtual:
            del self._gets["inquire-psbl-sell", "TTTC8408R"]

    def post(self, name: str, tr_id: str, body: Mapping[str, Any]) -> Row:
        """Execute an order, a change or a cancel; raises Refusal."""
        service = self._posts.get((name, tr_id))
        if service is None:
            raise Refusal("OPSQ0002", "없는 서비스 코드 입니다.")
        if not all(isinstance(value, str) for value in body.values()):
            raise Refusal("OPSQ2001", "ERROR INPUT FIELD NOT STRING")
        self.account.check_account(body)
        return service(body)

    def get(
        self, name: str, tr_id: str, query: Mapping[str, str], tr_cont: str, *, has_ghost: bool
    ) -> Answer:
        """Answer a question about the account; raises Refusal."""
        service = self._gets.get((name, tr_id))
        if service is None:
            raise Refusal("OPSQ0002", "없는 서비스 코드 입니다.")
        self.account.check_account(query)
        if bool(query.get("CTX_AREA_NK100", "").strip()) != (tr_cont == "N"):
            raise Refusal("OPSQ2002", "ERROR INVALID TR_CONT")
        return service(query, has_ghost)

    def _day(self, query: Mapping[str, str], _: bool) -> Answer:
        first, last = query.get("INQR_STRT_DT", ""), query.get("INQR_END_DT", "")
        account = self.account
        orders = [one for one in account.orders if first <= one.day <= last and self.lists_orders]
        rows = [order_row(order, account.name(order.code)) for order in orders]
        if query.get("INQR_DVSN") == "00":
            rows.reverse()
        page, more, marks = self._page(query, rows, self.rows_a_page)
        totals = {
            "tot_ord_qty": str(sum(order.quantity for order in orders)),
            "tot_ccld_qty": str(sum(order.filled for order in orders)),
            "tot_ccld_amt": str(sum((order.amount for order in orders), Decimal(0))),
            "prsm_tlex_smtl": str(sum((order.cost for order in orders), Decimal(0))),
            "pchs_avg_pric": "0.0000",
        }
        return {"output1": page, "output2": totals, **marks}, more

    def _balance(self, query: Mapping[str, str], has_ghost: bool) -> Answer:
        account = self.account
        held = list(account.holdings.values())
        if has_ghost and GHOST not in account.holdings:
            held.insert(0, VenueHolding(GHOST))
        rows = [self._holding_row(one) for one in held]
        page, more, marks = self._page(query, rows, self.holdings_a_page)
        money = {
            "dnca_tot_amt": f"{account.owner.cash:.0f}",
            "nxdy_excc_amt": f"{account.owner.cash:.0f}",
            "prvs_rcdl_excc_amt": f"{account.cash:.0f}",
        }
        return {"output1": page, "output2": [money], **marks}, more

    def _holding_row(self, held: VenueHolding) -> Row:
        account = self.account
        aside = held.quantity - account.sellable(held.code)
        name = account.name(held.code) if held.code in account.holdings else ""
        return holding_row(held, account.price(held.code), aside, name)

    def _power(self, query: Mapping[str, str], _: bool) -> Answer:
        power = self.account.power
        if query.get("ORD_DVSN") != "01":
            power -= 1  # other divisions are counted by the margin of the code
        counted = self._upper_limit(query.get("PDNO", ""))
        needed = counted * (1 + self.account.owner.fee)
        most = int(max(Decimal(0), self.account.power) / needed) if needed else 0
        output = {
            "ord_psbl_cash": f"{power:.0f}",
            "psbl_qty_calc_unpr": f"{counted:.0f}",
            "nrcvb_buy_amt": f"{power.to_integral_value(rounding='ROUND_FLOOR')}",
            "nrcvb_buy_qty": str(most),
            "max_buy_amt": f"{5 * power:.0f}",
            "max_buy_qty": "0",
        }
        return {"output": output}, ""

    def _upper_limit(self, code: str) -> Decimal:
        """Return the price at which a purchase at the market is counted."""
        base = self.account.bases.get(code) or self.account.price(code)
        return price_limits(base, Kind.STOCK)[1] if base else Decimal(0)

    def _sellable(self, query: Mapping[str, str], _: bool) -> Answer:
        code = query.get("PDNO", "")
        held = self.account.holdings.get(code)
        if held is None:  # what is not held has empty numbers
            return {"output": {"pdno": code, "cblc_qty": "", "ord_psbl_qty": ""}}, ""
        left = self.account.sellable(code)
        row = {"pdno": code, "cblc_qty": str(held.quantity), "ord_psbl_qty": str(left)}
        return {"output": row}, ""

    def _page(
        self, query: Mapping[str, str], rows: list[Row], size: int
    ) -> tuple[list[Row], str, Row]:
        """Return a page, whether more follow, and the marks of where it ended."""
        key = f"{query['CANO']}^{query['ACNT_PRDT_CD']}".ljust(MARK_LENGTH)
        mark = query.get("CTX_AREA_NK100", "")
        if mark.strip() and (len(mark) != MARK_LENGTH or query.get("CTX_AREA_FK100") != key):
            raise Refusal("OPSQ2002", "ERROR INVALID CTX_AREA")
        first = int(mark) if mark.strip() else 0
        page = rows[first : first + size]
        has_more = first + size < len(rows)
        told = ("M" if first else "F") if has_more else ("D" if first else "")
        next_mark = str(first + size) if has_more else ""
        return page, told, {"ctx_area_fk100": key, "ctx_area_nk100": next_mark.ljust(MARK_LENGTH)}
