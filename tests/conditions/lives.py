"""One instrument under one condition, told bar by bar."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import Verdicts
from conditions.lifecycle import States, step
from market.signals import Phase

if TYPE_CHECKING:
    from conditions.compile import Condition

BAR_MS = 300_000
OPENING_MS = 1_767_571_200_000
"""2026-01-05 09:00 in Seoul."""
LETTERS = {"T": 1, "F": -1, "?": 0}
PHASES = {Phase.INACTIVE: "i", Phase.PENDING: "p", Phase.FIRING: "F", Phase.COOLING: "c"}

Bars = list[tuple[int, int, int]]
"""Places (5-minute slots from the opening), verdicts of `when`, verdicts of `clear`."""


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def told(when: str, clear: str = "") -> Bars:
    """Return one bar a letter; without `clear` it is the opposite of `when`."""
    verdicts = [LETTERS[letter] for letter in when]
    clears = [LETTERS[letter] for letter in clear] if clear else [-one for one in verdicts]
    return [(place, *pair) for place, pair in enumerate(zip(verdicts, clears, strict=True))]


def run(condition: Condition, bars: Bars, states: States | None = None) -> tuple[States, list[int]]:
    """Step one instrument through bars; return its last states and the places that fired."""
    states = states or States.from_mapping({}, ["KRX:005930"])
    fires = []
    for place, when, clear in bars:
        start = np.array([OPENING_MS + place * BAR_MS])
        verdicts = Verdicts(np.array([when], np.int8), np.array([clear], np.int8))
        found = step(condition, states, np.array([0]), verdicts, start, start + BAR_MS)
        states = found.states
        fires += [place] * len(found.fired)
    return states, fires


def phases(condition: Condition, bars: Bars) -> str:
    """Return the phase after each bar as a letter; a capital F is firing."""
    states, shown = States.from_mapping({}, ["KRX:005930"]), ""
    for one in bars:
        states, _ = run(condition, [one], states)
        shown += PHASES[Phase(int(states.phase[0]))]
    return shown
