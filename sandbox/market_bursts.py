"""Scripted excitement: who jumps or sinks at which minute of a pretend session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

JUMP_EVERY_MINUTES = 10
DIP_EVERY_MINUTES = 40
JUMP_MINUTES = 5
"""A jump trades heavily for as long: it begins with a 5-minute bar and fills it."""
JUMP_VOLUME = 40.0
"""Times the usual volume of a minute."""
DIP_VOLUME = 3.0
"""Times the usual volume while a dip turns."""
_TURN_BEFORE, _TURN_AFTER = 5, 15
_RISE_MINUTES = 4.0
_FALL_MINUTES = 30.0


@dataclass(frozen=True, slots=True)
class Burst:
    """A jump (size > 0) or a slow dip (size < 0) of an instrument, `minute` after the open."""

    minute: int
    code: str
    size: float

    @property
    def is_jump(self) -> bool:
        """Tell whether the price jumps up on heavy volume."""
        return self.size > 0


def schedule(liquid: Sequence[str], day: date, seed: int, minutes: int) -> tuple[Burst, ...]:
    """Return the bursts of a session of `minutes` continuous minutes, in time order.

    Jumps go round all liquid instruments before one comes again, so that each starts from quiet
    volume; dips go round from the other end.
    """
    if not liquid:
        return ()
    random = np.random.default_rng((seed, day.toordinal(), 1))
    order = [str(code) for code in random.permutation(np.array(liquid))]
    jumps = [
        Burst(minute, order[index % len(order)], float(random.uniform(0.045, 0.06)))
        for index, minute in enumerate(range(JUMP_EVERY_MINUTES, minutes - 15, JUMP_EVERY_MINUTES))
    ]
    dips = [
        Burst(minute, order[-1 - index % len(order)], -float(random.uniform(0.025, 0.035)))
        for index, minute in enumerate(range(25, minutes - 60, DIP_EVERY_MINUTES))
    ]
    return tuple(sorted(jumps + dips, key=lambda burst: (burst.minute, burst.code)))


def excite(burst: Burst, volumes: NDArray[np.float64], usual: float) -> None:
    """Change the volumes by minute where a burst trades more than usual."""
    if burst.is_jump:
        volumes[burst.minute : burst.minute + JUMP_MINUTES] = usual * JUMP_VOLUME
    else:
        turn = burst.minute + int(_FALL_MINUTES)
        volumes[turn - _TURN_BEFORE : turn + _TURN_AFTER] *= DIP_VOLUME


def lift(burst: Burst, at: NDArray[np.float64], minutes: int) -> NDArray[np.float64]:
    """Return what a burst adds to the logarithm of the price at these minutes after the open."""
    since = at - burst.minute
    rise = _RISE_MINUTES if burst.is_jump else _FALL_MINUTES
    decay = min(_FALL_MINUTES, max(5.0, (minutes - burst.minute) / 3))
    growing = np.clip(since / rise, 0.0, 1.0)
    return burst.size * growing * np.exp(-np.maximum(since - rise, 0.0) / decay)
