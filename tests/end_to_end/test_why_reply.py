"""Somebody answers an alert with "why" and reads what it was given on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from bot.demo_world import CHANNEL, VISITOR
from market.messages import Person, Role

Open = Callable[[], AbstractAsyncContextManager[Any]]


async def alert(here: Any) -> Any:
    """Sweep until there is an alert, and return it."""
    await here.sweep_until(lambda: any(one.photo is not None for one in here.said()))
    return next(one for one in here.said() if one.photo is not None)


def test_an_alert_that_is_answered_with_why_is_explained(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            told = await alert(here)
            words = ("/why", "/why@ticktalk_demo_bot", "why", "왜요?")
            answers = [(await here.type(one, reply_to=told.id))[0] for one in words]
            answer = answers[0]
            assert {one.text for one in answers} == {answer.text}
            newest = (await here.app.store.read(lambda tx: tx.signals.recent(9)))[-1]
            name = here.app.services.directory.name(newest.instrument)
            assert f"❓ {newest.condition} · {name}" in answer.text
            for leaf in newest.explanation.leaves:
                assert leaf.text in answer.text

    asyncio.run(scenario())


def test_an_order_card_is_explained_by_the_signal_that_called_for_it(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            (answer,) = await here.type("왜", reply_to=card.id)
            order = (await here.orders())[0]
            signal = await here.app.store.read(lambda tx: tx.signals.get(order.signal_id))
            assert f"❓ {signal.condition}" in answer.text

    asyncio.run(scenario())


def test_words_that_answer_nothing_of_ours_are_what_they_were(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            told = await alert(here)
            (status,) = await here.type("/status")
            (hint,) = await here.type("왜", reply_to=status.id)
            (plain,) = await here.type("왜")
            (other,) = await here.type("고마워", reply_to=told.id)
            assert hint.text == plain.text == other.text
            (recent,) = await here.type("/why", reply_to=status.id)
            assert recent.buttons[0][0].data.startswith("c:/why #")
            (asked,) = await here.type("/why volume-breakout 005930", reply_to=told.id)
            assert "volume-breakout · 삼성전자" in asked.text

    asyncio.run(scenario())


def test_whoever_may_look_asks_in_their_own_chat(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            viewer = Person(3003, Role.VIEWER, "en", "Viewer")
            here.world.core.add_user(viewer.id, viewer.name, "en")
            now = here.wall.now()
            await here.app.store.write(lambda tx: tx.people.put(viewer, now))
            await alert(here)
            told = next(one for one in here.said(viewer.id) if one.photo is not None)
            (answer,) = await here.type("why", viewer.id, reply_to=told.id)
            assert "Fired on the" in answer.text
            own = here.said(VISITOR)
            assert all(one.text != answer.text for one in own)
            assert here.said(CHANNEL)

    asyncio.run(scenario())
