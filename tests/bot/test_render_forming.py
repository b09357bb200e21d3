"""Words about bars that are still forming: in alerts, in a why, and of a signal later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from bot.html_text import to_plain
from bot.render import ChatCards
from bot.render_signal import signal_text
from bot.render_why import why_text
from bot.texts import LANGUAGES, Texts
from conditions.tree import Branch, Operand
from conditions.waits import Wait, WaitFor
from conditions.why import Why
from config.condition_file import AlertSpec
from market.messages import Person, Role
from market.signals import Explanation, Leaf, LifecycleState, Signal, Snapshot
from market.types import Instrument, Timeframe, Venue, Verdict, to_ms

TEXTS = Texts.load()
AT = datetime(2026, 11, 24, 1, 5, tzinfo=UTC)
SAMSUNG = Instrument(Venue.KRX, "005930", "Samsung")
LEAF = Leaf("close > 70_000", 71_500.0, ">", 70_000.0, "price", Verdict.TRUE)
CLOSES = (71_500.0,)
SHOWN = Snapshot(Timeframe.M5, (to_ms(AT),), CLOSES, CLOSES, CLOSES, CLOSES, CLOSES)
SIGNAL = Signal(
    id="breakout:1:KRX:005930:0",
    condition="breakout",
    version="1",
    instrument="KRX:005930",
    timeframe=Timeframe.M5,
    bar_start=AT,
    fired_at=AT,
    price=71_500.0,
    explanation=Explanation(Verdict.TRUE, (LEAF,)),
    snapshot=SHOWN,
    is_intrabar=True,
)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "May repaint"), ("ko", "마감 때 달라질 수 있어요")]
)
def test_an_alert_of_a_forming_bar_says_so_first(language: str, words: str) -> None:
    cards = ChatCards(TEXTS, language=language)
    reader = Person(1, Role.VIEWER, language, "Kim")

    def first_line(signal: Signal) -> str:
        (message,) = cards.alert(signal, SAMSUNG, AlertSpec(), [reader], None)
        return to_plain(message.text).splitlines()[0]

    assert words in first_line(SIGNAL)
    assert words not in first_line(replace(SIGNAL, is_intrabar=False))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_signal_tells_what_its_close_has_made_of_it(language: str) -> None:
    told = {
        has_held: signal_text(TEXTS, language, replace(SIGNAL, has_held=has_held), SAMSUNG, ())
        for has_held in (None, True, False)
    }
    keys = {None: "why.early.open", True: "why.early.held", False: "why.early.gone"}
    for has_held, key in keys.items():
        assert TEXTS.get(key, language) in told[has_held]
    plain = signal_text(TEXTS, language, replace(SIGNAL, is_intrabar=False), SAMSUNG, ())
    assert "⚡" not in plain


def why(*waits: Wait, is_forming: bool = True) -> str:
    operands = (Operand("close", 71_500.0, "price"), Operand("x", 70_000.0, "price"))
    leaf = Branch("compare", "close > x", Verdict.TRUE, (), operands, ">", "price", -1_500.0)
    found = Why(
        condition="breakout",
        instrument=SAMSUNG.id,
        timeframe=Timeframe.M5,
        bar_start=AT,
        close=71_500.0,
        verdict=Verdict.TRUE,
        when=leaf,
        clear=None,
        held=1,
        state=LifecycleState(),
        fires=False,
        waits=waits,
        is_forming=is_forming,
    )
    return to_plain(why_text(TEXTS, "en", found, SAMSUNG))


def test_a_why_says_that_the_bar_may_change() -> None:
    assert "5m bar of 11-24 10:05, still forming, may change · now" in why()
    assert "forming" not in why(is_forming=False)


def test_a_why_tells_which_hours_a_forming_bar_lies_outside_of() -> None:
    hours = (time(9, 10), time(15, 15))
    now = why(Wait(WaitFor.HOURS_NOW, at=AT, hours=hours))
    assert "It is 11-24 10:05, outside 09:10-15:15." in now
    end = why(Wait(WaitFor.HOURS_END, at=AT, hours=hours))
    assert "The bar ends 11-24 10:05, outside 09:10-15:15." in end
