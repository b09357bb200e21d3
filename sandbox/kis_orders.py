"""A pretend account at KIS: takes, changes, cancels and trades orders, without any wires.

Orders trade whole at a price that somebody else made (`trade`), or at the newest of a source of
prices (`touch`). Numbers begin anew every day, as KIS's do; what is sold out stays listed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.money import fee_of, tax_of
from market.orders import Side
from market.sessions import KST
from market.types import Kind
from sandbox.kis import Refusal
from sandbox.kis_order_checks import STOP, reserve_of, trigger_of
from sandbox.kis_order_rows import BRANCH, Owner, VenueHolding, VenueOrder, told_fields, whole
from sandbox.order_faults import Belated, Channel, FaultPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import Instrument
    from sandbox.order_faults import OrderFault

Row = dict[str, Any]

REGULAR = frozenset({"00", "01", STOP})
AFTER_MARKET = frozenset({"41"})
OPENS_EARLY = timedelta(minutes=30)
AFTER_BEGINS, AFTER_ENDS = timedelta(minutes=30), timedelta(hours=4, minutes=30)


@dataclass
class KisOrders:
    """Orders, holdings and cash of one account at the time of its clock.

    `bases` are yesterday's closes, about which the price limits lie. `events` are what the socket
    tells, each the 26 fields of one record.
    """

    instruments: Sequence[Instrument]
    calendar: Calendar
    clock: Clock
    owner: Owner = field(default_factory=Owner)
    price_of: Callable[[str], Decimal | None] = lambda _: None
    bases: Mapping[str, Decimal] = field(default_factory=dict)
    is_virtual: bool = False
    plan: FaultPlan = field(default_factory=FaultPlan)
    orders: list[VenueOrder] = field(default_factory=list)
    holdings: dict[str, VenueHolding] = field(default_factory=dict)
    events: list[list[str]] = field(default_factory=list)
    spent: Decimal = Decimal(0)
    belated: Belated = field(default_factory=Belated)
    late_at: datetime | None = None
    _last: dict[str, Decimal] = field(default_factory=dict)

    def place(self, side: Side, body: Mapping[str, Any]) -> Row:
        """Take an order; raises Refusal."""
        instrument = self._instrument(body)
        division, quantity = str(body.get("ORD_DVSN")), whole(body, "ORD_QTY")
        price = Decimal(whole(body, "ORD_UNPR"))
        self._check_session(division, instrument)
        self._check_exchange(body)
        if quantity <= 0:
            raise Refusal("APBK0013", "주문수량을 확인하여 주십시오.")
        reserve = self._check_price(division, price, instrument)
        order = self._made(
            code=instrument.code,
            side=side,
            division=division,
            quantity=quantity,
            price=price,
            reserve=reserve,
            trigger=trigger_of(body, side, self.price(instrument.code), instrument),
        )
        self._check_means(order)
        return self._accept(order)

    def change(self, body: Mapping[str, Any]) -> Row:
        """Change or cancel what is left of an order, under a number of its own."""
        self._check_exchange(body)
        day = self._today()
        number = str(body.get("ORGN_ODNO"))
        old = next((one for one in self.orders if (one.day, one.number) == (day, number)), None)
        if old is None or body.get("KRX_FWDG_ORD_ORGNO") != BRANCH:
            raise Refusal("APBK0344", "원주문정보가 존재하지 않습니다.")
        if old.remaining <= 0 or body.get("QTY_ALL_ORD_YN") != "Y":
            raise Refusal("APBK0927", "정정취소 가능수량이 없습니다.")
        is_change = body.get("RVSE_CNCL_DVSN_CD") == "01"
        price = Decimal(whole(body, "ORD_UNPR")) if is_change else Decimal(0)
        if is_change:
            self._check_price(old.division, price, self._known(old.code))
        new = self._made(
            code=old.code,
            side=old.side,
            division=old.division,
            quantity=old.remaining,
            price=price,
            reserve=price,
            parent=number,
            kind="1" if is_change else "2",
        )
        old.taken_off = old.remaining
        return self._accept(new)

    def trade(self, code: str, price: Decimal, most: int | None = None) -> None:
        """Let a code trade at a price; what rests at it or better trades, at most so many."""
        self.belated.arrive(self.now())
        self._last[code] = price
        for order in sorted(self._open(code), key=lambda one: one.number):
            if self._is_trading(order):
                order.meet(price, self.now())
            crosses = order.price >= price if order.side is Side.BUY else order.price <= price
            is_taken = (order.is_market or crosses) and not order.is_waiting
            if not is_taken or not self._is_trading(order):
                continue
            quantity = order.remaining if most is None else min(order.remaining, most)
            if most is not None:
                most -= quantity
            if quantity:
                self._fill(order, quantity, price)

    def now(self) -> datetime:
        """Return the present, or when the request that is being executed came in."""
        return self.clock.now() if self.late_at is None else self.late_at

    def touch(self) -> None:
        """Let everything that rests meet the newest prices of the source."""
        for code in {order.code for order in self._open()}:
            price = self.price_of(code)
            if price is not None:
                self.trade(code, price)

    @property
    def hts_id(self) -> str:
        """Return the login id that events are told to."""
        return self.owner.hts_id

    def fault(self) -> OrderFault | None:
        """Return what goes wrong with the next message."""
        return self.plan.next(Channel.MESSAGE)

    @property
    def cash(self) -> Decimal:
        """Return the money once all that has traded is settled."""
        return self.owner.cash - self.spent

    @property
    def power(self) -> Decimal:
        """Return the money that buys."""
        aside = (self._set_aside(order) for order in self._open() if order.side is Side.BUY)
        return self.cash - sum(aside, Decimal(0))

    def sellable(self, code: str) -> int:
        """Return what can be sold of a code."""
        held = self.holdings.get(code, VenueHolding(code)).quantity
        sells = (one.remaining for one in self._open(code) if one.side is Side.SELL)
        return held - sum(sells)

    def price(self, code: str) -> Decimal:
        """Return the price that is shown of a code."""
        return self._last.get(code) or self.price_of(code) or self.bases.get(code) or Decimal(0)

    def name(self, code: str) -> str:
        """Return the name of a code."""
        return self._known(code).name

    def check_account(self, asked: Mapping[str, Any]) -> None:
        """Refuse another account."""
        if f"{asked.get('CANO')}{asked.get('ACNT_PRDT_CD')}" != self.owner.account:
            raise Refusal("OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO")

    def _fill(self, order: VenueOrder, quantity: int, price: Decimal) -> None:
        now = self.now()
        order.filled += quantity
        order.amount += quantity * price
        order.told_at = now
        instrument = self._known(order.code)
        before, order.cost = order.cost, fee_of(order.amount, self.owner.fee)
        order.cost += tax_of(order.amount, order.side, instrument, now)
        sign = 1 if order.side is Side.BUY else -1
        self.spent += sign * quantity * price + order.cost - before
        self._hold(order, sign * quantity, price)
        self._tell(
            order,
            quantity=f"{quantity:010}",
            price=f"{int(price):09}",
            time=f"{now.astimezone(KST):%H%M%S}",
            is_fill="2",
            taken="2",
            order_price=f"{int(order.price):09}",
        )

    def _hold(self, order: VenueOrder, change: int, price: Decimal) -> None:
        held = self.holdings.setdefault(order.code, VenueHolding(order.code))
        if held.day != self._today():
            held.bought, held.sold, held.day = 0, 0, self._today()
        if change > 0:
            held.bought += change
            held.cost_basis += change * price
        else:
            held.sold -= change
            held.cost_basis += held.cost_basis * change / held.quantity
        held.quantity += change

    def _made(self, **fields: Any) -> VenueOrder:
        day = self._today()
        count = sum(1 for one in self.orders if one.day == day) + 1
        made: Row = {"day": day, "number": f"{count:010}", "at": self.now()}
        return VenueOrder(**{"parent": "", "kind": "0", **made, **fields})

    def _accept(self, order: VenueOrder) -> Row:
        self.orders.append(order)
        self._tell(order)
        at = order.at.astimezone(KST)
        return {
            "KRX_FWDG_ORD_ORGNO": BRANCH,
            "ODNO": order.number,
            "ORD_TMD": f"{at:%H%M%S}",
        }

    def _tell(self, order: VenueOrder, **changes: str) -> None:
        self.events.append(told_fields(order, self.owner.account, self.owner.hts_id, **changes))

    def _open(self, code: str = "") -> list[VenueOrder]:
        day = self._today()
        return [
            one
            for one in self.orders
            if one.day == day and one.remaining > 0 and code in {"", one.code}
        ]

    def _set_aside(self, order: VenueOrder) -> Decimal:
        return order.remaining * order.reserve * (1 + self.owner.fee)

    def _check_means(self, order: VenueOrder) -> None:
        if order.side is Side.SELL:
            if order.quantity > self.sellable(order.code):
                held = self.holdings.get(order.code)
                if self.is_virtual and (held is None or not held.quantity):
                    raise Refusal("40240000", "모의투자 잔고내역이 없습니다.")
                raise Refusal("APBK0400", "주문 가능한 수량을 초과했습니다.")
        elif self._set_aside(order) > self.power:
            raise Refusal("APBK0952", "주문가능금액을 초과 했습니다")

    def _check_price(self, division: str, price: Decimal, instrument: Instrument) -> Decimal:
        base = self.bases.get(instrument.code) or self.price(instrument.code)
        return reserve_of(division, price, base, instrument)

    def _check_session(self, division: str, instrument: Instrument) -> None:
        codes = self._codes_now()
        if division not in codes or (codes is AFTER_MARKET and instrument.kind is not Kind.STOCK):
            raise Refusal("APBK0918", "장운영시간이 아닙니다.")

    def _codes_now(self) -> frozenset[str]:
        now = self.now()
        window = self.calendar.window(now.astimezone(KST).date())
        if window is None:
            raise Refusal("40100000", "모의투자 영업일이 아닙니다.")
        if window.open - OPENS_EARLY <= now < window.close:
            return REGULAR
        is_after = AFTER_BEGINS <= now - window.close < AFTER_ENDS
        return AFTER_MARKET if is_after else frozenset()

    def _is_trading(self, order: VenueOrder) -> bool:
        window = self.calendar.window(self.now().astimezone(KST).date())
        return window is not None and order.division in self._codes_now()

    def _check_exchange(self, body: Mapping[str, Any]) -> None:
        if body.get("EXCG_ID_DVSN_CD") != "KRX":
            raise Refusal("APBK5001", "거래소구분을 확인하여 주십시오.")

    def _instrument(self, body: Mapping[str, Any]) -> Instrument:
        code = str(body.get("PDNO"))
        found = next((one for one in self.instruments if one.code == code), None)
        if found is None:
            raise Refusal("APBK0656", "해당 종목 정보가 없습니다.")
        return found

    def _known(self, code: str) -> Instrument:
        return self._instrument({"PDNO": code})

    def _today(self) -> str:
        return f"{self.now().astimezone(KST):%Y%m%d}"
