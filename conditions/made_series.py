"""Makes series of numbers that are written, and of functions of other series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.mistake import Mistake
from conditions.nodes import to_text
from conditions.series import Constant, Mapped
from conditions.units import LITERALS, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from conditions.nodes import Call, Negative, Number
    from conditions.series import Series


def constant(node: Number) -> Series:
    """Return a number as the user wrote it; raises Mistake for ticks."""
    literal = LITERALS[node.unit] if node.unit else None
    if literal is not None and literal.unit is Unit.TICKS:
        raise Mistake(node.start, "ticks are known only in an order's size and price")
    value = node.value * literal.factor if literal else node.value
    unit = literal.unit if literal else Unit.NUMBER
    return Constant(node=node, unit=unit, key=to_text(node), value=float(value))


def mapped(
    meaning: Call | Negative,
    function: Callable[..., np.ndarray],
    arguments: Sequence[Series],
    unit: Unit,
) -> Series:
    """Return a function of the values of the same bar."""
    return Mapped(
        node=meaning,
        unit=unit,
        key=to_text(meaning),
        bars=max(one.bars for one in arguments),
        warm_up=max(one.warm_up for one in arguments),
        function=function,
        arguments=tuple(arguments),
    )


def stays_level(sign: str, left: Series, right: Series, unit: Unit) -> bool:
    """Tell whether the result lies where prices do: a price plus a distance, or times a number."""
    if unit is not Unit.PRICE:
        return False
    if sign in {"+", "-"}:
        return left.is_level and not right.is_level
    return left.is_level and right.unit in {Unit.NUMBER, Unit.RATIO}
