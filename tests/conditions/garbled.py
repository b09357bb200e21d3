"""Texts that a hurried person might write: a grammar of expressions and files, and noise on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.functions import FUNCTIONS
from conditions.indicators import EVENTS, INDICATORS
from conditions.units import LITERALS
from config.condition_reader import ALERT_KEYS, CONFIRM_KEYS, KEYS, ORDER_KEYS
from config.condition_tests import EXPECT_KEYS, TEST_KEYS
from config.trial_others import OTHER_KEYS
from config.trial_position import POSITION_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

CALLED = (*INDICATORS, *EVENTS, *FUNCTIONS)
FIELDS = ("open", "high", "low", "close", "volume", "value", "day")
FACTS = ("facts", "facts.per", "facts.market_cap", "facts.institutions_5", "facts.line")
HELD = ("position", "position.profit", "position.age", "position.price", "position.line")
NAMES = (*FIELDS, *FACTS, *HELD, "trend", "equity", "tick", "kline", "종가", "x")
SIGNS = (*"+-*/%<>=()[],.:;&|^!{}'\"#@$\\`~?_", "<=", ">=", "==", "!=", "≥", "−", "％", "\u3000")
WORDS = (
    "d1.",
    "d1.(",
    "h1.doji()",
    "and",
    "or",
    "not",
    "for",
    "within",
    "bars",
    "AND",
    "if",
    "true",
    "3 bars",
    "1_000",
    "1e9",
)
STRANGE = (
    "\x00",
    "\t",
    "\n",
    "\r\n",
    "\x85",
    "\u2028",
    "\ufeff",
    "😀",
    "é",
    "\u0301",
    "９",
    "\xa0",
)
NUMBERS = ("0", "1", "2.5", "14", "1_000", "100_000_000", "0.001", "9" * 25, "1__0", "1.2.3", "007")
BREAKS = (
    "\n",
    "\n  ",
    "\n- ",
    ": ",
    " {",
    "}",
    " [",
    "]",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "!b ",
    "---",
)
KEYWORDS = (
    *KEYS,
    *ORDER_KEYS,
    *ALERT_KEYS,
    *CONFIRM_KEYS,
    *TEST_KEYS,
    *OTHER_KEYS,
    *POSITION_KEYS,
    *EXPECT_KEYS,
)
VALUES = (
    "all",
    "5m",
    "2 bars",
    "30 minutes",
    "20 per day",
    "09:10-15:15",
    "true",
    "[KRX:005930]",
    "{severity: high}",
    '{close: "5x3 _ ? 7..9"}',
    "{fires_at: [1, 3..4]}",
    "[{name: a, bars: {close: 5x9}, expect: {never: true}}]",
    "[{name: a, bars: {close: 5x9}, facts: {per: 8 _}, others: {KRX:069500: {close: 5}}}]",
    "{per: '8 ? -3', eps: 1 _ 2}",
    "{price: 70_000, opened: 2, closed: 5}",
    "{KRX:000660: {close: 5 6, facts: {per: 8}}}",
    "{default: 5, range: [3, 20]}",
    "buy",
    "hold",
    "",
)


SOUND = (
    "not (TRUTH)",
    "(TRUTH) within 3 bars",
    "(TRUTH) for 2 bars",
    "(TRUTH) and PRICE > close",
    "(TRUTH) or PRICE <= open",
    "facts.per < 10 and (TRUTH)",
    "position.profit < -3% or (TRUTH)",
    "position.age > 2 days and position.quantity > 0 and (TRUTH)",
    "rank(facts.market_cap) <= 5 or (TRUTH)",
    "crosses_above(PRICE, close) and (TRUTH)",
    "h1.(TRUTH)",
    "d1.crosses_below(PRICE, open) or (TRUTH)",
    'of("KRX:005930").(TRUTH)',
)
PRICES = (
    "sma(PRICE, WINDOW)",
    "ema(PRICE, WINDOW)",
    "highest(PRICE, WINDOW)[1]",
    "(PRICE + low) / 2",
    "min(PRICE, high)",
    "1.02 * (PRICE)",
    "-abs(PRICE)",
)


class Garbler:
    """Makes texts, the same for the same random numbers."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def expression(self) -> str:
        """Return an expression; half of them with a few slips of the pen."""
        text = self._truth(4) if self._random.random() < 0.5 else self._sound(3)
        return text if self._random.random() < 0.5 else self._noisy(text, SIGNS, WORDS, STRANGE)

    def file(self) -> str:
        """Return a condition file; most of them with slips of the pen."""
        keys = ["name", "universe", "timeframe", *self._random.sample(KEYS, 6)]
        lines = ["when: " + self._quoted(self._sound(2)), *map(self._line, keys)]
        if self._random.random() < 0.2:
            lines = ["name: a", "universe: all", "timeframe: 5m", lines[0], "for: 2 bars"]
            return "\n".join(lines) + "\n"
        text = "\n".join(lines) + "\n"
        return text if self._random.random() < 0.2 else self._noisy(text, SIGNS, BREAKS, KEYWORDS)

    def _line(self, key: str) -> str:
        if key in {"clear", "when"}:
            return f"{key}: {self._quoted(self._truth(2))}"
        if key in {"order", "alert", "tests", "score", "sides", "let", "params"}:
            inner = (f"  {self._pick(KEYWORDS)}: {self._pick(VALUES)}" for _ in range(3))
            return "\n".join([f"{key}:", *inner])
        return f"{key}: {self._pick(VALUES)}"

    def _quoted(self, text: str) -> str:
        return self._pick((text, f"'{text}'", f'"{text}"', f"\n  all: [{text}, '{text}']"))

    def _sound(self, depth: int) -> str:
        """Return an expression that should compile."""
        if depth == 0 or self._random.random() < 0.3:
            sign = self._pick(("<", "<=", ">", ">="))
            return f"{self._price(depth)} {sign} {self._price(depth)}"
        inner = self._sound(depth - 1)
        template = self._pick(SOUND)
        return template.replace("TRUTH", inner).replace("PRICE", self._price(depth - 1))

    def _price(self, depth: int) -> str:
        if depth == 0:
            return self._pick(
                ("open", "high", "low", "close", "close[2]", "facts.high_52w", "5_000 KRW", "70")
            )
        template = self._pick(PRICES)
        window = str(self._random.randrange(2, 30))
        return template.replace("PRICE", self._price(depth - 1)).replace("WINDOW", window)

    def _truth(self, depth: int) -> str:
        kind = self._random.randrange(8 if depth > 0 else 1)
        if kind < 3:
            signs = ("<", "<=", ">", ">=", "==", "!=")
            return f"{self._number(depth)} {self._pick(signs)} {self._number(depth)}"
        if kind == 3:
            return f"not ({self._truth(depth - 1)})"
        if kind == 4:
            word = self._pick(("for", "within"))
            return f"({self._truth(depth - 1)}) {word} {self._pick(NUMBERS)} bars"
        if kind == 5:
            return f"{self._pick(tuple(EVENTS))}({self._number(depth)}, {self._number(depth)})"
        return f"{self._truth(depth - 1)} {self._pick(('and', 'or'))} {self._truth(depth - 1)}"

    def _number(self, depth: int) -> str:
        kind = self._random.randrange(8 if depth > 0 else 3)
        if kind == 0:
            return self._pick(NUMBERS) + self._pick(("", "", " ", "%", *LITERALS))
        if kind < 3:
            return self._pick(NAMES if kind == 1 else tuple(FIELDS))
        inner = self._number(depth - 1)
        if kind == 3:
            return self._pick((f"-{inner}", f"({inner})", f"{inner}[{self._pick(NUMBERS)}]"))
        if kind == 4:
            return f"{inner} {self._pick(tuple('+-*/'))} {self._number(depth - 1)}"
        if kind == 5:
            return f"{inner}.{self._pick(('line', 'upper', 'k', 'x', 'per', 'high_52w'))}"
        parts = [inner, *(self._pick(NUMBERS[:7]) for _ in range(self._random.randrange(3)))]
        return f"{self._pick(CALLED)}({', '.join(parts)})"

    def _noisy(self, text: str, *pieces: Sequence[str]) -> str:
        """Return the text with up to four places cut out, written over or written twice."""
        for _ in range(self._random.randrange(1, 5)):
            start = self._random.randrange(len(text) + 1)
            end = min(len(text), start + self._random.choice((0, 0, 1, 1, 2, 9)))
            put = self._pick(self._random.choice(pieces))
            text = text[:start] + self._pick(("", put, put, text[start:end] * 2)) + text[end:]
        return text

    def _pick(self, options: Sequence[str]) -> str:
        return options[self._random.randrange(len(options))]
