"""The bot's edge to Telegram against the pretend one, over real loopback HTTP."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.demo_visitor import Handled
from bot.messenger import NetworkTrouble, RetryLater
from bot.telegram import TelegramBot, TokenRefused
from bot.telegram_messenger import TelegramMessenger
from config.settings import TelegramSettings
from market.clock import SystemClock
from market.errors import StoreFull, TicktalkError
from market.store import Store
from sandbox.server import Serving, serve
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore
from sandbox.telegram_errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from bot.dispatch import Dispatcher
    from bot.incoming import Incoming

TOKEN = "7000000001:edge-token"
KIM = 11111111
PAUSES = (0.01,)
DEADLINE_SECONDS = 5.0


@dataclass
class Listener:
    """A dispatcher that notes what it hears, does what it is told, and says it is done."""

    store: Store
    notice: str | None = None
    heard: list[Incoming] = field(default_factory=list)
    work: Callable[[Incoming], Awaitable[None]] | None = None

    async def handle(self, incoming: Incoming) -> str | None:
        self.heard.append(incoming)
        if self.work is not None:
            await self.work(incoming)
        now = SystemClock().now()
        await self.store.write(lambda tx: tx.inbox.done(incoming.update_id, now))
        return self.notice

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.heard]


class FullOnce(Store):
    """A store whose disk is full for the first writes of an update."""

    refusals = 0

    async def write(self, function: Callable[[Any], Any]) -> Any:
        if self.refusals > 0:
            self.refusals -= 1
            raise StoreFull("the disk is full")
        return await super().write(function)


@dataclass
class Edge:
    """A pretend Telegram with its server and a store that outlives bots."""

    core: TelegramCore
    serving: Serving
    store: FullOnce
    listener: Listener
    handled: Handled = field(default_factory=Handled)

    def bot(self, token: str = TOKEN, **options: Any) -> TelegramBot:
        settings = TelegramSettings(
            base_url=self.serving.url, token=SecretStr(token), poll_timeout_seconds=20
        )
        options = {"pauses": PAUSES, **options}
        return TelegramBot(settings, self.store, SystemClock(), self.handled, **options)

    @asynccontextmanager
    async def polling(self, **options: Any) -> AsyncIterator[TelegramBot]:
        """Run a bot until the block ends."""
        bot = self.bot(**options)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await bot.connect()
                await bot.start(cast("Dispatcher", self.listener), {"en": [("start", "begin")]})
            yield bot
        finally:
            await bot.stop()

    async def waiting(self) -> list[int]:
        """Return the ids of the updates that nobody has answered."""
        rows = await self.store.read(lambda tx: tx.inbox.unprocessed())
        return [row.update_id for row in rows]


@asynccontextmanager
async def edge(folder: Path, **options: Any) -> AsyncIterator[Edge]:
    core = TelegramCore(SystemClock(), limits=None, **options)
    core.add_user(KIM, "Kim", "en")
    serving = await serve(Starlette(routes=telegram_routes(core, TOKEN)))
    store = cast("FullOnce", FullOnce.open(folder / "edge.sqlite"))
    try:
        yield Edge(core, serving, store, Listener(store))
    finally:
        core.stop()
        await serving.stop()
        store.close()


def run(folder: Path, scenario: Callable[[Edge], Awaitable[None]], **options: Any) -> None:
    async def whole() -> None:
        async with edge(folder, **options) as one:
            await scenario(one)

    asyncio.run(whole())


# Updates


def test_an_update_is_in_the_inbox_before_it_is_confirmed(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def work(_: Incoming) -> None:
            begun.set()
            await go_on.wait()

        one.listener.work = work
        async with one.polling():
            update_id = one.core.user_sends(KIM, "/status")
            await one.core.wait(lambda: one.core.confirmed_offset == update_id + 1)
            assert await one.waiting() == [update_id]
            go_on.set()
            await one.handled.wait(update_id)
            assert await one.waiting() == []

    run(tmp_path, scenario)


def test_a_full_disk_makes_the_poller_ask_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        one.store.refusals = 2
        first, second = one.core.user_sends(KIM, "/a"), one.core.user_sends(KIM, "/b")
        async with one.polling():
            await one.handled.wait(second)
        assert one.listener.texts == ["/a", "/b"]
        assert [here.update_id for here in one.listener.heard] == [first, second]

    run(tmp_path, scenario)
    assert caplog.text.count("could not be stored") == 2


def test_an_update_that_comes_twice_is_heard_once(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        first = one.core.user_sends(KIM, "/a")
        async with one.polling():
            await one.handled.wait(first)
        again = TelegramCore(SystemClock(), limits=None, first_update_id=first)
        again.add_user(KIM, "Kim", "en")
        one.core.updates = again.updates
        again.user_sends(KIM, "/a")
        async with one.polling():
            second = one.core.user_sends(KIM, "/b")
            await one.handled.wait(second)
        assert one.listener.texts == ["/a", "/b"]

    run(tmp_path, scenario)


def test_what_was_not_answered_is_answered_after_a_restart(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        begun = asyncio.Event()

        async def work(_: Incoming) -> None:
            begun.set()
            await asyncio.Event().wait()

        one.listener.work = work
        async with one.polling(), asyncio.timeout(DEADLINE_SECONDS):
            update_id = one.core.user_sends(KIM, "/status")
            await begun.wait()
        assert await one.waiting() == [update_id]
        one.listener.work = None
        async with one.polling():
            await one.handled.wait(update_id)
        assert one.listener.texts == ["/status", "/status"]

    run(tmp_path, scenario)


def test_an_update_without_a_person_is_done(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        body = {"message_id": 1, "date": 1_790_000_000, "chat": {"id": -5, "type": "group"}}
        async with one.polling():
            update_id = one.core.updates.add("message", body)
            one.core.changes.note("update")
            await one.handled.wait(update_id)
        assert one.listener.heard == []
        assert await one.waiting() == []

    run(tmp_path, scenario)


def test_an_update_that_cannot_be_read_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        odd = one.core.updates.add("message", {"message_id": "x", "chat": 7})
        async with one.polling():
            good = one.core.user_sends(KIM, "/b")
            await one.handled.wait(good)
        assert one.listener.texts == ["/b"]
        assert odd not in await one.waiting()
        assert one.core.calls["getUpdates"] < 5

    run(tmp_path, scenario)
    assert "cannot be dealt with" in caplog.text


def test_a_stored_update_that_cannot_be_read_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        now = SystemClock().now()
        await one.store.write(lambda tx: tx.inbox.receive(1, '{"update_id": 1, "message": 7}', now))
        await one.store.write(lambda tx: tx.inbox.receive(2, "", now))
        async with one.polling():
            await one.handled.wait(1)
            await one.handled.wait(2)
        assert await one.waiting() == []

    run(tmp_path, scenario)
    assert "update 1 cannot be dealt with" in caplog.text


def test_a_fault_of_ours_does_not_stop_the_bot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        async def work(incoming: Incoming) -> None:
            if incoming.text == "/a":
                raise RuntimeError("a fault of ours")

        one.listener.work = work
        async with one.polling():
            one.core.user_sends(KIM, "/a")
            await one.handled.wait(one.core.user_sends(KIM, "/b"))
        assert await one.waiting() == []

    run(tmp_path, scenario)
    assert "a fault of ours" in caplog.text


# Taps


def tap(one: Edge) -> str:
    message_id = one.core.user_sends(KIM, "anything")
    return one.core.user_taps(KIM, KIM, message_id, "oc:ABC:1")


def test_a_tap_is_answered_with_its_notice(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.listener.notice = "done"
        async with one.polling():
            callback_id = tap(one)
            await one.core.wait(lambda: one.core.callback(callback_id).answer is not None)
        answer = one.core.callback(callback_id).answer
        assert answer is not None
        assert answer.text == "done"

    run(tmp_path, scenario)


def test_a_tap_whose_work_takes_long_is_answered_before_telegram_forgets_it(
    tmp_path: Path,
) -> None:
    async def scenario(one: Edge) -> None:
        go_on = asyncio.Event()

        async def work(incoming: Incoming) -> None:
            if incoming.kind == "tap":
                await go_on.wait()

        one.listener.work, one.listener.notice = work, "5 < 6: bought"
        async with one.polling(tap_seconds=0.01):
            callback_id = tap(one)
            await one.core.wait(lambda: one.core.callback(callback_id).answer is not None)
            go_on.set()
            await one.handled.wait(one.core.user_sends(KIM, "/next"))
        answer = one.core.callback(callback_id).answer
        assert answer is not None
        assert answer.text == ""
        pending = await one.store.read(lambda tx: tx.outbox.pending(SystemClock().now()))
        assert [row.message.text for row in pending] == ["5 &lt; 6: bought"]

    run(tmp_path, scenario)


def test_a_tap_that_telegram_has_forgotten_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        async with one.polling():
            tap(one)
            await one.handled.wait(one.core.user_sends(KIM, "/next"))

    with caplog.at_level(logging.INFO):
        run(tmp_path, scenario, callback_seconds=-1.0)
    late = [record for record in caplog.records if "answered too late" in record.message]
    assert [record.levelno for record in late] == [logging.INFO]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# Connecting


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


# Polling


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


# Sending


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
