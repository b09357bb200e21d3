"""The pretend coin market: the same however it is asked, never from the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.coin_market import LONGEST_LAG_MS, CoinMarket
from sandbox.coin_trades import Coin

LIQUID = Coin("KRW-BTC", 145_000_000, 1000, trades_per_minute=30)
QUIET = Coin("KRW-ZETA", 101, 0.1, trades_per_minute=0.2)
AT = datetime(2026, 11, 20, 5, 4, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LAG = timedelta(milliseconds=LONGEST_LAG_MS)


def market(seed: int = 1) -> CoinMarket:
    return CoinMarket([LIQUID, QUIET], seed)


def test_the_same_seed_gives_the_same_candles_in_any_order_asked() -> None:
    one, other = market(), market()
    span = AT - timedelta(hours=2), AT
    whole = one.candles("KRW-BTC", *span, AT)
    later = other.candles("KRW-BTC", AT - timedelta(minutes=30), AT, AT)
    earlier = other.candles("KRW-BTC", span[0], AT - timedelta(minutes=30), AT)
    assert earlier + later == whole
    assert market(2).candles("KRW-BTC", *span, AT) != whole


def test_candles_are_aligned_and_consistent() -> None:
    candles = market().candles("KRW-BTC", AT - timedelta(hours=3), AT + MINUTE, AT)
    assert candles[-1].start == AT.replace(second=0)
    for candle in candles:
        assert candle.start.second == 0
        assert candle.start <= candle.last_at < candle.start + MINUTE
        assert candle.low <= min(candle.open, candle.close)
        assert candle.high >= max(candle.open, candle.close)
        assert 0 <= candle.bought_volume <= candle.volume
        assert candle.low * candle.volume <= candle.value * (1 + 1e-9)
        assert candle.open % LIQUID.tick == 0


def test_a_minute_without_a_trade_has_no_candle() -> None:
    candles = market().candles("KRW-ZETA", AT - timedelta(hours=3), AT, AT)
    assert 5 < len(candles) < 100


def test_nothing_is_told_before_it_was_shown() -> None:
    coins, seen = market(), AT - timedelta(minutes=2)
    told = coins.candles("KRW-BTC", seen - MINUTE, AT, seen)
    assert told
    assert all(candle.last_at <= seen for candle in told)
    last = coins.last("KRW-BTC", seen)
    assert last is not None
    assert last.at <= seen
    assert last.at == told[-1].last_at
    assert last.price == told[-1].close


def test_a_minute_that_is_over_may_change_for_a_moment_only() -> None:
    coins, changed = market(), 0
    for minutes in range(120):
        end = AT.replace(second=0) - minutes * MINUTE
        at_end, settled, later = (
            coins.candles("KRW-BTC", end - MINUTE, end, at) for at in (end, end + LAG, AT)
        )
        assert settled == later
        changed += at_end != settled
    assert changed > 5


def test_what_is_shown_makes_the_candles() -> None:
    coins = market()
    at, trades = AT - timedelta(minutes=3), []
    while at < AT:
        trades += coins.shown("KRW-BTC", at, at + timedelta(seconds=1))
        at += timedelta(seconds=1)
    assert trades == coins.shown("KRW-BTC", AT - timedelta(minutes=3), AT)
    assert all(early.id < late.id for early, late in pairwise(trades))
    (candle,) = coins.candles("KRW-BTC", at - timedelta(minutes=1.5), at - MINUTE / 2, AT)
    within = [trade for trade in trades if candle.start <= trade.at < candle.start + MINUTE]
    assert candle.count == len(within)
    assert candle.volume == pytest.approx(sum(trade.volume for trade in within))
    assert candle.value == pytest.approx(sum(trade.value for trade in within))
    assert (candle.open, candle.close) == (within[0].price, within[-1].price)
    assert (candle.first_id, candle.last_id) == (within[0].id, within[-1].id)


def test_longer_candles_are_sums_of_minutes() -> None:
    coins = market()
    start = AT.replace(hour=0, minute=0, second=0)
    minutes = coins.candles("KRW-BTC", start, AT, AT)
    (day,) = coins.candles("KRW-BTC", start, AT, AT, timedelta(days=1))
    fives = coins.candles("KRW-BTC", start, AT, AT, timedelta(minutes=5))
    assert day.start == start
    for parts in (minutes, fives):
        assert day.volume == pytest.approx(sum(part.volume for part in parts))
        assert day.high == max(part.high for part in parts)
        assert (day.open, day.close) == (parts[0].open, parts[-1].close)
        assert day.count == sum(part.count for part in parts)


def test_prices_go_on_from_hour_to_hour() -> None:
    candles = market().candles("KRW-BTC", AT - timedelta(days=2), AT, AT)
    jumps = [abs(late.open / early.close - 1) for early, late in pairwise(candles)]
    assert max(jumps) < 0.01
