"""Reads rules of the older crawler bot: a Python or JSON mapping, looked at and never executed.

The form is {rule name: {column: [operator, arguments]}}, where all columns of a rule must hold.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from decimal import Decimal

from config.registry import suggestion
from config.strict_yaml import Located
from market.errors import ConfigError, Problem

ARITIES = {
    "SMALLER": 1,
    "BIGGER": 1,
    "BETWEEN": 2,
    "SMALLER_P": 2,
    "BIGGER_P": 2,
    "SMALLER_MINMAX_P": 3,
    "BIGGER_MINMAX_P": 3,
    "TRUE": 0,
}
"""How many arguments each operator takes."""
LARGEST = Decimal(10) ** 15

_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class LegacyValue:
    """An argument: a number, or else the name of a column."""

    located: Located
    number: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LegacyTest:
    """What one column of a rule must be."""

    column: Located
    operator: str
    arguments: tuple[LegacyValue, ...]


@dataclass(frozen=True, slots=True)
class LegacyRule:
    """A rule: all of its tests must hold."""

    name: Located
    tests: tuple[LegacyTest, ...]


def read_legacy_rules(text: str, file: str) -> tuple[LegacyRule, ...]:
    """Return the rules of a text; raises ConfigError with every problem of their form."""
    reader = _Reader(text.removeprefix("\ufeff"), file)
    rules = reader.rules()
    if reader.problems:
        raise ConfigError(tuple(reader.problems))
    return rules


class _Reader:
    """Turns the tree of the text into rules; what is wrong gathers in `problems`."""

    def __init__(self, text: str, file: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._lines = _BREAK.split(text)
        self._file = file

    def rules(self) -> tuple[LegacyRule, ...]:
        mapping = self._mapping()
        if mapping is None:
            return ()
        found = [self._rule(name, value) for name, value in self._entries(mapping, "a rule's name")]
        if not found and not self.problems:
            self._refuse(mapping, "there are no rules in it")
        return tuple(found)

    def _mapping(self) -> ast.Dict | None:
        """Return the mapping of the text, which may be given a name: RULES = {...}."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # JSON's escapes are not all Python's
                body = ast.parse(self._text).body
        except SyntaxError as error:
            message = f"neither Python nor JSON: {error.msg}"
            self._note(max(error.lineno or 1, 1), max(error.offset or 1, 1), message)
            return None
        except (ValueError, RecursionError, MemoryError) as error:
            self._note(1, 1, f"neither Python nor JSON: {error or type(error).__name__}")
            return None
        first = body[0] if len(body) == 1 else None
        if isinstance(first, ast.Expr | ast.Assign) and isinstance(first.value, ast.Dict):
            return first.value
        message = "expected one mapping and nothing else: {rule name: {COLUMN: [OPERATOR, ...]}}"
        self._refuse(body[0] if body else None, message)
        return None

    def _rule(self, name: Located, node: ast.expr) -> LegacyRule:
        if not isinstance(node, ast.Dict) or not node.keys:
            self._refuse(node, f"rule '{name.text}' must be a mapping {{COLUMN: [OPERATOR, ...]}}")
            return LegacyRule(name, ())
        found = [self._test(column, value) for column, value in self._entries(node, "a column")]
        return LegacyRule(name, tuple(one for one in found if one is not None))

    def _entries(self, node: ast.Dict, word: str) -> list[tuple[Located, ast.expr]]:
        """Return the entries whose keys are texts, each key once."""
        found: dict[str, tuple[Located, ast.expr]] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            text = key.value if isinstance(key, ast.Constant) else None
            if key is None or not isinstance(text, str):
                self._refuse(key or value, f"{word} must be a text")
            elif text in found:
                self._refuse(key, f"'{text}' is written twice")
            else:
                found[text] = (self._located(key, text), value)
        return list(found.values())

    def _test(self, column: Located, node: ast.expr) -> LegacyTest | None:
        items = node.elts if isinstance(node, ast.List | ast.Tuple) else []
        operator = items[0].value if items and isinstance(items[0], ast.Constant) else None
        if not isinstance(operator, str):
            self._refuse(node, f"'{column.text}' must be a list [OPERATOR, ...]")
            return None
        if operator not in ARITIES:
            hint = suggestion(operator, ARITIES)
            self._refuse(items[0], f"unknown operator '{operator}'{hint}")
            return None
        arguments = [self._value(one) for one in items[1:]]
        expected = ARITIES[operator]
        if len(arguments) != expected:
            found = f"{operator} takes {expected} arguments, found {len(arguments)}"
            self._refuse(items[0], found)
            return None
        known = tuple(one for one in arguments if one is not None)
        return LegacyTest(column, operator, known) if len(known) == len(arguments) else None

    def _value(self, node: ast.expr) -> LegacyValue | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return LegacyValue(self._located(node, node.value))
        sign, inner = Decimal(1), node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = Decimal(-1) if isinstance(node.op, ast.USub) else sign
            inner = node.operand
        if isinstance(inner, ast.Constant) and type(inner.value) in {int, float}:
            number = sign * Decimal(str(inner.value))
            if abs(number) <= LARGEST:
                return LegacyValue(self._located(node, str(number)), number)
        self._refuse(node, f"an argument must be a number up to {LARGEST:,}, or a column")
        return None

    def _located(self, node: ast.expr, text: str) -> Located:
        line, column = self._place(node)
        return Located(text, self._file, line, column)

    def _refuse(self, node: ast.AST | None, message: str) -> None:
        line, column = self._place(node) if isinstance(node, ast.expr | ast.stmt) else (1, 1)
        self._note(line, column, message)

    def _place(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return line and column, which the tree counts in bytes, in characters."""
        before = self._lines[node.lineno - 1].encode()[: node.col_offset]
        return node.lineno, len(before.decode(errors="ignore")) + 1

    def _note(self, line: int, column: int, message: str) -> None:
        self.problems.append(Problem(self._file, line, column, message))
