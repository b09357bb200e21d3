"""Compiles a condition file: every expression is understood, or every mistake reported at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from conditions.cross import is_cross
from conditions.elsewhere import instruments_in, unknown_instrument
from conditions.fact_fields import facts_in
from conditions.larger import prefixes_in
from conditions.mistake import Mistake
from conditions.names import Names
from conditions.nodes import Not, Number, children
from conditions.params import numbers_in_force, with_hold
from conditions.position_fields import positions_in
from conditions.reference import Reference, usual_reference
from conditions.resolve import Resolver, joined_truths
from conditions.scalar import Scalar, compile_price, compile_size, compile_sold
from conditions.score import Weighed, constant, scored
from conditions.truths import Opposite, Truth
from conditions.units import CURRENCIES
from conditions.version import version_of
from conditions.view import View
from config.condition_file import AllOf, AnyOf, NotOf, ScoreOf
from config.fields import refuse
from market.currency import currency_of
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conditions.expand import Expanded
    from conditions.nodes import Node
    from conditions.scalar import Read
    from conditions.view import Array, Shared
    from config.condition_file import ConditionSpec, OrderSpec, Rule, ScorePart
    from config.strict_yaml import Located
    from market.errors import Problem
    from market.panel import Panel
    from market.types import InstrumentId, Timeframe

HISTORY = 400
"""Bars that a panel keeps of every instrument."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition ready to be evaluated.

    `version` changes with its meaning, not with its words. `warmup` is how many of its own bars
    an instrument must have before the verdict can be known, `depth` how many bars a panel must
    keep. `size` and `price` are those of its order; without `price` it is a market order.
    `reference` is what it knows of the market beside bars.
    """

    name: str
    version: str
    timeframe: Timeframe
    spec: ConditionSpec
    when: Truth
    clear: Truth | None
    size: Scalar | None
    price: Scalar | None
    reference: Reference = field(default_factory=usual_reference, compare=False)
    is_cross: bool = field(init=False, compare=False)
    """Whether one instrument's verdict depends on the rest of the universe."""

    def __post_init__(self) -> None:
        """Look once at what every bar will ask."""
        is_any = any(is_cross(rule.node) for rule in self._rules)
        object.__setattr__(self, "is_cross", is_any)

    @property
    def warmup(self) -> int:
        """Return how many own bars an instrument needs before a verdict can be known."""
        return max(self.when.warm_up, self.clear.warm_up if self.clear else 0)

    @property
    def depth(self) -> int:
        """Return how many bars a panel must keep for the newest verdict."""
        return max(self.when.bars, self.clear.bars if self.clear else 0)

    @property
    def instruments(self) -> tuple[InstrumentId, ...]:
        """Return the instruments that it names: a panel must hold them beside its universe."""
        named = (one.text for rule in self._rules for one in instruments_in(rule.node))
        return tuple(dict.fromkeys(named))

    @property
    def larger(self) -> frozenset[Timeframe]:
        """Return the longer timeframes that it looks at: a panel must hold them beside its own."""
        return frozenset(one for rule in self._rules for one in prefixes_in(rule.node))

    @property
    def facts(self) -> frozenset[str]:
        """Return the daily facts that it looks at: with any of them a panel must hold facts."""
        return frozenset(one for rule in self._rules for one in facts_in(rule.node))

    @property
    def asks_what_is_held(self) -> bool:
        """Return whether it looks at the position: a panel must hold positions then."""
        return any(True for rule in self._rules for _ in positions_in(rule.node))

    def view(self, panel: Panel, rows: Array | None, shared: Shared | None = None) -> View:
        """Return what it sees of these rows of a panel, of every row where that is None.

        Its universe is what the panel holds of it; a panel of other instruments stands for it.
        """
        universe = self._universe(panel) if self.is_cross else None
        return View(panel, rows, {} if shared is None else shared, self.reference, universe)

    @property
    def _rules(self) -> tuple[Truth, ...]:
        return (self.when,) if self.clear is None else (self.when, self.clear)

    def _universe(self, panel: Panel) -> Array | None:
        members = self.reference.members(self.spec) or ()
        rows = [panel.row(name) for name in members if panel.has(name)]
        is_whole = len(rows) in {0, len(panel.instruments)}
        return None if is_whole else np.array(rows, dtype=np.int64)


def compile_condition(
    spec: ConditionSpec,
    history: int = HISTORY,
    params: Mapping[str, Decimal | int] | None = None,
    reference: Reference | None = None,
) -> Condition:
    """Return the condition of a file; raises ConfigError with every problem of all expressions.

    `history` is the depth of the panels that it will be evaluated on. `params` replace defaults of
    the file's own; each counts in the unit in which its range is written. `reference` is what is
    known of the market, by default the usual sessions and no instruments.
    """
    reference = usual_reference() if reference is None else reference
    compiler = _Compiler(spec, history, params or {}, reference)
    spec = compiler.spec
    when = compiler.rule(spec.when)
    clear = compiler.rule(spec.clear) if spec.clear is not None else None
    size, price = compiler.order(spec.order)
    refuse(compiler.problems)
    if when is None:
        raise AssertionError(f"{spec.name} has no verdict and no problem")
    version = version_of(spec, when, clear)
    timeframe = spec.timeframe
    return Condition(spec.name, version, timeframe, spec, when, clear, size, price, reference)


def compile_all(
    specs: Iterable[ConditionSpec], history: int = HISTORY, reference: Reference | None = None
) -> tuple[Condition, ...]:
    """Return all conditions; raises one ConfigError with the problems of all their files."""
    compiled: list[Condition] = []
    problems: list[Problem] = []
    for spec in specs:
        try:
            compiled.append(compile_condition(spec, history, reference=reference))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))  # a shared mistake is told once
    return tuple(compiled)


class _Compiler:
    """Compiles the expressions of one file and gathers their problems."""

    def __init__(
        self,
        spec: ConditionSpec,
        history: int,
        params: Mapping[str, Decimal | int],
        reference: Reference,
    ) -> None:
        self.problems: list[Problem] = []
        numbers = numbers_in_force(spec, params, self.problems)
        self.spec = with_hold(spec, numbers, self.problems)
        self._names = Names(spec, numbers, history)
        self.problems += self._names.problems
        self._history = history
        self._timeframe = spec.timeframe
        self._reference = reference
        self._members = reference.members(spec) or ()
        self._currency = ""
        self._paid_in = sorted({currency_of(one) for one in self._members})

    def rule(self, rule: Rule) -> Truth | None:
        match rule:
            case AllOf(items):
                return joined_truths("and", [self.rule(item) for item in items])
            case AnyOf(items):
                return joined_truths("or", [self.rule(item) for item in items])
            case NotOf(item):
                found = self.rule(item)
                return found and Opposite(
                    Not(found.node), f"not ({found.text})", found.bars, found.warm_up, found
                )
            case ScoreOf():
                return self._score(rule)
            case _:
                return self._expression(rule)

    def order(self, order: OrderSpec | None) -> tuple[Scalar | None, Scalar | None]:
        if order is None:
            return None, None
        sized = compile_size if order.action.is_entry else compile_sold
        return self._scalar(sized, order.size), self._scalar(compile_price, order.price)

    def _expression(self, located: Located) -> Truth | None:
        expanded = self._read(located)
        if expanded is None:
            return None
        self._check_currency(expanded, expanded.node)
        self._check_instruments(expanded)
        resolver = Resolver(expanded.text, self._history, self._timeframe)
        found = resolver.truth(expanded.node)
        self.problems += expanded.problems(resolver.mistakes)
        return found

    def _read(self, located: Located) -> Expanded | None:
        try:
            return self._names.read(located)
        except Mistake as mistake:
            self.problems.append(located.problem(mistake.message, mistake.offset))
            return None

    def _score(self, score: ScoreOf) -> Truth | None:
        parts = [self._weighed(part) for part in score.parts]
        operator, limit = ("<", score.below) if score.above is None else (">", score.above)
        threshold = self._number(limit)
        known = tuple(one for one in parts if one is not None)
        if threshold is None or len(known) < len(parts):
            return None
        return scored(known, operator, threshold)

    def _weighed(self, part: ScorePart) -> Weighed | None:
        truth, weight = self.rule(part.when), self._number(part.weight)
        otherwise, unknown = self._number(part.otherwise), self._number(part.unknown)
        if truth is None or weight is None:
            return None
        return Weighed(truth, weight, otherwise or Decimal(0), unknown)

    def _number(self, located: Located | None) -> Decimal | None:
        """Return a number that needs no bars, None where there is none or it is wrong."""
        expanded = None if located is None else self._read(located)
        if expanded is None:
            return None
        try:
            return constant(expanded.node)
        except Mistake as mistake:
            self.problems += expanded.problems([mistake])
            return None

    def _scalar(
        self, compiled: Callable[[Located, Read], Scalar], located: Located | None
    ) -> Scalar | None:
        if located is None:
            return None
        try:
            scalar = compiled(located, self._names.read)
        except ConfigError as error:
            self.problems += error.problems
            return None
        self._check_currency(self._names.read(located), scalar.node)
        return scalar

    def _check_instruments(self, expanded: Expanded) -> None:
        for text in instruments_in(expanded.node):
            message = unknown_instrument(text.text, self._reference.directory, self._members)
            if message:
                self.problems.append(expanded.problem(message, text.start))

    def _check_currency(self, expanded: Expanded, node: Node) -> None:
        """Note an amount in another currency than the amounts before it."""
        if isinstance(node, Number) and node.unit in CURRENCIES:
            self._currency = self._currency or node.unit
            if node.unit != self._currency:
                message = f"{node.unit} beside {self._currency}; a condition has one currency"
                self.problems.append(expanded.problem(message, node.start))
            elif self._paid_in and node.unit not in self._paid_in:
                message = f"{node.unit}, but all it watches is paid in {', '.join(self._paid_in)}"
                self.problems.append(expanded.problem(message, node.start))
        for child in children(node):
            self._check_currency(expanded, child)
