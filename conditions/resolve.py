"""Gives an expression its meaning as a verdict; numbers are left to resolve_series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.indicators import EVENTS
from conditions.mistake import Mistake
from conditions.nodes import Argument, Call, Comparison, Held, Junction, Name, Not
from conditions.resolve_series import SeriesResolver, called, common_unit
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite, Truth

if TYPE_CHECKING:
    from conditions.nodes import Node
    from conditions.series import Series


class Resolver:
    """Turns the tree of one expression into a verdict; mistakes gather in `mistakes`."""

    def __init__(self, text: str, history: int) -> None:
        self._text = text
        self._numbers = SeriesResolver(history)
        self.mistakes = self._numbers.mistakes

    def truth(self, node: Node) -> Truth | None:
        """Return the verdict of a node, None after noting what is wrong with it."""
        try:
            found = self._truth(node)
        except Mistake as mistake:
            self.mistakes.append(mistake)
            return None
        return found if found is None or self._numbers.reaches(node, found.bars) else None

    def _truth(self, node: Node) -> Truth | None:
        match node:
            case Comparison():
                return self._compared(node)
            case Held(operand, word, bars):
                return self._lasting(node, operand, word, bars)
            case Not(operand):
                found = self.truth(operand)
                return found and Opposite(
                    Not(found.node), self._written(node), found.bars, found.warm_up, found
                )
            case Junction(word, operands):
                return joined_truths(word, [self.truth(one) for one in operands])
            case Call(Name(name)) if name in EVENTS:
                return self._happened(node, name)
        if self._numbers.series(node) is not None:
            raise Mistake(node.start, "expected a comparison, found only a number")
        return None

    def _written(self, node: Node) -> str:
        return " ".join(self._text[node.start : node.end].split())

    def _lasting(self, node: Held, operand: Node, word: str, bars: int) -> Truth | None:
        found = self.truth(operand)
        if found is None:
            return None
        return Lasting(
            Held(found.node, word, bars),
            self._written(node),
            found.bars + bars - 1,
            found.warm_up + bars - 1,
            found,
            word,
            bars,
        )

    def _compared(self, node: Comparison) -> Truth | None:
        sides = [self._numbers.series(one) for one in node.operands]
        pairs: list[Truth | None] = []
        for place, operator in enumerate(node.operators):
            left, right = sides[place], sides[place + 1]
            if left is None or right is None:
                pairs.append(None)
                continue
            first, second = node.operands[place : place + 2]
            text = " ".join(self._text[first.start : second.end].split())
            unit = common_unit(left.unit, right.unit, second.start)
            meaning = Comparison((left.node, right.node), (operator,))
            needs = _needs(left, right)
            pairs.append(Compared(meaning, text, *needs, left, operator, right, unit))
        return joined_truths("and", pairs)

    def _happened(self, call: Call, name: str) -> Truth | None:
        if len(call.arguments) != 2 or any(argument.name for argument in call.arguments):
            raise Mistake(call.start, f"'{called(call)}' takes two series: {name}(a, b)")
        left, right = (self._numbers.series(argument.value) for argument in call.arguments)
        if left is None or right is None:
            return None
        unit = common_unit(left.unit, right.unit, call.arguments[1].value.start)
        meaning = Call(Name(name), (Argument("", left.node), Argument("", right.node)))
        bars, warm_up = _needs(left, right)
        event = EVENTS.get(name)
        text = self._written(call)
        return Happened(meaning, text, bars + 1, warm_up + 1, event, left, right, unit)


def joined_truths(word: str, found: list[Truth | None]) -> Truth | None:
    """Return verdicts joined by `and` or `or`; a single one stays as it is."""
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    if len(known) == 1:
        return known[0]
    meaning = Junction(word, tuple(one.node for one in known))
    bars = max(one.bars for one in known)
    warm_up = max(one.warm_up for one in known)
    text = f" {word} ".join(one.text for one in known)
    return Joined(meaning, text, bars, warm_up, word, tuple(known))


def _needs(left: Series, right: Series) -> tuple[int, int]:
    return max(left.bars, right.bars), max(left.warm_up, right.warm_up)
