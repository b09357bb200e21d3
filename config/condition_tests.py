"""Reads `tests:` of a condition file: bars in a short notation, and what must come of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.bar_series import MOST_SLOTS
from config.fields import Fields
from config.strict_yaml import ListNode, Located, MapNode
from config.trial_bars import read_bars
from config.trial_facts import read_facts
from config.trial_others import read_others
from config.trial_position import read_position
from market.signals import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.strict_yaml import Node
    from config.trial_bars import Slot
    from config.trial_facts import TrialFacts
    from config.trial_others import TrialOther
    from config.trial_position import TrialPosition
    from market.errors import Problem

TEST_KEYS = ("name", "d1", "facts", "position", "bars", "others", "restart_at", "expect")
EXPECT_KEYS = ("fires_at", "never", "states", "unknown_at")
PHASES = {phase.name.lower(): phase for phase in Phase}

_LATER = dict.fromkeys(
    ("m5", "m15", "m30", "h1"), "bars within a session are made of the test's own ones"
)
_SLOTS = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?", re.ASCII)


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

    `days` are the sessions before the first slot's, oldest first. `facts` are what is told of the
    instrument by the day, `others` are the instruments beside it. `position` is what is held of it.
    """

    name: Located
    slots: tuple[Slot, ...]
    expect: Expectation
    restart_at: int | None = None
    days: tuple[Slot, ...] = ()
    facts: TrialFacts | None = None
    others: tuple[TrialOther, ...] = ()
    position: TrialPosition | None = None


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
    keys = ("bars", "d1", "facts", "position")
    bars, days, facts, position = (fields.node(key) for key in keys)
    if bars is None:
        problems.append(name.problem("key 'bars' is missing in this test"))
    slots = () if bars is None else read_bars(bars, problems)
    restart_at = fields.optional_text("restart_at")
    return Trial(
        name,
        slots,
        _expectation(fields, name, len(slots)),
        _slot(restart_at, len(slots), problems) if restart_at is not None else None,
        () if days is None else read_bars(days, problems),
        None if facts is None else read_facts(facts, problems),
        read_others(fields.node("others"), len(slots), problems),
        None if position is None else read_position(position, len(slots), problems),
    )


def _expectation(fields: Fields, name: Located, count: int) -> Expectation:
    node, problems = fields.node("expect"), fields.problems
    if node is None:
        problems.append(name.problem("key 'expect' is missing in this test"))
        return Expectation(name)
    expect = Fields(node, EXPECT_KEYS, problems)
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
