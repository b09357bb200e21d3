"""What is paused and whether everything is halted, kept so that a restart changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.trading import CONDITION, TradingState
from market.orders import Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from market.orders import Order
    from market.store import Transaction
    from market.types import InstrumentId

_KEY = "trading"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pause is about: "" and None stand for all of them.

    `venue` is a market's name, `condition` a condition's, `side` what is not traded.
    """

    venue: str = ""
    condition: str = ""
    instrument: InstrumentId = ""
    side: Side | None = None

    def covers(self, order: Order) -> bool:
        """Tell whether an order of either side belongs to it."""
        venue = order.instrument.partition(":")[0]
        return (
            self.venue in {"", venue}
            and self.instrument in {"", order.instrument}
            and (not self.condition or order.origin == f"{CONDITION}{self.condition}")
        )

    def lies_within(self, other: Scope) -> bool:
        """Tell whether all that it is about belongs to another scope."""
        venue = self.venue or self.instrument.partition(":")[0]
        return (
            other.venue in {"", venue}
            and other.condition in {"", self.condition}
            and other.instrument in {"", self.instrument}
            and other.side in {None, self.side}
        )

    @property
    def words(self) -> str:
        """Return the names in it, "" where it is about everything."""
        return " ".join(word for word in (self.venue, self.instrument, self.condition) if word)


EVERYTHING = Scope()
BUYS = Scope(side=Side.BUY)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause by somebody since `at` (wall clock), `until` a market time or somebody resumes."""

    scope: Scope
    user_id: int
    at: datetime
    until: datetime | None = None

    def is_over(self, market_now: datetime) -> bool:
        """Tell whether its time has come."""
        return self.until is not None and market_now >= self.until


@dataclass(frozen=True, slots=True)
class Halt:
    """Everything is halted, by somebody since `at` (wall clock)."""

    user_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Trading:
    """What holds orders back as people have wished it."""

    pauses: tuple[Pause, ...] = ()
    halt: Halt | None = None

    @property
    def state(self) -> TradingState:
        """Return the state in a word: halted, paused (anything at all) or active."""
        if self.halt is not None:
            return TradingState.HALTED
        return TradingState.PAUSED if self.pauses else TradingState.ACTIVE

    def states_of(self, order: Order) -> frozenset[TradingState]:
        """Return all that holds for an order."""
        states = {TradingState.ACTIVE}
        if self.halt is not None:
            states.add(TradingState.HALTED)
        for pause in self.pauses:
            if pause.scope.covers(order):
                states |= _STATES[pause.scope.side]
        return frozenset(states)

    def paused(self, pause: Pause) -> Trading:
        """Return it with one pause more, in place of one of the same scope."""
        others = tuple(one for one in self.pauses if one.scope != pause.scope)
        return replace(self, pauses=(*others, pause))

    def resumed(self, scope: Scope) -> Trading:
        """Return it without the pauses that lie within a scope."""
        kept = tuple(one for one in self.pauses if not one.scope.lies_within(scope))
        return replace(self, pauses=kept)


_STATES = {
    Side.BUY: {TradingState.PAUSED},
    Side.SELL: {TradingState.SALES_PAUSED},
    None: {TradingState.PAUSED, TradingState.SALES_PAUSED},
}


def read_trading(tx: Transaction, market_now: datetime) -> Trading:
    """Return what is kept, without the pauses that are over by now."""
    kept = read_kept(tx)
    return replace(kept, pauses=tuple(one for one in kept.pauses if not one.is_over(market_now)))


def read_kept(tx: Transaction) -> Trading:
    """Return what is kept; nothing holds back if nobody ever paused."""
    value = tx.documents.get(_KEY)
    if value is None:
        return Trading()
    if "state" in value:  # as it was kept before pauses had a scope
        pause = Pause(BUYS, int(value["user_id"]), from_ms(int(value["at"])))
        return Trading((pause,)) if value["state"] == TradingState.PAUSED else Trading()
    halt = value["halt"]
    return Trading(
        pauses=tuple(_pause(one) for one in value["pauses"]),
        halt=None if halt is None else Halt(int(halt["user_id"]), from_ms(int(halt["at"]))),
    )


def write_trading(tx: Transaction, trading: Trading) -> None:
    """Keep it, with who wished it and when."""
    halt = trading.halt
    value = {
        "pauses": [_written(one) for one in trading.pauses],
        "halt": None if halt is None else {"user_id": halt.user_id, "at": to_ms(halt.at)},
    }
    tx.documents.put(_KEY, value)


def _written(pause: Pause) -> dict[str, Any]:
    scope = pause.scope
    return {
        "venue": scope.venue,
        "condition": scope.condition,
        "instrument": scope.instrument,
        "side": None if scope.side is None else scope.side.value,
        "user_id": pause.user_id,
        "at": to_ms(pause.at),
        "until": None if pause.until is None else to_ms(pause.until),
    }


def _pause(value: dict[str, Any]) -> Pause:
    side, until = value["side"], value["until"]
    return Pause(
        Scope(
            venue=value["venue"],
            condition=value["condition"],
            instrument=value["instrument"],
            side=None if side is None else Side(side),
        ),
        user_id=int(value["user_id"]),
        at=from_ms(int(value["at"])),
        until=None if until is None else from_ms(int(until)),
    )
