"""Reads `tests:` of a condition file: bars in a short notation, and what must come of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from config.bar_series import MOST_SLOTS, Absence, read_series
from config.fields import Fields
from config.strict_yaml import ListNode, Located, MapNode
from market.signals import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.bar_series import Placed
    from config.strict_yaml import Node
    from market.errors import Problem

TEST_KEYS = ("name", "d1", "bars", "restart_at", "expect")
BARS_KEYS = ("close", "open", "high", "low", "volume", "value")
EXPECT_KEYS = ("fires_at", "never", "states", "unknown_at")
PHASES = {phase.name.lower(): phase for phase in Phase}

_LATER = ("h1", "facts")
_SLOTS = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come of a test's bars; slots are counted from 0, each with where it is written.

    `fires_at` are exactly the slots on which the condition fires (none of them: it never does),
    None where nothing is said about it. `states` is where it stands after a slot, `unknown_at` are
    slots after which its verdict is unknown (others may be so too).
    """

    located: Located
    fires_at: tuple[tuple[int, Located], ...] | None = None
    states: tuple[tuple[int, Phase, Located], ...] = ()
    unknown_at: tuple[tuple[int, Located], ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One test of a condition; before slot `restart_at` the program is stopped and started.

    `days` are the sessions before the first slot's, oldest first.
    """

    name: Located
    slots: tuple[Slot, ...]
    expect: Expectation
    restart_at: int | None = None
    days: tuple[Slot, ...] = ()


def read_tests(fields: Fields) -> tuple[Trial, ...]:
    """Return the tests of a condition file; what is wrong with them goes to the problems."""
    node = fields.node("tests")
    if node is None:
        return ()
    if not isinstance(node, ListNode) or not node.items:
        fields.problems.append(node.problem("'tests' is a list of {name, bars, expect}"))
        return ()
    trials = tuple(_trial(item, fields.problems) for item in node.items)
    names: set[str] = set()
    for trial in trials:
        if trial.name.text and trial.name.text in names:
            message = f"a test named '{trial.name.text}' is already there"
            fields.problems.append(trial.name.problem(message))
        names.add(trial.name.text)
    return trials


def _trial(node: Node, problems: list[Problem]) -> Trial:
    fields = Fields(node, TEST_KEYS, problems, _LATER)
    name = fields.text("name")
    slots = _bars(fields, name)
    days = _bars(fields, name, "d1") if fields.node("d1") is not None else ()
    restart_at = fields.optional_text("restart_at")
    return Trial(
        name,
        slots,
        _expectation(fields, name, len(slots)),
        _slot(restart_at, len(slots), problems) if restart_at is not None else None,
        days,
    )


def _bars(fields: Fields, name: Located, key: str = "bars") -> tuple[Slot, ...]:
    node = fields.node(key)
    if node is None:
        fields.problems.append(name.problem("key 'bars' is missing in this test"))
        return ()
    bars = Fields(node, BARS_KEYS, fields.problems, _LATER)
    written = {key: bars.optional_text(key) for key in BARS_KEYS}
    if isinstance(node, MapNode) and bars.node("close") is None:
        fields.problems.append(node.problem("key 'close' is missing in the bars"))
    lines = {
        key: _Line(key, located, read_series(located, fields.problems), fields.problems)
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
        if own == 0 and self.key != "value":
            return self._refuse(f"'{self.key}' must be more than 0; write _ for no trade", offset)
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


def _expectation(fields: Fields, name: Located, count: int) -> Expectation:
    node, problems = fields.node("expect"), fields.problems
    if node is None:
        problems.append(name.problem("key 'expect' is missing in this test"))
        return Expectation(name)
    expect = Fields(node, EXPECT_KEYS, problems, _LATER)
    if isinstance(node, MapNode) and not node.entries:
        problems.append(node.problem(f"expect one of {', '.join(EXPECT_KEYS)}"))
    place = Located("", node.file, node.line, node.column)
    return Expectation(
        place,
        _fires(expect, count),
        tuple(_states(expect, count)),
        tuple(_listed(expect, "unknown_at", count)),
    )


def _fires(expect: Fields, count: int) -> tuple[tuple[int, Located], ...] | None:
    never = expect.optional_text("never")
    if never is not None and never.text != "true":
        expect.problems.append(never.problem("'never' can only be true; else write fires_at"))
    if never is not None and expect.node("fires_at") is not None:
        expect.problems.append(never.problem("give either 'never' or 'fires_at'"))
    if expect.node("fires_at") is not None:
        return tuple(_listed(expect, "fires_at", count))
    return None if never is None else ()


def _listed(expect: Fields, key: str, count: int) -> Iterator[tuple[int, Located]]:
    """Yield the slots of a list such as `[3, 10..12]`, each with its place."""
    node = expect.node(key)
    if node is None:
        return
    items = node.items if isinstance(node, ListNode) else (node,)
    if not items:
        expect.problems.append(node.problem(f"'{key}' names no slot; for no signal: never: true"))
    for item in items:
        if isinstance(item, Located):
            for slot in _range(item, count, expect.problems):
                yield slot, item
        else:
            expect.problems.append(item.problem(f"'{key}' is a list of slots: [3, 10..12]"))


def _states(expect: Fields, count: int) -> Iterator[tuple[int, Phase, Located]]:
    node = expect.node("states")
    if node is None:
        return
    if not isinstance(node, MapNode) or not node.entries:
        words = " ".join(PHASES)
        expect.problems.append(node.problem(f"'states' are written {{61: firing}}; one of {words}"))
        return
    for key, value in node.entries:
        word = value.text if isinstance(value, Located) else ""
        if word not in PHASES:
            known = ", ".join(PHASES)
            expect.problems.append(value.problem(f"unknown state '{word}'; known: {known}"))
            continue
        for slot in _range(key, count, expect.problems):
            yield slot, PHASES[word], key


def _range(located: Located, count: int, problems: list[Problem]) -> range:
    """Return the slots of `61` or `0..58`, none of them after noting what is wrong."""
    found = _SLOTS.fullmatch(located.text.strip())
    if found is None:
        problems.append(located.problem(f"'{located.text}' is no slot; write 61 or 0..58"))
        return range(0)
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first or (count and last >= count) or last >= MOST_SLOTS:
        whole = f"slots go from 0 to {count - 1}" if count else f"at most {MOST_SLOTS:_} slots"
        problems.append(located.problem(f"'{located.text}': {whole}"))
        return range(0)
    return range(first, last + 1)


def _slot(located: Located, count: int, problems: list[Problem]) -> int | None:
    found = _range(located, count, problems)
    if len(found) > 1:
        problems.append(located.problem(f"'{located.text}' is a range; write one slot"))
    return found[0] if found else None
