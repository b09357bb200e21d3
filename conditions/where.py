"""`/sell where profit > 1%`: a condition that is typed, and asked once about what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.compile import HISTORY, compile_condition
from conditions.expand import names
from conditions.functions import FUNCTIONS
from conditions.position_fields import POSITION, POSITION_FIELDS
from config.condition_file import ConditionSpec, Let
from config.strict_yaml import Located
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.compile import Condition
    from conditions.reference import Reference
    from market.types import InstrumentId

WHERE = "where"
"""What stands in the place of a file's name where a problem is told."""

TIMEFRAME = Timeframe.M5


def compile_where(
    text: str,
    held: Sequence[InstrumentId],
    reference: Reference,
    *,
    shared: tuple[Let, ...] = (),
    history: int = HISTORY,
) -> Condition:
    """Return the condition over these instruments; raises ConfigError with every problem.

    Parts of the position need no `position.` in front. `shared` are the named expressions of all
    files.
    """
    lets = tuple(
        Let(Located(part, WHERE, 1, 1), Located(f"{POSITION}.{part}", WHERE, 1, 1))
        for part in POSITION_FIELDS
    )
    spec = ConditionSpec(
        file=WHERE,
        name=WHERE,
        describe="",
        universe=tuple(held),
        timeframe=TIMEFRAME,
        when=Located(text, WHERE, 1, 1),
        lets=lets,
        shared=shared,
    )
    return compile_condition(spec, history, reference=reference)


def asks_for_bars(condition: Condition) -> bool:
    """Tell whether anything but what is held now, at the newest price, decides the verdict."""
    asked = set(names(condition.when.node)) - {POSITION, *FUNCTIONS}
    return bool(asked) or condition.depth > 1
