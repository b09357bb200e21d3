"""What is held is asked for, listed, tapped, confirmed card by card, and sold on paper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from market.orders import OrderState, Side

Open = Callable[..., AbstractAsyncContextManager[Any]]

CONFIRM = "oc:"
BOUGHT = ("005930", "000660")


def data_of(card: Any, beginning: str) -> str:
    found: str = next(b.data for row in card.buttons for b in row if b.data.startswith(beginning))
    return found


async def buy(here: Any, code: str) -> None:
    """Buy one on paper, and wait for the fill."""
    (card,) = await here.type(f"/buy {code} 1")
    await here.tap(card.id, data_of(card, CONFIRM))
    await here.sweep_until(lambda: "체결 완료" in here.text_of(card.id))


async def held(here: Any) -> dict[str, float]:
    positions = await here.app.store.read(lambda tx: tx.orders.positions())
    return {one.instrument: float(one.quantity) for one in positions}


def test_what_matches_is_sold_and_what_does_not_is_kept(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            await here.sweep()
            for code in BOUGHT:
                await buy(here, code)
            for _ in range(8):
                await here.sweep()  # prices move on
            (nothing,) = await here.type("/sell where profit > 1_000%")
            assert "맞는 종목이 없어서" in nothing.text
            assert "가장 가까운 종목" in nothing.text
            assert not nothing.buttons
            (wrong,) = await here.type("/sell where profit > 1 won")
            assert "profit > 1 👉won" in wrong.text
            (listed,) = await here.type("/sell where profit > -50% and age < 1 day")
            assert "보유 2종목 중 2종목" in listed.text
            assert await here.orders() == [
                one for one in await here.orders() if one.side is Side.BUY
            ]
            before = {one.id for one in here.said()}
            await here.tap(listed.id, data_of(listed, "c:/sell where :"))
            assert "2건을 제안했어요" in here.text_of(listed.id)
            cards = [one for one in here.said() if one.id not in before]
            assert len(cards) == 2
            sales = [one for one in await here.orders() if one.side is Side.SELL]
            assert [one.state for one in sales] == [OrderState.PROPOSED] * 2
            assert [float(one.quantity) for one in sales] == [1.0, 1.0]
            for card in cards:
                await here.tap(card.id, data_of(card, CONFIRM))
            await here.sweep_until(
                lambda: all("체결 완료" in here.text_of(card.id) for card in cards)
            )
            assert await held(here) == {f"KRX:{code}": 0.0 for code in BOUGHT}
            (empty,) = await here.type("/sell where profit > -50%")
            assert "보유 중인 종목이 없어요" in empty.text

    asyncio.run(scenario())


def test_bars_of_what_is_watched_decide_too(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            await here.sweep()
            await buy(here, BOUGHT[0])
            (listed,) = await here.type("/sell where close > 0 or close < sma(close, 20)")
            assert "보유 1종목 중 1종목" in listed.text
            (listed,) = await here.type("/sell where highest(high, 20) < lowest(low, 20)")
            assert "보유 1종목 중 0종목" in listed.text
            assert "알 수 없어요" not in listed.text

    asyncio.run(scenario())
