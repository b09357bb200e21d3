"""Tests of the parser: precedence, mistakes, and that nothing makes it fall over."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.mistake import Mistake
from conditions.nodes import (
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
    to_text,
)
from conditions.parser import DEEPEST, parse
from conditions.units import CLOCK, LITERALS

if TYPE_CHECKING:
    from collections.abc import Callable

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=300)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("-a[2] * b", "(-(a[2])) * b"),
        ("a / b - 1 > 2%", "((a / b) - 1) > 2%"),
        ("a or b and not c > d", "a or (b and (not (c > d)))"),
        ("a > b for 3 bars and c", "((a > b) for 3 bars) and c"),
        ("not a > b within 2 bars", "not ((a > b) within 2 bars)"),
        ("a.b(c)[1]", "((a.b)(c))[1]"),
    ],
)
def test_parse_groups_by_precedence(text: str, grouped: str) -> None:
    assert parse(text) == parse(grouped)


def test_parse_reads_every_form() -> None:
    held = parse("1_000 KRW < sma(close, window=20)[2 bars] <= 3.50% for 1 bar")
    assert held == Held(
        Comparison(
            (
                Number(Decimal(1000), "KRW"),
                Ago(
                    Call(
                        Name("sma"),
                        (Argument("", Name("close")), Argument("window", Number(Decimal(20)))),
                    ),
                    2,
                ),
                Number(Decimal("3.5"), "%"),
            ),
            ("<", "<="),
        ),
        "for",
        1,
    )


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "expected an expression, found nothing"),
        ("close >", 7, "found the end of the expression"),
        ("close > > 2", 8, "expected a number, a name or '(', found '>'"),
        ("(close > 2", 10, "expected ')' for the '(' at character 1"),
        ("sma(close 20)", 10, "expected ',' or ')' in the arguments, found '20'"),
        ("close = 2", 6, "write '=='"),
        ("value > 1,000", 9, "write 1_000, not 1,000"),
        (
            "close > 2 AND volume > 3",
            10,
            "unknown unit 'AND' after a number; write 'and' in small letters",
        ),
        ("close > open AND volume > 3", 13, "write 'and' in small letters"),
        ("close > 2 krw", 10, "unknown unit 'krw' after a number"),
        ("close > 5 ticsk", 10, "did you mean 'tick"),
        ("close[x]", 6, "expected a whole number of bars ago between [ ], found 'x'"),
        ("close[1.5]", 6, "expected a whole number of bars ago between [ ], found '1.5'"),
        ("close[20_000]", 6, "expected 0 to 10_000 bars"),
        ("close > open for 0 bars", 17, "expected 1 to 10_000 bars after 'for', found 0"),
        ("close > open for 2 minutes", 19, "expected 'bars' after 'for 2', found 'minutes'"),
        ("close % 2", 6, "% is a unit"),
        ("close > .5", 8, "write a digit before the '.'"),
        ("close.", 6, "expected a name or '(' after '.'"),
        ("close > not open", 8, "found 'not'"),
        ("9" * 30, 0, "the number is larger than"),
    ],
)
def test_parse_says_what_was_expected_and_where(text: str, offset: int, message: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.offset == offset


@pytest.mark.parametrize("sign", ["-", "not ", "(", "a(", "a + (", "a and ("])
def test_parse_refuses_what_is_nested_too_deep(sign: str) -> None:
    with pytest.raises(Mistake, match=r"nested deeper|more than 50 open"):
        parse(sign * (DEEPEST + 5) + "a" + ")" * (DEEPEST + 5) * sign.count("("))


@pytest.mark.parametrize("link", ["[1]", ".b", "()", " + a", " * a"])
def test_parse_refuses_chains_that_are_too_long(link: str) -> None:
    with pytest.raises(Mistake, match="nested deeper than 50 levels"):
        parse("a" + link * 400)


def test_parse_takes_as_many_alternatives_as_fit() -> None:
    assert len(to_text(parse(" or ".join(["a > 1"] * 200)))) < 2000


PIECES = (
    *"()[]+-*/%.,<>= :\"'",
    "09:30",
    *LITERALS,
    "close",
    "and",
    "or",
    "not",
    "for",
    "within",
    "3",
    "1_0",
)


def attempt(text: str) -> Node | Mistake:
    """Return the tree of a text, or its mistake."""
    try:
        return parse(text)
    except Mistake as mistake:
        return mistake


@STEADY
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES)).map(" ".join)))
def test_parse_gives_a_tree_or_a_mistake_within_the_text(text: str) -> None:
    found = attempt(text)
    if isinstance(found, Mistake):
        assert 0 <= found.offset <= len(text)
    else:
        assert attempt(to_text(found)) == found


def _numbers() -> st.SearchStrategy[Node]:
    values = st.decimals(0, 10**9, places=3)
    units = sorted({one.name for one in LITERALS.values()} - {CLOCK.name})
    times = st.builds(Number, st.integers(0, 1_439).map(Decimal), st.just(CLOCK.name))
    return times | st.builds(Number, values, st.sampled_from(["", *units]))


def _bigger(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    names = st.sampled_from(["close", "sma", "line", "d1"])
    bars = st.integers(1, 9)
    several = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    arguments = st.lists(st.builds(Argument, st.sampled_from(["", "window"]), nodes), max_size=3)
    build: Callable[..., st.SearchStrategy[Node]] = st.builds
    return st.one_of(
        build(Member, nodes, names),
        build(Grouped, nodes, nodes),
        build(Ago, nodes, bars),
        build(Call, nodes, arguments.map(tuple)),
        build(Negative, nodes),
        build(Binary, st.sampled_from("+-*/"), nodes, nodes),
        several.map(lambda nodes: Comparison(nodes, ("<", ">=")[: len(nodes) - 1])),
        build(Held, nodes, st.sampled_from(["for", "within"]), bars),
        build(Not, nodes),
        build(Junction, st.sampled_from(["and", "or"]), several),
    )


TREES: st.SearchStrategy[Node] = st.recursive(
    _numbers()
    | st.builds(Name, st.sampled_from(["close", "volume"]))
    | st.builds(Text, st.sampled_from(["KRX:005930", "a 'b'", 'a "b"', ""])),
    _bigger,
    max_leaves=12,
)


@STEADY
@given(TREES)
def test_printing_and_parsing_gives_the_same_tree(node: Node) -> None:
    assert parse(to_text(node)) == node
