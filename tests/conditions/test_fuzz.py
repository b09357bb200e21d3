"""Twenty thousand texts: each is a condition, or refused with its place; nothing else happens."""

from __future__ import annotations

from collections import Counter
from random import Random

from conditions.compile import compile_condition
from conditions.lint import lint
from config.condition_file import ConditionSpec
from config.condition_reader import Surroundings, parse_conditions
from config.strict_yaml import Located
from market.errors import ConfigError
from market.types import Timeframe
from tests.conditions.garbled import Garbler

EXPRESSIONS, FILES = 19_000, 1_000
AROUND = Surroundings(universes=("all",), instruments={})


def compiled(text: str) -> str:
    """Compile an expression, and say how it went."""
    located = Located(text, "x.yaml", 4, 7)
    spec = ConditionSpec("x.yaml", "x", "", ("KRX:005930",), Timeframe.M5, located)
    try:
        lint(compile_condition(spec))
    except ConfigError as error:
        check(error, text, 4, 4)
        return "refused"
    return "compiled"


def read(text: str) -> str:
    """Read and compile a file, and say how it went."""
    try:
        for spec in parse_conditions(text, "x.yaml", AROUND):
            lint(compile_condition(spec))
    except ConfigError as error:
        check(error, text, 1, len(text.splitlines()) + 1)
        return "refused"
    return "compiled"


def check(error: ConfigError, text: str, first: int, last: int) -> None:
    """Check that there are problems, each with words and a place in the text."""
    assert error.problems, text
    for problem in error.problems:
        assert problem.message, text
        assert problem.file == "x.yaml", text
        assert first <= problem.line <= last, text
        assert 1 <= problem.column <= 8 + len(text), text


def test_twenty_thousand_texts_are_values_or_refused_with_their_place() -> None:
    garbler = Garbler(Random(20_260_105))  # noqa: S311  # always the same texts
    expressions = Counter(compiled(garbler.expression()) for _ in range(EXPRESSIONS))
    files = Counter(read(garbler.file()) for _ in range(FILES))
    assert min(expressions["compiled"], expressions["refused"]) > EXPRESSIONS / 20
    assert min(files["compiled"], files["refused"]) > FILES / 20


def test_a_number_of_bars_with_more_digits_than_can_be_divided_is_refused() -> None:
    assert compiled(f"close[{'9' * 30}] > 5") == "refused"
    assert compiled(f"close > 5 for {'9' * 30} bars") == "refused"
