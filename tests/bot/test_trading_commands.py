"""/pause, /resume, /halt, /arm, /disarm, /pin and what /status says of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp
import pytest
from pydantic import SecretStr

from bot.command import without_secret
from bot.second_factor import SecondFactor
from engine.pauses import EVERYTHING, Scope
from market.messages import Role
from market.orders import Side
from tests.bot.chat_world import LIVE_AT_KRX, NOW, OWNER, TRADER, seated

if TYPE_CHECKING:
    from tests.bot.chat_world import World

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DP"


def said(world: World, text: str, owner: bool = False, **changes: object) -> str:
    messages = asyncio.run(world.say(text, OWNER if owner else TRADER, **changes))
    (message,) = messages
    return message.text


def with_app(world: World) -> None:
    """Let a live broker trade, armed by an authenticator app."""
    factor = SecondFactor(world.store, SecretStr(SECRET))
    services = replace(world.services, second_factor=factor)
    world.dispatcher._services = services
    world.desk.brokers = seated(*LIVE_AT_KRX)


def code(world: World) -> str:
    return pyotp.TOTP(SECRET).at(world.wall.now())


def test_a_pause_says_what_is_paused(world: World) -> None:
    found = said(world, "/pause KRX buys 30m")
    assert "KRX" in found
    assert "11:00" in found
    assert "Buy" in found
    until = NOW + timedelta(minutes=30)
    assert world.desk.calls == [("pause", TRADER.id, Scope(venue="KRX", side=Side.BUY), until)]
    found = said(world, "/pause 삼성전자 매도")
    assert "삼성전자" in found
    assert "until somebody resumes" in found


def test_a_word_that_says_nothing_pauses_nothing(world: World) -> None:
    assert "'KRXX'" in said(world, "/pause KRXX")
    assert world.desk.calls == []


def test_a_resume_says_what_is_left(world: World) -> None:
    said(world, "/pause KRX")
    said(world, "/pause 005930")
    assert "Still paused" in said(world, "/resume 005930")
    assert "go on" in said(world, "/resume")
    assert world.desk.calls[-1] == ("resume", TRADER.id, EVERYTHING)


def test_a_halt_is_ended_by_the_owner(world: World) -> None:
    assert "halted" in said(world, "/halt")
    assert "Only the owner" in said(world, "/resume")
    assert "다시 시작" in said(world, "/resume", owner=True)


def test_status_tells_pauses_halts_and_arming(world: World) -> None:
    said(world, "/pause KRX 30m")
    status = said(world, "/status")
    assert "paused" in status
    assert "KRX" in status
    assert "Live" not in status
    with_app(world)
    assert "disarmed" in said(world, "/status")
    said(world, f"/arm {code(world)}", owner=True)
    assert "armed · since 11-24 10:30" in said(world, "/status")
    said(world, "/halt")
    assert "halted" in said(world, "/status")


def test_paper_needs_no_arming(world: World) -> None:
    assert "모의투자" in said(world, "/arm 123456", owner=True)
    assert "paper" in said(world, "/disarm")
    assert world.desk.calls == []


def test_arming_needs_a_right_code(world: World) -> None:
    with_app(world)
    assert "/arm 123456" in said(world, "/arm", owner=True)
    assert "4번" in said(world, "/arm 999", owner=True)
    assert world.desk.armed is None
    assert "열렸어요" in said(world, f"/arm {code(world)}", owner=True)
    assert world.desk.armed is not None
    assert "disarmed" in said(world, "/disarm")
    assert "already" in said(world, "/disarm")


def test_arming_without_a_factor_says_what_to_do(world: World) -> None:
    world.desk.brokers = seated(*LIVE_AT_KRX)
    assert "/pin" in said(world, "/arm 123456", owner=True)


def test_a_pin_is_chosen_and_changed_with_the_one_before(world: World) -> None:
    world.desk.brokers = seated(*LIVE_AT_KRX)
    assert "6~12자리" in said(world, "/pin", owner=True)
    assert "정했어요" in said(world, "/pin 482913", owner=True)
    assert "차례로" in said(world, "/pin 719420", owner=True)
    assert "4번" in said(world, "/pin 111111 719420", owner=True)
    assert "정했어요" in said(world, "/pin 482913 719420", owner=True)
    assert "열렸어요" in said(world, "/arm 719420", owner=True)


def test_an_old_code_is_not_kept_to_be_asked_for_again(world: World) -> None:
    with_app(world)
    late = world.wall.now() - timedelta(minutes=5)
    assert "새 코드" in said(world, f"/arm {code(world)}", owner=True, sent_at=late)
    assert world.desk.calls == []
    kept = asyncio.run(world.store.read(lambda tx: tx.documents.items("again/")))
    assert list(kept) == []


def role_of(world: World, user_id: int = 424242) -> Role | None:
    found = asyncio.run(world.store.read(lambda tx: tx.people.get(user_id)))
    return None if found is None else found.role


def test_a_role_that_may_order_needs_the_second_factor(world: World) -> None:
    with_app(world)
    assert "/allow 424242 trader 123456" in said(world, "/allow 424242 trader", owner=True)
    assert "4번" in said(world, "/allow 424242 trader 999", owner=True)
    assert role_of(world) is None
    asyncio.run(world.say(f"/allow 424242 trader {code(world)}", OWNER))
    assert role_of(world) is Role.TRADER
    assert "4번" in said(world, f"/allow 5 trader {code(world)}", owner=True)  # used before
    assert role_of(world, 5) is None


def test_a_role_that_only_looks_needs_no_code(world: World) -> None:
    with_app(world)
    asyncio.run(world.say("/allow 424242 viewer", OWNER))
    assert role_of(world) is Role.VIEWER
    assert "이렇게 적어" in said(world, "/allow 5 viewer 123456", owner=True)


def test_without_a_factor_a_code_for_a_role_is_not_believed(world: World) -> None:
    assert "/pin" in said(world, "/allow 424242 trader 123456", owner=True)
    assert role_of(world) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/allow 424242 trader 123456", "/allow"),
        ("/arm 123456", "/arm"),
        ("/ARM@tick_bot  123 456", "/ARM@tick_bot"),
        ("/pin 1 2", "/pin"),
        ("/arm", "/arm"),
        ("/buy 005930 10", "/buy 005930 10"),
        ("hello 123456", "hello 123456"),
    ],
)
def test_what_follows_a_secret_command_is_not_kept(text: str, kept: str) -> None:
    assert without_secret(text) == kept
