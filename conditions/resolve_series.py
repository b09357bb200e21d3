"""Gives the numbers of an expression their meaning: names, arguments and units are checked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from conditions.calls import bind, decimal_of, output_of
from conditions.cross import BREADTH, RANK, breadth_of, ranked
from conditions.elsewhere import USAGE, OtherInstrument, elsewhere, instrument_of, split
from conditions.fields import field_of, named_field, unknown_call
from conditions.functions import FUNCTIONS
from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.indicators.registry import OPENINGS
from conditions.larger import PREFIXES, LongerBars, check_prefix, larger, refuse_mixed
from conditions.made_series import constant, mapped, stays_level
from conditions.mistake import Mistake
from conditions.nodes import (
    Ago,
    Argument,
    Binary,
    Call,
    Grouped,
    Member,
    Name,
    Negative,
    Number,
    Text,
    to_text,
)
from conditions.openings import SESSION_OPENINGS
from conditions.position_fields import refuse_position
from conditions.series import Arithmetic, Earlier, Indicated
from conditions.units import Unit, added, joined, product, quotient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conditions.lens import Lens
    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.truths import Truth
    from market.types import Timeframe

VERBS = {"+": "added to", "-": "subtracted from", "*": "multiplied by", "/": "divided by"}


class SeriesResolver:
    """Turns trees into series; what is wrong with them gathers in `mistakes`.

    `truth` gives the verdict of a tree, None after noting what is wrong with it there. `timeframe`
    is that of the bars which names stand for, behind a prefix the longer one.
    """

    def __init__(
        self, history: int, timeframe: Timeframe | None, truth: Callable[[Node], Truth | None]
    ) -> None:
        self.mistakes: list[Mistake] = []
        self._history = history
        self.timeframe = timeframe
        self._truth = truth
        self._outer: Timeframe | None = None

    def series(self, node: Node) -> Series | None:
        """Return the series of a node, None after noting what is wrong with it."""
        try:
            found = self._series(node)
        except Mistake as mistake:
            self.mistakes.append(mistake)
            return None
        return found if found is None or self.reaches(node, found.bars) else None

    def reaches(self, node: Node, bars: int) -> bool:
        """Tell whether that many bars are kept, after noting it where they are not."""
        if bars > self._history:
            message = f"needs {bars} bars, {self._history} are kept; use a shorter window"
            self.mistakes.append(Mistake(node.start, message))
        return bars <= self._history

    def _series(self, node: Node) -> Series | None:
        scoped = split(node)
        if scoped is None:
            return self._plain(node)
        scope, inner = scoped
        with self.behind(scope, inner):
            found = self.series(inner)
        if found is None:
            return None
        return larger(scope, found) if isinstance(scope, Name) else elsewhere(scope, found)

    @contextmanager
    def behind(self, scope: Node, inner: Node) -> Iterator[Lens]:
        """Let names mean what stands behind a scope; raises Mistake where it cannot stand there."""
        refuse_position(inner, f"{to_text(scope)}.")
        if not isinstance(scope, Name):
            yield OtherInstrument(instrument_of(scope))
            return
        own, outer = self.timeframe, self._outer
        check_prefix(scope, own, outer)
        scoped = split(inner)
        if scoped is not None and not isinstance(scoped[0], Name):
            message = f'write of(...) first: of("KRX:005930").{scope.name}.close'
            raise Mistake(scope.start, message)
        self.timeframe = self._outer = PREFIXES[scope.name]
        try:
            yield LongerBars(scope.name)
        finally:
            self.timeframe, self._outer = own, outer

    def _plain(self, node: Node) -> Series | None:
        match node:
            case Number():
                return constant(node)
            case Name():
                return named_field(node, self.timeframe)
            case Ago(source, bars):
                return self._earlier(source, bars)
            case Negative(operand):
                return self._negative(operand)
            case Binary(operator, left, right):
                return self._arithmetic(operator, left, right)
            case Call() | Member():
                return self._called(node)
            case _:
                raise _no_number(node)

    def _earlier(self, source: Node, bars: int) -> Series | None:
        found = self.series(source)
        if found is None or bars == 0:
            return found
        meaning = Ago(found.node, bars)
        return Earlier(
            node=meaning,
            unit=found.unit,
            key=to_text(meaning),
            bars=found.bars + bars,
            warm_up=found.warm_up + bars,
            is_level=found.is_level,
            source=found,
            distance=bars,
        )

    def _negative(self, operand: Node) -> Series | None:
        found = self.series(operand)
        if found is None:
            return None
        return mapped(Negative(found.node), np.negative, (found,), found.unit)

    def _arithmetic(self, sign: str, left: Node, right: Node) -> Series | None:
        one, other = self.series(left), self.series(right)
        if one is None or other is None:
            return None
        unit = {"*": product, "/": quotient}.get(sign, added)(one.unit, other.unit)
        if unit is None:
            first, second = (other, one) if sign == "-" else (one, other)
            cannot = f"{first.unit.words} cannot be {VERBS[sign]} {second.unit.words}"
            raise Mistake(right.start, cannot)
        meaning = Binary(sign, one.node, other.node)
        return Arithmetic(
            node=meaning,
            unit=unit,
            key=to_text(meaning),
            bars=max(one.bars, other.bars),
            warm_up=max(one.warm_up, other.warm_up),
            is_level=stays_level(sign, one, other, unit),
            sign=sign,
            left=one,
            right=other,
        )

    def _called(self, node: Call | Member) -> Series | None:
        if isinstance(node, Call):
            return self._call(node)
        source, part = node.source, node.name
        if isinstance(source, Name):
            return field_of(source, part, self.timeframe)
        if isinstance(source, Call) and called(source) in INDICATORS:
            return self._indicated(source, called(source), part)
        raise Mistake(node.start, f"'{to_text(source)}' has no part '{part}'")

    def _call(self, call: Call) -> Series | None:
        name = called(call)
        if name in {RANK, BREADTH}:
            return self._among(call, name)
        if name in FUNCTIONS:
            return self._function(call, name)
        if name in INDICATORS:
            return self._indicated(call, name)
        if name in EVENTS or name in SHORTHANDS:
            raise Mistake(call.start, f"expected a number, but '{name}' is true or false")
        raise unknown_call(call, name)

    def _among(self, call: Call, name: str) -> Series | None:
        if len(call.arguments) != 1 or call.arguments[0].name:
            one = "comparison" if name == BREADTH else "number"
            raise Mistake(call.start, f"'{name}' takes one {one}, by place")
        node = call.arguments[0].value
        refuse_position(node, f"{name}( )")
        if name == RANK:
            found = self.series(node)
            return ranked(found) if found else None
        verdict = self._truth(node)
        return breadth_of(verdict) if verdict else None

    def _function(self, call: Call, name: str) -> Series | None:
        function = FUNCTIONS[name]
        found = [self.series(argument.value) for argument in call.arguments]
        if any(argument.name for argument in call.arguments) or not function.takes(len(found)):
            raise Mistake(call.start, f"'{name}' takes {function.words}, by place")
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        unit = known[0].unit
        for argument, one in zip(call.arguments, known, strict=True):
            unit = common_unit(unit, one.unit, argument.value.start)
        arguments = tuple(Argument("", one.node) for one in known)
        meaning = Call(Name(name), arguments)
        return mapped(meaning, function.on_arrays, known, unit)

    def _indicated(self, call: Call, name: str, part: str = "") -> Series | None:
        indicator = INDICATORS.get(name)
        output = output_of(call, name, indicator, part)
        source, parameters = bind(call, name, indicator)
        nodes = [Name(one) for one in indicator.sources] if source is None else [source]
        found = [self._source(node) for node in nodes]
        sources = tuple(one for one in found if one is not None)
        if len(sources) < len(found):
            return None
        for node, one in zip(nodes, sources, strict=True):
            refuse_mixed(name, self.timeframe, node, one)
        shown = [] if len(indicator.sources) != 1 else [Argument("", sources[0].node)]
        shown += [Argument("", Number(decimal_of(one))) for one in parameters]
        whole = Call(Name(name), tuple(shown))
        meaning = Member(whole, part) if part else whole
        memory = (output.memory or indicator.memory)(*parameters)
        warm_up = (output.warm_up or indicator.warm_up)(*parameters)
        return Indicated(
            node=meaning,
            unit=sources[0].unit if output.unit is None else output.unit,
            key=to_text(meaning),
            bars=max(one.bars for one in sources) + memory - 1,
            warm_up=max(one.warm_up for one in sources) + warm_up - 1,
            is_level=output.is_level and sources[0].is_level,
            indicator=indicator,
            output=output,
            whole=to_text(whole),
            sources=sources,
            parameters=parameters,
        )

    def _source(self, node: Node) -> Series | None:
        is_openings = isinstance(node, Name) and node.name == OPENINGS
        return SESSION_OPENINGS if is_openings else self.series(node)


def _no_number(node: Node) -> Mistake:
    if isinstance(node, Grouped):
        message = "only a timeframe or of(...) stands in front of .( ): d1.(close > open)"
        return Mistake(node.start, message)
    if isinstance(node, Text):
        return Mistake(node.start, f"a text names an instrument and stands in {USAGE}")
    return Mistake(node.start, "expected a number, found something true or false")


def called(call: Call) -> str:
    """Return the name of what is called."""
    if not isinstance(call.function, Name):
        raise Mistake(call.start, f"'{to_text(call.function)}' cannot be called")
    return call.function.name


def common_unit(left: Unit, right: Unit, place: int) -> Unit:
    """Return the unit in which two numbers are compared; raises Mistake where they cannot be."""
    unit = joined(left, right)
    if unit is None:
        advice = ""
        if {left, right} == {Unit.POINTS, Unit.RATIO}:
            advice = "; points are written without %, such as 70"
        elif Unit.CLOCK in {left, right}:
            advice = "; a time of day is written 09:30"
        message = f"{left.words} cannot be compared with {right.words}{advice}"
        raise Mistake(place, message)
    return unit
