"""Orders on their way to KIS: written down, posted once, and numbered when the answer comes."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from brokers.kis_book import KisBook, Sent, Stage
from brokers.kis_codes import (
    Transactions,
    division_of,
    phases,
    place_transaction,
    transactions,
)
from brokers.kis_rows import day_text, number_of
from brokers.kis_stops import STOP_LIMIT, stop_prices
from market.errors import ConfigError, OrderRejected, OutcomeUnknown, Problem, StoreError
from market.orders import Side
from market.phases import REGULAR, phase_at
from market.sessions import KST
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from brokers.broker import BrokerParts
    from brokers.kis_reads import KisReads
    from brokers.kis_sending import KisSending
    from market.clock import Clock
    from market.orders import Order
    from market.phases import Phase
    from market.sessions import Calendar
    from market.store import Store, Transaction

logger = logging.getLogger(__name__)

Row = dict[str, Any]

_CODE = re.compile(r"KRX:([0-9A-Z]{6,7})")
EXCHANGE = "KRX"
"""NXT and SOR have other codes and hours, and are used only where somebody asks for them: nobody
can yet."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Which server, which account (its eight digits and its two), and by which clocks."""

    server: str
    account: str
    services: Transactions
    wall_clock: Clock
    market_clock: Clock
    calendar: Calendar
    phases: frozenset[Phase] = REGULAR

    def __repr__(self) -> str:
        """Show the server only: accounts are nobody else's business."""
        return f"Desk({self.server})"


def desk_of(parts: BrokerParts) -> Desk:
    """Return what the settings say; ConfigError names the variables that are missing."""
    settings = parts.settings.kis
    needed = {
        "TICKTALK_KIS_APP_KEY": settings.app_key,
        "TICKTALK_KIS_APP_SECRET": settings.app_secret,
        "TICKTALK_KIS_ACCOUNT": settings.account,
    }
    missing = [name for name, value in needed.items() if value is None]
    if missing or settings.account is None:
        raise ConfigError(
            tuple(Problem.about(name, "set it in .env to trade at kis") for name in missing)
        )
    return Desk(
        server="virtual" if settings.is_virtual else "real",
        account=settings.account.get_secret_value().replace("-", ""),
        services=transactions(is_virtual=settings.is_virtual),
        wall_clock=parts.wall_clock,
        market_clock=parts.market_clock,
        calendar=parts.calendars[Venue.KRX],
        phases=phases(settings),
    )


class KisPlacing:
    """Posts orders, changes and cancels of one account; `in_flight` are those being posted now."""

    def __init__(self, store: Store, sending: KisSending, reads: KisReads, desk: Desk) -> None:
        self._store = store
        self._sending = sending
        self._reads = reads
        self._desk = desk
        self.in_flight: set[str] = set()

    async def place(self, order: Order) -> str:
        """Send an order and return its number."""
        desk = self._desk
        phase = phase_at(Venue.KRX, desk.calendar, desk.market_clock.now())
        division = division_of(order.price, phase, desk.phases)
        return await self._order(order, self._sent(order, division))

    async def place_stop(self, order: Order, trigger: Decimal) -> str:
        """Send a stop for the regular session at hand and return its number."""
        code_of(order)
        level, limit = await self._store.read(lambda tx: stop_prices(tx, order, trigger))
        sent = replace(self._sent(order, STOP_LIMIT), price=limit, trigger=level)
        return await self._order(order, sent)

    async def _order(self, order: Order, sent: Sent) -> str:
        body = {
            "PDNO": code_of(order),
            "ORD_DVSN": sent.division,
            "ORD_QTY": _whole(sent.quantity, "quantity"),
            "ORD_UNPR": "0" if sent.price is None else _whole(sent.price, "price"),
            "EXCG_ID_DVSN_CD": EXCHANGE,
        }
        if order.side is Side.SELL:
            body["SLL_TYPE"] = "01"
        if sent.trigger is not None:
            body["CNDT_PRIC"] = _whole(sent.trigger, "price")
        service = place_transaction(self._desk.services, order.side)
        return await self._post("order-cash", service, body, sent)

    async def revise(self, order: Order, by: Order) -> str:
        """Let `by` take over what is left of an order, at its price; return the new number.

        KIS numbers the rest anew; the old order ends with what it has traded.
        """
        old = await self._known(order)
        body = {
            "ORD_DVSN": old.division,
            "RVSE_CNCL_DVSN_CD": "01",
            "ORD_QTY": "0",
            "ORD_UNPR": "0" if by.price is None else _whole(by.price, "price"),
            **original(old.branch, old.number, old.exchange),
        }
        sent = replace(self._sent(by, old.division), parent=old.number)
        return await self._post("order-rvsecncl", self._desk.services.change, body, sent)

    async def cancel(self, order: Order) -> None:
        """Ask to cancel what is left; that KIS took it does not mean yet that it is cancelled."""
        old = await self._known(order)
        await self.cancel_original(old.division, original(old.branch, old.number, old.exchange))
        await self._note(old.client_id, is_cancel_taken=True)

    async def cancel_original(self, division: str, named: Mapping[str, str]) -> None:
        """Ask to cancel what is left of an order, whoever made it; `named` as by `original`."""
        body = {
            "ORD_DVSN": division,
            "RVSE_CNCL_DVSN_CD": "02",
            "ORD_QTY": "0",
            "ORD_UNPR": "0",
            **named,
        }
        token = await self._sending.token()
        await self._reads.turn()
        await self._send("order-rvsecncl", self._desk.services.change, token, body)

    async def _post(self, name: str, service: str, body: Mapping[str, str], sent: Sent) -> str:
        token = await self._sending.token()
        await self._reads.turn()
        sent = self._dated(sent)
        self.in_flight.add(sent.client_id)
        try:
            await self._store.write(lambda tx: self._claim(tx, sent))
            try:
                fields = await self._send(name, service, token, body)
            except OrderRejected:
                await self._note(sent.client_id, stage=Stage.REFUSED)
                raise
            except OutcomeUnknown:
                await self._note(sent.client_id, over_at=self._desk.wall_clock.now())
                raise
            return await self._number(sent, fields)
        finally:
            self.in_flight.discard(sent.client_id)

    async def _send(self, name: str, service: str, token: str, body: Mapping[str, str]) -> Row:
        account = self._desk.account
        whose = {"CANO": account[:8], "ACNT_PRDT_CD": account[8:]}
        return await self._sending.post(name, service, token, {**whose, **body})

    async def _known(self, order: Order) -> Sent:
        """Return what was sent for an order; without its number there is nothing to change."""
        sent = await self._store.read(lambda tx: self._book(tx).get(order.client_order_id))
        if sent is None or not sent.number:
            raise OrderRejected("unknown_order", f"order {order.id} has no number at kis")
        return sent

    def _claim(self, tx: Transaction, sent: Sent) -> None:
        """Write an order down, once: the client id that KIS does not know is refused here.

        What KIS has certainly refused may be sent again.
        """
        book = self._book(tx)
        kept = book.get(sent.client_id)
        if kept is not None and kept.stage is not Stage.REFUSED:
            raise OrderRejected("duplicate", f"{sent.client_id} was sent to kis already")
        book.put(sent)
        book.watch(sent.client_id)

    async def _number(self, sent: Sent, fields: Row) -> str:
        output = fields.get("output")
        row = output if isinstance(output, dict) else {}
        number, branch = number_of(row.get("ODNO")), str(row.get("KRX_FWDG_ORD_ORGNO") or "")
        if not number:
            await self._note(sent.client_id, over_at=self._desk.wall_clock.now())
            raise OutcomeUnknown("unanswered", "kis took the order and told no number")
        numbered = replace(sent, stage=Stage.NUMBERED, number=number, branch=branch.strip())
        try:
            await self._store.write(lambda tx: self._book(tx).put(numbered))
        except StoreError as error:
            raise OutcomeUnknown("unkept", f"the order's number is not kept: {error}") from error
        return numbered.broker_id

    async def _note(self, client_id: str, **changes: Any) -> None:
        """Keep what we learned; if that cannot be, the list of the day will tell it again."""

        def change(tx: Transaction) -> None:
            book = self._book(tx)
            kept = book.get(client_id)
            if kept is None:
                return
            changed = replace(kept, **changes)
            book.put(changed)
            if changed.is_settled:
                book.unwatch(client_id)

        try:
            await self._store.write(change)
        except StoreError as error:
            logger.warning("what became of %s could not be kept: %s", client_id, error)

    def _dated(self, sent: Sent) -> Sent:
        """Return it as sent now, after all waiting."""
        now = self._desk.wall_clock.now()
        return replace(sent, sent_at=now, day=day_text(now.astimezone(KST).date()))

    def _sent(self, order: Order, division: str) -> Sent:
        now = self._desk.wall_clock.now()
        return Sent(
            client_id=order.client_order_id,
            order_id=order.id,
            instrument=order.instrument,
            side=order.side,
            quantity=order.quantity,
            price=order.price,
            division=division,
            day=day_text(now.astimezone(KST).date()),
            sent_at=now,
        )

    def _book(self, tx: Transaction) -> KisBook:
        return KisBook(tx, self._desk.server)


def original(branch: str, number: str, exchange: str) -> dict[str, str]:
    """Return the fields that name an order to be changed or cancelled, where it was sent to."""
    return {
        "KRX_FWDG_ORD_ORGNO": branch,
        "ORGN_ODNO": number,
        "QTY_ALL_ORD_YN": "Y",
        "EXCG_ID_DVSN_CD": exchange,
    }


def code_of(order: Order) -> str:
    """Return KIS's code of what an order trades; OrderRejected for another venue's."""
    match = _CODE.fullmatch(order.instrument)
    if match is None:
        raise OrderRejected("unknown_instrument", f"kis trades KRX, not {order.instrument}")
    return match[1]


def _whole(amount: Decimal, what: str) -> str:
    if amount <= 0 or amount != amount.to_integral_value():
        raise OrderRejected(what, f"{amount} is not a whole {what} above zero")
    return str(int(amount))
