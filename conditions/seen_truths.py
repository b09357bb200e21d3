"""Verdicts of the bars beside own ones: what stands behind `d1.` or `of("KRX:069500").`

Comparisons, `and`, `or` and `not` are asked of what each own bar sees. Events, `for` and `within`
look at several bars, and those are the bars beside: they are judged there and then seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.lens import Seen, look, seen
from conditions.nodes import Comparison, Junction, Not, Scoped, to_text
from conditions.series import Constant
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite, rewritten

if TYPE_CHECKING:
    from conditions.lens import Lens
    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.truths import Truth
    from conditions.view import View

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent(Happened):
    """An event of the bars beside, true on every own bar that sees the bar on which it happened."""

    lens: Lens
    inner: Happened

    def verdicts(self, view: View, columns: int) -> Array:
        """Return what each own bar sees."""
        return look(self.lens, view, columns, self.inner.verdicts, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLasting(Lasting):
    """What has lasted over bars beside, up to the one that is seen; `source` is as seen now."""

    lens: Lens
    inner: Lasting

    def verdicts(self, view: View, columns: int) -> Array:
        """Return what each own bar sees."""
        return look(self.lens, view, columns, self.inner.verdicts, 0)


def seen_truth(lens: Lens, truth: Truth, written: str) -> Truth:
    """Return a verdict as one of the bars beside; `written` is how the user wrote the whole."""
    return replace(rewritten(_seen(lens, truth), written), text=written)


def inward(truth: Truth) -> tuple[Lens, Truth] | None:
    """Return the lens through which all of a verdict is seen and what it is there, if there is one.

    A comparison is seen as a whole where both of its sides are seen through the same lens.
    """
    match truth:
        case SeenEvent(lens=lens, inner=inner) | SeenLasting(lens=lens, inner=inner):
            return lens, inner
        case Compared():
            return _compared_inward(truth)
        case _:
            return None


def _compared_inward(truth: Compared) -> tuple[Lens, Truth] | None:
    lenses = [one.lens for one in truth.operands if isinstance(one, Seen)]
    left, right = _inner(truth.left), _inner(truth.right)
    if not lenses or lenses[0] != lenses[-1] or left is None or right is None:
        return None
    bars, warm_up = max(left.bars, right.bars), max(left.warm_up, right.warm_up)
    meaning = Comparison((left.node, right.node), (truth.operator,))
    whole = (left, truth.operator, right, truth.unit)
    return lenses[0], Compared(meaning, truth.text, bars, warm_up, *whole)


def _inner(side: Series) -> Series | None:
    if isinstance(side, Seen):
        return side.source
    return side if isinstance(side, Constant) else None


def _seen(lens: Lens, truth: Truth) -> Truth:
    match truth:
        case Compared(left=left, operator=operator, right=right, unit=unit):
            one, other = seen(lens, left), seen(lens, right)
            meaning: Node = Comparison((one.node, other.node), (operator,))
            bars = max(one.bars, other.bars)
            return Compared(meaning, to_text(meaning), bars, 1, one, operator, other, unit)
        case Joined(word=word, sources=sources):
            parts = tuple(_seen(lens, one) for one in sources)
            meaning = Junction(word, tuple(one.node for one in parts))
            bars = max(one.bars for one in parts)
            return Joined(meaning, to_text(meaning), bars, 1, word, parts)
        case Opposite(source=source):
            part = _seen(lens, source)
            meaning = Not(part.node)
            return Opposite(meaning, to_text(meaning), part.bars, 1, part)
        case Happened():
            return _event(lens, truth)
        case Lasting():
            return _lasting(lens, truth)
        case _:
            raise TypeError(f"{type(truth).__name__} cannot be seen on other bars")


def _event(lens: Lens, event: Happened) -> SeenEvent:
    meaning = Scoped(lens.scope, event.node)
    return SeenEvent(
        node=meaning,
        text=to_text(meaning),
        bars=event.bars if lens.is_other else 1,
        warm_up=1,
        event=event.event,
        sources=event.sources,
        parameters=event.parameters,
        left=seen(lens, event.left),
        right=seen(lens, event.right),
        unit=event.unit,
        lens=lens,
        inner=event,
    )


def _lasting(lens: Lens, lasting: Lasting) -> SeenLasting:
    meaning = Scoped(lens.scope, lasting.node)
    return SeenLasting(
        node=meaning,
        text=to_text(meaning),
        bars=lasting.bars if lens.is_other else 1,
        warm_up=1,
        source=_seen(lens, lasting.source),
        word=lasting.word,
        length=lasting.length,
        lens=lens,
        inner=lasting,
    )
