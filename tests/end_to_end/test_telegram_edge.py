"""The bot's edge to Telegram against the pretend one, over real loopback HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.messenger import NetworkTrouble, RetryLater
from bot.telegram import TelegramBot, TokenRefused
from bot.telegram_messenger import TelegramMessenger
from config.settings import TelegramSettings
from market.clock import SystemClock
from market.errors import TicktalkError
from market.store import Store
from sandbox.telegram_errors import RefusalError
from tests.end_to_end.telegram_edge import DEADLINE_SECONDS, KIM, TOKEN, Edge, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("token", ["7000000001:another", "nonsense"])
def test_a_wrong_token_is_refused(tmp_path: Path, token: str) -> None:
    async def scenario(one: Edge) -> None:
        bot = one.bot(token)
        try:
            with pytest.raises(TokenRefused, match="copy it again from @BotFather") as caught:
                await bot.connect()
        finally:
            await bot.stop()
        assert token not in str(caught.value)

    run(tmp_path, scenario)


def test_a_bot_without_a_token_is_not_built(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x.sqlite")
    with pytest.raises(TicktalkError, match="TICKTALK_TELEGRAM_TOKEN"):
        TelegramBot(TelegramSettings(), store, SystemClock(), lambda _: None)
    store.close()


def test_a_telegram_that_is_down_is_asked_until_it_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        one.core.faults.bad_gateway("getMe")
        one.core.faults.drop("getMe", times=2)
        one.core.faults.too_many("getMe", 1)
        bot = one.bot()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                assert await bot.connect() == one.core.bot.username
        finally:
            await bot.stop()

    run(tmp_path, scenario)
    assert caplog.text.count("Telegram does not answer") == 4
    assert "trying again in 1 s" in caplog.text
    assert TOKEN not in caplog.text


def test_connecting_can_be_broken_off(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.core.faults.time_out("getMe")
        bot = one.bot()
        connecting = asyncio.create_task(bot.connect())
        await one.core.wait(lambda: one.core.calls["getMe"] == 1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await bot.stop()

    run(tmp_path, scenario)


def test_polling_survives_everything_telegram_does(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.core.faults.bad_gateway("getUpdates")
        one.core.faults.drop("getUpdates")
        one.core.faults.too_many("getUpdates", 1)
        one.core.faults.lose_answer("getUpdates")
        one.core.faults.refuse("getUpdates", RefusalError(500, "Internal Server Error"))
        async with one.polling():
            await one.handled.wait(one.core.user_sends(KIM, "/a"))
        assert one.listener.texts == ["/a"]

    run(tmp_path, scenario)


def test_a_token_that_is_withdrawn_ends_the_bot(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.core.faults.refuse("getUpdates", RefusalError(401, "Unauthorized"))
        async with one.polling() as bot, asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(TokenRefused):
                await bot.serve()

    run(tmp_path, scenario)


def test_a_webhook_is_taken_away(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        text = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
        one.core.faults.refuse("getUpdates", RefusalError(409, text))
        async with one.polling():
            await one.handled.wait(one.core.user_sends(KIM, "/a"))
        assert one.core.calls["deleteWebhook"] == 1

    run(tmp_path, scenario)


def test_another_poller_is_told_once_and_the_bot_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        text = "Conflict: terminated by other getUpdates request"
        one.core.faults.refuse("getUpdates", RefusalError(409, text), times=5)
        async with one.polling():
            await one.handled.wait(one.core.user_sends(KIM, "/a"))

    run(tmp_path, scenario)
    assert caplog.text.count("another program polls Telegram") == 1


def test_stopping_waits_for_nobody(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.core.faults.time_out("getUpdates")
        loop = asyncio.get_running_loop()
        async with one.polling():
            await one.core.wait(lambda: one.core.calls["getUpdates"] == 1)
            begun = loop.time()
        assert loop.time() - begun < 1.0

    run(tmp_path, scenario)


def test_a_menu_that_is_refused_does_not_matter(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.core.faults.bad_gateway("setMyCommands")
        async with one.polling():
            await one.handled.wait(one.core.user_sends(KIM, "/a"))

    run(tmp_path, scenario)


def test_errors_of_real_connections_say_whether_the_message_may_have_arrived(
    tmp_path: Path,
) -> None:
    async def scenario(one: Edge) -> None:
        bot = one.bot()
        await bot.connect()
        messenger = TelegramMessenger(bot.bot)
        faults = one.core.faults
        faults.bad_gateway("sendMessage")
        faults.lose_answer("sendMessage")
        faults.too_many("sendMessage", 17)
        for _ in range(2):
            with pytest.raises(NetworkTrouble) as caught:
                await messenger.send_text(KIM, "hello", (), False)
            assert caught.value.is_ambiguous
        with pytest.raises(RetryLater) as later:
            await messenger.send_text(KIM, "hello", (), False)
        assert later.value.seconds == 17
        one.core.stop()
        await one.serving.stop()
        with pytest.raises(NetworkTrouble) as nowhere:
            await messenger.send_text(KIM, "hello", (), False)
        assert not nowhere.value.is_ambiguous
        await bot.stop()

    run(tmp_path, scenario)
