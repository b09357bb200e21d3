"""An order card through the whole bot: changed, stale, forwarded, foreign, paused, restarted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.app import Outside, build
from bot.demo_world import VISITOR
from bot.events import EventLog
from bot.market_time import UnscaledTime
from market.messages import Person, Role
from market.orders import OrderState
from sandbox.naver import Fault

Open = Callable[..., AbstractAsyncContextManager[Any]]

CONFIRM, HALF, DOUBLE = "oc:", "oa:half:", "oa:double:"
UP, DOWN, MARKET, LIMIT = "oa:up:", "oa:down:", "oa:market:", "oa:limit:"
STRANGER = 2002


def data_of(card: Any, beginning: str) -> str:
    found: str = next(b.data for row in card.buttons for b in row if b.data.startswith(beginning))
    return found


def now_of(here: Any, card: Any) -> Any:
    """Return a card as it reads now."""
    found = here.world.core.message(VISITOR, card.id)
    assert found is not None
    return found


async def press(here: Any, card: Any, beginning: str) -> str:
    """Tap a button as the card shows it now."""
    answer: str = await here.tap(card.id, data_of(now_of(here, card), beginning))
    return answer


async def typed(here: Any, line: str = "/buy 005930 10") -> Any:
    """Type an order and return its card."""
    await here.sweep()
    (card,) = await here.type(line)
    return card


async def placed(here: Any) -> list[Any]:
    """Return what has been sent to the broker."""
    found: list[Any] = await here.app.store.read(lambda tx: tx.documents.items("paper/order/"))
    return [value for _, value in found]


async def newest(here: Any) -> Any:
    return (await here.orders())[0]


@asynccontextmanager
async def restarted(here: Any) -> AsyncIterator[None]:
    """Stop the bot and start another one on what it left, in the same world."""
    await here.app.close()
    outside = Outside(here.wall, UnscaledTime(here.market), EventLog(here.wall))
    here.app = build(here.world.config, outside, here.handled)
    try:
        await here.app.start_market()
        await here.app.start_chat()
        yield
    finally:
        await here.app.close()


def test_a_changed_card_sends_what_it_shows_and_tells_its_progress(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            rows = [[button.label for button in row] for row in card.buttons]
            assert rows == [["✅ 확인", "✖️ 거절"], ["½ 절반", "×2 두 배", "지정가로"]]
            limited = await press(here, card, LIMIT)
            before = (await newest(here)).price
            assert limited == f"시장가 → 지정가 {before:,}"
            assert (await press(here, card, UP)).startswith(f"지정가 {before:,} → ")
            assert (await press(here, card, DOWN)).endswith(f"→ {before:,}")
            assert await press(here, card, DOUBLE) == "수량 10 → 20"
            assert await press(here, card, HALF) == "수량 20 → 10"
            assert await press(here, card, HALF) == "수량 10 → 5"
            assert await press(here, card, MARKET) == f"지정가 {before:,} → 시장가"
            shown = here.text_of(card.id)
            assert "5주 · 시장가" in shown
            assert "현재가" in shown
            assert "수수료" in shown
            assert "매수 가능" in shown
            assert await placed(here) == []
            assert await press(here, card, CONFIRM) == "주문을 보냈고 접수됐어요."
            (order,) = await placed(here)
            assert (Decimal(order["quantity"]), order["price"]) == (Decimal(5), None)
            assert "매수 주문 접수" in here.text_of(card.id)
            await here.sweep_until(lambda: "체결 완료" in here.text_of(card.id))
            assert "5주 체결" in here.text_of(card.id)

    asyncio.run(scenario())


def test_a_double_tap_changes_once(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            core, data = here.world.core, data_of(card, DOUBLE)
            taps = [core.user_taps(VISITOR, VISITOR, card.id, data) for _ in range(3)]
            answers = [await here.answer(tap) for tap in taps]
            assert answers[0] == "수량 10 → 20"
            assert all("이전 카드" in answer for answer in answers[1:])
            assert (await newest(here)).quantity == 20

    asyncio.run(scenario())


def test_a_change_and_a_confirm_at_once_send_what_was_confirmed(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            core = here.world.core
            taps = [
                core.user_taps(VISITOR, VISITOR, card.id, data_of(card, one))
                for one in (DOUBLE, CONFIRM)
            ]
            changed, sent = [await here.answer(tap) for tap in taps]
            found = await placed(here)
            if "→ 20" in changed:
                assert "이전 카드" in sent
                assert found == []
            else:
                assert sent == "주문을 보냈고 접수됐어요."
                assert [Decimal(one["quantity"]) for one in found] == [Decimal(10)]

    asyncio.run(scenario())


def test_the_button_of_a_stale_card_says_so(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            old = data_of(card, CONFIRM)
            await press(here, card, HALF)
            assert "이전 카드" in await here.tap(card.id, old)
            assert await placed(here) == []

    asyncio.run(scenario())


def test_a_forwarded_card_says_so_and_changes_nothing(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            core = here.world.core
            core.add_user(STRANGER, "다른 사람", "ko")
            other = await typed(here, "/buy 000660 1")
            for beginning in (CONFIRM, HALF):
                data = data_of(card, beginning)
                assert "이 카드의 버튼이 아니" in await here.tap(other.id, data)
                tap = core.user_taps(VISITOR, STRANGER, card.id, data)
                assert "개인 대화" in await here.answer(tap)
            assert await placed(here) == []
            assert {order.version for order in await here.orders()} == {1}

    asyncio.run(scenario())


def test_two_people_who_tap_at_once_send_one_order(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            core = here.world.core
            core.add_user(STRANGER, "다른 사람", "ko")
            trader = Person(STRANGER, Role.TRADER, "ko", "다른 사람")
            now = here.wall.now()
            await here.app.store.write(lambda tx: tx.people.put(trader, now))
            card = await typed(here)
            for beginning in (HALF, CONFIRM):
                tap = core.user_taps(STRANGER, STRANGER, card.id, data_of(card, beginning))
                assert await here.answer(tap) == "다른 사람의 주문이에요."
            tap = core.user_taps(STRANGER, VISITOR, card.id, data_of(card, CONFIRM))
            assert await here.answer(tap)
            assert await placed(here) == []
            assert await press(here, card, CONFIRM) == "주문을 보냈고 접수됐어요."
            assert len(await placed(here)) == 1

    asyncio.run(scenario())


def test_a_card_lives_through_a_restart_and_is_used_once(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            await press(here, card, HALF)
            old = data_of(card, CONFIRM)
            async with restarted(here):
                assert "이전 카드" in await here.tap(card.id, old)
                assert await press(here, card, HALF) == "수량 5 → 2"
                confirm = data_of(now_of(here, card), CONFIRM)
                await here.sweep()
                assert await here.tap(card.id, confirm) == "주문을 보냈고 접수됐어요."
                async with restarted(here):
                    again = await here.tap(card.id, confirm)
                    assert again.startswith("이미 처리된 주문이에요")
                    assert len(await placed(here)) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(("line", "words"), [("/pause", "일시정지"), ("/halt", "중단")])
def test_while_nothing_may_be_sent_the_card_says_so_and_sends_nothing(
    house: Open, line: str, words: str
) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            await here.type(line)
            assert words in here.text_of(card.id)
            assert await press(here, card, HALF) == "수량 10 → 5"
            assert words in here.text_of(card.id)
            assert words in await press(here, card, CONFIRM)
            assert await placed(here) == []
            assert (await newest(here)).state is OrderState.DENIED
            assert "이유" in here.text_of(card.id)
            assert not now_of(here, card).buttons

    asyncio.run(scenario())


def test_a_card_that_was_resumed_in_time_sends(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            await here.type("/pause")
            await here.type("/resume")
            assert "⛔" not in here.text_of(card.id)
            assert await press(here, card, CONFIRM) == "주문을 보냈고 접수됐어요."

    asyncio.run(scenario())


def test_without_a_fresh_price_nothing_is_sent_and_the_card_waits(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            here.market.advance(timedelta(seconds=4))
            here.world.faults.fail(Fault.BROKEN)
            assert "최신 시세를 받지 못해" in await press(here, card, CONFIRM)
            assert await placed(here) == []
            assert (await newest(here)).state is OrderState.PROPOSED
            here.world.faults.clear()
            assert await press(here, card, CONFIRM) == "주문을 보냈고 접수됐어요."
            assert len(await placed(here)) == 1

    asyncio.run(scenario())


def test_a_price_that_comes_too_late_sends_nothing(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await typed(here)
            here.market.advance(timedelta(seconds=4))
            here.wall.advance(timedelta(seconds=80))
            here.world.faults.fail(Fault.SLOW, times=1)
            core, data = here.world.core, data_of(card, CONFIRM)
            tap = core.user_taps(VISITOR, VISITOR, card.id, data)
            await here.world.faults.arrived.wait()
            here.wall.advance(timedelta(seconds=11))  # the card's time is over while it waits
            here.world.faults.release.set()
            assert "시간이 지났어요" in await here.answer(tap)
            assert await placed(here) == []
            assert (await newest(here)).state is OrderState.LAPSED

    asyncio.run(scenario())


def test_limits_that_a_change_touches_are_on_the_card_and_deny(house: Open) -> None:
    async def scenario() -> None:
        most = 1_000_000
        async with house(environment={"TICKTALK_RISK_MAX_ORDER": str(most)}) as here:
            card = await typed(here, "/buy 005930 1")
            while (order := await newest(here)).quantity * order.reference_price <= most:
                assert "⛔" not in here.text_of(card.id)
                assert "→" in await press(here, card, DOUBLE)
            assert "⛔ 한 번에 주문할 수 있는 금액을 넘어요" in here.text_of(card.id)
            assert "한 번에 주문할 수 있는 금액을 넘어요" in await press(here, card, CONFIRM)
            assert await placed(here) == []

    asyncio.run(scenario())


def test_the_card_of_a_condition_asks_why_and_tells(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            why = data_of(card, "c:/why")
            before = {one.id for one in here.said()}
            await here.tap(card.id, why)
            answers = [one for one in here.said() if one.id not in before]
            assert any("sma(close, 60)" in one.text for one in answers)
            assert data_of(now_of(here, card), CONFIRM)

    asyncio.run(scenario())
