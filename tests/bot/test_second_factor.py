"""Codes and PINs: once, five tries, an hour."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyotp
import pytest
from pydantic import SecretStr

from bot.second_factor import ATTEMPTS, SecondFactor
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DP"
TOTP = pyotp.TOTP(SECRET)
MINUTE = timedelta(minutes=1)


def code(at: datetime = NOW) -> str:
    return TOTP.at(at)


@pytest.fixture
def with_factor(tmp_path: Path) -> Callable[..., None]:
    """Run a scenario with a factor, of an app unless it is told otherwise."""

    def start(scenario: Callable[[SecondFactor], Awaitable[None]], *, is_totp: bool = True) -> None:
        store = Store.open(tmp_path / "factor.sqlite")
        try:
            asyncio.run(
                _given(scenario, SecondFactor(store, SecretStr(SECRET) if is_totp else None))
            )
        finally:
            store.close()

    return start


async def _given(scenario: Callable[[SecondFactor], Awaitable[None]], factor: SecondFactor) -> None:
    await scenario(factor)


def test_a_code_counts_once(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        assert await factor.is_set()
        assert (await factor.prove(code(), NOW)).is_given
        assert not (await factor.prove(code(), NOW)).is_given
        later = NOW + MINUTE
        assert (await factor.prove(f" {code(later)[:3]} {code(later)[3:]} ", later)).is_given

    with_factor(scenario)


@pytest.mark.parametrize(
    ("seconds", "is_right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_clocks_may_differ_by_half_a_minute(
    with_factor: Callable[..., None], seconds: int, *, is_right: bool
) -> None:
    async def scenario(factor: SecondFactor) -> None:
        typed = code(NOW + timedelta(seconds=seconds))
        assert (await factor.prove(typed, NOW)).is_given is is_right

    with_factor(scenario)


def test_five_wrong_tries_lock_for_an_hour(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        wrong = [await factor.prove("000000x", NOW) for _ in range(ATTEMPTS)]
        assert [one.facts.get("left") for one in wrong] == ["4", "3", "2", "1", None]
        for locked in (wrong[-1], await factor.prove(code(), NOW)):
            assert (locked.code, locked.facts) == ("factor.locked", {"minutes": "60"})
        nearly = NOW + timedelta(minutes=59, seconds=59)
        assert (await factor.prove(code(nearly), nearly)).facts == {"minutes": "1"}
        later = NOW + timedelta(hours=1)
        assert (await factor.prove(code(later), later)).is_given

    with_factor(scenario)


def test_a_right_code_begins_the_count_anew(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        for _ in range(ATTEMPTS - 1):
            await factor.prove("1", NOW)
        assert (await factor.prove(code(), NOW)).is_given
        assert (await factor.prove("1", NOW)).facts == {"left": "4"}
        assert not (await factor.prove(code(), NOW)).is_given  # used before

    with_factor(scenario)


@pytest.mark.parametrize("typed", ["", "12", "\ud800", "٠١٢٣٤٥", "0" * 5_000, "'; --"])
def test_odd_codes_are_wrong(with_factor: Callable[..., None], typed: str) -> None:
    async def scenario(factor: SecondFactor) -> None:
        assert (await factor.prove(typed, NOW)).code == "factor.wrong"

    with_factor(scenario)


def test_a_pin_will_do_where_there_is_no_app(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        assert not await factor.is_set()
        assert (await factor.prove("482913", NOW)).code == "factor.missing"
        assert await factor.choose_pin("482913") == "pin.done"
        assert await factor.is_set()
        for _ in range(2):  # a PIN is not used up
            assert (await factor.prove("482913", NOW)).is_given
        assert (await factor.prove("482914", NOW)).facts == {"left": "4"}

    with_factor(scenario, is_totp=False)


@pytest.mark.parametrize(
    "pin", ["", "12345", "1234567890123", "abcdef", "111111", "121212", "１２３４５６"]
)
def test_weak_pins_are_refused(with_factor: Callable[..., None], pin: str) -> None:
    async def scenario(factor: SecondFactor) -> None:
        assert await factor.choose_pin(pin) == "pin.form"

    with_factor(scenario, is_totp=False)


def test_three_different_digits_are_enough(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        assert await factor.choose_pin("112233") == "pin.done"

    with_factor(scenario, is_totp=False)


def test_a_code_before_one_that_counted_is_over(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        after = NOW + timedelta(seconds=30)
        assert (await factor.prove(code(after), NOW)).is_given
        assert not (await factor.prove(code(), NOW)).is_given
        assert not (await factor.prove(code(after), after)).is_given

    with_factor(scenario)


def test_with_an_app_no_pin_is_used(with_factor: Callable[..., None]) -> None:
    async def scenario(factor: SecondFactor) -> None:
        assert await factor.choose_pin("482913") == "pin.totp"

    with_factor(scenario)


def test_neither_pin_nor_code_is_stored(tmp_path: Path) -> None:
    async def scenario(factor: SecondFactor) -> None:
        await factor.choose_pin("482913")
        await factor.prove("719420", NOW)

    path = tmp_path / "factor.sqlite"
    store = Store.open(path)
    asyncio.run(_given(scenario, SecondFactor(store, None)))
    store.close()
    kept = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"482913" not in kept
    assert b"719420" not in kept
    assert b"scrypt" not in kept
