"""Messages of KIS's websocket, as recorded and mutilated."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from crawlers.kis_frames import TRADES, parse_trades
from market.errors import SourceChanged
from market.sessions import KST
from tests.crawlers.kis_recorded import recorded
from venues.kis_messages import IN_USE, PING, Notice, parse_notice, request

NOW = datetime(2026, 9, 11, 15, 10, 30, tzinfo=KST)


def test_the_recorded_frame_is_three_trades() -> None:
    frame = recorded("ws_H0STCNT0_3records.recorded.txt").decode().strip()
    ticks = parse_trades(frame, NOW)
    assert [tick.price for tick in ticks] == [71950, 71900, 72000]
    assert [tick.day_volume for tick in ticks] == [8305216, 8305218, 8305293]
    assert ticks[0].at == datetime(2025, 7, 30, 0, 47, 51, tzinfo=UTC)
    assert ticks[0].day_value == 595403999350
    assert (ticks[0].day_open, ticks[0].day_high, ticks[0].day_low) == (71000, 72300, 70600)
    assert {tick.previous_close for tick in ticks} == {70600}
    assert {tick.instrument for tick in ticks} == {"KRX:005930"}
    assert not any(tick.halted for tick in ticks)


def test_the_recorded_notices_are_read() -> None:
    assert parse_notice(recorded("ws_PINGPONG.json").decode()) == Notice(PING, "", "")
    in_use = parse_notice(recorded("ws_error_OPSP8996.recorded.json").decode())
    assert in_use == Notice(IN_USE, "", "ALREADY IN USE appkey", "(null)")
    subscribed = parse_notice(recorded("ws_H0STCNI0_subscribe_ack.json").decode())
    assert subscribed.code == "OPSP0000"


def test_a_request_is_as_documented() -> None:
    documented = orjson.loads(recorded("ws_subscribe_request.json"))
    assert orjson.loads(request("a2585daf-...", TRADES, "005930", "1")) == documented


@pytest.mark.parametrize(
    "message",
    [
        "",
        "0|H0STCNT0|001",
        "1|H0STCNT0|001|secret",
        "0|H0STASP0|001|" + "^" * 45,
        "0|H0STCNT0|two|" + "^" * 45,
        "0|H0STCNT0|002|" + "^" * 45,
        "0|H0STCNT0|000|",
        "0|H0STCNT0|001|" + "^" * 45,
    ],
)
def test_frames_of_another_shape_are_a_change(message: str) -> None:
    with pytest.raises(SourceChanged, match="kis socket"):
        parse_trades(message, NOW)


@pytest.mark.parametrize("message", ["{", "{}", '{"header": 5}', '{"header": {"tr_id": "x"}}'])
def test_notices_of_another_shape_are_a_change(message: str) -> None:
    with pytest.raises(SourceChanged, match="expected a notice"):
        parse_notice(message)
