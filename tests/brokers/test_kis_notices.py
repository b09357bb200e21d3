"""Events of orders from KIS's websocket: decrypted and read, or refused without showing them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from brokers.kis_notices import parse_told
from market.errors import SourceChanged
from sandbox.kis_order_rows import sealed
from sandbox.kis_socket import IV, KEY
from venues.kis_messages import parse_notice

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "kis"
TR = "H0STCNI0"
FIELDS = [
    *("myhtsid", "1234567801", "0000006555", "0000000000", "02", "0", "00", "0", "005930"),
    *("0000000004", "000069950", "151101", "0", "2", "2", "06590", "000000010", "owner"),
    *("000000000", "1", "Y", "", "00", "", "name", "000070000"),
]


def recorded(name: str) -> str:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_text(encoding="utf-8").strip()


def opener() -> tuple[str, str]:
    notice = parse_notice(recorded("ws_H0STCNI0_subscribe_ack.json"))
    return notice.iv, notice.key


def test_the_recorded_fill_is_read_with_the_key_of_its_session() -> None:
    (told,) = parse_told(recorded("ws_H0STCNI0_fill.encrypted_with_ack_key.txt"), TR, *opener())
    assert (told.account, told.number, told.code) == ("1234567801", "0000006555", "005930")
    assert told.is_fill
    assert (told.quantity, told.price) == (Decimal(4), Decimal(69_950))


def test_the_recorded_acceptance_is_no_fill() -> None:
    (told,) = parse_told(recorded("ws_H0STCNI0_accept.encrypted_with_ack_key.txt"), TR, *opener())
    assert not told.is_fill
    assert told.quantity == 10


@pytest.mark.parametrize("width", [26, 23])
def test_records_of_both_widths_are_read(width: int) -> None:
    (told,) = parse_told(sealed(FIELDS[:width], TR, IV, KEY), TR, IV, KEY)
    assert told.is_fill
    assert told.price == Decimal(69_950)


def test_several_records_in_one_frame_are_read() -> None:
    frame = sealed([*FIELDS, *FIELDS], TR, IV, KEY).replace("|001|", "|002|")
    assert len(parse_told(frame, TR, IV, KEY)) == 2


@pytest.mark.parametrize(
    "frame",
    [
        "",
        f"1|{TR}|001",
        f"1|{TR}|one|AAAA",
        "1|H0STCNT0|001|AAAA",
        f"1|{TR}|001|no base64!",
        f"1|{TR}|001|AAAA",
        sealed(FIELDS, TR, IV, KEY).replace("|001|", "|003|"),
        sealed(FIELDS[:20], TR, IV, KEY),
        sealed([*FIELDS[:9], "many", *FIELDS[10:]], TR, IV, KEY),
    ],
)
def test_frames_of_another_shape_are_a_change_and_show_nothing(frame: str) -> None:
    with pytest.raises(SourceChanged) as caught:
        parse_told(frame, TR, IV, KEY)
    assert "myhtsid" not in str(caught.value)


@pytest.mark.parametrize(("iv", "key"), [("", ""), (IV, "f" * 32), ("short", KEY), (IV, "short")])
def test_another_key_is_a_change(iv: str, key: str) -> None:
    with pytest.raises(SourceChanged):
        parse_told(sealed(FIELDS, TR, IV, KEY), TR, iv, key)
