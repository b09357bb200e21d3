"""What a replay came to: a table of signals and orders, beside what had fired live."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from bot import render_numbers as numbers
from bot.console import counted
from bot.texts import Texts
from market.currency import KRW, currency_of
from market.errors import StoreError
from market.orders import OrderState
from market.sessions import KST
from market.store import Store
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.app import App
    from bot.replay_plan import Plan
    from config.load import Config
    from market.directory import Directory
    from market.orders import Order
    from market.signals import Signal
    from market.store import Transaction

SAME, ONLY_LIVE, ONLY_REPLAY, UNKNOWN = "same", "only live", "only replay", "-"
HEADER = ("time", "condition", "instrument", "price", "order", "live")


@dataclass(frozen=True, slots=True)
class Line:
    """A signal, the order that it called for in words, and where it fired."""

    signal: Signal
    order: str
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    """All signals in order of time; `notes` say what else there is to know."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    def count(self, where: str) -> int:
        """Return how many signals fired there."""
        return sum(line.where == where for line in self.lines)

    def rows(self, directory: Directory) -> list[str]:
        """Return the report as lines of text."""
        cells = [_cells(line, directory) for line in self.lines]
        summary = ", ".join(
            f"{self.count(where)} {where}"
            for where in (SAME, ONLY_LIVE, ONLY_REPLAY)
            if self.count(where)
        )
        total = counted(len(self.lines), "signal") + (f": {summary}" if summary else "")
        return [*(_table([HEADER, *cells]) if cells else []), total, *self.notes]


async def report_of(
    app: App, config: Config, plan: Plan, since: time | None = None, until: time | None = None
) -> Report:
    """Compare what the replay stored with what the live database holds of the same bars."""
    span = _span(plan)
    replayed = await app.store.read(lambda tx: _signals(tx, span))
    orders = await app.store.read(lambda tx: tx.orders.since(plan.began))
    notes = [f"lost of the record: {loss}" for loss in plan.losses]
    live: list[Signal] | None = None
    try:
        with Store.read_only(config.settings.store.path) as store:
            live = store.read(lambda tx: _signals(tx, span))
    except StoreError as error:
        notes.append(f"not compared with what fired live: {error}")
    texts = Texts.load()
    lines = _compared(replayed, live, {one.signal_id: _words(one, texts) for one in orders})
    return Report(tuple(line for line in lines if _is_shown(line, since, until)), tuple(notes))


def _span(plan: Plan) -> tuple[datetime, datetime]:
    """Return the stretch of bars that a replay judges: whole days in Korea."""
    first = plan.began.astimezone(KST).date()
    last = plan.steps[-1][0] + timedelta(minutes=1)
    return datetime.combine(first, time(), KST), last


def _signals(tx: Transaction, span: tuple[datetime, datetime]) -> list[Signal]:
    return [one for timeframe in Timeframe for one in tx.signals.of_bars(timeframe, *span)]


def _compared(
    replayed: Sequence[Signal], live: Sequence[Signal] | None, orders: dict[str | None, str]
) -> list[Line]:
    here = {_key(one): one for one in replayed}
    there = {} if live is None else {_key(one): one for one in live}
    found = []
    for key, signal in {**there, **here}.items():
        where = SAME if key in there and key in here else ONLY_LIVE
        if key not in there:
            where = UNKNOWN if live is None else ONLY_REPLAY
        found.append(Line(signal, orders.get(signal.id, ""), where))
    return sorted(found, key=lambda one: (one.signal.fired_at, _key(one.signal)))


def _key(signal: Signal) -> tuple[str, str, str, datetime]:
    """Return what makes two signals the same: an edited condition is compared with its old self."""
    return signal.condition, signal.instrument, signal.timeframe.value, signal.bar_start


def _is_shown(line: Line, since: time | None, until: time | None) -> bool:
    at = line.signal.fired_at.astimezone(KST).time()
    return (since is None or at >= since) and (until is None or at < until)


def _words(order: Order, texts: Texts) -> str:
    """Return an order in words, with why it was denied; nobody is there to confirm one."""
    size = f"{order.action} {order.quantity.normalize():,f}"
    if order.state is not OrderState.DENIED:
        return size
    why = texts.plain(order.code, "en") if texts.has(order.code) else order.code
    return f"{size}, denied: {why.rstrip('.')}"


def _cells(line: Line, directory: Directory) -> tuple[str, ...]:
    signal = line.signal
    late = " late" if signal.is_late else ""
    return (
        f"{signal.fired_at.astimezone(KST):%m-%d %H:%M:%S}{late}",
        signal.condition,
        f"{directory.name(signal.instrument)} ({signal.instrument})",
        _price(signal),
        line.order,
        line.where,
    )


def _price(signal: Signal) -> str:
    is_won = currency_of(signal.instrument) == KRW
    return numbers.price(signal.price) if is_won else numbers.coin_price(signal.price)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows with their columns under each other, Korean names being twice as wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
        room = " " * (width - _width(cell))
        yield room + cell if HEADER[number] == "price" else cell + room


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
