"""Compiles a condition file: every expression is understood, or every mistake reported at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conditions.mistake import Mistake
from conditions.nodes import Not, Number, children, to_text
from conditions.parser import parse
from conditions.resolve import Resolver, joined_truths
from conditions.scalar import Scalar, compile_price, compile_size
from conditions.truths import Opposite, Truth
from conditions.units import CURRENCIES
from config.condition_file import AllOf, AnyOf, NotOf
from market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conditions.nodes import Node
    from config.condition_file import ConditionSpec, OrderSpec, Rule
    from config.strict_yaml import Located
    from market.errors import Problem
    from market.types import Timeframe

HISTORY = 400
"""Bars that a panel keeps of every instrument."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition ready to be evaluated.

    `version` changes with its meaning, not with its words. `warmup` is how many of its own bars
    an instrument must have before the verdict can be known, `depth` how many bars a panel must
    keep. `size` and `price` are those of its order; without `price` it is a market order.
    """

    name: str
    version: str
    timeframe: Timeframe
    spec: ConditionSpec
    when: Truth
    clear: Truth | None
    size: Scalar | None
    price: Scalar | None

    @property
    def warmup(self) -> int:
        """Return how many own bars an instrument needs before a verdict can be known."""
        return max(self.when.warm_up, self.clear.warm_up if self.clear else 0)

    @property
    def depth(self) -> int:
        """Return how many bars a panel must keep for the newest verdict."""
        return max(self.when.bars, self.clear.bars if self.clear else 0)

    @property
    def has_clear(self) -> bool:
        """Return whether it re-arms by a rule of its own."""
        return self.clear is not None


def compile_condition(spec: ConditionSpec, history: int = HISTORY) -> Condition:
    """Return the condition of a file; raises ConfigError with every problem of all expressions.

    `history` is the depth of the panels that it will be evaluated on.
    """
    compiler = _Compiler(history)
    when = compiler.rule(spec.when)
    clear = compiler.rule(spec.clear) if spec.clear is not None else None
    size, price = compiler.order(spec.order)
    if compiler.problems or when is None:
        raise ConfigError(tuple(compiler.problems))
    version = _version(spec, when, clear)
    return Condition(spec.name, version, spec.timeframe, spec, when, clear, size, price)


def compile_all(specs: Iterable[ConditionSpec], history: int = HISTORY) -> tuple[Condition, ...]:
    """Return all conditions; raises one ConfigError with the problems of all their files."""
    compiled: list[Condition] = []
    problems: list[Problem] = []
    for spec in specs:
        try:
            compiled.append(compile_condition(spec, history))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(compiled)


class _Compiler:
    """Compiles the expressions of one file and gathers their problems."""

    def __init__(self, history: int) -> None:
        self.problems: list[Problem] = []
        self._history = history
        self._currency = ""

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
            case _:
                return self._expression(rule)

    def order(self, order: OrderSpec | None) -> tuple[Scalar | None, Scalar | None]:
        if order is None:
            return None, None
        return self._scalar(compile_size, order.size), self._scalar(compile_price, order.price)

    def _expression(self, located: Located) -> Truth | None:
        resolver = Resolver(located.text, self._history)
        try:
            node = parse(located.text)
            self._check_currency(located, node)
            found = resolver.truth(node)
        except Mistake as mistake:
            found = None
            resolver.mistakes.append(mistake)
        self.problems += [located.problem(one.message, one.offset) for one in resolver.mistakes]
        return found

    def _scalar(
        self, compiled: Callable[[Located], Scalar], located: Located | None
    ) -> Scalar | None:
        if located is None:
            return None
        try:
            scalar = compiled(located)
        except ConfigError as error:
            self.problems += error.problems
            return None
        self._check_currency(located, scalar.node)
        return scalar

    def _check_currency(self, located: Located, node: Node) -> None:
        """Note an amount in another currency than the amounts before it."""
        if isinstance(node, Number) and node.unit in CURRENCIES:
            self._currency = self._currency or node.unit
            if node.unit != self._currency:
                message = f"{node.unit} beside {self._currency}; a condition has one currency"
                self.problems.append(located.problem(message, node.start))
        for child in children(node):
            self._check_currency(located, child)


def _version(spec: ConditionSpec, when: Truth, clear: Truth | None) -> str:
    """Return a short digest of everything that decides when the condition fires."""
    meaning = (
        spec.timeframe.value,
        to_text(when.node),
        to_text(clear.node) if clear else "",
        str(spec.hold_bars),
        str(spec.cooldown.total_seconds()),
        "-".join(one.isoformat() for one in spec.between or ()),
    )
    return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:12]
