"""/why and /near in the chat: live answers, the button under an alert, and what is not known."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.html_text import to_plain
from market.types import Timeframe
from tests.bot.asked_market import HYNIX, LENGTH, SAMSUNG, bar, fill
from tests.bot.chat_world import NOW, OWNER, TRADER, VIEWER
from tests.bot.test_render import make_signal

if TYPE_CHECKING:
    from market.messages import Message
    from market.signals import Signal
    from tests.bot.chat_world import World


def said(world: World, line: str) -> Message:
    """Return the one answer to a line."""
    (message,) = asyncio.run(world.say(line))
    return message


def data(message: Message) -> list[str]:
    """Return what the buttons send."""
    return [button.data for row in message.buttons for button in row]


def keep(world: World, *signals: Signal) -> None:
    """Store signals."""

    def write(tx):  # type: ignore[no-untyped-def]  # a transaction
        for signal in signals:
            tx.signals.add(signal)

    asyncio.run(world.store.write(write))


def test_why_shows_the_live_tree(world: World) -> None:
    fill(world.watch.series[0], jump=1.05)
    message = said(world, "/why volume-breakout 005930")
    lines = to_plain(message.text).splitlines()
    assert lines[:3] == [
        "❓ volume-breakout · 삼성전자 (005930)",
        "5m bar of 11-24 10:25 · close 74,970 KRW",
        "▫️ Not true: 1 of 3 comparisons hold.",
    ]
    assert "  ✅ close / sma(close, 60) - 1 > 2%" in lines
    assert any("short" in line for line in lines)
    assert data(message) == ["c:/why volume-breakout 005930", "c:/near volume-breakout"]
    assert message.card is not None
    assert message.card.startswith("why/")


def test_why_counts_the_day_s_signals_against_the_limit(world: World) -> None:
    fill(world.watch.series[0])
    keep(world, *(replace(make_signal(), id=str(number)) for number in range(20)))
    text = said(world, "/why volume-breakout 005930").text
    assert "Daily limit reached: 20 of 20" in text


def test_why_follows_a_firing_condition(world: World) -> None:
    fill(world.watch.series[0], jump=1.05, burst=40)
    text = said(world, "/why volume-breakout 005930").text
    assert "Fired on this bar." in text
    assert "Cooldown until 11-24 11:00" in text


def test_why_of_an_instrument_that_waits_for_the_chart(world: World) -> None:
    series = world.watch.series[0]
    fill(series)
    series.panel.mark_missing([series.panel.row(SAMSUNG)])
    assert "could not be read" in said(world, "/why volume-breakout 005930").text


def test_why_without_a_condition_asks_which_of_those_that_watch(world: World) -> None:
    assert data(said(world, "/why 005930")) == [
        "c:/why rsi-rebound 005930",
        "c:/why volume-breakout 005930",
    ]
    watched = {one for look in world.config.universes.values() for one in look}
    assert {SAMSUNG, HYNIX} <= watched


def test_why_without_an_instrument_ranks(world: World) -> None:
    fill(world.watch.series[0])
    first, second = said(world, "/why volume-breakout"), said(world, "/near volume-breakout")
    assert first.text == second.text
    assert "2 ranked" in first.text
    assert "c:/why volume-breakout 005930" in data(first)


def test_near_without_bars_says_so(world: World) -> None:
    assert "no bars yet" in said(world, "/near volume-breakout").text


def test_near_without_a_name_asks_which(world: World) -> None:
    assert data(said(world, "/near")) == ["c:/near rsi-rebound", "c:/near volume-breakout"]


@pytest.mark.parametrize(
    ("line", "words", "buttons"),
    [
        (
            "/why volume-brekout 005930",
            "no condition 'volume-brekout'",
            ["c:/why volume-breakout 005930"],
        ),
        ("/near rsi", "no condition 'rsi'", ["c:/near rsi-rebound"]),
        ("/why volume-breakout sk하이", "sk하이", ["c:/why volume-breakout 000660"]),
        ("/why #aaaaaaaaaa", "not known", []),
        ("/why #", "not known", []),
    ],
)
def test_what_is_not_known_is_answered_kindly(
    line: str, words: str, buttons: list[str], world: World
) -> None:
    message = said(world, line)
    assert words in to_plain(message.text)
    assert data(message)[:1] == buttons


def test_the_button_of_an_alert_shows_the_signal_and_what_came_of_it(world: World) -> None:
    signal = make_signal()
    keep(world, signal)
    later = [
        bar(SAMSUNG, signal.bar_start + (place + 1) * LENGTH, price, 10.0)
        for place, price in enumerate([75_000.0, 70_000.0, 72_930.0])
    ]
    world.market.advance(timedelta(minutes=20))
    asyncio.run(world.store.write(lambda tx: tx.bars.put(later)))
    tap = world.incoming(f"c:/why #{signal.reference}", VIEWER, kind="tap")
    _, (message,) = asyncio.run(world.receive(tap))
    assert to_plain(message.text).splitlines() == [
        "❓ volume-breakout · 삼성전자 (005930)",
        "🔔 Fired on the 5m bar of 11-24 10:25 at 71,500 KRW",
        "Since then, 3 bars: 72,930 KRW 🔺 +2.00%",
        "highest 75,000 KRW 🔺 +4.90%",
        "lowest 70,000 KRW 🔻 -2.10%",
        "",
        "✅ close / sma(close, 60) - 1 > 2% → 3.41% > 2.00%",
        "✅ volume > 6 * sma(volume, 20) → 120,000 > 84,000",
        "❔ rsi(14) < 70 → – < 70.00",
    ]
    assert data(message) == ["c:/why volume-breakout 005930"]


def test_a_signal_without_later_bars_says_so(world: World) -> None:
    keep(world, make_signal())
    text = said(world, f"/why #{make_signal().reference.upper()}").text
    assert "No bar since then." in text


def test_a_bare_why_offers_the_newest_signals(world: World) -> None:
    signals = [
        replace(make_signal(), id=str(number), fired_at=NOW + timedelta(minutes=number))
        for number in range(8)
    ]
    keep(world, *signals)
    message = said(world, "/why")
    assert data(message) == [f"c:/why #{one.reference}" for one in reversed(signals[2:])]
    assert message.buttons[0][0].label == "11-24 10:37 삼성전자 · volume-breakout"


@pytest.mark.parametrize("person", [OWNER, TRADER, VIEWER], ids=lambda one: one.role.value)
def test_everybody_in_a_group_may_ask(world: World, person: object) -> None:
    fill(world.watch.series[0])
    asking = world.say("/why volume-breakout 005930", person, chat_id=-5, chat_type="group")  # type: ignore[arg-type]  # one of three people
    (message,) = asyncio.run(asking)
    assert message.chat_id == -5
    assert Timeframe.M5.value in message.text
