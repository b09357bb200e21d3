"""Tests of cutting expressions into tokens."""

from __future__ import annotations

import pytest

from conditions.lexer import LONGEST, Sort, tokens
from conditions.mistake import Mistake


def test_tokens_keep_their_places_in_characters() -> None:
    found = tokens("가격 >= 1_000.5 % ")
    assert [(one.text, one.start, one.end) for one in found] == [
        ("가격", 0, 2),
        (">=", 3, 5),
        ("1_000.5", 6, 13),
        ("%", 14, 15),
        ("", 16, 16),
    ]
    assert found[-1].sort is Sort.END


@pytest.mark.parametrize(
    ("text", "offset", "advice"),
    [
        ("a && b", 2, "write 'and'"),
        ("a ≥ 2", 2, "write '>='"),
        ("a ^ 2", 2, "powers are not part of the language"),
        ("1__0", 1, "malformed number"),
        ("1.2.3", 3, "malformed number"),
        ("a > 24:00", 4, "from 00:00 to 23:59"),
        ("a > 09:30:15", 4, "malformed time of day"),
        ("a > 09:300", 4, "malformed time of day"),
        ("of(KRX:005930)", 6, 'a time of day is written 09:30, an instrument "KRX:005930"'),
        ("of('KRX:005930)", 3, "the text does not end"),
        ("of(“KRX:005930”)", 3, "write '\"'"),
        ("a \x00", 2, "unexpected character '\\u0000'"),
        ("x" * (LONGEST + 1), LONGEST, "at most 2000"),
    ],
)
def test_tokens_say_what_is_wrong_and_where(text: str, offset: int, advice: str) -> None:
    with pytest.raises(Mistake, match=r".*") as caught:
        tokens(text)
    assert caught.value.offset == offset
    assert advice in caught.value.message


def test_a_time_of_day_and_a_text_are_one_token_each() -> None:
    found = [(one.sort, one.text) for one in tokens('9:30 "KRX:005930" \'a "b"\'')]
    assert found[:-1] == [
        (Sort.CLOCK, "9:30"),
        (Sort.TEXT, '"KRX:005930"'),
        (Sort.TEXT, "'a \"b\"'"),
    ]
