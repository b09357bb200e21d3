"""One instrument's pretend session: every trade of it, from a seed, without looking at others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sandbox.market_bursts import JUMP_MINUTES, excite, lift
from sandbox.market_grid import tick_sizes, within_limits

if TYPE_CHECKING:
    from market.types import Kind
    from sandbox.market_bursts import Burst

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MOST_TRADES_PER_MINUTE = 6
AUCTION_SPREAD_SECONDS = 20
"""The closing auction prints within as many seconds of the close."""
AFTER_HOURS_MINUTES = 10
"""So many minutes after the close trades at the closing price begin (15:40 on KRX)."""
_AFTER_HOURS_TRADES = 5
_AUCTION_SHARE = 0.06
_DEVIATION = 0.008
_BOUNCE = 0.45
"""Ticks by which trades jump between bid and ask (standard deviation)."""
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Habit:
    """How an instrument trades: its sort, and its usual day in trades a minute and shares."""

    kind: Kind
    trades_per_minute: float
    daily_volume: float


@dataclass(frozen=True, slots=True)
class Script:
    """What is settled before a session: its hours, where prices come from and go, its bursts.

    `minutes` is the length of continuous trading, which ends before the closing auction.
    """

    open_ms: int
    close_ms: int
    minutes: int
    previous_close: float
    close: float
    bursts: tuple[Burst, ...]


@dataclass(frozen=True, slots=True)
class Trades:
    """The trades of a session in time order: UTC ms, KRW, shares; and their running sums."""

    times: Integers
    prices: Floats
    volumes: Integers
    total_volume: Integers
    total_value: Floats
    highs: Floats
    lows: Floats


def no_trades() -> Trades:
    """Return a session in which nothing trades."""
    return _sum_up(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))


def trade_session(habit: Habit, script: Script, random: np.random.Generator) -> Trades:
    """Return every trade of a session: continuous trading, closing auction, after hours."""
    counts = _counts(habit, script, random)
    minutes = np.repeat(np.arange(script.minutes), counts)
    at = np.sort(minutes + random.random(len(minutes)))
    late_times, late_volumes = _late(habit, script, random)
    return _sum_up(
        np.concatenate([script.open_ms + (at * _MINUTE_MS).astype(np.int64), late_times]),
        np.concatenate(
            [_prices(habit, script, at, random), np.full(len(late_times), script.close)]
        ),
        np.concatenate([_volumes(habit, script, counts, random), late_volumes]),
    )


def _counts(habit: Habit, script: Script, random: np.random.Generator) -> Integers:
    """Return how many trades each minute has."""
    counts = np.minimum(random.poisson(_expected(habit, script)), MOST_TRADES_PER_MINUTE)
    for burst in script.bursts:
        if burst.is_jump:
            counts[burst.minute : burst.minute + JUMP_MINUTES] = MOST_TRADES_PER_MINUTE
    return counts.astype(np.int64)


def _expected(habit: Habit, script: Script) -> Floats:
    return habit.trades_per_minute * np.sqrt(_profile(script.minutes))


def _profile(minutes: int) -> Floats:
    """Return the U shape of a session's activity by minute, 1 on average."""
    at = np.arange(minutes)
    shape = 1 + 1.8 * np.exp(-at / 25) + 0.8 * np.exp(-(minutes - 1 - at) / 20)
    return np.asarray(shape / shape.mean())


def _prices(habit: Habit, script: Script, at: Floats, random: np.random.Generator) -> Floats:
    """Return the price of each trade: a walk from the last close to the next, and the bursts."""
    if not len(at):
        return np.zeros(0)
    goal = float(np.log(script.close / script.previous_close))
    gap = 0.3 * goal + float(random.normal(0, 0.002))
    walk = np.cumsum(random.normal(0, _DEVIATION / np.sqrt(len(at)), len(at)))
    part = at / script.minutes
    path = gap + walk + (goal - gap - walk[-1]) * part
    for burst in script.bursts:
        path += lift(burst, at, script.minutes)
    prices = script.previous_close * np.exp(path)
    prices += tick_sizes(prices, habit.kind) * random.normal(0, _BOUNCE, len(at))
    return within_limits(prices, script.previous_close, habit.kind)


def _volumes(
    habit: Habit, script: Script, counts: Integers, random: np.random.Generator
) -> Integers:
    """Return the shares of each trade; minutes follow the U shape, jumps trade heavily."""
    usual = habit.daily_volume * (1 - _AUCTION_SHARE) / script.minutes
    by_minute = usual * _profile(script.minutes)
    expected = np.minimum(_expected(habit, script), MOST_TRADES_PER_MINUTE)
    for burst in script.bursts:
        excite(burst, by_minute, usual)
        if burst.is_jump:
            expected[burst.minute : burst.minute + JUMP_MINUTES] = MOST_TRADES_PER_MINUTE
    sizes = np.repeat(by_minute / expected, counts)
    return _whole(sizes * random.lognormal(-0.125, 0.5, len(sizes)))


def _late(habit: Habit, script: Script, random: np.random.Generator) -> tuple[Integers, Integers]:
    """Return times and shares of the auction print and of the after-hours trades."""
    auction = script.close_ms + int(random.integers(0, AUCTION_SPREAD_SECONDS * 1000))
    first = script.close_ms + AFTER_HOURS_MINUTES * _MINUTE_MS
    after = first + np.arange(_AFTER_HOURS_TRADES) * _MINUTE_MS
    shares = np.full(1 + _AFTER_HOURS_TRADES, habit.daily_volume * 0.0001)
    shares[0] = habit.daily_volume * _AUCTION_SHARE
    times = np.concatenate([[auction], after + random.integers(0, _MINUTE_MS, len(after))])
    return times.astype(np.int64), _whole(shares * random.lognormal(-0.08, 0.4, len(shares)))


def _whole(shares: Floats) -> Integers:
    return np.maximum(1, np.round(shares)).astype(np.int64)


def _sum_up(times: Integers, prices: Floats, volumes: Integers) -> Trades:
    # after-hours trades are at the close, so the extremes of the day need no care for them
    return Trades(
        times,
        prices,
        volumes,
        np.cumsum(volumes),
        np.cumsum(prices * volumes),
        np.maximum.accumulate(prices),
        np.minimum.accumulate(prices),
    )
