"""Reads `others:` of a condition's test: the instruments beside the one that is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.fields import Fields
from config.strict_yaml import MapNode
from config.trial_bars import BARS_KEYS, bars_of, read_bars
from config.trial_facts import read_facts
from market.types import Venue

if TYPE_CHECKING:
    from config.strict_yaml import Located, Node
    from config.trial_bars import Slot
    from config.trial_facts import TrialFacts
    from market.errors import Problem
    from market.types import InstrumentId

INSTRUMENT: InstrumentId = "KRX:005930"
"""The instrument that every test judges."""

OTHER_KEYS = (*BARS_KEYS, "d1", "facts")
MOST_OTHERS = 30


@dataclass(frozen=True, slots=True)
class TrialOther:
    """An instrument beside the judged one: as many slots, its own days before them and facts."""

    id: InstrumentId
    slots: tuple[Slot, ...]
    days: tuple[Slot, ...] = ()
    facts: TrialFacts | None = None


def read_others(node: Node | None, count: int, problems: list[Problem]) -> tuple[TrialOther, ...]:
    """Return the other instruments of a test of so many slots (0: not known)."""
    if node is None:
        return ()
    if not isinstance(node, MapNode) or not node.entries:
        problems.append(node.problem("'others' are written {KRX:069500: {close: 100x60}}"))
        return ()
    if len(node.entries) > MOST_OTHERS:
        problems.append(node.problem(f"at most {MOST_OTHERS} other instruments"))
        return ()
    return tuple(_other(name, value, count, problems) for name, value in node.entries)


def _other(name: Located, node: Node, count: int, problems: list[Problem]) -> TrialOther:
    venue, _, code = name.text.partition(":")
    if venue not in set(Venue) or not code:
        problems.append(name.problem(f"'{name.text}' is no instrument; expected VENUE:CODE"))
    elif name.text == INSTRUMENT:
        problems.append(name.problem(f"'{INSTRUMENT}' is the one judged; its bars are 'bars'"))
    fields = Fields(node, OTHER_KEYS, problems)
    slots = bars_of(fields, node)
    if len(slots) == 1:
        slots *= max(1, count)
    if slots and count and len(slots) != count:
        close = fields.optional_text("close") or name
        counts = f"'{name.text}' has {len(slots)} slots, the test has {count}"
        problems.append(close.problem(f"{counts}; a single number is for all"))
    days, facts = fields.node("d1"), fields.node("facts")
    return TrialOther(
        name.text,
        slots,
        () if days is None else read_bars(days, problems),
        None if facts is None else read_facts(facts, problems),
    )
