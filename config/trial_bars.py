"""Reads the bars of a condition's test: slot by slot, in the notation of bar_series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from config.bar_series import Absence, read_series
from config.fields import Fields
from config.strict_yaml import MapNode

if TYPE_CHECKING:
    from config.bar_series import Placed
    from config.strict_yaml import Located, Node
    from market.errors import Problem

BARS_KEYS = ("close", "open", "high", "low", "volume", "value")


@dataclass(frozen=True, slots=True)
class TrialBar:
    """The bar of one slot; without prices of its own it is flat, its value is close x volume."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float


Slot: TypeAlias = TrialBar | Absence


def read_bars(node: Node, problems: list[Problem]) -> tuple[Slot, ...]:
    """Return the bars that a mapping writes; where they cannot be, the problems get it and ()."""
    return bars_of(Fields(node, BARS_KEYS, problems), node)


def bars_of(bars: Fields, node: Node) -> tuple[Slot, ...]:
    """Return the bars among the keys of a mapping that may have other keys, too."""
    problems = bars.problems
    written = {key: bars.optional_text(key) for key in BARS_KEYS}
    if isinstance(node, MapNode) and bars.node("close") is None:
        problems.append(node.problem("key 'close' is missing in the bars"))
    lines = {
        key: _Line(key, located, read_series(located, problems), problems)
        for key, located in written.items()
        if located is not None
    }
    close = lines.get("close")
    fitting = [close is not None and line.fits(close) for line in lines.values()]
    if close is None or not all(fitting):
        return ()
    return tuple(_slot_of(lines, place) for place in range(len(close.slots)))


@dataclass(frozen=True, slots=True)
class _Line:
    """One field of the bars, as written and slot by slot."""

    key: str
    located: Located
    slots: tuple[Placed, ...]
    problems: list[Problem]

    def at(self, place: int) -> Placed:
        return self.slots[place if len(self.slots) > 1 else 0]

    def fits(self, close: _Line) -> bool:
        """Tell whether the line can be laid beside the closes, after noting it where not."""
        if not self.slots or not close.slots:
            return False
        if len(self.slots) not in {1, len(close.slots)}:
            count = f"'{self.key}' has {len(self.slots)} slots, 'close' has {len(close.slots)}"
            self.problems.append(self.located.problem(f"{count}; a single number is for all"))
            return False
        return all(self._fits_at(close, place) for place in range(len(close.slots)))

    def _fits_at(self, close: _Line, place: int) -> bool:
        (own, offset), (price, _) = self.at(place), close.at(place)
        is_bar = not isinstance(price, Absence)
        if isinstance(own, Absence):
            message = f"'{self.key}' of slot {place} is missing, but its close is given"
            return not is_bar or self._refuse(message, offset)
        if not is_bar and len(self.slots) > 1:
            return self._refuse(f"slot {place} has no close; write {price} here too", offset)
        if own <= 0 and self.key != "value":
            return self._refuse(f"'{self.key}' must be more than 0; write _ for no trade", offset)
        if own < 0:
            return self._refuse(f"'{self.key}' must be 0 or more", offset)
        return True

    def _refuse(self, message: str, offset: int) -> bool:
        self.problems.append(self.located.problem(message, offset))
        return False


def _slot_of(lines: dict[str, _Line], place: int) -> Slot:
    close, _ = lines["close"].at(place)
    if isinstance(close, Absence):
        return close
    given = {key: float(line.at(place)[0]) for key, line in lines.items()}
    opening = given.get("open", close)
    volume = given.get("volume", 1.0)
    bar = TrialBar(
        opening,
        given.get("high", max(opening, close)),
        given.get("low", min(opening, close)),
        close,
        volume,
        given.get("value", close * volume),
    )
    _check_prices(bar, lines, place)
    return bar


def _check_prices(bar: TrialBar, lines: dict[str, _Line], place: int) -> None:
    if bar.high < max(bar.open, bar.close, bar.low):
        line, message = "high", f"slot {place}: its high {bar.high:_.10g} is not the highest price"
    elif bar.low > min(bar.open, bar.close):
        line, message = "low", f"slot {place}: its low {bar.low:_.10g} is not the lowest price"
    else:
        return
    written = lines.get(line, lines["close"])
    written.problems.append(written.located.problem(message, written.at(place)[1]))
