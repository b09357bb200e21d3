"""What is asked about is read without guessing, and what is like it is offered."""

from __future__ import annotations

import pytest

from bot.asking import Question, UnknownCondition, UnknownName, read_question
from market.directory import Directory
from market.types import Instrument, Venue

SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자")
ETF = Instrument(Venue.KRX, "069500", "KODEX 200")
DIRECTORY = Directory([SAMSUNG, ETF])
NAMES = ("volume-breakout", "rsi-rebound")


@pytest.mark.parametrize(
    ("args", "condition", "instrument"),
    [
        ("", "", None),
        ("volume-breakout", "volume-breakout", None),
        ("Volume-Breakout 005930", "volume-breakout", SAMSUNG),
        ("  rsi-rebound   kodex 200 ", "rsi-rebound", ETF),
        ("삼성전자", "", SAMSUNG),
        ("KODEX 200", "", ETF),
        ("ｒｓｉ-ｒｅｂｏｕｎｄ ００５９３０", "rsi-rebound", SAMSUNG),
    ],
)
def test_a_question_is_understood(args: str, condition: str, instrument: Instrument | None) -> None:
    assert read_question(args, NAMES, DIRECTORY) == Question(condition, instrument)


def test_an_unknown_condition_offers_what_is_like_it() -> None:
    with pytest.raises(UnknownCondition) as caught:
        read_question("volume-brekout 005930", NAMES, DIRECTORY)
    assert (caught.value.code, caught.value.near) == (
        "condition.did_you_mean",
        ("volume-breakout",),
    )
    assert caught.value.rest == "005930"


def test_an_unknown_condition_offers_all_of_a_few() -> None:
    with pytest.raises(UnknownCondition) as caught:
        read_question("zzz", NAMES, DIRECTORY)
    assert caught.value.near == ("rsi-rebound", "volume-breakout")
    with pytest.raises(UnknownCondition) as caught:
        read_question("zzz", [f"name-{number}" for number in range(9)], DIRECTORY)
    assert (caught.value.code, caught.value.near) == ("condition.unknown", ())


@pytest.mark.parametrize(
    ("text", "near"), [("kodex", (ETF,)), ("삼성", (SAMSUNG,)), ("zzzzzz", ())]
)
def test_an_unknown_instrument_offers_what_is_like_it(
    text: str, near: tuple[Instrument, ...]
) -> None:
    with pytest.raises(UnknownName) as caught:
        read_question(f"rsi-rebound {text}", NAMES, DIRECTORY)
    assert (caught.value.near, caught.value.condition) == (near, "rsi-rebound")
