"""/sell where: what matches is listed and proposed card by card, the unknown is never sold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.orders import Position, Side
from market.types import Bar, Timeframe
from tests.bot.chat_world import NOW, OWNER, TRADER, tick

if TYPE_CHECKING:
    from market.messages import Message
    from tests.bot.chat_world import World

SAMSUNG, HYNIX, STRANGE = "KRX:005930", "KRX:000660", "KRX:999999"
SLOT = timedelta(minutes=5)


def hold(world: World, name: str, paid: int, price: float | None, quantity: int = 10) -> None:
    """Hold something bought at a price, which now trades at another."""
    position = Position(name, Decimal(quantity), Decimal(paid))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    if price is not None:
        world.services.quotes.note([tick(name, NOW - timedelta(seconds=4), price)])


def trade(world: World, name: str, *closes: float) -> None:
    """Let 5m bars close like that, the last one just now."""
    first = NOW - len(closes) * SLOT
    bars = [
        Bar(name, Timeframe.M5, first + place * SLOT, *(close,) * 4, 10.0, close * 10)
        for place, close in enumerate(closes)
    ]
    asyncio.run(world.store.write(lambda tx: tx.bars.put(bars)))


def say(world: World, words: str) -> Message:
    (message,) = asyncio.run(world.say(f"/sell where {words}".strip()))
    return message


def tap(world: World, message: Message) -> list[Message]:
    ((button,),) = message.buttons
    assert button.data.startswith("c:/sell where :update:")
    incoming = world.incoming(button.data, kind="tap")
    return asyncio.run(world.receive(incoming))[1]


def held_two(world: World) -> None:
    hold(world, SAMSUNG, 70_000, 71_500.0)
    hold(world, HYNIX, 200_000, 190_000.0, 3)


def test_what_matches_is_listed_and_nothing_is_proposed_yet(world: World) -> None:
    held_two(world)
    message = say(world, "profit > 1%")
    assert "1 of 2 positions match" in message.text
    assert "삼성전자</b> 10 shares\n🔺 +2.14% · 71,500 KRW (4s ago)" in message.text
    assert "하이닉스" not in message.text
    assert [[one.label for one in row] for row in message.buttons] == [["Propose 1 sales"]]
    assert world.desk.tickets == []


def test_a_tap_proposes_every_listed_sale_once(world: World) -> None:
    held_two(world)
    message = say(world, "position.quantity > 0")
    (answer,) = tap(world, message)
    assert "Proposed: 2." in answer.text
    assert {(one.instrument.id, one.side) for one in world.desk.tickets} == {
        (SAMSUNG, Side.SELL),
        (HYNIX, Side.SELL),
    }
    assert all(one.size is not None and one.size.text == "all" for one in world.desk.tickets)
    assert {one.user_id for one in world.desk.tickets} == {TRADER.id}
    keys = {one.key for one in world.desk.tickets}
    tap(world, message)
    assert {one.key for one in world.desk.tickets} == keys  # the desk takes a key once


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("profit < -3%", [HYNIX]),
        ("position.profit < -3%", [HYNIX]),
        ("profit < -3% or quantity >= 10", [HYNIX, SAMSUNG]),
        ("price > 100_000", [HYNIX]),
        ("not profit > 0%", [HYNIX]),
        ("quantity * price > 650_000 KRW", [SAMSUNG]),
        ("max(profit, 1%) > 2％", [SAMSUNG]),
    ],
)
def test_the_words_of_a_position_need_no_prefix(world: World, words: str, names: list[str]) -> None:
    held_two(world)
    message = say(world, words)
    tap(world, message)
    assert sorted(one.instrument.id for one in world.desk.tickets) == sorted(names)


def test_other_series_are_of_the_newest_closed_bar(world: World) -> None:
    held_two(world)
    trade(world, SAMSUNG, *[70_000.0] * 19, 69_000.0)
    trade(world, HYNIX, *[190_000.0] * 19, 195_000.0)
    message = say(world, "close < sma(close, 20)")
    assert "1 of 2" in message.text
    assert "the rest is of the last closed 5m bar" in message.text
    assert "삼성전자" in message.text


def test_nothing_that_matches_tells_the_nearest(world: World) -> None:
    held_two(world)
    message = say(world, "profit > 10%")
    assert message.buttons == ()
    assert "Nothing matches" in message.text
    nearest = message.text.partition("Nearest:")[2]
    assert "삼성전자" in nearest
    assert "하이닉스" not in nearest
    assert "profit &gt; 10%</code> → 2.14% &gt; 10.00%" in nearest


def test_what_is_not_known_is_listed_and_never_sold(world: World) -> None:
    held_two(world)
    hold(world, STRANGE, 1_000, 900.0)
    trade(world, SAMSUNG, 70_000.0, 72_000.0)
    trade(world, STRANGE, 1_000.0, 900.0)
    message = say(world, "close > close[1] or profit < -50%")
    assert "1 of 3" in message.text
    assert "하이닉스</b>: not known, a value cannot be computed" in message.text
    assert "999999</b>: not known, no condition watches its 5m bars" in message.text
    tap(world, message)
    assert [one.instrument.id for one in world.desk.tickets] == [SAMSUNG]


def test_what_nobody_watches_has_its_newest_price_for_a_close(world: World) -> None:
    hold(world, STRANGE, 1_000, 900.0)
    trade(world, STRANGE, 5_000.0, 5_000.0)  # kept from when it was watched
    assert "1 of 1" in say(world, "close < 1_000").text
    assert "1 of 1" in say(world, "profit < -5%").text
    assert "0 of 1" in say(world, "volume > 1").text
    tap(world, say(world, "close < 1_000"))
    assert [one.instrument.id for one in world.desk.tickets] == [STRANGE]


def test_a_bar_that_could_not_be_read_leaves_its_series_unknown(world: World) -> None:
    held_two(world)
    trade(world, SAMSUNG, 70_000.0, 72_000.0)
    position = {"judged_ms": 2, "behind": {SAMSUNG: 1}}
    asyncio.run(world.store.write(lambda tx: tx.documents.put("series/KRX/5m", position)))
    assert "삼성전자</b>: not known, a bar could not be read" in say(world, "close > 1").text
    assert "1 of 2" in say(world, "profit > 1%").text  # needs no bar


def test_a_price_that_nobody_has_seen_is_asked_for(world: World) -> None:
    hold(world, SAMSUNG, 70_000, None)
    assert "+2.14% · 71,500 KRW (0s ago)" in say(world, "profit > 1%").text


@pytest.mark.parametrize(
    ("words", "marked", "message"),
    [
        ("profit > 1%%", "profit &gt; 1%👉%", "is a unit and stands directly behind a number"),
        ("profti > 1%", "👉profti &gt; 1%", "unknown name 'profti'; did you mean 'profit'?"),
        ("age > 2 dais", "age &gt; 2 👉dais", "unknown unit 'dais' after a number"),
        ("profit > 100 KRW", "profit &gt; 👉100 KRW", "a ratio (%) cannot be compared with"),
        ("profit", "👉profit", "expected a comparison, found only a number"),
        ("d1.(profit > 1%)", "d1.(👉profit &gt; 1%)", "write position.profit outside of d1."),
        ("rsi(14, 15) > 3", "rsi(14, 👉15) &gt; 3", "too many arguments"),
        ("x" * 5_000, "👉", "at most 2000 are allowed"),
    ],
)
def test_a_mistake_is_shown_with_its_place(
    world: World, words: str, marked: str, message: str
) -> None:
    held_two(world)
    answer = say(world, words)
    assert marked in answer.text
    assert message in answer.text
    assert answer.buttons == ()


def test_without_words_it_tells_how(world: World) -> None:
    assert "/sell where profit &gt; 1%" in say(world, "").text


def test_with_nothing_held_it_says_so(world: World) -> None:
    assert say(world, "profit > 1%").text == "Nothing is held."
    hold(world, SAMSUNG, 70_000, 71_500.0, 0)
    assert say(world, "profit > 1%").text == "Nothing is held."


def test_somebody_elses_list_is_not_proposed(world: World) -> None:
    held_two(world)
    message = say(world, "quantity > 0")
    ((button,),) = message.buttons
    notice = asyncio.run(world.tap(button.data, OWNER))
    assert notice
    assert asyncio.run(world.tap("c:/sell where :update:424242"))
    assert world.desk.tickets == []


def test_an_old_list_is_made_anew(world: World) -> None:
    held_two(world)
    message = say(world, "profit > 1%")
    world.wall.advance(timedelta(minutes=6))
    world.services.quotes.note([tick(HYNIX, NOW, 210_000.0)])
    (answer,) = tap(world, message)
    assert "2 of 2" in answer.text
    assert world.desk.tickets == []
    tap(world, answer)
    assert len(world.desk.tickets) == 2


def test_what_was_sold_meanwhile_is_told(world: World) -> None:
    held_two(world)
    message = say(world, "quantity > 0")
    hold(world, HYNIX, 0, None, 0)
    (answer,) = tap(world, message)
    assert "Nothing of it left to sell: SK하이닉스" in answer.text
    assert [one.instrument.id for one in world.desk.tickets] == [SAMSUNG]


def test_no_more_than_the_orders_of_a_minute_are_listed(world: World) -> None:
    most = world.config.settings.risk.max_orders_per_minute
    names = [one.id for one in world.config.directory][: most + 2]
    for name in names:
        hold(world, name, 1_000, 1_100.0)
    message = say(world, "profit > 1%")
    assert f"{most + 2} of {most + 2}" in message.text
    assert "2 more match" in message.text
    tap(world, message)
    assert len(world.desk.tickets) == most


def test_it_speaks_korean(world: World) -> None:
    held_two(world)
    (message,) = asyncio.run(world.say("/sell 조건 profit > 1%", OWNER))
    assert "보유 2종목 중 1종목이 조건에 맞아요" in message.text
    assert message.buttons[0][0].label == "1건 매도 제안"
