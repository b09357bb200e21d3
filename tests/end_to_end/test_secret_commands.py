"""Codes and PINs over real loopback HTTP: heard, deleted from the chat, written nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.command import load_commands
from market.clock import SystemClock
from market.messages import Person, Role
from tests.end_to_end.telegram_edge import KIM, Edge, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from sandbox.telegram_core import TelegramCore

CODE = "482913"


def texts(core: TelegramCore) -> list[str]:
    """Return what stands in Kim's chat."""
    return [one.text for one in core.messages(KIM)]


async def let_in(one: Edge) -> None:
    owner = Person(KIM, Role.OWNER)
    await one.store.write(lambda tx: tx.people.put(owner, SystemClock().now()))


def test_a_code_is_deleted_from_the_chat_and_written_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    load_commands()

    async def scenario(one: Edge) -> None:
        await let_in(one)
        async with one.polling():
            for line in (f"/arm {CODE}", "/status", f"/pin 719420 {CODE}"):
                update_id = one.core.user_sends(KIM, line)
                await one.handled.wait(update_id)
            assert one.listener.texts == [f"/arm {CODE}", "/status", f"/pin 719420 {CODE}"]
            assert texts(one.core) == ["/status"]

    run(tmp_path, scenario)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CODE.encode() not in written
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("bot.")]
    assert not any(CODE in line for line in ours)


def test_the_chat_of_a_stranger_is_left_alone(tmp_path: Path) -> None:
    load_commands()

    async def scenario(one: Edge) -> None:
        async with one.polling():
            await one.handled.wait(one.core.user_sends(KIM, f"/arm {CODE}"))
            assert texts(one.core) == [f"/arm {CODE}"]

    run(tmp_path, scenario)
