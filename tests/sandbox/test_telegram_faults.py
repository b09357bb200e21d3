"""Flood limits by chat, overall and by group; scripted faults are used up one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from market.clock import ManualClock
from sandbox.telegram_errors import RefusalError
from sandbox.telegram_faults import FaultKind, Faults, Limits, Pace
from sandbox.telegram_types import Chat, ChatKind


class Road:
    def __init__(self, limits: Limits | None) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
        self.pace = Pace(limits, self.clock)

    def write(self, chat_id: int = 1, *, is_private: bool = True) -> int:
        """Return 0 where the message may go, else the seconds to wait."""
        kind = ChatKind.PRIVATE if is_private else ChatKind.CHANNEL
        try:
            self.pace.check(Chat(chat_id, kind, "x"), is_private=is_private)
        except RefusalError as refusal:
            return refusal.parameters["retry_after"]
        return 0

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


def test_one_chat_may_burst_and_then_gets_one_a_second() -> None:
    road = Road(Limits())
    assert [road.write() for _ in range(5)] == [0, 0, 0, 1, 1]
    road.wait(1)
    assert [road.write() for _ in range(2)] == [0, 1]


def test_all_chats_together_get_thirty_a_second() -> None:
    road = Road(Limits())
    assert [road.write(chat) for chat in range(31)] == [0] * 30 + [1]
    road.wait(0.1)
    assert [road.write(chat) for chat in range(40, 44)] == [0, 0, 0, 1]


def test_a_channel_gets_twenty_a_minute() -> None:
    road = Road(Limits())
    for _ in range(20):
        assert road.write(-5, is_private=False) == 0
        road.wait(1)
    assert road.write(-5, is_private=False) == 40
    road.wait(40)
    assert road.write(-5, is_private=False) == 0


def test_limits_can_be_taken_away() -> None:
    road = Road(None)
    assert sum(road.write() for _ in range(1000)) == 0


def test_a_fault_befalls_only_its_method_and_only_as_often_as_scripted() -> None:
    faults = Faults(lambda: None)
    faults.bad_gateway("sendMessage", times=2)
    faults.lose_answer("sendMessage")
    assert faults.take("getMe") is None
    taken = [faults.take("sendMessage") for _ in range(4)]
    assert [fault and fault.kind for fault in taken] == [
        FaultKind.BAD_GATEWAY,
        FaultKind.BAD_GATEWAY,
        FaultKind.ANSWER_LOST,
        None,
    ]


def test_a_network_that_is_down_wakes_whoever_waits() -> None:
    woken: list[int] = []
    faults = Faults(lambda: woken.append(1))
    faults.network_down = True
    fault = faults.take("getUpdates")
    assert fault is not None
    assert fault.kind is FaultKind.DROPPED
    assert woken == [1]


@pytest.mark.parametrize(("code", "method"), [(429, "too_many"), (403, "forbid")])
def test_refusals_can_be_scripted(code: int, method: str) -> None:
    faults = Faults(lambda: None)
    if method == "too_many":
        faults.too_many("sendPhoto", 17)
    else:
        faults.forbid("sendPhoto")
    fault = faults.take("sendPhoto")
    assert fault is not None
    assert fault.refusal is not None
    assert fault.refusal.code == code
