"""A condition's order that does not fill, through the whole bot: cancelled, or sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.load import write_folder
from market.orders import OrderState

if TYPE_CHECKING:
    from pathlib import Path

Open = Callable[..., AbstractAsyncContextManager[Any]]

TEXT = """\
name: patient
universe: [KRX:005930]
timeframe: 5m
when: close > 0
order: {{side: buy, size: 10 shares, price: close - 20 ticks, unfilled: {unfilled}}}
"""


def folder_with(tmp_path: Path, unfilled: str) -> Path:
    """Return a folder whose one condition buys far below the price."""
    folder = tmp_path / "config"
    write_folder(folder)
    for shipped in (folder / "conditions").glob("*.yaml"):
        if not shipped.name.startswith("_"):
            shipped.unlink()
    text = TEXT.format(unfilled=unfilled)
    (folder / "conditions" / "patient.yaml").write_text(text, encoding="utf-8")
    return folder


async def confirmed(here: Any) -> Any:
    """Return the card of an order that was confirmed and rests."""
    card = await here.card()
    confirm = next(b.data for row in card.buttons for b in row if b.data.startswith("oc:"))
    assert await here.tap(card.id, confirm) == "주문을 보냈고 접수됐어요."
    await here.sweep()
    return card


def test_it_is_cancelled_in_time_and_the_card_says_why(house: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(folder_with(tmp_path, "cancel after 60s")) as here:
            card = await here.card()
            assert "보낸 지 1분 안에 체결되지 않은 수량은 취소합니다" in card.text
            await confirmed(here)
            assert "매수 주문 접수" in here.text_of(card.id)
            here.wall.advance(timedelta(seconds=60))
            await here.sweep()
            assert "정한 시간 안에 체결되지 않아 취소했어요" in here.text_of(card.id)
            (order,) = await here.orders()
            assert order.state is OrderState.CANCELED

    asyncio.run(scenario())


def test_it_goes_at_the_market_and_is_listed_as_one(house: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(folder_with(tmp_path, "market after 60s")) as here:
            card = await confirmed(here)
            here.wall.advance(timedelta(seconds=60))
            await here.sweep()
            second, first = await here.orders()
            assert second.replaces == first.id
            assert "남은 수량을 새 주문으로 바꿨어요" in here.text_of(card.id)
            (listed,) = await here.type("/orders")
            assert listed.text.count("삼성전자") == 1
            assert "→ 시장가" in listed.text
            newest = here.said()[-2]
            assert f"#{first.id} 주문의 남은 수량을 이어받았어요" in newest.text
            await here.sweep_until(lambda: "체결 완료" in here.text_of(newest.id))
            positions = await here.app.store.read(lambda tx: tx.orders.positions())
            assert [one.quantity for one in positions] == [10]

    asyncio.run(scenario())


def test_while_paused_it_is_cancelled_only(house: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(folder_with(tmp_path, "market after 60s")) as here:
            card = await confirmed(here)
            await here.type("/pause")
            here.wall.advance(timedelta(seconds=60))
            await here.sweep()
            await here.sweep()
            assert "매수가 일시정지되어" in here.text_of(card.id)
            (order,) = await here.orders()
            assert order.state is OrderState.CANCELED

    asyncio.run(scenario())


def test_a_cancel_of_the_first_order_takes_back_what_replaced_it(
    house: Open, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with house(folder_with(tmp_path, "reprice after 60s")) as here:
            await confirmed(here)
            (first,) = await here.orders()
            here.wall.advance(timedelta(seconds=60))
            for _ in range(30):
                await here.sweep()
                if len(await here.orders()) > 1:
                    break
            second, _ = await here.orders()
            assert second.price is not None
            assert first.price < second.price <= first.price * (1 + first.max_drift)
            if second.state is OrderState.ACCEPTED:
                (answer,) = await here.type(f"/cancel {first.id}")
                assert "취소" in answer.text
                assert (await here.orders())[0].state is not OrderState.ACCEPTED

    asyncio.run(scenario())
