"""The money that we expect at a broker against what it tells: an agreed amount, and what moved it.

A difference stops nothing. Deposits, dividends, interest, fees and funding move money without any
order, so it says nothing of our orders; those are compared as positions and as open orders. It is
told, because what it means only a person knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.risk_case import shown
from market.currency import KRW, currency_of, purse_of
from market.orders import Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from market.orders import Account, Fill
    from market.store import Transaction

ROUNDING = {KRW: Decimal(10)}
"""By so much a venue's own rounding of one trade's money and costs may differ from ours."""
ROUNDING_ELSE = Decimal("0.01")
SURE_AFTER = timedelta(seconds=50)
"""So long the same difference must have lasted: a trade may be in one list before the other."""
SURE_AFTER_MOVING = timedelta(minutes=5)
"""The same while an order of ours is on its way."""
TOLD_AGAIN = timedelta(days=1)
"""A difference that has been told is told again after this at the soonest, if it has changed."""

_MOVED = "cash/moved/"
_AGREED = "cash/agreed/"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Moved:
    """What fills have moved of the money, since ever: what was paid is below 0."""

    amount: Decimal = ZERO
    costs: Decimal = ZERO
    count: int = 0

    def __add__(self, other: Moved) -> Moved:
        return Moved(self.amount + other.amount, self.costs + other.costs, self.count + other.count)

    def __sub__(self, other: Moved) -> Moved:
        return Moved(self.amount - other.amount, self.costs - other.costs, self.count - other.count)


@dataclass(frozen=True, slots=True)
class CashBook:
    """What an account held when both books last agreed, and what had `moved` by then.

    `total` is what has moved by the last look. `off` is by how much the broker tells more than we
    expect since `since`, None while it agrees; `told` is the difference that the owner was told of,
    at `told_at`.
    """

    broker: str
    currency: str
    purse: str
    cash: Decimal
    moved: Moved
    total: Moved
    off: Decimal | None = None
    since: datetime | None = None
    told: Decimal | None = None
    told_at: datetime | None = None

    @property
    def expected(self) -> Decimal:
        """Return what we expected at the last look."""
        return self.cash + (self.total - self.moved).amount

    @property
    def facts(self) -> dict[str, str]:
        """Return both numbers for people."""
        off = self.off or ZERO
        return {
            "account": " ".join(word for word in (self.broker, self.purse) if word),
            "currency": self.currency,
            "ours": shown(self.expected),
            "theirs": shown(self.expected + off),
            "off": f"{'+' if off > 0 else ''}{shown(off)}",
        }


def note_moved(tx: Transaction, broker: str, fill: Fill) -> None:
    """Count what a fill has moved, within the transaction that takes it."""
    worth = fill.quantity * fill.price
    amount = -worth - fill.cost if fill.side is Side.BUY else worth - fill.cost
    key = f"{_MOVED}{broker}/{currency_of(fill.instrument)}/{purse_of(fill.instrument)}"
    after = _moved(tx.documents.get(key)) + Moved(amount, fill.cost, 1)
    tx.documents.put(key, _written(after))


def compare_cash(
    tx: Transaction, broker: str, account: Account, now: datetime, *, is_moving: bool
) -> tuple[str, CashBook]:
    """Take what a broker tells of an account; return what to tell of it, "" for nothing.

    `is_moving`: an order of ours that it pays for is on its way.
    """
    total = _total(tx, broker, account)
    agreed = CashBook(broker, account.currency, account.purse, account.cash, total, total)
    known = _read(tx, broker, account)
    if known is None:  # the first look: there is nothing to expect yet
        return "", _put(tx, agreed)
    seen = replace(known, total=total)
    off = account.cash - seen.expected
    if _explains(total - known.moved, account.currency, off):
        is_same = (known.cash, known.moved, known.off) == (agreed.cash, agreed.moved, None)
        code = "" if known.told is None else "notice.cash_over"
        return code, known if is_same else _put(tx, agreed)
    seen = replace(seen, off=off, since=known.since if off == known.off else now)
    if seen != known:
        _put(tx, seen)
    return _tell(tx, seen, now, SURE_AFTER_MOVING if is_moving else SURE_AFTER)


def agree(tx: Transaction, one: CashBook) -> CashBook:
    """Take the broker's number as agreed: what is to come is counted from there."""
    cash = one.expected + (one.off or ZERO)
    return _put(tx, CashBook(one.broker, one.currency, one.purse, cash, one.total, one.total))


def differing(tx: Transaction) -> list[CashBook]:
    """Return the accounts of whose money the owner was told that it differs, and still does.

    What has only just been seen may be a trade whose fill is on its way.
    """
    found = [_book(key, value) for key, value in tx.documents.items(_AGREED)]
    return [one for one in found if one.off is not None and one.told is not None]


def _tell(
    tx: Transaction, known: CashBook, now: datetime, patience: timedelta
) -> tuple[str, CashBook]:
    is_sure = known.since is not None and now - known.since >= patience
    is_due = known.told_at is None or now - known.told_at >= TOLD_AGAIN
    if not is_sure or known.off == known.told or not is_due:
        return "", known
    return "notice.cash", _put(tx, replace(known, told=known.off, told_at=now))


def _explains(moved: Moved, currency: str, off: Decimal) -> bool:
    """Tell whether rounding explains a difference, or costs that were paid in something else.

    A fee in BNB is a cost to us, but takes no USDT.
    """
    # a venue also rounds what it works out at every look, such as the worth of a position
    slack = ROUNDING.get(currency, ROUNDING_ELSE) * max(moved.count, 1)
    return -slack <= off <= moved.costs + slack


def _total(tx: Transaction, broker: str, account: Account) -> Moved:
    """Return what the fills have moved that an account pays for; without a name, all of them."""
    prefix = f"{_MOVED}{broker}/{account.currency}/"
    total = Moved()
    for key, value in tx.documents.items(prefix):
        if account.purse in {"", key.removeprefix(prefix)}:
            total += _moved(value)
    return total


def _read(tx: Transaction, broker: str, account: Account) -> CashBook | None:
    key = f"{_AGREED}{broker}/{account.currency}/{account.purse}"
    value = tx.documents.get(key)
    return None if value is None else _book(key, value)


def _put(tx: Transaction, one: CashBook) -> CashBook:
    value = {
        "cash": str(one.cash),
        "moved": _written(one.moved),
        "off": None if one.off is None else str(one.off),
        "total": _written(one.total),
        "since": None if one.since is None else to_ms(one.since),
        "told": None if one.told is None else str(one.told),
        "told_at": None if one.told_at is None else to_ms(one.told_at),
    }
    tx.documents.put(f"{_AGREED}{one.broker}/{one.currency}/{one.purse}", value)
    return one


def _book(key: str, value: Mapping[str, Any]) -> CashBook:
    broker, currency, purse = key.removeprefix(_AGREED).split("/")
    return CashBook(
        broker=broker,
        currency=currency,
        purse=purse,
        cash=Decimal(value["cash"]),
        moved=_moved(value["moved"]),
        off=None if value["off"] is None else Decimal(value["off"]),
        total=_moved(value["total"]),
        since=None if value["since"] is None else from_ms(int(value["since"])),
        told=None if value["told"] is None else Decimal(value["told"]),
        told_at=None if value["told_at"] is None else from_ms(int(value["told_at"])),
    )


def _written(one: Moved) -> dict[str, Any]:
    return {"amount": str(one.amount), "costs": str(one.costs), "count": one.count}


def _moved(value: Mapping[str, Any] | None) -> Moved:
    if value is None:
        return Moved()
    return Moved(Decimal(value["amount"]), Decimal(value["costs"]), int(value["count"]))
