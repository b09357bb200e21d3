"""Parses an expression: precedence climbing over the tokens, every mistake with its place.

Levels, loosest first: or, and, not, held (`for`/`within` N bars), chained comparison, + -, * /,
unary minus, postfix (`[N]`, `.name`, call), number, name or parentheses.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from conditions.lexer import Sort, Token, tokens
from conditions.mistake import Mistake
from conditions.nodes import (
    AND,
    ATOM,
    COMPARISON,
    HELD,
    NOT,
    OR,
    PRODUCT,
    SUM,
    Ago,
    Argument,
    Binary,
    Call,
    Comparison,
    Grouped,
    Held,
    Junction,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Number,
    Text,
    children,
)
from conditions.units import CLOCK, LITERALS
from config.registry import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

DEEPEST = 50
"""Nodes that may lie below each other, and parentheses that may be open at once."""
LARGEST = Decimal(10) ** 18
_LEVELS = {
    "or": OR,
    "and": AND,
    "for": HELD,
    "within": HELD,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys("*/", PRODUCT),
}
WORDS = ("and", "or", "not", "for", "within")
"""Names that belong to the grammar."""


def parse(text: str, numbers: Mapping[str, Number] | None = None) -> Node:
    """Return the tree of an expression; raises Mistake at the first thing that does not fit.

    `numbers` are names that stand for a number wherever one may be written.
    """
    return _Parser(text, numbers or {}).whole()


class _Parser:
    def __init__(self, text: str, numbers: Mapping[str, Number]) -> None:
        self._tokens = tokens(text)
        self._numbers = numbers
        self._place = 0
        self._open = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def whole(self) -> Node:
        if self._token.sort is Sort.END:
            raise Mistake(0, "expected an expression, found nothing")
        node = self._climb(OR)
        if self._place < len(self._tokens) - 1:
            raise self._left_over()
        return node

    def _take(self) -> Token:
        token = self._token
        self._place += 1
        return token

    def _expect(self, symbol: str, why: str) -> Token:
        if not self._token.is_symbol(symbol):
            raise self._wrong(f"'{symbol}' {why}")
        return self._take()

    def _wrong(self, expected: str) -> Mistake:
        return Mistake(self._token.start, f"expected {expected}, found {self._token}")

    def _grown(self, node: Node, start: int) -> Node:
        """Return a finished node with its place, unless the tree has grown too deep."""
        depth = 1 + max((child.depth for child in children(node)), default=0)
        if depth > DEEPEST:
            raise Mistake(
                start, f"nested deeper than {DEEPEST} levels; split it with all: and any:"
            )
        end = self._tokens[self._place - 1].end if self._place else 0
        return replace(node, start=start, end=end, depth=depth)

    def _climb(self, least: int) -> Node:
        """Return the longest expression whose operators bind at least that tightly."""
        start = self._token.start
        node, most = self._prefixed(least), ATOM
        while least <= (level := _level(self._token)) <= most:
            node = self._grown(self._infix(node, level), start)
            most = level - 1 if level == HELD else level
        if self._token.is_symbol("="):
            raise Mistake(self._token.start, "unexpected '='; write '==' to compare")
        return node

    def _prefixed(self, least: int) -> Node:
        starts = []
        while least <= NOT and self._token.is_word("not"):
            starts.append(self._take().start)
        node = self._climb(HELD) if starts else self._signed()
        for start in reversed(starts):
            node = self._grown(Not(node), start)
        return node

    def _signed(self) -> Node:
        starts = []
        while self._token.is_symbol("-") or self._token.is_symbol("+"):
            token = self._take()
            if token.text == "-":
                starts.append(token.start)
        node = self._postfix()
        for start in reversed(starts):
            node = self._grown(Negative(node), start)
        return node

    def _infix(self, left: Node, level: int) -> Node:
        word = self._token.text
        if level == HELD:
            return self._held(left)
        if level == COMPARISON:
            return self._comparison(left)
        if level in {SUM, PRODUCT}:
            self._place += 1
            return Binary(word, left, self._climb(level + 1))
        operands = [left]
        while self._token.is_word(word):
            self._place += 1
            operands.append(self._climb(level + 1))
        return Junction(word, tuple(operands))

    def _held(self, operand: Node) -> Node:
        word = self._take().text
        bars = self._bars(f"after '{word}'")
        if not (self._token.is_word("bars") or self._token.is_word("bar")):
            raise self._wrong(f"'bars' after '{word} {bars}'")
        self._place += 1
        return Held(operand, word, bars)

    def _comparison(self, first: Node) -> Node:
        operands, operators = [first], []
        while _level(self._token) == COMPARISON:
            operators.append(self._take().text)
            operands.append(self._climb(SUM))
        return Comparison(tuple(operands), tuple(operators))

    def _postfix(self) -> Node:
        start = self._token.start
        node = self._atom()
        while self._token.sort is Sort.SYMBOL and self._token.text in {"[", "(", "."}:
            node = self._grown(self._after(node, self._take().text), start)
        return node

    def _after(self, source: Node, symbol: str) -> Node:
        if symbol == "[":
            return self._ago(source)
        return self._call(source) if symbol == "(" else self._member(source)

    def _ago(self, source: Node) -> Node:
        bars = self._bars("of bars ago between [ ]", least=0)
        if self._token.is_word("bars") or self._token.is_word("bar"):
            self._place += 1
        self._expect("]", "after the number of bars")
        return Ago(source, bars)

    def _member(self, source: Node) -> Node:
        if self._token.is_symbol("("):
            return Grouped(source, self._parenthesised())
        if self._token.sort is not Sort.NAME:
            raise self._wrong("a name or '(' after '.'")
        return Member(source, self._take().text)

    def _call(self, function: Node) -> Node:
        arguments: list[Argument] = []
        self._enter()
        while not self._token.is_symbol(")"):
            if arguments:
                self._expect(",", "or ')' in the arguments")
            arguments.append(self._argument())
        self._take()
        self._open -= 1
        return Call(function, tuple(arguments))

    def _argument(self) -> Argument:
        name = ""
        if self._token.sort is Sort.NAME and self._tokens[self._place + 1].is_symbol("="):
            name = self._take().text
            self._place += 1
        return Argument(name, self._climb(OR))

    def _atom(self) -> Node:
        token = self._token
        if token.sort is Sort.NUMBER:
            return self._number()
        if token.sort in {Sort.CLOCK, Sort.TEXT}:
            return self._grown(_plain(self._take()), token.start)
        if token.sort is Sort.NAME and token.text not in WORDS:
            self._place += 1
            return self._grown(self._numbers.get(token.text, Name(token.text)), token.start)
        if token.is_symbol("("):
            return self._parenthesised()
        advice = "; write a digit before the '.'" if token.is_symbol(".") else ""
        raise Mistake(token.start, f"expected a number, a name or '(', found {token}{advice}")

    def _parenthesised(self) -> Node:
        start = self._take().start
        self._enter()
        node = self._climb(OR)
        end = self._expect(")", f"for the '(' at character {start + 1}").end
        self._open -= 1
        return replace(node, start=start, end=end)

    def _enter(self) -> None:
        self._open += 1
        if self._open > DEEPEST:
            raise Mistake(self._tokens[self._place - 1].start, f"more than {DEEPEST} open '('")

    def _number(self) -> Node:
        token = self._take()
        value = Decimal(token.text.replace("_", ""))
        if value > LARGEST:
            raise Mistake(token.start, f"the number is larger than {LARGEST:,}")
        return self._grown(Number(value, self._unit()), token.start)

    def _unit(self) -> str:
        token = self._token
        if not token.is_symbol("%") and (token.sort is not Sort.NAME or token.text in WORDS):
            return ""
        if token.text not in LITERALS:
            near = _small_letters(token) or suggestion(token.text, LITERALS)
            raise Mistake(token.start, f"unknown unit '{token.text}' after a number{near}")
        return LITERALS[self._take().text].name

    def _bars(self, where: str, least: int = 1) -> int:
        token = self._token
        written = self._numbers.get(token.text)
        if token.sort is Sort.NUMBER and "." not in token.text:
            written = Number(Decimal(token.text.replace("_", "")))
        whole = written.value.to_integral_value() if written else None  # % 1 ends at 28 digits
        if written is None or written.unit not in {"", "bars"} or written.value != whole:
            raise self._wrong(f"a whole number {where}")
        self._place += 1
        bars = int(written.value)
        if not least <= bars <= 10_000:
            raise Mistake(token.start, f"expected {least} to 10_000 bars {where}, found {bars}")
        return bars

    def _left_over(self) -> Mistake:
        token, before = self._token, self._tokens[self._place - 1]
        advice = _small_letters(token)
        if token.is_symbol(",") and before.sort is Sort.NUMBER:
            advice = "; write 1_000, not 1,000"
        elif token.is_symbol("%"):
            advice = "; % is a unit and stands directly behind a number"
        expected = "an operator or the end of the expression"
        return Mistake(token.start, f"expected {expected}, found {token}{advice}")


def _plain(token: Token) -> Node:
    if token.sort is Sort.TEXT:
        return Text(token.text[1:-1])
    hours, minutes = map(Decimal, token.text.split(":"))
    return Number(60 * hours + minutes, CLOCK.name)


def _level(token: Token) -> int:
    """Return how tightly an operator binds, -1 for what is none."""
    return _LEVELS.get(token.text, -1)


def _small_letters(token: Token) -> str:
    word = token.text.lower()
    return f"; write '{word}' in small letters" if word in WORDS else ""
