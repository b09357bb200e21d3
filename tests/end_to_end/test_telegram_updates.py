"""Updates and taps over real loopback HTTP: nothing lost, nothing twice, nothing held up."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from market.clock import SystemClock
from market.errors import StoreFull
from sandbox.telegram_core import TelegramCore
from tests.end_to_end.telegram_edge import DEADLINE_SECONDS, KIM, Edge, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from bot.incoming import Incoming

LEE = 22222222


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


def test_a_message_whose_answer_finds_the_disk_full_is_answered_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Edge) -> None:
        rounds = 0

        async def work(_: Incoming) -> None:
            nonlocal rounds
            rounds += 1
            if rounds < 3:
                raise StoreFull("the disk is full: free some space")

        one.listener.work = work
        async with one.polling():
            update_id = one.core.user_sends(KIM, "/status")
            await one.handled.wait(update_id)
        assert rounds == 3

    run(tmp_path, scenario)
    assert caplog.text.count("trying again") == 2


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


def test_nobody_waits_behind_what_somebody_else_asked(tmp_path: Path) -> None:
    async def scenario(one: Edge) -> None:
        one.core.add_user(LEE, "Lee", "en")
        go_on = asyncio.Event()

        async def work(incoming: Incoming) -> None:
            if incoming.text == "/buy":  # its price is asked for over a slow network
                await go_on.wait()

        one.listener.work = work
        async with one.polling():
            slow, behind = one.core.user_sends(KIM, "/buy"), one.core.user_sends(KIM, "/b")
            async with asyncio.timeout(DEADLINE_SECONDS):
                await one.handled.wait(one.core.user_sends(LEE, "/pause"))
            assert one.listener.texts == ["/buy", "/pause"]
            assert await one.waiting() == [slow, behind]
            go_on.set()
            await one.handled.wait(behind)
        assert one.listener.texts == ["/buy", "/pause", "/b"]

    run(tmp_path, scenario)
