"""Events come back from their bytes bit for bit, and sweeps are short."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from market.record_code import WHOLE_EVERY, Decoder, Encoder, head_of
from market.record_columns import ColumnReader, ColumnWriter
from market.record_events import Event, Sweep
from tests.market.record_world import START, any_events, tick

if TYPE_CHECKING:
    from market.types import Tick


def back_and_forth(events: list[Event]) -> list[Event]:
    encoder, decoder = Encoder(), Decoder()
    return [decoder.decode(encoder.encode(event)) for event in events]


@given(any_events())
@settings(max_examples=50)
def test_events_come_back_as_they_were(events: list[Event]) -> None:
    assert back_and_forth(events) == events


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.booleans())
@example([-(2**63), 2**63 - 1, 0], False)
def test_whole_numbers_come_back(numbers: list[int], is_series: bool) -> None:
    writer = ColumnWriter()
    writer.ints(np.array(numbers, dtype=np.int64), is_series=is_series)
    reader = ColumnReader(writer.bytes())
    assert reader.ints(len(numbers), is_series=is_series).tolist() == numbers
    assert reader.is_done


@given(st.lists(st.tuples(st.floats(), st.floats())), st.booleans())
@example([(-0.0, 1.0), (0.1, 1e300)], True)
def test_floats_come_back_bit_for_bit(pairs: list[tuple[float, float]], is_near: bool) -> None:
    values, near = (np.array([pair[side] for pair in pairs], dtype=np.float64) for side in (0, 1))
    writer = ColumnWriter()
    writer.floats(values, near if is_near else None)
    reader = ColumnReader(writer.bytes())
    told = reader.floats(len(values), near if is_near else None)
    known = ~np.isnan(values)
    assert (np.isnan(told) == ~known).all()
    assert (told[known].view(np.int64) == values[known].view(np.int64)).all()
    assert reader.is_done


@given(st.lists(st.from_regex(r"KRX:[0-9A-Z]{6}", fullmatch=True)) | st.just(["KRX:1", "KRX:22"]))
def test_names_come_back(names: list[str]) -> None:
    writer = ColumnWriter()
    writer.names(names)
    assert ColumnReader(writer.bytes()).names(len(names)) == names


def sweep(seconds: int, *ticks: Tick) -> Sweep:
    at = START + timedelta(seconds=seconds)
    return Sweep(
        "naver",
        at,
        tuple(replace(one, seen_at=at) for one in sorted(ticks, key=lambda one: one.instrument)),
    )


def test_what_did_not_change_is_not_written_again() -> None:
    held = [tick(f"{number:06d}", price=1000.0 + number * 10) for number in range(500)]
    encoder = Encoder()
    first = encoder.encode(sweep(0, *held))
    second = encoder.encode(sweep(10, *held))
    third = encoder.encode(sweep(20, replace(held[0], price=990.0), *held[1:]))
    assert len(first) > 3000
    assert len(second) < 200
    assert len(second) < len(third) < 300


def test_a_sweep_is_whole_again_after_a_while() -> None:
    encoder, decoder = Encoder(), Decoder()
    later = int(WHOLE_EVERY.total_seconds())
    for seconds in (0, 10, later):
        told = encoder.encode(sweep(seconds, tick(), tick("000660")))
    assert decoder.decode(told) == sweep(later, tick(), tick("000660"))


def test_after_a_loss_only_what_is_told_since_is_known() -> None:
    encoder, decoder = Encoder(), Decoder()
    moved = tick("000660", price=5.0)
    for told in (sweep(0, tick(), tick("000660")), sweep(10, tick(), tick("000660"))):
        decoder.decode(encoder.encode(told))
    decoder.lose()
    after = decoder.decode(encoder.encode(sweep(20, tick(), moved)))
    again = decoder.decode(encoder.encode(sweep(30, tick(), moved)))
    assert after == replace(sweep(20, moved), is_whole=False)
    assert again == replace(sweep(30, moved), is_whole=False)


def test_the_head_tells_what_an_event_is() -> None:
    head = head_of(Encoder().encode(sweep(3, tick())))
    assert (head.kind, head.source, head.at) == (Sweep, "naver", START + timedelta(seconds=3))


@given(any_events(), st.data())
@settings(max_examples=50)
def test_cut_bytes_are_no_event(events: list[Event], data: st.DataObject) -> None:
    coded = Encoder().encode(events[0])
    cut = data.draw(st.integers(1, len(coded) - 1))
    with pytest.raises((ValueError, IndexError)):
        Decoder().decode(coded[:cut])
