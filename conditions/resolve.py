"""Gives an expression its meaning as a verdict; numbers are left to resolve_series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.calls import bind_all, decimal_of
from conditions.elsewhere import split
from conditions.indicators import EVENTS, SHORTHANDS
from conditions.larger import refuse_mixed
from conditions.mistake import Mistake, NoTruth
from conditions.nodes import (
    Ago,
    Argument,
    Call,
    Comparison,
    Held,
    Junction,
    Name,
    Not,
    Number,
    number_text,
    to_text,
)
from conditions.parser import parse
from conditions.resolve_series import SeriesResolver, common_unit
from conditions.seen_truths import seen_truth
from conditions.truths import Compared, Happened, Joined, Lasting, Opposite, Truth, rewritten

if TYPE_CHECKING:
    from conditions.nodes import Node
    from conditions.series import Series
    from market.types import Timeframe


class Resolver:
    """Turns the tree of one expression into a verdict; mistakes gather in `mistakes`."""

    def __init__(self, text: str, history: int, timeframe: Timeframe | None = None) -> None:
        self._text = text
        self._history = history
        self._numbers = SeriesResolver(history, timeframe, self.truth)
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
        scoped = split(node)
        if scoped is not None and _is_truth(scoped[1]):
            return self._behind(node, *scoped)
        return self._plain(node)

    def _behind(self, node: Node, scope: Node, inner: Node) -> Truth | None:
        with self._numbers.behind(scope, inner) as lens:
            found = self.truth(inner)
        return found and seen_truth(lens, found, self._written(node))

    def _plain(self, node: Node) -> Truth | None:
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
            case Call(Name(name)) if name in EVENTS or name in SHORTHANDS:
                return self._called(node, name)
        if self._numbers.series(node) is not None:
            raise NoTruth(node.start, "expected a comparison, found only a number")
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

    def _called(self, call: Call, name: str) -> Truth | None:
        return self._happened(call, name) if name in EVENTS else self._spelled_out(call, name)

    def _happened(self, call: Call, name: str) -> Truth | None:
        event = EVENTS.get(name)
        nodes, parameters = bind_all(call, name, event)
        given = [self._numbers.series(node) for node in nodes]
        series = [one for one in given if one is not None]
        bars = event.bars(*parameters)
        if parameters:
            for node, one in zip(nodes, given, strict=True):
                if one is not None:
                    refuse_mixed(name, self._numbers.timeframe, node, one)
        left, right = self._sides(call, nodes, series, bars)
        if left is None or right is None or len(series) < len(given):
            return None
        unit = common_unit(left.unit, right.unit, nodes[-1].start if nodes else call.start)
        arguments = [Argument("", one.node) for one in series]
        arguments += [Argument("", Number(decimal_of(one))) for one in parameters]
        fields = [self._numbers.series(Name(one)) for one in event.fields]
        sources = (*(one for one in fields if one is not None), *series)
        return Happened(
            Call(Name(name), tuple(arguments)),
            self._written(call),
            max(one.bars for one in sources) + bars - 1,
            max(one.warm_up for one in sources) + bars - 1,
            event,
            sources,
            parameters,
            left,
            right,
            unit,
        )

    def _sides(
        self, call: Call, nodes: tuple[Node, ...], series: list[Series], bars: int
    ) -> tuple[Series | None, Series | None]:
        """Return the two series that explain an event, None after noting what is wrong."""
        if len(nodes) > 1:
            return (series[0], series[1]) if len(series) == len(nodes) else (None, None)
        newest, first = (nodes[0], nodes[0]) if nodes else (Name("close"), Name("open"))
        before = Ago(first, bars - 1, start=call.start, end=call.end)
        return (self._numbers.series(newest), self._numbers.series(before))

    def _spelled_out(self, call: Call, name: str) -> Truth | None:
        """Return what a shorthand stands for; what is wrong with that is wrong with the call."""
        shorthand = SHORTHANDS.get(name)
        nodes, parameters = bind_all(call, name, shorthand)
        if None in [self._numbers.series(node) for node in nodes]:
            return None
        texts = dict(zip(shorthand.series, map(to_text, nodes), strict=True))
        for one, value in zip(shorthand.parameters, parameters, strict=True):
            texts[one.name] = number_text(decimal_of(value))
        text = shorthand.template.format_map(texts)
        inner = Resolver(text, self._history, self._numbers.timeframe)
        try:
            found = inner.truth(parse(text))
        except Mistake as mistake:  # such as one that grows too long
            raise Mistake(call.start, mistake.message) from mistake
        self.mistakes += [Mistake(call.start, one.message) for one in inner.mistakes]
        return found and rewritten(found, self._written(call))


def _is_truth(node: Node) -> bool:
    """Tell whether what stands behind a scope is true or false, not a number."""
    scoped = split(node)
    if scoped is not None:
        return _is_truth(scoped[1])
    match node:
        case Call(Name(name)):
            return name in EVENTS or name in SHORTHANDS
        case _:
            return isinstance(node, Comparison | Held | Not | Junction)


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
