"""Whatever happens to a file: every undamaged block is read, nothing else is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.record_blocks import HEAD_LENGTH, MARK, Block, Damage, pack, unpack
from market.record_code import Encoder
from market.record_days import RecordedDay
from market.record_events import Sweep
from tests.market.record_world import DAY, START, any_events, tick

if TYPE_CHECKING:
    from pathlib import Path

    from market.record_events import Event


def blocks(count: int, size: int = 40) -> list[bytes]:
    """Return blocks of one event each that does not compress well."""
    made = []
    for number in range(1, count + 1):
        at = START + timedelta(seconds=number)
        event = bytes((number * 37 + place * place) % 251 for place in range(size))
        made.append(pack(number, [event, bytes([number])], at, at))
    return made


def good(data: bytes) -> list[Block]:
    return [one for one in unpack(data) if isinstance(one, Block)]


def damages(data: bytes) -> list[Damage]:
    return [one for one in unpack(data) if isinstance(one, Damage)]


def test_blocks_come_back() -> None:
    made = blocks(3)
    found = good(b"".join(made))
    assert [one.number for one in found] == [1, 2, 3]
    assert [one.events[1] for one in found] == [b"\x01", b"\x02", b"\x03"]
    assert [one.length for one in found] == [len(one) for one in made]
    assert damages(b"".join(made)) == []


def test_nothing_is_no_damage() -> None:
    assert list(unpack(b"")) == []


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]


@pytest.mark.parametrize("place", [0, 9, 30, HEAD_LENGTH - 1, HEAD_LENGTH + 3])
def test_a_damaged_block_is_left_out_and_named(place: int) -> None:
    made = blocks(3)
    data = made[0] + flipped(made[1], place) + made[2]
    assert [one.number for one in good(data)] == [1, 3]
    [damage] = damages(data)
    assert (damage.offset, damage.length) == (len(made[0]), len(made[1]))
    if place > HEAD_LENGTH:
        assert damage.text == "block 2 is damaged: 2 events of 09:00:04-09:00:04 are lost"


def test_a_block_that_is_missing_is_told() -> None:
    made = blocks(4)
    [damage] = damages(made[0] + made[3])
    text = "blocks 2 to 3 are missing: what was recorded in 09:00:03-09:00:06 is lost"
    assert (damage.length, damage.text) == (0, text)
    [damage] = damages(made[1])
    assert damage.text == "block 1 is missing: what was recorded before 09:00:04 is lost"


def test_a_copy_of_a_block_is_no_second_one() -> None:
    made = blocks(2)
    data = made[0] + made[1] + made[0] + made[1]
    assert [one.number for one in good(data)] == [1, 2]
    assert damages(data)[0].text == "a copy of block 1, which is left out"


def test_a_mark_within_a_block_is_no_block() -> None:
    at = START
    data = pack(1, [MARK * 5], at, at) + MARK + bytes(60) + pack(2, [b""], at, at)
    assert [one.events for one in good(data)] == [(MARK * 5,), (b"",)]


@dataclass(frozen=True)
class Cut:
    """A stretch of a file that other bytes have taken the place of."""

    start: int
    end: int
    instead: bytes


@st.composite
def cuts(draw: st.DrawFn, length: int) -> list[Cut]:
    found, at = [], 0
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(at, length))
        end = draw(st.integers(start, min(length, start + draw(st.sampled_from([0, 1, 8, 200])))))
        found.append(Cut(start, end, draw(st.binary(max_size=12))))
        at = end
    return found


def damaged(data: bytes, wanted: list[Cut]) -> bytes:
    for cut in reversed(wanted):
        data = data[: cut.start] + cut.instead + data[cut.end :]
    return data


def is_touched(start: int, end: int, wanted: list[Cut]) -> bool:
    """Tell whether anything within a block was changed; beside it does not matter."""
    return any((cut.start < end and cut.end > start) or (start < cut.start < end) for cut in wanted)


@given(st.integers(1, 8), st.data())
@settings(max_examples=300)
def test_every_undamaged_block_is_read_and_nothing_else(count: int, data: st.DataObject) -> None:
    made = blocks(count)
    whole = b"".join(made)
    wanted = data.draw(cuts(len(whole)))
    found = {one.number: one for one in good(damaged(whole, wanted))}
    originals = {one.number: one for one in good(whole)}
    assert list(found) == sorted(found)
    for number, block in found.items():
        assert block.events == originals[number].events
    for number, block in originals.items():
        if not is_touched(block.offset, block.offset + block.length, wanted):
            assert number in found


@given(st.lists(any_events(), min_size=2, max_size=6), st.data())
@settings(max_examples=60)
def test_a_damaged_day_invents_nothing(
    tmp_path_factory: pytest.TempPathFactory, held: list[list[Event]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("record")
    path = folder / DAY.isoformat() / "0001.rec"
    path.parent.mkdir()
    encoder = Encoder()
    made = [
        pack(number, [encoder.encode(one) for one in part], part[0].at, part[-1].at)
        for number, part in enumerate(held, start=1)
    ]
    whole = b"".join(made)
    path.write_bytes(damaged(whole, data.draw(cuts(len(whole)))))
    day = RecordedDay(folder, DAY)
    found = list(day.events())
    known = [one for part in held for one in part]
    for event in found:
        if isinstance(event, Sweep):
            assert any(_is_part(event, one) for one in known if isinstance(one, Sweep))
        else:
            assert event in known
    if len(found) < len(known):
        assert day.losses


def _is_part(found: Sweep, known: Sweep) -> bool:
    is_there = set(found.ticks) <= set(known.ticks)
    is_enough = found.ticks == known.ticks or not found.is_whole
    return is_there and is_enough and (found.source, found.at) == (known.source, known.at)


def test_a_message_names_file_place_and_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / DAY.isoformat() / "0001.rec"
    path.parent.mkdir()
    encoder = Encoder()
    parts = [
        [Sweep("naver", START + timedelta(seconds=10 * number), (tick(),))] for number in range(3)
    ]
    made = [
        pack(number, [encoder.encode(one) for one in part], part[0].at, part[-1].at)
        for number, part in enumerate(parts, start=1)
    ]
    path.write_bytes(made[0] + flipped(made[1], HEAD_LENGTH + 1) + made[2])
    list(RecordedDay(tmp_path, DAY).events())
    text = f"{path}, byte {len(made[0])}: block 2 is damaged: 1 events of 09:00:12-09:00:12"
    assert text in caplog.text
