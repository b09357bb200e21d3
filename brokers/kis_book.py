"""What we know of our own orders at KIS, kept in the store: the client ids that KIS has none of.

An order is written down before it is posted, its number once the answer came. Fills are made here
out of the growing counts that KIS tells, in a row of their own whose numbers never go back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from market.orders import Fill, Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from market.store import Transaction
    from market.types import InstrumentId

_FILLS = "kis/fills"
_FILL = "kis/fill/"


class Stage(StrEnum):
    """How much is known of what became of a sending."""

    SENDING = "sending"
    """Written down; the answer is not, or not yet, known."""
    NUMBERED = "numbered"
    """KIS has it under a number."""
    REFUSED = "refused"
    """Certainly not executed."""
    ABSENT = "absent"
    """Looked for in the whole list of the day, long after, and not found."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An order as it went out. `day` is KIS's; `over_at` is when we stopped waiting for an answer.

    `told_quantity`, `told_amount` and `told_cost` sum up the fills that were made of it so far.
    `parent` is the number of the order whose rest it takes over. What had traded of an order made
    elsewhere before it became ours is in `told_` and in `before_`: no fill is made of it.
    `trigger` makes it a stop.
    """

    client_id: str
    order_id: str
    instrument: InstrumentId
    side: Side
    quantity: Decimal
    price: Decimal | None
    division: str
    day: str
    sent_at: datetime
    stage: Stage = Stage.SENDING
    over_at: datetime | None = None
    branch: str = ""
    number: str = ""
    parent: str = ""
    is_cancel_taken: bool = False
    is_estimated: bool = False
    told_quantity: Decimal = Decimal(0)
    told_amount: Decimal = Decimal(0)
    told_cost: Decimal = Decimal(0)
    before_quantity: Decimal = Decimal(0)
    before_amount: Decimal = Decimal(0)
    trigger: Decimal | None = None
    exchange: str = "KRX"

    @property
    def broker_id(self) -> str:
        """Return the number under which a person finds it, with its branch."""
        return f"{self.branch}-{self.number}"

    @property
    def is_settled(self) -> bool:
        """Tell whether it is certain that KIS does not have it."""
        return self.stage in {Stage.REFUSED, Stage.ABSENT}

    @property
    def remaining(self) -> Decimal:
        """Return what no fill was made of."""
        return self.quantity - self.told_quantity


class KisBook:
    """The book of one server (real or virtual) within one transaction."""

    def __init__(self, tx: Transaction, server: str) -> None:
        self._documents = tx.documents
        self._order = f"kis/{server}/order/"
        self._watched = f"kis/{server}/watched/"
        self._number = f"kis/{server}/number/"

    def get(self, client_id: str) -> Sent | None:
        """Return what was sent under a client id."""
        value = self._documents.get(self._order + client_id)
        return None if value is None else _sent(value)

    def put(self, sent: Sent) -> None:
        """Keep it as it is now."""
        self._documents.put(self._order + sent.client_id, _written(sent))
        if sent.number:
            self._documents.put(self._numbered(sent.day, sent.number), {"client": sent.client_id})

    def watch(self, client_id: str) -> None:
        """Ask for its fills from now on."""
        self._documents.put(self._watched + client_id, {})

    def unwatch(self, client_id: str) -> None:
        """Ask no more for fills: there can be none."""
        self._documents.delete(self._watched + client_id)

    def watched(self) -> list[Sent]:
        """Return what may still trade, or may be at KIS, oldest first."""
        names = [key.removeprefix(self._watched) for key, _ in self._documents.items(self._watched)]
        found = [sent for name in names if (sent := self.get(name)) is not None]
        return sorted(found, key=lambda sent: (sent.sent_at, sent.client_id))

    def of_day(self, day: str) -> list[Sent]:
        """Return all that has a number of a day."""
        found = (self.get(client_id) for client_id in self.owners(day).values())
        return [sent for sent in found if sent is not None]

    def owners(self, day: str) -> dict[str, str]:
        """Return the client id of every number of a day that is ours."""
        prefix = self._numbered(day, "")
        found = self._documents.items(prefix)
        return {key.removeprefix(prefix): str(value["client"]) for key, value in found}

    def trade(self, sent: Sent, quantity: Decimal, price: Decimal, more: Traded) -> Fill:
        """Make a fill of what traded since the last one, and count it."""
        fill = Fill(
            id=self._next_id(),
            order_id=sent.order_id,
            instrument=sent.instrument,
            side=sent.side,
            quantity=quantity,
            price=price,
            cost=more.cost - sent.told_cost,
            at=more.at,
        )
        self._documents.put(_FILL + fill.id, _written(fill))
        self.put(
            replace(
                sent,
                told_quantity=sent.told_quantity + quantity,
                told_amount=more.amount,
                told_cost=more.cost,
            )
        )
        return fill

    def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, oldest first."""
        found = self._documents.items(_FILL, _FILL + after if after else "")
        return [_fill(value) for _, value in found]

    def _next_id(self) -> str:
        """Return an id after all others; a paper broker's and other numbers come before it."""
        kept = self._documents.get(_FILLS)
        count = 1 if kept is None else int(kept["count"]) + 1
        self._documents.put(_FILLS, {"count": count})
        return f"kis-{count:012d}"

    def _numbered(self, day: str, number: str) -> str:
        return f"{self._number}{day}/{number}"


@dataclass(frozen=True, slots=True)
class Traded:
    """What an order has traded in all: the amount, its cost, and when that was told."""

    amount: Decimal
    cost: Decimal
    at: datetime


def _written(value: Sent | Fill) -> dict[str, Any]:
    return {name: _plain(item) for name, item in asdict(value).items()}


def _plain(item: Any) -> Any:
    if isinstance(item, datetime):
        return to_ms(item)
    return item if item is None or isinstance(item, bool) else str(item)


_READERS: dict[str, Any] = {
    "side": Side,
    "stage": Stage,
    "sent_at": from_ms,
    "over_at": from_ms,
    "at": from_ms,
    "is_cancel_taken": bool,
    "is_estimated": bool,
    **dict.fromkeys(
        (
            *("quantity", "price", "cost", "told_quantity", "told_amount", "told_cost"),
            *("before_quantity", "before_amount", "trigger"),
        ),
        Decimal,
    ),
}


def _sent(value: dict[str, Any]) -> Sent:
    return Sent(**_read(Sent, value))


def _fill(value: dict[str, Any]) -> Fill:
    return Fill(**_read(Fill, value))


def _read(shape: type[Sent | Fill], value: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for field in fields(shape):
        if field.name not in value:  # written before there was such a field
            continue
        item = value[field.name]
        found[field.name] = None if item is None else _READERS.get(field.name, str)(item)
    return found
