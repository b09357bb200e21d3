"""The pretend market: repeatable, within the rules of KRX, and one with its own price pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from market.prices import is_on_tick, price_limits
from market.sessions import KST
from sandbox.market import Simulator
from sandbox.market_prices import footing
from tests.sandbox.market_makers import CALENDAR, DAY, instruments, kst, simulator, whole_day


def test_the_same_seed_gives_the_same_trades_in_any_order_asked() -> None:
    first, second = simulator(), simulator()
    earlier = DAY - timedelta(days=1)
    assert whole_day(first, "005930", earlier) + whole_day(first, "005930")
    later_first = whole_day(second, "005930"), whole_day(second, "005930", earlier)
    assert later_first == (whole_day(first, "005930"), whole_day(first, "005930", earlier))


def test_another_seed_gives_another_market() -> None:
    assert whole_day(simulator(1), "005930") != whole_day(simulator(2), "005930")


@pytest.mark.parametrize("code", ["005930", "000660", "252670", "0195S0", "293490"])
def test_prices_are_on_ticks_and_within_limits(code: str) -> None:
    market = simulator()
    (quote,) = market.snapshot([code], kst(20))
    kind = quote.instrument.kind
    lower, upper = price_limits(Decimal(int(quote.previous_close)), kind)
    for minute in whole_day(market, code):
        for price in (minute.open, minute.high, minute.low, minute.close):
            assert is_on_tick(Decimal(int(price)), kind)
            assert lower <= Decimal(int(price)) <= upper


def test_days_join_by_the_previous_close() -> None:
    market = simulator()
    days = [date(2026, 9, 21), date(2026, 9, 22), date(2026, 9, 23), date(2026, 9, 28)]
    for before, day in pairwise(days):
        for code in ("005930", "252670"):
            (closed,) = market.snapshot([code], kst(18, day=before))
            (opened,) = market.snapshot([code], kst(11, day=day))
            assert opened.previous_close == closed.price
            assert abs(opened.open / opened.previous_close - 1) < 0.1


def test_the_auction_prints_once_and_nothing_trades_before_it() -> None:
    market = simulator()
    for code in ("005930", "035720", "069500"):
        late = [minute for minute in whole_day(market, code) if minute.start >= kst(15, 20)]
        assert [minute.start for minute in late[:2]] == [kst(15, 30), kst(15, 40)]
        assert {minute.close for minute in late} == {late[0].close}
        times = (kst(15, 20), kst(15, 29, 59))
        volumes = [market.snapshot([code], at)[0].volume for at in times]
        assert volumes[0] == volumes[1]
        (printed,) = market.snapshot([code], kst(15, 30, 20))
        assert printed.volume == volumes[1] + late[0].volume
        assert kst(15, 30) <= printed.traded_at <= kst(15, 30, 20)


def test_volume_is_heavy_at_both_ends_of_the_day() -> None:
    market = simulator(bursts=False)
    shares: defaultdict[int, float] = defaultdict(float)
    for code in market.codes:
        usual = footing(code).daily_volume
        for minute in whole_day(market, code):
            shares[(minute.start - kst(9)) // timedelta(minutes=38)] += minute.volume / usual
    tenths = [shares[part] for part in range(10)]
    assert tenths[0] > 1.4 * tenths[4]
    assert tenths[9] > 1.1 * tenths[4]


def test_trades_are_bounded() -> None:
    market = simulator()
    trades = market._trades("005930", DAY)
    by_minute = Counter((trades.times // 60_000).tolist())
    assert max(by_minute.values()) <= 6
    assert len(trades.times) > 900


def test_one_instrument_is_halted_and_one_illiquid() -> None:
    market = simulator()
    (halted,) = market.snapshot([market.halted], kst(11))
    assert (halted.is_halted, halted.volume, halted.price) == (True, 0, halted.previous_close)
    assert whole_day(market, market.halted) == []
    (illiquid,) = market.snapshot([market.illiquid], kst(15))
    assert not illiquid.is_halted
    slots = {
        minute.start - timedelta(minutes=minute.start.minute % 5)
        for minute in whole_day(market, market.illiquid)
    }
    assert 5 < len(slots) < 60
    others = [code for code in market.codes if code not in {market.halted, market.illiquid}]
    assert not any(quote.is_halted for quote in market.snapshot(others, kst(11)))


def test_few_instruments_have_no_odd_ones_unless_named() -> None:
    few = Simulator(instruments(["005930", "000660"]), CALENDAR, 1)
    assert not any(quote.is_halted for quote in few.snapshot(few.codes, kst(11)))
    named = Simulator(instruments(["005930", "000660"]), CALENDAR, 1, halted="000660")
    assert [quote.is_halted for quote in named.snapshot(named.codes, kst(11))] == [False, True]


@pytest.mark.parametrize(
    ("at", "status", "is_today"),
    [
        (kst(3), "CLOSE", False),
        (kst(8, 29), "CLOSE", False),
        (kst(8, 30), "PREOPEN", True),
        (kst(9, 2), "OPEN", True),
        (kst(15, 30, 29), "OPEN", True),
        (kst(15, 30, 30), "CLOSE", True),
        (kst(12, day=date(2026, 9, 13)), "CLOSE", False),
    ],
)
def test_snapshot_shows_the_session_of_the_moment(
    at: datetime, status: str, is_today: bool
) -> None:
    market = simulator()
    (quote,) = market.snapshot(["005930"], at)
    assert quote.status == status
    assert quote.traded_at <= at
    (closed_before,) = market.snapshot(["005930"], kst(20, day=DAY - timedelta(days=1)))
    assert (quote.previous_close == closed_before.price) is is_today
    assert (quote.volume == 0) is (status == "PREOPEN")


def test_snapshot_leaves_out_unknown_codes() -> None:
    quotes = simulator().snapshot(["999999", "005930"], kst(10))
    assert [quote.instrument.code for quote in quotes] == ["005930"]


def test_minutes_of_an_unknown_code_are_a_key_error() -> None:
    with pytest.raises(KeyError):
        simulator().minutes("999999", kst(9), kst(10), kst(10))


MARKET = simulator()


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    code=st.sampled_from(["005930", "035720", "293490", "252670"]),
    offset=st.integers(0, 24 * 3600 * 5),
)
def test_snapshot_and_minutes_agree_to_the_trade(code: str, offset: int) -> None:
    at = kst(0, day=date(2026, 9, 7)) + timedelta(seconds=offset)
    (quote,) = MARKET.snapshot([code], at)
    if quote.status == "PREOPEN" or quote.volume == 0:
        return
    day = quote.traded_at.astimezone(KST).date()
    minutes = MARKET.minutes(code, kst(0, day=day), kst(24, day=day), at)
    assert quote.volume == sum(minute.volume for minute in minutes)
    assert quote.value == pytest.approx(sum(minute.value for minute in minutes), rel=1e-12)
    assert quote.price == minutes[-1].close
    assert quote.open == minutes[0].open
    assert quote.high == max(minute.high for minute in minutes)
    assert quote.low == min(minute.low for minute in minutes)


def test_minutes_know_only_what_has_happened() -> None:
    market = simulator()
    now = kst(10, 1, 30)
    minutes = market.minutes("005930", kst(9), kst(15, 31), now)
    assert minutes[-1].start == kst(10, 1)
    assert minutes[-1].volume < market.minutes("005930", kst(10, 1), kst(10, 2), kst(11))[0].volume
    assert minutes[:-1] == [m for m in whole_day(market, "005930") if m.start < kst(10, 1)]


def test_minutes_begin_and_end_on_whole_minutes() -> None:
    market = simulator()
    found = market.minutes("005930", kst(9, 0, 1), kst(9, 3), kst(10))
    assert [minute.start for minute in found] == [kst(9, 1), kst(9, 2)]
